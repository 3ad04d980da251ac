//! What a start puts right: deleted bodies that are still on the disk, and files that no row names.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, ReadableTable};

use super::directory::DataDirectory;
use super::row::{GarbageRow, ObjectRowKey, PartRow, RowMac, VersionRow};
use super::table::{GARBAGE, MANIFESTS, OBJECTS, PARTS};
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
        match VersionRow::open(mac, key, row.value()) {
            // Of a multipart object's id no file is named: its parts' rows tell their bodies.
            Ok(row) => drop(bodies.insert(row.write_id())),
            Err(Damaged) => swept.damaged_rows += 1,
        }
    }
    let parts = transaction.open_table(PARTS).map_err(redb::Error::from)?;
    for entry in parts.iter().map_err(redb::Error::from)? {
        let (key, row) = entry.map_err(redb::Error::from)?;
        match PartRow::open(mac, key.value(), row.value()) {
            Ok(row) => drop(bodies.insert(row.body)),
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
        let mut parts = transaction.open_table(PARTS).map_err(redb::Error::from)?;
        let mut manifests = transaction
            .open_table(MANIFESTS)
            .map_err(redb::Error::from)?;
        let mut rows = Vec::new();
        for entry in table.iter().map_err(redb::Error::from)? {
            let (key, row) = entry.map_err(redb::Error::from)?;
            rows.push((key.value(), GarbageRow::open(mac, key.value(), row.value())));
        }
        for (key, row) in rows {
            let bodies = match row {
                Ok(GarbageRow::File(body)) => vec![body],
                Ok(GarbageRow::Upload(upload)) => {
                    let bodies = part_bodies(&parts, mac, upload).map_err(redb::Error::from)?;
                    let all = (upload.number(), 0)..=(upload.number(), u16::MAX);
                    parts
                        .retain_in(all, |_, _| false)
                        .map_err(redb::Error::from)?;
                    manifests
                        .remove(upload.number())
                        .map_err(redb::Error::from)?;
                    bodies
                }
                // A row that does not verify names no file that could be trusted; the file is an
                // orphan.
                Err(Damaged) => Vec::new(),
            };
            for body in bodies {
                removed += u64::from(remove(&directory.body_file(body))?);
            }
            table.remove(key).map_err(redb::Error::from)?;
        }
    }
    transaction.commit().map_err(redb::Error::from)?;
    Ok(removed)
}

/// The bodies of all parts of an upload whose rows verify.
pub(super) fn part_bodies(
    parts: &impl ReadableTable<(u128, u16), &'static [u8]>,
    mac: &RowMac,
    upload: WriteId,
) -> Result<Vec<WriteId>, redb::StorageError> {
    let mut bodies = Vec::new();
    for entry in parts.range((upload.number(), 0)..=(upload.number(), u16::MAX))? {
        let (key, row) = entry?;
        // The body of a row that does not verify is an orphan at the next start.
        if let Ok(row) = PartRow::open(mac, key.value(), row.value()) {
            bodies.push(row.body);
        }
    }
    Ok(bodies)
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
