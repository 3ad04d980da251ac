//! A part on its way in.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::body_writer::BodyWriter;
use super::commit::{Intent, PutPartIntent};
use super::row::PartRow;
use super::upload::{CommittedPart, PartNumber, UploadName};
use super::{Finish, Store, StoreError, stored_checksum};
use crate::random;
use crate::sealed::data_key::{BodyName, ObjectKey};

/// A part that is being written. Dropped before its commit, it leaves nothing behind.
pub struct PartWriter {
    store: Store,
    upload: UploadName,
    key: Arc<ObjectKey>,
    name: BodyName,
    body: BodyWriter,
}

impl PartWriter {
    /// Each sending of a part has a body id of its own, and with it a data key of its own.
    pub(super) fn new(
        store: &Store,
        upload: UploadName,
        key: &Arc<ObjectKey>,
        number: PartNumber,
    ) -> Self {
        let name = BodyName {
            id: store.shared().ids.next(),
            part: number.get(),
        };
        Self {
            store: store.clone(),
            upload,
            key: Arc::clone(key),
            name,
            body: BodyWriter::new(store.shared(), key, name),
        }
    }

    /// Takes the next bytes of the part; as [`Writer::write`](super::Writer::write).
    ///
    /// # Errors
    /// As there.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.body.write(bytes).await
    }

    /// Makes the part durable, in place of an earlier one of its number.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] when the upload was completed or aborted meanwhile; those of
    /// [`PartWriter::write`].
    pub async fn commit(self, finish: Finish) -> Result<CommittedPart, StoreError> {
        let written = self.body.finish_in_file().await?;
        let row = PartRow {
            body: self.name.id,
            size: written.size,
            stored_crc64: written.body.crc64(),
            etag: finish.md5.unwrap_or_else(random::bytes),
            micros: 0, // the transaction's time
            checksum: stored_checksum::seal(&self.key, self.name, finish.checksum.as_ref()),
        };
        let (reply, answer) = oneshot::channel();
        let put = PutPartIntent {
            upload: self.upload,
            number: self.name.part,
            row,
            body: written.body,
            reply,
        };
        self.store
            .submit(Intent::PutPart(Box::new(put)), answer)
            .await
    }
}
