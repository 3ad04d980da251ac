//! The judged client: HTTP/1.1 over a stream of our own, no proxy, no redirect, no retry.
//!
//! The exchange is written by hand and not left to `hyper`, which cannot send a header's name in
//! the case that AWS spells it in, nor a value with control characters, and does not hand out the
//! bytes that passed. Every request has a connection of its own, so that no answer can be another
//! one's rest; TLS sessions are resumed. Only trials about kept connections keep one ([`Line`]). The
//! control plane uses the same client: it needs nothing more.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::connect::{Duplex, connect};
use super::endpoint::Endpoint;
use super::exchange::{Exchange, SignedRequest};
use super::incoming::{Answer, Incoming};
use super::limits::Limits;
use super::progress::{Phase, Progress};
use super::tls::TlsSettings;
use crate::clock::Stopwatch;
use crate::error::{Stage, TargetError, Wait};

/// Bytes of the body that are written at once.
const WRITE: usize = 64 * 1024;

/// Sends requests to one endpoint; cheap to share by reference between tasks.
pub struct Client {
    endpoint: Endpoint,
    tls: TlsSettings,
}

impl Client {
    #[must_use]
    pub const fn new(endpoint: Endpoint, tls: TlsSettings) -> Self {
        Self { endpoint, tls }
    }

    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `request` once and reads the answer as far as it comes. The answer is read while the
    /// request is still being sent: a target may refuse early and close.
    ///
    /// # Errors
    /// When there is no complete answer head. A body that breaks is no error: see
    /// [`Exchange::cut`].
    pub async fn send(
        &self,
        request: &SignedRequest,
        limits: &Limits,
    ) -> Result<Exchange, TargetError> {
        let started = Stopwatch::start();
        let mut line = self.open(&request.host, limits).await?;
        line.exchange(request, limits, started).await
    }

    /// Opens a connection that is kept for one exchange after the other.
    ///
    /// # Errors
    /// When no connection comes about.
    pub async fn open(&self, host: &str, limits: &Limits) -> Result<Line, TargetError> {
        let connecting = connect(&self.endpoint, host, &self.tls, limits);
        let stream = timeout(limits.exchange, connecting).await;
        Ok(Line {
            stream: stream.unwrap_or_else(|_| Err(late(limits)))?,
            endpoint: self.endpoint.to_string(),
            usable: true,
        })
    }
}

const fn late(limits: &Limits) -> TargetError {
    TargetError::TimedOut {
        wait: Wait::Exchange,
        limit: limits.exchange,
    }
}

/// One connection, for exchanges that follow each other.
pub struct Line {
    stream: Box<dyn Duplex>,
    /// The endpoint at its other end, as a URL.
    endpoint: String,
    usable: bool,
}

impl Line {
    /// Whether another exchange may follow: the last one was whole, and neither side wants to
    /// close.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.usable
    }

    /// As [`Client::send`], on this connection.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send(
        &mut self,
        request: &SignedRequest,
        limits: &Limits,
    ) -> Result<Exchange, TargetError> {
        self.exchange(request, limits, Stopwatch::start()).await
    }

    async fn exchange(
        &mut self,
        request: &SignedRequest,
        limits: &Limits,
        started: Stopwatch,
    ) -> Result<Exchange, TargetError> {
        self.usable = false;
        let (reader, writer) = tokio::io::split(&mut self.stream);
        let head = request.head();
        let progress = Progress::new(limits);
        let sent = AtomicU64::new(0);
        let mut answer = Answer::default();
        let sending = send(writer, &head, &request.body, &progress, &sent);
        let receiving = Incoming {
            reader,
            method: request.method,
            limits,
            progress: &progress,
            started,
            answer: &mut answer,
            buffer: BytesMut::new(),
        };
        let left = limits.exchange.saturating_sub(started.elapsed());
        let outcome = tokio::select! {
            outcome = both(sending, receiving.read(), &progress) => outcome,
            still = progress.stands_still() => Err(still),
            () = sleep(left) => Err(late(limits)),
        };
        let passed = Passed {
            head,
            sent: sent.into_inner(),
            started,
        };
        let exchange = self.told(request, answer, outcome, passed)?;
        self.usable = may_go_on(&exchange);
        Ok(exchange)
    }

    fn told(
        &self,
        request: &SignedRequest,
        answer: Answer,
        outcome: Result<(), TargetError>,
        passed: Passed,
    ) -> Result<Exchange, TargetError> {
        let Some(head) = answer.head else {
            let none = TargetError::ClosedEarly {
                at: Stage::BeforeAnswer,
            };
            return Err(outcome.err().unwrap_or(none));
        };
        let elapsed = passed.started.elapsed();
        let (sent_head, sent_body) = passed.split();
        Ok(Exchange {
            method: request.method,
            endpoint: self.endpoint.clone(),
            sent_head,
            sent_fields: request.body[..within(request.fields, sent_body)].to_vec(),
            request_body: request.body.len() as u64,
            sent_body,
            interim: answer.interim,
            interim_heads: answer.interim_heads,
            status: head.status,
            received_head: answer.received_head,
            headers: head.headers,
            body: answer.body.freeze(),
            trailers: answer.trailers,
            surplus: answer.surplus,
            cut: outcome.err(),
            first_byte: answer.first_byte.unwrap_or(elapsed),
            elapsed,
        })
    }
}

/// The shorter one of two lengths.
fn within(length: usize, most: u64) -> usize {
    usize::try_from(most).map_or(length, |most| length.min(most))
}

/// Whether a connection can carry another exchange after this one.
fn may_go_on(exchange: &Exchange) -> bool {
    let closes = exchange
        .headers_named("Connection")
        .any(|value| value.to_ascii_lowercase().ends_with(b"close"));
    let has_end = exchange.header("Content-Length").is_some()
        || exchange.header("Transfer-Encoding").is_some()
        || matches!(exchange.status, 204 | 304);
    exchange.is_whole()
        && exchange.sent_body == exchange.request_body
        && exchange.surplus.is_empty()
        && has_end
        && !closes
}

/// What was sent, and since when.
struct Passed {
    head: Vec<u8>,
    /// Bytes of head and body together that the stream took.
    sent: u64,
    started: Stopwatch,
}

impl Passed {
    /// The head as far as it was sent, and the bytes of body that followed it.
    fn split(mut self) -> (Vec<u8>, u64) {
        let body = self.sent.saturating_sub(self.head.len() as u64);
        self.head
            .truncate(usize::try_from(self.sent).unwrap_or(usize::MAX));
        (self.head, body)
    }
}

/// Sends while it receives, until the answer is whole or broken. A request that could not be sent
/// is an error only if there is no answer that may say why.
async fn both(
    sending: impl Future<Output = Result<(), TargetError>>,
    receiving: impl Future<Output = Result<(), TargetError>>,
    progress: &Progress,
) -> Result<(), TargetError> {
    tokio::pin!(sending, receiving);
    let unsent = tokio::select! {
        biased;
        outcome = &mut receiving => return outcome,
        sent = &mut sending => sent.err(),
    };
    if progress.phase() == Phase::Sending {
        progress.enter(Phase::Waiting);
    }
    receiving.await.map_err(|error| match (error, unsent) {
        (
            TargetError::ClosedEarly {
                at: Stage::BeforeAnswer,
            },
            Some(unsent),
        )
        | (
            TargetError::Broken {
                at: Stage::BeforeAnswer,
                ..
            },
            Some(unsent),
        ) => unsent,
        (error, _) => error,
    })
}

async fn send(
    mut writer: impl AsyncWrite + Unpin,
    head: &[u8],
    body: &[u8],
    progress: &Progress,
    sent: &AtomicU64,
) -> Result<(), TargetError> {
    let broken = |error: std::io::Error| TargetError::Broken {
        at: Stage::Sending,
        why: error.to_string(),
    };
    for piece in std::iter::once(head).chain(body.chunks(WRITE)) {
        let mut left = piece;
        while !left.is_empty() {
            let count = writer.write(left).await.map_err(broken)?;
            if count == 0 {
                return Err(TargetError::ClosedEarly { at: Stage::Sending });
            }
            left = &left[count..];
            sent.fetch_add(count as u64, Ordering::Relaxed);
            progress.touch();
        }
    }
    writer.flush().await.map_err(broken)
}
