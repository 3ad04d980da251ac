//! Looking at everything that is stored without a single customer key: every row by its MAC, every
//! body by the checksum of its stored bytes, every file by whether a row names it.
//!
//! It needs the store closed and changes no file of it: what the database would write as it is opened
//! stays in memory. Only the lock, `LOCK`, is made where there is none. What it cannot see: a store, or a row with its
//! body, that was rolled back, a row that was deleted together with its body, and what a holder of
//! the server key forged.

mod bodies;
mod rows;
mod untouched;

use std::fmt;
use std::path::{Path, PathBuf};

use redb::Database;

use self::untouched::Untouched;
use super::directory::{DataDirectory, failed};
use super::disk::Disk;
use super::metadata::{self, CACHE};
use super::open::unusable;
use super::row::RowMac;
use super::{OpenError, StoreSettings};
use crate::sealed::data_key::store_key;

/// What a scrub looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Rows of the metadata.
    pub rows: u64,
    /// Bodies: of objects, and of parts.
    pub bodies: u64,
    /// The stored bytes of those bodies.
    pub bytes: u64,
    /// Bytes of packs that belong to nothing any more, or never did; they go with their pack.
    pub dead_bytes: u64,
    /// Files that are deleted already and go at the next start.
    pub garbage: u64,
    /// What was found wrong.
    pub findings: u64,
}

/// One thing that is wrong. Displayed, it says where and what, without a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table of the metadata, or the file, relative to the data directory.
    pub place: String,
    /// The row, or the object or part whose body it is; empty where there is none.
    pub of: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What may be wrong with stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A row does not verify: it was changed, or moved here.
    Row,
    /// A row says something that other rows contradict, or belongs to nothing.
    Relation,
    /// A body, or the end of one, is not there.
    Missing,
    /// A body's file is longer than the body.
    Longer,
    /// The stored bytes are not those that were written.
    Changed,
    /// Two bodies claim the same bytes of a pack.
    Overlap,
    /// A file that nothing names.
    Surplus,
    /// A link, a pipe or something else is where a file should be. It was not opened.
    NoFile,
    /// The file cannot be read.
    Unreadable,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Row => "the row does not verify",
            Self::Relation => "the row belongs to nothing, or other rows contradict it",
            Self::Missing => "stored bytes are missing",
            Self::Longer => "there are surplus bytes behind the body",
            Self::Changed => "stored bytes were changed",
            Self::Overlap => "two bodies claim the same bytes",
            Self::Surplus => "no row names this file",
            Self::NoFile => "it is no regular file",
            Self::Unreadable => "the file cannot be read",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, of, fault } = self;
        // Names of objects are a client's: nothing of them may start a line of its own.
        let of = of.escape_debug();
        if self.of.is_empty() {
            write!(formatter, "{}: {fault}", place.escape_debug())
        } else {
            write!(formatter, "{}: {of}: {fault}", place.escape_debug())
        }
    }
}

/// Looks at all of a closed store. `tell` gets each finding as it is made.
///
/// # Errors
/// [`OpenError`] when there is no store, it is in use, or its metadata cannot be read at all.
pub fn scrub(
    settings: &StoreSettings,
    tell: &mut dyn FnMut(Finding),
) -> Result<Scrubbed, OpenError> {
    let path = &settings.data_dir;
    if !path.join("FORMAT").exists() || !path.join("meta.redb").exists() {
        return Err(OpenError::NoStore(path.clone()));
    }
    let (directory, found) = DataDirectory::lock(Disk::default(), path, settings.dialect)?;
    let server_key = directory.server_key(settings.server_key_file.as_deref(), found)?;
    let mac = RowMac::new(&store_key(&server_key, b"row"));
    drop(server_key);
    let database =
        open_untouched(&directory).map_err(|error| unusable(&directory, error.into()))?;
    let mut look = Look {
        mac,
        data_dir: path.clone(),
        directory,
        tell,
        told: Scrubbed::default(),
    };
    let metadata = look.directory.metadata();
    let expected = rows::look(&mut look, &database).map_err(|error| {
        tracing::error!(%error, "the metadata cannot be used");
        OpenError::Damaged(metadata)
    })?;
    drop(database);
    let bodies = look.directory.bodies();
    bodies::look(&mut look, &expected).map_err(failed("read", &bodies))?;
    Ok(look.told)
}

/// Opens the metadata and checks all of its pages; what that writes stays in memory.
fn open_untouched(directory: &DataDirectory) -> Result<Database, redb::DatabaseError> {
    metadata::checked(CACHE, Untouched::open(&directory.metadata())?)
}

/// A scrub under way.
struct Look<'t> {
    mac: RowMac,
    data_dir: PathBuf,
    directory: DataDirectory,
    tell: &'t mut dyn FnMut(Finding),
    told: Scrubbed,
}

impl Look<'_> {
    fn find(&mut self, place: impl Into<String>, of: impl Into<String>, fault: Fault) {
        self.told.findings += 1;
        (self.tell)(Finding {
            place: place.into(),
            of: of.into(),
            fault,
        });
    }

    /// A path as findings show it.
    fn shown(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.data_dir).unwrap_or(path);
        below.display().to_string()
    }
}
