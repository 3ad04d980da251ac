//! What asks a command to end: signals, or the end of standard input.

use std::pin::Pin;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

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

/// Resolves when standard input ends, if that is `watched`. A program that started this one and
/// holds the other end of a pipe closes it even when it is killed. Reading blocks, so a thread
/// of its own does it; it ends with the process.
pub async fn left_alone(watched: bool) {
    let (ended, hears) = oneshot::channel();
    let watching = watched.then(|| {
        let read = move || {
            // Whatever comes, also an error, means that there is nothing more to wait for.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = ended.send(());
        };
        std::thread::Builder::new().spawn(read)
    });
    match watching {
        // Without a thread to watch it, signals alone end the command.
        None | Some(Err(_)) => std::future::pending().await,
        Some(Ok(_)) => {
            let _ = hears.await;
        }
    }
}
