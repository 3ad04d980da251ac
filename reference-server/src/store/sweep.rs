//! What a start puts right: deleted bodies that are still on the disk, files that no row names, and
//! what is counted of packs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, ReadableTable};

use super::directory::DataDirectory;
use super::disk::Disk;
use super::row::{GarbageRow, ObjectRowKey, PackId, PackRow, PartRow, Place, RowMac, VersionRow};
use super::table::{GARBAGE, MANIFESTS, OBJECTS, PACKS, PARTS};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;
use crate::sealed::record::stored_length;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Files of deleted bodies, and packs in which nothing lived.
    pub(super) garbage: u64,
    /// Files of bodies that were never committed, and packs of which no row names a body.
    pub(super) orphans: u64,
    /// Packs of which another number of bodies was counted than rows name.
    pub(super) recounted: u64,
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
    let (mut bodies, mut packs) = (HashSet::new(), HashMap::<PackId, PackRow>::new());
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
            Ok(VersionRow::Object(row)) => match row.place {
                Place::File => drop(bodies.insert(row.envelope.write_id())),
                Place::Pack(place) => {
                    let pack = packs.entry(place.pack).or_default();
                    pack.count += 1;
                    pack.bytes += stored_length(row.size);
                }
                // The rows of its parts tell their bodies.
                Place::Parts => {}
            },
            Ok(VersionRow::Marker(_)) => {}
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
        swept.orphans =
            remove_orphans(directory, &bodies)? + remove_empty_packs(directory, &packs)?;
        drop(transaction);
        swept.recounted = recount_packs(database, mac, &packs)?;
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
            let files = match row {
                Ok(GarbageRow::File(body)) => vec![directory.body_file(body)],
                Ok(GarbageRow::Pack(pack)) => vec![directory.pack_file(pack)],
                Ok(GarbageRow::Upload(upload)) => {
                    let bodies = part_bodies(&parts, mac, upload).map_err(redb::Error::from)?;
                    let all = (upload.number(), 0)..=(upload.number(), u16::MAX);
                    parts
                        .retain_in(all, |_, _| false)
                        .map_err(redb::Error::from)?;
                    manifests
                        .remove(upload.number())
                        .map_err(redb::Error::from)?;
                    let files = bodies.into_iter();
                    files.map(|body| directory.body_file(body)).collect()
                }
                // A row that does not verify names no file that could be trusted; the file is an
                // orphan.
                Err(Damaged) => Vec::new(),
            };
            for file in files {
                removed += u64::from(remove(&directory.disk, &file)?);
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
fn remove_orphans(directory: &DataDirectory, bodies: &HashSet<WriteId>) -> io::Result<u64> {
    let mut removed = 0;
    let disk = &directory.disk;
    for below in fs::read_dir(directory.bodies())? {
        let below = below?;
        if !below.file_type()?.is_dir() {
            continue;
        }
        let mut kept = false;
        for file in fs::read_dir(below.path())? {
            let file = file?;
            match body_of(&file.file_name()) {
                Some(body) if !bodies.contains(&body) => {
                    removed += u64::from(remove(disk, &file.path())?);
                }
                Some(_) | None => kept = true,
            }
        }
        if !kept {
            disk.remove_directory(&below.path())?;
        }
    }
    Ok(removed)
}

/// Removes every pack of which no row names a body.
fn remove_empty_packs(
    directory: &DataDirectory,
    packs: &HashMap<PackId, PackRow>,
) -> io::Result<u64> {
    let mut removed = 0;
    let disk = &directory.disk;
    for file in fs::read_dir(directory.packs())? {
        let file = file?;
        match body_of(&file.file_name()) {
            Some(id) if !packs.contains_key(&PackId(id)) => {
                removed += u64::from(remove(disk, &file.path())?);
            }
            Some(_) | None => {}
        }
    }
    Ok(removed)
}

/// Writes down what `packs` says where the metadata says something else. Returns how often it did,
/// not counting packs that were left empty: those are nobody's fault.
fn recount_packs(
    database: &Database,
    mac: &RowMac,
    packs: &HashMap<PackId, PackRow>,
) -> Result<u64, SweepError> {
    let mut recounted = 0;
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    {
        let mut table = transaction.open_table(PACKS).map_err(redb::Error::from)?;
        table
            .retain(|id, _| packs.contains_key(&PackId(WriteId::from_number(id))))
            .map_err(redb::Error::from)?;
        for (pack, found) in packs {
            let id = pack.0.number();
            let written = table.get(id).map_err(redb::Error::from)?;
            let written = written.map(|row| PackRow::open(mac, id, row.value()));
            if written != Some(Ok(*found)) {
                let sealed = found.seal(mac, id);
                table
                    .insert(id, sealed.as_slice())
                    .map_err(redb::Error::from)?;
                recounted += 1;
            }
        }
    }
    transaction.commit().map_err(redb::Error::from)?;
    Ok(recounted)
}

/// The body or pack that a file with this name holds.
pub(super) fn body_of(file_name: &std::ffi::OsStr) -> Option<WriteId> {
    let mut id = [0; 16];
    hex::decode_to_slice(file_name.to_str()?, &mut id).ok()?;
    Some(WriteId(id))
}

/// Whether there was a file to remove.
fn remove(disk: &Disk, path: &Path) -> io::Result<bool> {
    match disk.remove(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
