//! A part on its way in.

use bytes::Bytes;

use super::upload::CommittedPart;
use super::{Finish, StoreError};

/// A part that is being written. Dropped before its commit, it leaves nothing behind.
pub struct PartWriter {
    _made_by_begin_part: (),
}

impl PartWriter {
    /// Takes the next bytes of the part; as [`Writer::write`](super::Writer::write).
    ///
    /// # Errors
    /// As there.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let _ = bytes;
        Err(StoreError::Unavailable)
    }

    /// Makes the part durable, in place of an earlier one of its number.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] when the upload was completed or aborted meanwhile; those of
    /// [`PartWriter::write`].
    pub async fn commit(self, finish: Finish) -> Result<CommittedPart, StoreError> {
        let _ = finish;
        Err(StoreError::Unavailable)
    }
}
