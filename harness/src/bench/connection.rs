//! One connection of one stream: TCP, TLS, HTTP/1.1 by `hyper`, each phase timed.
//!
//! The connection is polled by the stream that uses it and not by a task of its own: a request
//! wakes nobody else. No pool, no redirect, no proxy, no retry.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use http::HeaderMap;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::customer_keys::apart;
use super::outgoing::Outgoing;
use super::tls::{Configuration, Tls};
use crate::clock::Stopwatch;

/// Memory that the read buffers of all connections share.
const READ_BUFFERS: usize = 16 << 20;
/// A read buffer of one connection: many records in one system call, and no more than the processor keeps near.
const LARGEST_READ: usize = 128 << 10;
/// Room for one TLS record at least.
const SMALLEST_READ: usize = 16 << 10;
/// Bytes of an answer that are handed on at once where TLS hands them over: they are compared while they are near. The
/// longest head of an answer, too; S3's are below 16 KiB.
const AT_ONCE: usize = 32 << 10;

/// Where a stream connects to.
#[derive(Clone)]
pub struct Route {
    /// As records name it.
    pub label: String,
    pub address: SocketAddr,
    /// Value of the `Host` header.
    pub authority: http::HeaderValue,
    /// TLS configuration and the name to ask for; `None` for plain HTTP.
    pub tls: Option<(Configuration, ServerName<'static>)>,
}

impl Route {
    /// For one thread: what each of its requests counts references to is in memory of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            authority: apart(&self.authority),
            ..self.clone()
        }
    }
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

type Io = TokioIo<Box<dyn Duplex>>;

/// A connection that stands, idle or in use.
pub struct Connection {
    sender: http1::SendRequest<Outgoing>,
    driver: Pin<Box<http1::Connection<Io, Outgoing>>>,
    ended: bool,
    /// Requests that it carried.
    pub carried: u64,
    /// Of the last answer, for its memory.
    pub spare: HeaderMap,
    pub opened: Opened,
}

/// How long the parts of opening a connection took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub connect: Duration,
    pub tls: Option<Duration>,
}

/// Why there is no connection, as a class of failure.
pub type NotOpened = &'static str;

/// Bytes of each connection's read buffer when there are so many.
#[must_use]
pub fn read_buffer(connections: usize) -> usize {
    (READ_BUFFERS / connections.max(1)).clamp(SMALLEST_READ, LARGEST_READ)
}

impl Connection {
    /// Connects; `buffer` is the size of the read buffer.
    ///
    /// # Errors
    /// The class of failure.
    pub async fn open(route: &Route, buffer: usize) -> Result<Self, NotOpened> {
        let started = Stopwatch::start();
        let tcp = TcpStream::connect(route.address)
            .await
            .map_err(|_| "cannot connect")?;
        // A request goes out in few writes; waiting to fill a packet only delays it.
        tcp.set_nodelay(true).map_err(|_| "cannot connect")?;
        let connect = started.elapsed();
        let (mut tls, mut at_once) = (None, buffer.max(AT_ONCE));
        let stream: Box<dyn Duplex> = match &route.tls {
            None => Box::new(tcp),
            Some((config, name)) => {
                let stream = Tls::connect(tcp, config, name.clone(), buffer)
                    .await
                    .map_err(|_| "TLS handshake")?;
                tls = Some(started.elapsed().saturating_sub(connect));
                at_once = AT_ONCE;
                Box::new(stream)
            }
        };
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(at_once)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| "cannot connect")?;
        Ok(Self {
            sender,
            driver: Box::pin(driver),
            ended: false,
            carried: 0,
            spare: HeaderMap::new(),
            opened: Opened { connect, tls },
        })
    }

    /// Whether it can carry a request, as far as this side has heard.
    pub async fn is_usable(&mut self) -> bool {
        if self.ended || self.sender.is_closed() {
            return false;
        }
        // What the target did since the last request, such as closing, is seen by this poll.
        poll_fn(|context| {
            if let Poll::Ready(ended) = self.driver.as_mut().poll(context) {
                let _ = ended;
                self.ended = true;
            }
            Poll::Ready(())
        })
        .await;
        !self.ended && !self.sender.is_closed()
    }

    /// Begins a request; the future it returns needs [`Connection::drive`].
    pub fn send(
        &mut self,
        request: http::Request<Outgoing>,
    ) -> impl Future<Output = hyper::Result<http::Response<hyper::body::Incoming>>> + use<> {
        self.carried += 1;
        self.sender.send_request(request)
    }

    /// Waits for `work` and moves the connection's bytes meanwhile.
    pub async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        poll_fn(|context| {
            loop {
                if let Poll::Ready(output) = work.as_mut().poll(context) {
                    return Poll::Ready(output);
                }
                if self.ended {
                    return Poll::Pending;
                }
                if self.driver.as_mut().poll(context).is_pending() {
                    // What the connection has brought is taken now, not with the next wake.
                    return work.as_mut().poll(context);
                }
                // The connection is over; `work` hears of it.
                self.ended = true;
            }
        })
        .await
    }
}
