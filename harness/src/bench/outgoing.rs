//! The body of a request: slices of the pool, or a few bytes of XML; nothing is copied.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::pool::Pool;
use crate::clock::Stopwatch;

/// Most bytes that are handed on at once.
const FRAME: u64 = 256 << 10;

/// When a request's last byte was handed to the connection, from the start of the load.
pub type Written = Rc<Cell<Option<Duration>>>;

/// What is sent as a body.
pub enum Outgoing {
    Empty,
    /// Something short, such as the list of parts.
    Short(Option<Bytes>),
    /// Bytes `at..end` of an object.
    Object(Stretch),
}

/// Bytes of an object that are still to be sent.
pub struct Stretch {
    pub pool: Pool,
    pub object: u64,
    pub at: u64,
    pub end: u64,
    pub clock: Stopwatch,
    pub written: Written,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = match self.get_mut() {
            Self::Empty => None,
            Self::Short(bytes) => bytes.take(),
            Self::Object(stretch) => stretch.next(),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Short(bytes) => bytes.is_none(),
            Self::Object(stretch) => stretch.at >= stretch.end,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Empty => 0,
            Self::Short(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Object(stretch) => stretch.end - stretch.at,
        })
    }
}

impl Stretch {
    fn next(&mut self) -> Option<Bytes> {
        if self.at >= self.end {
            return None;
        }
        let most = (self.end - self.at).min(FRAME);
        let bytes = self.pool.slice(self.object, self.at, most);
        self.at += bytes.len() as u64;
        if self.at >= self.end {
            self.written.set(Some(self.clock.elapsed()));
        }
        Some(bytes)
    }
}
