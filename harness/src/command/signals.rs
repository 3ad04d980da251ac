//! The signals that ask a command to end.

use std::pin::Pin;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Resolves when the command is asked to end.
pub type AskedToEnd = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Listens for SIGINT and SIGTERM from this call on; the future resolves at the first of them,
/// also when it came before anybody waited. Where no handler can be installed, that signal keeps
/// its usual effect. Must be called within a runtime.
#[must_use]
pub fn asked_to_end() -> AskedToEnd {
    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    Box::pin(async move {
        tokio::select! {
            () = next(interrupt) => {}
            () = next(terminate) => {}
        }
    })
}

async fn next(stream: Option<Signal>) {
    match stream {
        Some(mut stream) => {
            stream.recv().await;
        }
        None => std::future::pending().await,
    }
}
