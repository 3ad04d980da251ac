//! A stream with deadlines: for a head that does not come, and for a client that does not read, or
//! reads too slowly.
//!
//! It knows whether a request is running from [`Phase`], which the exchange keeps. While one runs,
//! reads may wait: the body has its own deadline.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;
use crate::body::{Patience, TooSlow, Waits};

/// How many requests of one connection have started, and how many of them run.
#[derive(Debug, Default)]
pub(super) struct Phase {
    started: AtomicUsize,
    running: AtomicUsize,
    /// A read that waits without a deadline, to be given one when the request has ended.
    waiting_read: Mutex<Option<Waker>>,
}

/// One running request; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct RunningExchange(Arc<Phase>);

impl Phase {
    /// Begins a request.
    pub(super) fn begin(self: &Arc<Self>) -> RunningExchange {
        self.started.fetch_add(1, Ordering::AcqRel);
        self.running.fetch_add(1, Ordering::AcqRel);
        RunningExchange(Arc::clone(self))
    }
}

impl Drop for RunningExchange {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        // A poisoned lock still holds a whole waker.
        let waiting = self
            .0
            .waiting_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

/// The stream of one connection.
pub(super) struct GuardedIo<S> {
    inner: S,
    phase: Arc<Phase>,
    limits: Limits,
    /// The number of requests that had started when the deadline below was set.
    seen: usize,
    head_begun: bool,
    read_deadline: Option<Pin<Box<Sleep>>>,
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// When the write that waits began to wait.
    write_began: Option<Instant>,
    /// How the client has taken the answers to the present request.
    taking: Waits,
}

impl<S> GuardedIo<S> {
    pub(super) fn new(inner: S, phase: Arc<Phase>, limits: Limits) -> Self {
        Self {
            inner,
            phase,
            limits,
            seen: 0,
            head_begun: false,
            read_deadline: None,
            write_deadline: None,
            write_began: None,
            taking: Waits::default(),
        }
    }

    /// The stream itself.
    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// Forgets the deadline of a head that has become a request.
    fn notice_requests(&mut self) -> bool {
        let started = self.phase.started.load(Ordering::Acquire);
        let running = self.phase.running.load(Ordering::Acquire) > 0;
        if started != self.seen {
            self.taking = Waits::default();
        }
        if started != self.seen || running {
            self.seen = started;
            self.head_begun = false;
            self.read_deadline = None;
        }
        running
    }

    fn after_write<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        bytes: usize,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_deadline = None;
            let waited = self.write_began.take().map(|began| began.elapsed());
            let patience = Patience {
                stall: self.limits.write_stall_timeout,
                grace: self.limits.rate_grace,
                bytes_per_second: self.limits.min_rate,
            };
            let taking = &mut self.taking;
            return match taking.add(waited.unwrap_or_default(), bytes, &patience) {
                Ok(()) => outcome,
                Err(TooSlow) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            };
        }
        self.write_began.get_or_insert_with(Instant::now);
        expire(
            &mut self.write_deadline,
            self.limits.write_stall_timeout,
            context,
        )
        .map(Err)
    }
}

/// How many bytes a write has taken.
fn taken(outcome: &Poll<io::Result<usize>>) -> usize {
    match outcome {
        Poll::Ready(Ok(bytes)) => *bytes,
        Poll::Ready(Err(_)) | Poll::Pending => 0,
    }
}

/// Waits for a deadline, which is set when there is none yet.
fn expire(
    deadline: &mut Option<Pin<Box<Sleep>>>,
    after: Duration,
    context: &mut Context<'_>,
) -> Poll<io::Error> {
    let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(after)));
    deadline
        .as_mut()
        .poll(context)
        .map(|()| io::ErrorKind::TimedOut.into())
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let running = this.notice_requests();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(context, buffer);
        if outcome.is_ready() {
            if !running && !this.head_begun && buffer.filled().len() > before {
                this.head_begun = true;
                this.read_deadline = Some(Box::pin(sleep(this.limits.header_timeout)));
            }
            return outcome;
        }
        if running {
            let mut waiting = this
                .phase
                .waiting_read
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        if this.write_deadline.is_some() {
            // The last of an answer is still going out, under a deadline of its own.
            this.read_deadline = None;
        }
        // A head that has begun has its deadline already.
        expire(&mut this.read_deadline, this.limits.idle_timeout, context).map(Err)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(context, bytes);
        let taken = taken(&outcome);
        self.after_write(context, outcome, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        let taken = taken(&outcome);
        self.after_write(context, outcome, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(context);
        self.after_write(context, outcome, 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(context);
        self.after_write(context, outcome, 0)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn limits() -> Limits {
        Limits {
            idle_timeout: Duration::from_millis(40),
            header_timeout: Duration::from_millis(20),
            write_stall_timeout: Duration::from_millis(20),
            ..Limits::STANDARD
        }
    }

    #[tokio::test]
    async fn a_connection_without_a_request_ends() {
        let (_client, server) = duplex(64);
        let mut io = GuardedIo::new(server, Arc::default(), limits());
        let error = io.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_head_that_trickles_ends() {
        let (mut client, server) = duplex(64);
        let mut io = GuardedIo::new(server, Arc::default(), limits());
        client.write_all(b"G").await.unwrap();
        assert_eq!(io.read_u8().await.unwrap(), b'G');
        let error = io.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_running_request_may_wait_for_its_body() {
        let (mut client, server) = duplex(64);
        let phase = Arc::new(Phase::default());
        let mut io = GuardedIo::new(server, Arc::clone(&phase), limits());
        let running = phase.begin();
        let wait = tokio::time::timeout(Duration::from_millis(100), io.read_u8());
        assert!(wait.await.is_err(), "the read itself must not have ended");
        client.write_all(b"x").await.unwrap();
        assert_eq!(io.read_u8().await.unwrap(), b'x');
        drop(running);
        assert_eq!(
            io.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    /// Writes 64 bytes to a client that reads one in five milliseconds.
    async fn trickle(limits: Limits) -> io::Result<()> {
        let (mut client, server) = duplex(1);
        let mut io = GuardedIo::new(server, Arc::default(), limits);
        let reading = async {
            while client.read_u8().await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let writing = async {
            let outcome = io.write_all(&[7; 64]).await;
            drop(io);
            outcome
        };
        tokio::join!(reading, writing).1
    }

    #[tokio::test]
    async fn a_client_that_reads_too_slowly_is_left() {
        let patient = Limits {
            rate_grace: Duration::from_millis(20),
            ..Limits::STANDARD
        };
        let error = trickle(patient).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // As slow a client is served for as long as the grace lasts.
        assert!(trickle(Limits::STANDARD).await.is_ok());
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_left() {
        let (_client, server) = duplex(1);
        let mut io = GuardedIo::new(server, Arc::default(), limits());
        let error = io.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
