//! The disk as the store changes it: every write, sync, new name and removal goes through here, and
//! those of the metadata too.
//!
//! It decides nothing. It is a seam: a witness sees each change before it happens and may refuse it,
//! as a full or broken disk does; tests work out of what it saw what a loss of power leaves behind.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use rustix::fs::OFlags;

/// A change of the disk.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "only witnesses look into it, and they are tests'")
)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// A new file, empty.
    Create(&'a Path),
    Write {
        path: &'a Path,
        offset: u64,
        bytes: &'a [u8],
    },
    SetLength(&'a Path, u64),
    /// The bytes and the length of a file become durable.
    Sync(&'a Path),
    MakeDirectory(&'a Path),
    /// The names in a directory become durable.
    SyncDirectory(&'a Path),
    /// Of a file, or of an empty directory.
    Remove(&'a Path),
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
}

/// Who stands between the store and its disk.
pub(super) trait Witness: fmt::Debug + Send + Sync {
    /// Before a change happens. An error is what the store gets in place of it.
    fn before(&self, change: Change<'_>) -> io::Result<()>;

    /// After it has happened.
    fn after(&self, change: Change<'_>);

    /// Before the metadata is read. An error is what the store gets in place of it.
    fn before_read(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The disk, and who watches it: nobody, outside of tests.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    witness: Option<Arc<dyn Witness>>,
}

impl Disk {
    #[cfg(test)]
    pub(super) fn watched(witness: Arc<dyn Witness>) -> Self {
        Self {
            witness: Some(witness),
        }
    }

    fn change<T>(&self, change: Change<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(witness) = &self.witness else {
            return make();
        };
        witness.before(change)?;
        let made = make()?;
        witness.after(change);
        Ok(made)
    }

    /// Makes a file that only its owner reads; it must not be there.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.create_new(true).read(true).write(true).mode(0o600);
        self.change(Change::Create(path), || options.open(path))
    }

    pub(super) fn write(
        &self,
        file: &File,
        path: &Path,
        bytes: &[u8],
        offset: u64,
    ) -> io::Result<()> {
        let change = Change::Write {
            path,
            offset,
            bytes,
        };
        self.change(change, || file.write_all_at(bytes, offset))
    }

    /// Makes the bytes of a file durable, not its name.
    pub(super) fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.change(Change::Sync(path), || file.sync_data())
    }

    /// Makes a directory, and those above it, that nobody else may enter.
    pub(super) fn make_directory(&self, path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        if path.is_dir() {
            return Ok(());
        }
        self.change(Change::MakeDirectory(path), || builder.create(path))
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let sync = || File::open(path)?.sync_all();
        self.change(Change::SyncDirectory(path), sync)
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(Change::Remove(path), || fs::remove_file(path))
    }

    pub(super) fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.change(Change::Remove(path), || fs::remove_dir(path))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(Change::Rename { from, to }, || fs::rename(from, to))
    }
}

/// Opens a file to read it. What somebody put in its place is not followed and not waited for.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a link, a pipe or anything else that is no regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    let is_no_file = || io::Error::new(io::ErrorKind::InvalidData, "it is no regular file");
    match options.read(true).custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(is_no_file()),
        Err(error) => match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => Err(is_no_file()),
            Ok(_) | Err(_) => Err(error),
        },
    }
}

/// The file of the metadata, as `redb` uses it.
#[derive(Debug)]
pub(super) struct MetadataFile {
    file: FileBackend,
    path: PathBuf,
    disk: Disk,
    failed: Arc<AtomicBool>,
}

impl MetadataFile {
    /// Opens a file that is there.
    pub(super) fn open(disk: &Disk, path: PathBuf) -> Result<Self, redb::DatabaseError> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self {
            file: FileBackend::new(file)?,
            path,
            disk: disk.clone(),
            failed: Arc::default(),
        })
    }

    /// Whether an operation on the file has failed: then `redb` refuses to go on.
    pub(super) fn failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.failed)
    }

    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        done
    }
}

impl StorageBackend for MetadataFile {
    fn len(&self) -> io::Result<u64> {
        self.noted(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let read = match &self.disk.witness {
            Some(witness) => witness.before_read(&self.path),
            None => Ok(()),
        };
        self.noted(read.and_then(|()| self.file.read(offset, out)))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let change = Change::SetLength(&self.path, length);
        self.noted(self.disk.change(change, || self.file.set_len(length)))
    }

    fn sync_data(&self) -> io::Result<()> {
        let change = Change::Sync(&self.path);
        self.noted(self.disk.change(change, || self.file.sync_data()))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let change = Change::Write {
            path: &self.path,
            offset,
            bytes,
        };
        self.noted(self.disk.change(change, || self.file.write(offset, bytes)))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
