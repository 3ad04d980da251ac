//! Sealing the records of a body.

use aws_lc_rs::aead::Aad;

use super::data_key::DataKey;
use super::record::{self, RECORD, RECORD_LIMIT, STORED_RECORD, TAG};

/// The body has more records than a data key may seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is larger than {} GiB", record::BODY_LIMIT >> 30)]
pub struct TooLarge;

/// Plaintext on its way to be sealed, laid out with room for the tags, so that it is sealed where
/// it lies.
///
/// Filled with [`Window::push`], sealed with [`Window::seal`]. It holds back what it cannot place:
/// a full window is sealed only when it is known whether its last record is the body's last.
pub struct Window {
    stored: Vec<u8>,
    /// Plaintext bytes in it.
    filled: u64,
    /// Plaintext bytes it takes: a multiple of [`RECORD`].
    capacity: u64,
    /// The index of its first record.
    first: u64,
}

impl Window {
    /// An empty window for `records` records, the first of which is record `first` of the body.
    #[must_use]
    pub fn new(first: u64, records: u64) -> Self {
        Self {
            stored: Vec::new(),
            filled: 0,
            capacity: records * RECORD,
            first,
        }
    }

    /// Takes bytes from the front of `bytes` until the window is full or they are used up.
    /// Returns how many it took.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && self.filled < self.capacity {
            let room = usize::try_from(RECORD - self.filled % RECORD).expect("at most 64 KiB");
            let piece = &bytes[taken..][..room.min(bytes.len() - taken)];
            self.make_room(piece.len());
            self.stored.extend_from_slice(piece);
            self.filled += piece.len() as u64;
            taken += piece.len();
            if self.filled.is_multiple_of(RECORD) {
                self.stored.extend_from_slice(&[0; TAG as usize]);
            }
        }
        taken
    }

    /// Grows as the bytes come up to one record, then at once to the whole window: a small body
    /// stays small, and a large one is not doubled on its way.
    fn make_room(&mut self, more: usize) {
        let needed = self.stored.len() + more + TAG as usize;
        let whole = (self.capacity + self.capacity / RECORD * TAG) as usize;
        if needed > self.stored.capacity() && needed > STORED_RECORD as usize {
            self.stored.reserve_exact(whole - self.stored.len());
        }
    }

    /// Whether no byte fits any more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filled == self.capacity
    }

    /// The plaintext bytes in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.filled
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Where the window goes in the stored body, in bytes.
    #[must_use]
    pub fn stored_offset(&self) -> u64 {
        self.first * STORED_RECORD
    }

    /// Seals the records in place. `last` says that the body ends with this window.
    ///
    /// # Errors
    /// [`TooLarge`] when a record's index is beyond what a data key may seal.
    pub fn seal(mut self, key: &DataKey, last: bool) -> Result<SealedWindow, TooLarge> {
        let records = record::count(self.filled);
        if self.first + records > RECORD_LIMIT {
            return Err(TooLarge);
        }
        debug_assert!(
            last || self.is_full(),
            "only a body's last record may be short"
        );
        if !self.filled.is_multiple_of(RECORD) || self.filled == 0 {
            self.stored.extend_from_slice(&[0; TAG as usize]);
        }
        let pieces = self.stored.chunks_mut(STORED_RECORD as usize);
        for (index, stored) in (self.first..).zip(pieces) {
            let (text, room) = stored.split_at_mut(stored.len() - TAG as usize);
            let is_last = last && index + 1 == self.first + records;
            let tag = key
                .0
                .seal_in_place_separate_tag(record::nonce(index, is_last), Aad::empty(), text)
                .expect("a record is far shorter than what AES-GCM takes");
            room.copy_from_slice(tag.as_ref());
        }
        Ok(SealedWindow {
            offset: self.first * STORED_RECORD,
            bytes: self.stored,
        })
    }
}

/// Sealed records, and where they go.
pub struct SealedWindow {
    /// The place in the stored body, in bytes.
    pub offset: u64,
    /// The sealed records.
    pub bytes: Vec<u8>,
}
