//! The file of a body: while it is being written, and when it is read.
//!
//! A file has its final name from the start; nothing looks at it before a row names it.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use crc_fast::{CrcAlgorithm, Digest};

use super::directory::DataDirectory;
use super::disk::Disk;
use crate::sealed::envelope::WriteId;
use crate::sealed::seal::SealedWindow;

/// A body on its way to the disk. Dropped before [`NewBodyFile::keep`], it is removed.
pub(super) struct NewBodyFile {
    id: WriteId,
    disk: Disk,
    file: File,
    path: PathBuf,
    crc64: Digest,
    kept: bool,
}

impl NewBodyFile {
    pub(super) fn create(directory: &DataDirectory, body: WriteId) -> io::Result<Self> {
        let disk = directory.disk.clone();
        disk.make_directory(&directory.body_directory(body))?;
        let path = directory.body_file(body);
        let file = disk.create(&path)?;
        let crc64 = Digest::new(CrcAlgorithm::Crc64Nvme);
        Ok(Self {
            id: body,
            disk,
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
        let (bytes, offset) = (&window.bytes, window.offset);
        self.disk.write(&self.file, &self.path, bytes, offset)
    }

    /// Makes the bytes durable. The directory entry is the committer's affair.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file, &self.path)
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
            && let Err(error) = self.disk.remove(&self.path)
        {
            tracing::warn!(%error, "an unfinished body stays until the next start");
        }
    }
}
