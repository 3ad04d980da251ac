//! The file of a body: while it is being written, and when it is read.
//!
//! A file has its final name from the start; nothing looks at it before a row names it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use crc_fast::{CrcAlgorithm, Digest};

use super::directory::DataDirectory;
use crate::sealed::envelope::WriteId;
use crate::sealed::seal::SealedWindow;

/// A body on its way to the disk. Dropped before [`NewBodyFile::keep`], it is removed.
pub(super) struct NewBodyFile {
    id: WriteId,
    file: File,
    path: PathBuf,
    crc64: Digest,
    kept: bool,
}

impl NewBodyFile {
    pub(super) fn create(directory: &DataDirectory, body: WriteId) -> io::Result<Self> {
        let above = directory.body_directory(body);
        match DirBuilder::new().mode(0o700).create(&above) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let path = directory.body_file(body);
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        let crc64 = Digest::new(CrcAlgorithm::Crc64Nvme);
        Ok(Self {
            id: body,
            file,
            path,
            crc64,
            kept: false,
        })
    }

    /// The id that names it.
    pub(super) fn id(&self) -> WriteId {
        self.id
    }

    /// Writes the next records. Windows come in order, since the checksum runs along.
    pub(super) fn write(&mut self, window: &SealedWindow) -> io::Result<()> {
        self.crc64.update(&window.bytes);
        self.file.write_all_at(&window.bytes, window.offset)
    }

    /// Makes the bytes durable. The directory entry is the committer's affair.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// CRC64NVME of the bytes written.
    pub(super) fn crc64(&self) -> u64 {
        self.crc64.finalize()
    }

    /// Leaves the file where it is: a row names it, or may name it.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewBodyFile {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "an unfinished body stays until the next start");
        }
    }
}
