//! The data directory: its lock, its `FORMAT`, its server key, and where bodies lie in it.
//!
//! It knows paths and file modes. It does not know what is in a row or a body.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::OpenError;
use super::disk::{Disk, open_regular};
use super::row::PackId;
use crate::random;
use crate::sealed::envelope::WriteId;
use crate::ssec::dialect::Dialect;

/// What `FORMAT` starts with.
const FORMAT: &str = "ssec/1";

/// Bodies whose ids are of the same 67 seconds share a directory, so that a batch syncs one or two.
const MICROS_SHIFT: u32 = 26;

/// A data directory that this process has locked.
pub(super) struct DataDirectory {
    path: PathBuf,
    /// Every change of what is in it goes through here.
    pub(super) disk: Disk,
    /// Held, never read: the lock goes when it is closed.
    _lock: File,
}

/// Whether the directory held a store before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It did not; [`DataDirectory::finish`] makes it one.
    Nothing,
    /// It did, of the right format and dialect.
    Store,
}

impl DataDirectory {
    /// Locks the directory, which is made if it is not there, and reads its `FORMAT`.
    pub(super) fn lock(
        disk: Disk,
        path: &Path,
        dialect: Dialect,
    ) -> Result<(Self, Found), OpenError> {
        make_durable(&disk, path)?;
        let lock_path = path.join("LOCK");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        let directory = Self {
            path: path.to_owned(),
            disk,
            _lock: lock,
        };
        let found = directory.read_format(dialect)?;
        Ok((directory, found))
    }

    fn read_format(&self, dialect: Dialect) -> Result<Found, OpenError> {
        let path = self.path.join("FORMAT");
        let text = match open_regular(&path).and_then(io::read_to_string) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(OpenError::UnknownFormat(self.path.clone()));
            }
            Err(source) => return Err(failed("read", &path)(source)),
        };
        let unknown = || OpenError::UnknownFormat(self.path.clone());
        let (format, found) = text.trim_end().split_once(' ').ok_or_else(unknown)?;
        let found: Dialect = found.parse().map_err(|_| unknown())?;
        if format != FORMAT {
            return Err(unknown());
        }
        if found != dialect {
            return Err(OpenError::OtherDialect {
                data_dir: self.path.clone(),
                found,
            });
        }
        Ok(Found::Store)
    }

    /// The server key. It is made beside nothing; beside a store it must be there.
    pub(super) fn server_key(
        &self,
        elsewhere: Option<&Path>,
        found: Found,
    ) -> Result<Box<Zeroizing<[u8; 32]>>, OpenError> {
        let path = elsewhere.map_or_else(|| self.path.join("server.key"), Path::to_owned);
        match File::open(&path) {
            Ok(file) => read_key(file, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match found {
                Found::Nothing if !self.metadata().exists() => make_key(&self.disk, &path),
                Found::Nothing | Found::Store => Err(OpenError::NoServerKey(path)),
            },
            Err(source) => Err(failed("read", &path)(source)),
        }
    }

    /// The file of the metadata.
    pub(super) fn metadata(&self) -> PathBuf {
        self.path.join("meta.redb")
    }

    /// The directory of the bodies' directories.
    pub(super) fn bodies(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The directory of the packs.
    pub(super) fn packs(&self) -> PathBuf {
        self.path.join("packs")
    }

    /// The file of a pack.
    pub(super) fn pack_file(&self, pack: PackId) -> PathBuf {
        self.packs().join(hex::encode(pack.0.0))
    }

    /// Makes the file of the metadata, empty, so that nobody else may read what is written into it.
    pub(super) fn make_metadata(&self) -> Result<(), OpenError> {
        let path = self.metadata();
        if path.exists() {
            return Ok(());
        }
        let made = self.disk.create(&path);
        made.map(drop).map_err(failed("create", &path))
    }

    /// Makes the file of the metadata anew, in place of one that a first start left unfinished.
    pub(super) fn make_metadata_anew(&self) -> Result<(), OpenError> {
        let path = self.metadata();
        tracing::warn!("a first start was cut short; the metadata is made anew");
        self.disk.remove(&path).map_err(failed("remove", &path))?;
        self.make_metadata()
    }

    /// Whether there is no body and no pack, nor a directory for any.
    pub(super) fn is_empty(&self) -> bool {
        let empty =
            |path: PathBuf| fs::read_dir(path).is_ok_and(|mut found| found.next().is_none());
        empty(self.bodies()) && empty(self.packs())
    }

    /// Makes the directories of the bodies and of the packs.
    pub(super) fn make_bodies(&self) -> Result<(), OpenError> {
        make_private(&self.disk, &self.bodies())?;
        make_private(&self.disk, &self.packs())
    }

    /// Syncs the directory with everything made in it, and writes `FORMAT` only then, so that a
    /// first start that was cut short is repeated.
    pub(super) fn finish(&self, dialect: Dialect, found: Found) -> Result<(), OpenError> {
        let synced = self.disk.sync_directory(&self.path);
        synced.map_err(failed("sync", &self.path))?;
        if found == Found::Nothing {
            let path = self.path.join("FORMAT");
            let text = format!("{FORMAT} {dialect}\n");
            write_whole(&self.disk, &path, text.as_bytes())?;
        }
        Ok(())
    }

    /// The directory of a body.
    pub(super) fn body_directory(&self, body: WriteId) -> PathBuf {
        self.bodies()
            .join(format!("{:010x}", body.micros() >> MICROS_SHIFT))
    }

    /// The file of a body.
    pub(super) fn body_file(&self, body: WriteId) -> PathBuf {
        self.body_directory(body).join(hex::encode(body.0))
    }

    /// The bytes that an unprivileged writer may still use.
    pub(super) fn free_space(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Makes a directory that nobody else may enter, with those above it, if it is not there.
fn make_private(disk: &Disk, path: &Path) -> Result<(), OpenError> {
    match disk.make_directory(path) {
        Ok(()) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(OpenError::NotADirectory(path.to_owned()))
        }
        Err(source) => Err(failed("create", path)(source)),
    }
}

/// Makes the data directory, as [`make_private`], and makes the names of what was made durable.
fn make_durable(disk: &Disk, path: &Path) -> Result<(), OpenError> {
    let missing = path.ancestors().take_while(|above| !above.exists());
    let missing: Vec<_> = missing.collect();
    make_private(disk, path)?;
    for made in missing {
        let above = above(made);
        disk.sync_directory(above).map_err(failed("sync", above))?;
    }
    Ok(())
}

/// The directory that holds the name of a file or directory.
fn above(path: &Path) -> &Path {
    let parent = path.parent();
    let named = parent.filter(|parent| !parent.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

fn read_key(mut file: File, path: &Path) -> Result<Box<Zeroizing<[u8; 32]>>, OpenError> {
    let mut key = Box::new(Zeroizing::new([0; 32]));
    let mut rest = [0; 1];
    let read = file
        .read_exact(key.as_mut_slice())
        .and_then(|()| file.read(&mut rest));
    match read {
        Ok(0) => Ok(key),
        Ok(_) => Err(OpenError::BadServerKey(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(OpenError::BadServerKey(path.to_owned()))
        }
        Err(source) => Err(failed("read", path)(source)),
    }
}

fn make_key(disk: &Disk, path: &Path) -> Result<Box<Zeroizing<[u8; 32]>>, OpenError> {
    let mut key = Box::new(Zeroizing::new([0; 32]));
    random::fill(key.as_mut_slice());
    write_whole(disk, path, key.as_slice())?;
    Ok(key)
}

/// Writes a file that is there whole or not at all, readable by its owner alone.
fn write_whole(disk: &Disk, path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    let new = path.with_extension("new");
    let write = || {
        // Left by a start that was cut short.
        if new.exists() {
            disk.remove(&new)?;
        }
        let file = disk.create(&new)?;
        disk.write(&file, &new, bytes, 0)?;
        disk.sync(&file, &new)?;
        disk.rename(&new, path)
    };
    write().map_err(failed("write", path))?;
    // The key may lie in another directory than the one that `finish` syncs.
    let synced = disk.sync_directory(above(path));
    synced.map_err(failed("sync", path))
}

/// Wraps what the operating system said.
pub(super) fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}
