//! A stream with deadlines: for a head that does not come, and for a client that does not read.
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
use tokio::time::{Sleep, sleep};

use super::limits::Limits;

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
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_deadline = None;
            return outcome;
        }
        expire(
            &mut self.write_deadline,
            self.limits.write_stall_timeout,
            context,
        )
        .map(Err)
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
        self.after_write(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.after_write(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(context);
        self.after_write(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(context);
        self.after_write(context, outcome)
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

    #[tokio::test]
    async fn a_client_that_does_not_read_is_left() {
        let (_client, server) = duplex(1);
        let mut io = GuardedIo::new(server, Arc::default(), limits());
        let error = io.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
