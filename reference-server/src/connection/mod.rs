//! Connections: accepting them, their limits, and their orderly end.
//!
//! It speaks TCP, TLS and HTTP/1.1. What a request means is not known here: `exchange` turns one
//! request into one answer.

mod access_log;
mod exchange;
mod form;
mod guarded_io;
mod health;
pub mod limits;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

pub(crate) use access_log::AccessLog;
pub(crate) use exchange::Front;
use exchange::{ConnectionState, service};
use guarded_io::GuardedIo;
use limits::{LINGER_TIMEOUT, Limits, MAX_HEADER_BYTES, MAX_LINGER_BYTES};

use crate::request::Transport;

/// How long to wait when the operating system has no more descriptors to give.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// One listening socket, and what is spoken on it.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    /// None for plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) transport: Transport,
    pub(crate) front: Arc<Front>,
    pub(crate) limits: Limits,
}

impl Listener {
    /// Serves connections until `shutdown` changes, then lets running requests end.
    pub(crate) async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(self.limits.max_connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = asked(&mut shutdown) => break,
                accepted = self.accept(&permits) => accepted,
            };
            // Ended connections are forgotten as new ones come.
            while connections.try_join_next().is_some() {}
            if let Some((stream, permit)) = accepted {
                let connection = Connection {
                    tls: self.tls.clone(),
                    transport: self.transport,
                    front: Arc::clone(&self.front),
                    limits: self.limits,
                    shutdown: shutdown.clone(),
                };
                connections.spawn(async move {
                    connection.serve(stream).await;
                    drop(permit);
                });
            }
        }
        drop(self.socket);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(self.limits.drain_timeout, all).await.is_err() {
            tracing::warn!("requests still running after the drain time are cut off");
        }
        connections.shutdown().await;
    }

    async fn accept(&self, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(permits)
            .acquire_owned()
            .await
            .expect("it is never closed");
        match self.socket.accept().await {
            Ok((stream, _)) => Some((stream, permit)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

/// What one connection needs of its listener.
struct Connection {
    tls: Option<TlsAcceptor>,
    transport: Transport,
    front: Arc<Front>,
    limits: Limits,
    shutdown: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let peer = stream.peer_addr().ok();
        // Without it, small answers wait for acknowledgements; failing is no reason to refuse.
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.speak_http(stream, peer).await,
            Some(acceptor) => {
                let mut shutdown = self.shutdown.clone();
                let handshake = timeout(self.limits.handshake_timeout, acceptor.accept(stream));
                let handshake = tokio::select! {
                    handshake = handshake => handshake,
                    () = asked(&mut shutdown) => return,
                };
                match handshake {
                    Ok(Ok(stream)) => self.speak_http(stream, peer).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    }

    async fn speak_http<S>(mut self, stream: S, peer: Option<SocketAddr>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let state = Arc::new(ConnectionState::of(peer));
        let io = GuardedIo::new(stream, Arc::clone(&state.phase), self.limits);
        let service = service(self.front, self.transport, self.limits, Arc::clone(&state));
        let mut http = http1::Builder::new()
            .max_header_size(MAX_HEADER_BYTES)
            // Deadlines are those of `GuardedIo`, which tells an idle client from a slow one.
            .header_read_timeout(None)
            // It is set in `exchange`, from the clock of this crate.
            .auto_date_header(false)
            .serve_connection(TokioIo::new(io), service);
        let ended = tokio::select! {
            outcome = poll_fn(|context| http.poll_without_shutdown(context)) => Some(outcome),
            () = asked(&mut self.shutdown) => None,
        };
        let outcome = match ended {
            Some(outcome) => outcome,
            None => {
                Pin::new(&mut http).graceful_shutdown();
                poll_fn(|context| http.poll_without_shutdown(context)).await
            }
        };
        let refused_while_sending = state.left_a_body()
            || outcome
                .as_ref()
                .is_err_and(|error| error.is_parse() || error.is_parse_too_large());
        if let Err(error) = outcome {
            tracing::debug!(%error, "a connection ended early");
        }
        let mut stream = http.into_parts().io.into_inner().into_inner();
        if timeout(LINGER_TIMEOUT, stream.shutdown()).await.is_ok() && refused_while_sending {
            let _ = timeout(LINGER_TIMEOUT, linger(stream)).await;
        }
    }
}

/// Waits until a shutdown is asked for. A server that is gone asks for one as well.
async fn asked(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|asked| *asked).await;
}

/// Takes, and drops, what the client is still sending. Closing at once would reset the connection,
/// and a reset can overtake the answer.
async fn linger(mut stream: impl AsyncRead + Unpin) {
    let mut taken = 0;
    let mut buffer = vec![0; 16 * 1024];
    while taken < MAX_LINGER_BYTES {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => taken += length as u64,
        }
    }
}
