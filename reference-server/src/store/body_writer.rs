//! One body on its way in, sealed window by window: that of an object, or of a part.

use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};
use tokio::task::JoinHandle;

use super::StoreError;
use super::body_file::NewBodyFile;
use super::pace::StreamSlot;
use super::pack::{SMALL_BODY, SmallBody};
use super::shared::{Shared, blocking, write_failed};
use crate::sealed::data_key::{BodyName, DataKey, ObjectKey};
use crate::sealed::envelope::WriteId;
use crate::sealed::seal::Window;

/// A body that is being written. Dropped before its file is kept, it leaves nothing behind.
///
/// The file is made when the first window is full, so a small body never has an unfinished one.
pub(super) struct BodyWriter {
    shared: Arc<Shared>,
    key: Arc<DataKey>,
    id: WriteId,
    /// What arrives now.
    filling: Window,
    /// What is being sealed and written meanwhile.
    sealing: Option<JoinHandle<Result<NewBodyFile, StoreError>>>,
    file: Option<NewBodyFile>,
    /// The index of the record after `filling`.
    next_record: u64,
    /// Plaintext bytes taken so far.
    size: u64,
    slot: StreamSlot,
    failed: bool,
}

/// Where a body stands when the committer gets it.
pub(super) enum NewBody {
    /// Its bytes are durable, its directory entry is not.
    File(Box<NewBodyFile>),
    /// Sealed in memory, and nowhere else yet.
    Small(SmallBody),
}

impl NewBody {
    /// CRC64NVME of the stored bytes.
    pub(super) fn crc64(&self) -> u64 {
        match self {
            Self::File(file) => file.crc64(),
            Self::Small(body) => body.crc64,
        }
    }
}

/// A body that was taken and sealed to its end.
pub(super) struct WrittenBody<B> {
    pub(super) body: B,
    /// Plaintext bytes.
    pub(super) size: u64,
}

impl BodyWriter {
    pub(super) fn new(shared: &Arc<Shared>, key: &ObjectKey, name: BodyName) -> Self {
        let slot = StreamSlot::take(&shared.streams);
        let records = slot.window_records(0);
        Self {
            shared: Arc::clone(shared),
            key: Arc::new(key.data_key(name)),
            id: name.id,
            filling: Window::new(0, records),
            sealing: None,
            file: None,
            next_record: records,
            size: 0,
            slot,
            failed: false,
        }
    }

    /// Takes the next bytes. Waits while earlier ones are being sealed, so memory is bounded.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable);
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            if self.filling.is_full() {
                self.settle_sealing().await?;
                self.start_sealing();
            }
            let taken = self.filling.push(rest);
            self.size += taken as u64;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Seals what is left: a small body in memory, another one in its file, which is synced.
    pub(super) async fn finish(mut self) -> Result<WrittenBody<NewBody>, StoreError> {
        let begun = self.file.is_some() || self.sealing.is_some();
        if self.failed || begun || self.size > SMALL_BODY {
            let WrittenBody { body, size } = self.finish_in_file().await?;
            let body = NewBody::File(Box::new(body));
            return Ok(WrittenBody { body, size });
        }
        // One record takes microseconds: another thread would cost more than it.
        let window = std::mem::replace(&mut self.filling, Window::new(0, 0));
        let sealed = window
            .seal(&self.key, true)
            .map_err(|_| StoreError::TooLarge)?;
        let body = NewBody::Small(SmallBody {
            crc64: checksum(CrcAlgorithm::Crc64Nvme, &sealed.bytes),
            stored: sealed.bytes,
        });
        let size = self.size;
        Ok(WrittenBody { body, size })
    }

    /// Seals what is left in a file, whatever the size, and syncs it.
    pub(super) async fn finish_in_file(mut self) -> Result<WrittenBody<NewBodyFile>, StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable);
        }
        self.settle_sealing().await?;
        let window = std::mem::replace(&mut self.filling, Window::new(0, 0));
        let (sealer, size) = (self.sealer(), self.size);
        blocking(move || {
            let shared = Arc::clone(&sealer.shared);
            let body = sealer.seal(window, true)?;
            let synced = shared.syncs.body(body.sync());
            synced.map_err(|error| write_failed(&error))?;
            Ok(WrittenBody { body, size })
        })
        .await
    }

    /// Waits for the window that is being sealed.
    async fn settle_sealing(&mut self) -> Result<(), StoreError> {
        let Some(sealing) = &mut self.sealing else {
            return Ok(());
        };
        let sealed = sealing.await.unwrap_or(Err(StoreError::Unavailable));
        self.sealing = None;
        match sealed {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                self.failed = true;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Seals the full window while the next one is filled. More bytes follow, so none of its
    /// records is the last.
    fn start_sealing(&mut self) {
        let records = self.slot.window_records(self.size);
        let full = std::mem::replace(&mut self.filling, Window::new(self.next_record, records));
        self.next_record += records;
        let sealer = self.sealer();
        self.sealing = Some(tokio::task::spawn_blocking(move || {
            sealer.seal(full, false)
        }));
    }

    fn sealer(&mut self) -> Sealer {
        Sealer {
            shared: Arc::clone(&self.shared),
            key: Arc::clone(&self.key),
            id: self.id,
            file: self.file.take(),
        }
    }
}

/// What seals one window and writes it, where it may block.
struct Sealer {
    shared: Arc<Shared>,
    key: Arc<DataKey>,
    id: WriteId,
    /// None before the first window.
    file: Option<NewBodyFile>,
}

impl Sealer {
    fn seal(self, window: Window, last: bool) -> Result<NewBodyFile, StoreError> {
        self.shared.check_room()?;
        let sealed = window
            .seal(&self.key, last)
            .map_err(|_| StoreError::TooLarge)?;
        let mut file = match self.file {
            Some(file) => file,
            None => NewBodyFile::create(&self.shared.directory, self.id)
                .map_err(|error| write_failed(&error))?,
        };
        file.write(&sealed).map_err(|error| write_failed(&error))?;
        Ok(file)
    }
}
