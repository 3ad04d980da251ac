//! One body on its way in, sealed window by window: that of an object, or of a part.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::StoreError;
use super::body_file::NewBodyFile;
use super::pace::StreamSlot;
use super::shared::{Shared, blocking, write_failed};
use crate::sealed::data_key::{BodyName, DataKey, ObjectKey};
use crate::sealed::envelope::WriteId;
use crate::sealed::seal::Window;

/// A body that is being written. Dropped before its file is kept, it leaves nothing behind.
///
/// The file is made when the first window is full, so a small body never has an unfinished file.
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

/// A body whose bytes are durable; its directory entry is the committer's affair.
pub(super) struct WrittenBody {
    pub(super) file: NewBodyFile,
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

    /// Seals what is left and syncs the file.
    pub(super) async fn finish(mut self) -> Result<WrittenBody, StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable);
        }
        self.settle_sealing().await?;
        let window = std::mem::replace(&mut self.filling, Window::new(0, 0));
        let (sealer, size) = (self.sealer(), self.size);
        blocking(move || {
            let file = sealer.seal(window, true)?;
            file.sync().map_err(|error| write_failed(&error))?;
            Ok(WrittenBody { file, size })
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
