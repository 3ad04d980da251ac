//! The signals that ask a command to end.

use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the next SIGINT or SIGTERM. Where no handler can be installed it never does, and
/// the signal keeps its usual effect.
pub async fn asked_to_end() {
    let interrupt = async {
        if ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
