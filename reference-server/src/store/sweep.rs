//! What a start puts right: deleted bodies that are still on the disk, and files that no row names.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, ReadableTable as _};

use super::directory::DataDirectory;
use super::row::{GarbageRow, ObjectRow, ObjectRowKey, RowMac};
use super::shared::{GARBAGE, OBJECTS};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Files of deleted bodies.
    pub(super) garbage: u64,
    /// Files of bodies that were never committed.
    pub(super) orphans: u64,
    /// Rows that do not verify. With any of them nothing is swept: their bodies are not known.
    pub(super) damaged_rows: u64,
}

/// Puts the disk right. Nothing else may use the store yet.
pub(super) fn sweep(
    directory: &DataDirectory,
    database: &Database,
    mac: &RowMac,
) -> Result<Swept, SweepError> {
    let mut swept = Swept {
        garbage: remove_garbage(directory, database, mac)?,
        ..Swept::default()
    };
    let mut bodies = HashSet::new();
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let objects = transaction.open_table(OBJECTS).map_err(redb::Error::from)?;
    for entry in objects.iter().map_err(redb::Error::from)? {
        let (key, row) = entry.map_err(redb::Error::from)?;
        let (bucket, name, inverted) = key.value();
        let key = ObjectRowKey {
            bucket,
            name,
            seq: !inverted,
        };
        match ObjectRow::open(mac, key, row.value()) {
            Ok(row) => drop(bodies.insert(row.envelope.write_id())),
            Err(Damaged) => swept.damaged_rows += 1,
        }
    }
    if swept.damaged_rows == 0 {
        swept.orphans = remove_orphans(&directory.bodies(), &bodies)?;
    }
    Ok(swept)
}

/// Why a sweep stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum SweepError {
    #[error(transparent)]
    Database(Box<redb::Error>),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<redb::Error> for SweepError {
    fn from(error: redb::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

fn remove_garbage(
    directory: &DataDirectory,
    database: &Database,
    mac: &RowMac,
) -> Result<u64, SweepError> {
    let mut removed = 0;
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    {
        let mut table = transaction.open_table(GARBAGE).map_err(redb::Error::from)?;
        let mut rows = Vec::new();
        for entry in table.iter().map_err(redb::Error::from)? {
            let (key, row) = entry.map_err(redb::Error::from)?;
            rows.push((key.value(), GarbageRow::open(mac, key.value(), row.value())));
        }
        for (key, row) in rows {
            // A row that does not verify names no file that could be trusted; the file is an
            // orphan.
            if let Ok(GarbageRow::File(body)) = row {
                removed += u64::from(remove(&directory.body_file(body))?);
            }
            table.remove(key).map_err(redb::Error::from)?;
        }
    }
    transaction.commit().map_err(redb::Error::from)?;
    Ok(removed)
}

/// Removes every file with the name of a body that is not among `bodies`, and empty directories.
fn remove_orphans(all: &Path, bodies: &HashSet<WriteId>) -> io::Result<u64> {
    let mut removed = 0;
    for directory in fs::read_dir(all)? {
        let directory = directory?;
        if !directory.file_type()?.is_dir() {
            continue;
        }
        let mut kept = false;
        for file in fs::read_dir(directory.path())? {
            let file = file?;
            match body_of(&file.file_name()) {
                Some(body) if !bodies.contains(&body) => {
                    removed += u64::from(remove(&file.path())?);
                }
                Some(_) | None => kept = true,
            }
        }
        if !kept {
            fs::remove_dir(directory.path())?;
        }
    }
    Ok(removed)
}

fn body_of(file_name: &std::ffi::OsStr) -> Option<WriteId> {
    let mut id = [0; 16];
    hex::decode_to_slice(file_name.to_str()?, &mut id).ok()?;
    Some(WriteId(id))
}

/// Whether there was a file to remove.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
