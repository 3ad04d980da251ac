//! A stored body on its way out, opened window by window, each verified before its bytes leave.

use std::fs::File;
use std::future::Future as _;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::StoreError;
use super::shared::{StreamSlot, unavailable};
use crate::sealed::data_key::DataKey;
use crate::sealed::envelope::WriteId;
use crate::sealed::record::{self, STORED_RECORD};
use crate::sealed::{Damaged, unseal};

/// The plaintext of a range of one object. Also a [`Body`], so it can be the body of an answer.
///
/// An error ends it: what was given before is a verified prefix, and the connection must be cut.
pub struct BodyStream {
    source: Arc<Source>,
    /// What was verified and not given out yet.
    opened: Option<Bytes>,
    /// The window after it.
    opening: Option<JoinHandle<Result<Window, Damaged>>>,
    /// The records still to open.
    records: Range<u64>,
    /// The plaintext bytes asked for.
    range: Range<u64>,
    /// Plaintext bytes still to come.
    remaining: u64,
    /// The buffer of sealed records, used again for each window.
    stored: Vec<u8>,
    slot: StreamSlot,
}

impl BodyStream {
    /// Opens the first window of `range`. Blocks.
    pub(super) fn start(
        source: Source,
        range: Range<u64>,
        streams: &Arc<AtomicUsize>,
    ) -> Result<Self, StoreError> {
        let range = range.start.min(source.size)..range.end.min(source.size);
        let range = range.start..range.end.max(range.start);
        let mut records = record::holding(&range, source.size);
        let slot = StreamSlot::take(streams);
        let first = cut_window(&mut records, slot.window_records(0));
        let window = source.open_window(first, &range, Vec::new())?;
        Ok(Self {
            source: Arc::new(source),
            opened: Some(window.plaintext),
            opening: None,
            records,
            remaining: range.end - range.start,
            range,
            stored: window.stored,
            slot,
        })
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
            match window.unwrap_or(Err(Damaged)) {
                Ok(window) => {
                    self.opened = Some(window.plaintext);
                    self.stored = window.stored;
                }
                Err(Damaged) => return Poll::Ready(Some(Err(Damaged))),
            }
        }
        let Some(bytes) = self.opened.take() else {
            return Poll::Ready(Some(Err(Damaged)));
        };
        self.open_ahead();
        self.remaining -= bytes.len() as u64;
        Poll::Ready(Some(Ok(bytes)))
    }

    /// Starts to open the next window while this one is being sent.
    fn open_ahead(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let passed = (self.range.end - self.range.start) - self.remaining;
        let window = cut_window(&mut self.records, self.slot.window_records(passed));
        let (source, range) = (Arc::clone(&self.source), self.range.clone());
        let stored = std::mem::take(&mut self.stored);
        self.opening = Some(tokio::task::spawn_blocking(move || {
            source
                .open_window(window, &range, stored)
                .map_err(|_| Damaged)
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

/// Takes up to `count` records from the front.
fn cut_window(records: &mut Range<u64>, count: u64) -> Range<u64> {
    let end = records.end.min(records.start + count);
    let window = records.start..end;
    records.start = end;
    window
}

/// A verified window, and the buffer it was read into.
struct Window {
    plaintext: Bytes,
    stored: Vec<u8>,
}

/// The file of a body and what opens it.
pub(super) struct Source {
    file: File,
    key: DataKey,
    /// For the log.
    id: WriteId,
    /// Plaintext bytes of the whole body.
    size: u64,
}

impl Source {
    /// Opens the file of a body of `size` plaintext bytes.
    pub(super) fn open(
        path: &Path,
        id: WriteId,
        key: DataKey,
        size: u64,
    ) -> Result<Self, StoreError> {
        let opened = File::open(path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        let damaged = |what: &str| {
            tracing::error!(body = hex::encode(id.0), "the body {what}");
            StoreError::Damaged
        };
        match opened {
            Ok((_, length)) if length != record::stored_length(size) => {
                Err(damaged("has another length"))
            }
            Ok((file, _)) => Ok(Self {
                file,
                key,
                id,
                size,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(damaged("is gone")),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Reads and opens `records`, and cuts out what `range` asks for.
    fn open_window(
        &self,
        records: Range<u64>,
        range: &Range<u64>,
        mut stored: Vec<u8>,
    ) -> Result<Window, StoreError> {
        let offset = records.start * STORED_RECORD;
        let end = (records.end * STORED_RECORD).min(record::stored_length(self.size));
        let length = usize::try_from(end - offset).expect("a window is small");
        stored.resize(length, 0);
        match self.file.read_exact_at(&mut stored, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged(&records));
            }
            Err(error) => return Err(unavailable(error)),
        }
        let mut plaintext = Vec::with_capacity(length);
        unseal::open(&self.key, self.size, records.start, &stored, &mut plaintext)
            .map_err(|Damaged| self.damaged(&records))?;
        let start = record::plaintext(records.start, self.size).start;
        let inside = |position: u64| {
            let position = position.saturating_sub(start).min(plaintext.len() as u64);
            usize::try_from(position).expect("a window is small")
        };
        let cut = inside(range.start)..inside(range.end);
        Ok(Window {
            plaintext: Bytes::from(plaintext).slice(cut),
            stored,
        })
    }

    fn damaged(&self, records: &Range<u64>) -> StoreError {
        let Range { start, end } = records;
        tracing::error!(
            body = hex::encode(self.id.0),
            start,
            end,
            "records do not verify"
        );
        StoreError::Damaged
    }
}
