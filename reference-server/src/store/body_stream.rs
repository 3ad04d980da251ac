//! A stored object on its way out, window by window, each verified before its bytes leave.

use std::future::Future as _;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::StoreError;
use super::bodies::{Bodies, Cursor};
use super::pace::StreamSlot;
use crate::sealed::Damaged;

/// The plaintext of a range of one object. Also a [`Body`], so it can be the body of an answer.
///
/// An error ends it: what was given before is a verified prefix, and the connection must be cut.
pub struct BodyStream {
    /// What was verified and not given out yet.
    opened: Option<Bytes>,
    /// The window after it.
    opening: Option<JoinHandle<Result<(Bytes, Cursor), StoreError>>>,
    /// Where the next window starts; travels with `opening`.
    cursor: Option<Cursor>,
    /// Plaintext bytes asked for.
    length: u64,
    /// Plaintext bytes still to come.
    remaining: u64,
    /// None for what is all there already.
    slot: Option<StreamSlot>,
}

impl BodyStream {
    /// Opens the first window of `range`. Blocks.
    pub(super) fn start(bodies: Bodies, range: Range<u64>) -> Result<Self, StoreError> {
        let size = bodies.size;
        let range = range.start.min(size)..range.end.min(size);
        let range = range.start..range.end.max(range.start);
        let length = range.end - range.start;
        let slot = StreamSlot::take(&bodies.shared.streams);
        let mut cursor = Cursor::new(bodies, range)?;
        let first = cursor.next_window(slot.window_records(0))?;
        Ok(Self {
            opened: Some(first),
            opening: None,
            cursor: Some(cursor),
            length,
            remaining: length,
            slot: Some(slot),
        })
    }

    /// A stream of bytes that were all verified.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self {
            opened: Some(bytes),
            opening: None,
            cursor: None,
            length,
            remaining: length,
            slot: None,
        }
    }

    /// The plaintext bytes still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next verified bytes; `None` at the end of the range.
    pub async fn next(&mut self) -> Option<Result<Bytes, Damaged>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Damaged>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        if self.opened.is_none() {
            let Some(opening) = &mut self.opening else {
                // An earlier window failed: there is nothing more to give.
                return Poll::Ready(Some(Err(Damaged)));
            };
            let window = ready!(Pin::new(opening).poll(context));
            self.opening = None;
            // What is wrong has been logged; the reader learns that the bytes end here.
            let Ok(Ok((bytes, cursor))) = window else {
                return Poll::Ready(Some(Err(Damaged)));
            };
            self.opened = Some(bytes);
            self.cursor = Some(cursor);
        }
        let Some(bytes) = self.opened.take() else {
            return Poll::Ready(Some(Err(Damaged)));
        };
        self.remaining -= bytes.len() as u64;
        self.open_ahead();
        Poll::Ready(Some(Ok(bytes)))
    }

    /// Starts to open the next window while this one is being sent.
    fn open_ahead(&mut self) {
        if self.remaining == 0 {
            return;
        }
        let (Some(mut cursor), Some(slot)) = (self.cursor.take(), &self.slot) else {
            return;
        };
        let records = slot.window_records(self.length - self.remaining);
        self.opening = Some(tokio::task::spawn_blocking(move || {
            let bytes = cursor.next_window(records)?;
            Ok((bytes, cursor))
        }));
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
