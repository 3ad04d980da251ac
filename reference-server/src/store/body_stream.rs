//! A stored body on its way out, opened window by window, each verified before its bytes leave.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::sealed::Damaged;

/// The plaintext of a range of one object. Also a [`Body`], so it can be the body of an answer.
///
/// An error ends it: what was given before is a verified prefix, and the connection must be cut.
pub struct BodyStream {
    /// Plaintext bytes still to come.
    remaining: u64,
}

impl BodyStream {
    /// The plaintext bytes still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next verified bytes; `None` at the end of the range.
    pub async fn next(&mut self) -> Option<Result<Bytes, Damaged>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, _context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Damaged>>> {
        Poll::Ready(None)
    }
}

impl Body for BodyStream {
    type Data = Bytes;
    type Error = Damaged;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Damaged>>> {
        self.get_mut()
            .poll_next(context)
            .map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
