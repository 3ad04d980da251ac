//! The rows of the metadata: each by its MAC, then against each other; and the bodies that they
//! say are there.

use std::collections::{HashMap, HashSet};

use redb::{Database, Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _};

use super::{Fault, Look};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;
use crate::sealed::record::stored_length;
use crate::store::manifest::Manifest;
use crate::store::row::{
    BucketRow, CountersRow, GarbageRow, ObjectRow, ObjectRowKey, PackId, PackRow, PartRow, Place,
    TagsRow, UploadRow, UploadRowKey, VersionRow,
};
use crate::store::table::{
    BUCKETS, GARBAGE, MANIFESTS, META, OBJECTS, PACKS, PARTS, Rows, TAGS, UPLOADS,
};

type Read<T> = Result<T, Box<redb::Error>>;

/// A body that must be on the disk.
pub(super) struct Body {
    pub(super) of: String,
    pub(super) length: u64,
    pub(super) crc64: u64,
}

/// What the rows say about the disk.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) files: HashMap<WriteId, Body>,
    /// Each with its offset.
    pub(super) packs: HashMap<PackId, Vec<(u64, Body)>>,
    /// Bodies and packs that may be there and go at the next start.
    pub(super) garbage: HashSet<WriteId>,
}

/// What rows refer to.
#[derive(Default)]
struct Relations {
    buckets: HashMap<u64, String>,
    versions: HashSet<(u64, Vec<u8>, u64)>,
    /// Multipart objects: what of, size, number of parts.
    assembled: HashMap<u128, (String, u64, u16)>,
    uploads: HashMap<u128, String>,
    /// Uploads that are garbage.
    discarded: HashSet<u128>,
    parts: HashMap<(u128, u16), u64>,
}

pub(super) fn look(look: &mut Look<'_>, database: &Database) -> Read<Expected> {
    let transaction = database.begin_read().map_err(boxed)?;
    let (mut expected, mut relations) = (Expected::default(), Relations::default());
    counters(look, &transaction)?;
    buckets(look, &transaction, &mut relations)?;
    garbage(look, &transaction, &mut relations, &mut expected)?;
    objects(look, &transaction, &mut relations, &mut expected)?;
    tags(look, &transaction, &relations)?;
    uploads(look, &transaction, &mut relations)?;
    parts(look, &transaction, &mut relations, &mut expected)?;
    manifests(look, &transaction, &relations)?;
    packs(look, &transaction, &mut expected)?;
    Ok(expected)
}

/// Hands each row of a table to `each`.
fn every<K: Key + 'static>(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    table: Rows<K>,
    mut each: impl FnMut(&mut Look<'_>, K::SelfType<'_>, &[u8]),
) -> Read<()> {
    let table = match transaction.open_table(table) {
        Ok(table) => table,
        // A store of an earlier version; the next start makes it.
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(boxed(error)),
    };
    for entry in table.iter().map_err(boxed)? {
        let (key, row) = entry.map_err(boxed)?;
        look.told.rows += 1;
        each(look, key.value(), row.value());
    }
    Ok(())
}

fn counters(look: &mut Look<'_>, transaction: &ReadTransaction) -> Read<()> {
    let mut found = false;
    every(look, transaction, META, |look, name, row| {
        found |= name == CountersRow::NAME;
        if CountersRow::open(&look.mac, row).is_err() {
            look.find("meta", name, Fault::Row);
        }
    })?;
    if !found {
        look.find("meta", CountersRow::NAME, Fault::Missing);
    }
    Ok(())
}

fn buckets(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &mut Relations,
) -> Read<()> {
    every(
        look,
        transaction,
        BUCKETS,
        |look, name, row| match BucketRow::open(&look.mac, name, row) {
            Err(Damaged) => look.find("buckets", name, Fault::Row),
            Ok(row) => {
                if relations.buckets.insert(row.id, name.to_owned()).is_some() {
                    look.find("buckets", name, Fault::Relation);
                }
            }
        },
    )
}

fn garbage(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &mut Relations,
    expected: &mut Expected,
) -> Read<()> {
    every(
        look,
        transaction,
        GARBAGE,
        |look, key, row| match GarbageRow::open(&look.mac, key, row) {
            Err(Damaged) => look.find("garbage", format!("{}-{}", key.0, key.1), Fault::Row),
            Ok(GarbageRow::Upload(upload)) => drop(relations.discarded.insert(upload.number())),
            Ok(row) => drop(expected.garbage.insert(row.id())),
        },
    )
}

fn objects(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &mut Relations,
    expected: &mut Expected,
) -> Read<()> {
    every(
        look,
        transaction,
        OBJECTS,
        |look, (bucket, name, inverted), row| {
            let seq = !inverted;
            let key = ObjectRowKey { bucket, name, seq };
            relations.versions.insert((bucket, name.to_vec(), inverted));
            let of = relations.named(bucket, name, Some(seq));
            let row = match VersionRow::open(&look.mac, key, row) {
                Ok(row) => row,
                Err(Damaged) => return look.find("objects", of, Fault::Row),
            };
            if !relations.buckets.contains_key(&bucket) {
                look.find("objects", of.clone(), Fault::Relation);
            }
            if let VersionRow::Object(row) = row {
                expected.object(relations, &row, of);
            }
        },
    )
}

impl Relations {
    /// An object's name as findings show it, with the number of its version.
    fn named(&self, bucket: u64, name: &[u8], seq: Option<u64>) -> String {
        let bucket = self.buckets.get(&bucket).map_or("?", String::as_str);
        let name = String::from_utf8_lossy(name);
        match seq {
            Some(seq) => format!("{bucket}/{name} version {seq}"),
            None => format!("{bucket}/{name}"),
        }
    }
}

impl Expected {
    fn object(&mut self, relations: &mut Relations, row: &ObjectRow, of: String) {
        let id = row.envelope.write_id();
        let length = stored_length(row.size);
        let crc64 = row.stored_crc64;
        match row.place {
            Place::File => {
                let body = Body { of, length, crc64 };
                self.files.insert(id, body);
            }
            Place::Pack(place) => {
                let body = Body { of, length, crc64 };
                let bodies = self.packs.entry(place.pack).or_default();
                bodies.push((u64::from(place.offset), body));
            }
            Place::Parts => {
                let assembled = (of, row.size, row.etag.parts);
                relations.assembled.insert(id.number(), assembled);
            }
        }
    }
}

fn tags(look: &mut Look<'_>, transaction: &ReadTransaction, relations: &Relations) -> Read<()> {
    every(
        look,
        transaction,
        TAGS,
        |look, (bucket, name, inverted), row| {
            let seq = !inverted;
            let key = ObjectRowKey { bucket, name, seq };
            let of = relations.named(bucket, name, Some(seq));
            if TagsRow::open(&look.mac, key, row).is_err() {
                look.find("tags", of, Fault::Row);
            } else if !relations
                .versions
                .contains(&(bucket, name.to_vec(), inverted))
            {
                look.find("tags", of, Fault::Relation);
            }
        },
    )
}

fn uploads(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &mut Relations,
) -> Read<()> {
    every(
        look,
        transaction,
        UPLOADS,
        |look, (bucket, name, id), row| {
            let upload = WriteId::from_number(id);
            let key = UploadRowKey {
                bucket,
                name,
                upload,
            };
            let of = relations.named(bucket, name, None);
            if UploadRow::open(&look.mac, key, row).is_err() {
                look.find("uploads", of.clone(), Fault::Row);
            } else if !relations.buckets.contains_key(&bucket) {
                look.find("uploads", of.clone(), Fault::Relation);
            }
            relations.uploads.insert(id, of);
        },
    )
}

fn parts(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &mut Relations,
    expected: &mut Expected,
) -> Read<()> {
    every(look, transaction, PARTS, |look, key, row| {
        let (upload, number) = key;
        let owner = relations.assembled.get(&upload).map(|(of, ..)| of);
        let owner = owner.or_else(|| relations.uploads.get(&upload));
        let of = owner.map_or_else(|| hex::encode(upload.to_be_bytes()), Clone::clone);
        let of = format!("{of} part {number}");
        let row = match PartRow::open(&look.mac, key, row) {
            Ok(row) => row,
            Err(Damaged) => return look.find("parts", of, Fault::Row),
        };
        relations.parts.insert(key, row.size);
        if relations.discarded.contains(&upload) {
            expected.garbage.insert(row.body);
            return;
        }
        if owner.is_none() {
            look.find("parts", of.clone(), Fault::Relation);
        }
        let body = Body {
            of,
            length: stored_length(row.size),
            crc64: row.stored_crc64,
        };
        expected.files.insert(row.body, body);
    })
}

fn manifests(
    look: &mut Look<'_>,
    transaction: &ReadTransaction,
    relations: &Relations,
) -> Read<()> {
    let mut left: HashSet<u128> = relations.assembled.keys().copied().collect();
    every(look, transaction, MANIFESTS, |look, upload, row| {
        left.remove(&upload);
        let owner = relations.assembled.get(&upload);
        let of = owner.map_or_else(|| hex::encode(upload.to_be_bytes()), |(of, ..)| of.clone());
        let manifest = match Manifest::open(&look.mac, upload, row) {
            Ok(manifest) => manifest,
            Err(Damaged) => return look.find("manifests", of, Fault::Row),
        };
        let right = match owner {
            None => relations.discarded.contains(&upload),
            Some((_, size, parts)) => {
                let extents: Vec<_> = (0..).map_while(|index| manifest.extent(index)).collect();
                manifest.size() == *size
                    && extents.len() == usize::from(*parts)
                    && extents.iter().all(|extent| {
                        let size = extent.bytes.end.checked_sub(extent.bytes.start);
                        size == relations.parts.get(&(upload, extent.number)).copied()
                    })
            }
        };
        if !right {
            look.find("manifests", of, Fault::Relation);
        }
    })?;
    for upload in left {
        let (of, ..) = &relations.assembled[&upload];
        look.find("manifests", of.clone(), Fault::Missing);
    }
    Ok(())
}

fn packs(look: &mut Look<'_>, transaction: &ReadTransaction, expected: &mut Expected) -> Read<()> {
    let mut counted = HashSet::new();
    every(look, transaction, PACKS, |look, id, row| {
        let pack = PackId(WriteId::from_number(id));
        counted.insert(pack);
        let of = hex::encode(id.to_be_bytes());
        let bodies = expected.packs.entry(pack).or_default();
        let found = PackRow {
            bytes: bodies.iter().map(|(_, body)| body.length).sum(),
            count: bodies.len() as u64,
        };
        match PackRow::open(&look.mac, id, row) {
            Err(Damaged) => look.find("packs", of, Fault::Row),
            Ok(row) if row != found => look.find("packs", of, Fault::Relation),
            Ok(_) => {}
        }
    })?;
    for pack in expected.packs.keys() {
        if !counted.contains(pack) {
            look.find("packs", hex::encode(pack.0.0), Fault::Missing);
        }
    }
    Ok(())
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}
