//! One transaction's changes: what each intent does to the rows, and what it is answered.
//!
//! Conditions are decided here, so two writers cannot both find them true. Nothing here touches a
//! file.

mod bucket;
mod object;
mod pack;
mod upload;

use std::collections::BTreeMap;

use redb::{ReadableTable as _, Table, WriteTransaction};

use self::pack::PackChange;

use super::StoreError;
use super::body_writer::NewBody;
use super::commit::{Intent, Reply};
use super::lease::Garbage;
use super::row::{BucketRow, CountersRow, GarbageRow, PackId};
use super::shared::Shared;
use super::table::{
    BUCKETS, GARBAGE, MANIFESTS, OBJECTS, PACKS, PARTS, TAGS, UPLOADS, UploadKey, VersionKey,
};
use crate::clock;

/// Answers an intent once it is known whether the transaction became durable.
pub(super) type Settle = Box<dyn FnOnce(Result<(), StoreError>)>;

type Rows<'t, K> = Table<'t, K, &'static [u8]>;

/// The tables of one transaction.
pub(super) struct Change<'t> {
    shared: &'t Shared,
    pub(super) counters: CountersRow,
    buckets: Rows<'t, &'static str>,
    objects: Rows<'t, VersionKey>,
    tags: Rows<'t, VersionKey>,
    uploads: Rows<'t, UploadKey>,
    parts: Rows<'t, (u128, u16)>,
    manifests: Rows<'t, u128>,
    packs: Rows<'t, u128>,
    pack_changes: BTreeMap<PackId, PackChange>,
    garbage_rows: Rows<'t, (u64, u32)>,
    /// The number under which this transaction's garbage is kept; no version has it.
    garbage_seq: u64,
    garbage: &'t mut Vec<Garbage>,
}

/// `Err` fails the whole batch; what a client did wrong is inside.
type Applied<T> = Result<Result<T, StoreError>, redb::StorageError>;

/// Ends the change of one intent with the client's mistake.
macro_rules! proper {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error.into())),
        }
    };
}
use proper;

impl<'t> Change<'t> {
    pub(super) fn open(
        shared: &'t Shared,
        transaction: &'t WriteTransaction,
        counters: CountersRow,
        garbage: &'t mut Vec<Garbage>,
    ) -> Result<Self, redb::TableError> {
        let mut change = Self {
            shared,
            counters,
            buckets: transaction.open_table(BUCKETS)?,
            objects: transaction.open_table(OBJECTS)?,
            tags: transaction.open_table(TAGS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            manifests: transaction.open_table(MANIFESTS)?,
            packs: transaction.open_table(PACKS)?,
            pack_changes: BTreeMap::new(),
            garbage_rows: transaction.open_table(GARBAGE)?,
            garbage_seq: 0,
            garbage,
        };
        change.garbage_seq = change.next_seq();
        Ok(change)
    }

    /// Takes out the rows of garbage that is gone from the disk.
    pub(super) fn forget(&mut self, garbage: &Garbage) -> Result<(), redb::StorageError> {
        self.garbage_rows.remove(garbage.key)?;
        if let GarbageRow::Upload(id) = garbage.row {
            let parts = (id.number(), 0)..=(id.number(), u16::MAX);
            self.parts.retain_in(parts, |_, _| false)?;
            self.manifests.remove(id.number())?;
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, intent: Intent) -> Result<Settle, redb::StorageError> {
        match intent {
            Intent::Put(put) => {
                let result =
                    self.put(&put.bucket, &put.object, &put.conditions, put.row, put.tags)?;
                Ok(settle_body(put.reply, result, put.body))
            }
            Intent::Delete {
                bucket,
                object,
                choice,
                conditions,
                reply,
            } => {
                let result = self.delete(&bucket, &object, &choice, &conditions)?;
                Ok(settle(reply, result))
            }
            Intent::SetTags {
                bucket,
                object,
                choice,
                tags,
                reply,
            } => Ok(settle(
                reply,
                self.set_tags(&bucket, &object, &choice, tags)?,
            )),
            Intent::CreateBucket { name, ssec, reply } => {
                Ok(settle(reply, self.create_bucket(&name, ssec)?))
            }
            Intent::SetBucket {
                name,
                setting,
                reply,
            } => Ok(settle(reply, self.set_bucket(&name, setting)?)),
            Intent::DeleteBucket { name, reply } => Ok(settle(reply, self.delete_bucket(&name)?)),
            Intent::CreateUpload(create) => {
                let result = self.create_upload(&create.upload, &create.row)?;
                Ok(settle(create.reply, result))
            }
            Intent::PutPart(put) => {
                let result = self.put_part(&put.upload, put.number, put.row)?;
                Ok(settle_body(
                    put.reply,
                    result,
                    NewBody::File(Box::new(put.body)),
                ))
            }
            Intent::AbortUpload { upload, reply } => Ok(settle(reply, self.abort_upload(&upload)?)),
            Intent::Complete(complete) => {
                let result =
                    self.complete(&complete.upload, &complete.conditions, complete.assembly)?;
                Ok(settle(complete.reply, result))
            }
            Intent::Reap => Ok(Box::new(|_| {})),
        }
    }

    fn bucket(&self, name: &str) -> Applied<BucketRow> {
        let Some(row) = self.buckets.get(name)? else {
            return Ok(Err(StoreError::NoSuchBucket));
        };
        Ok(BucketRow::open(&self.shared.mac, name, row.value()).map_err(StoreError::from))
    }

    /// Lets the committer remove something from the disk once this transaction is durable.
    fn discard(&mut self, row: GarbageRow) -> Result<(), redb::StorageError> {
        let number = u32::try_from(self.garbage.len()).expect("a batch holds few intents");
        let key = (self.garbage_seq, number);
        let sealed = row.seal(&self.shared.mac, key);
        self.garbage_rows.insert(key, sealed.as_slice())?;
        self.garbage.push(Garbage { key, row });
        Ok(())
    }

    /// The number of the next version: its order and its time, strictly rising.
    fn next_seq(&mut self) -> u64 {
        self.counters.last_seq = clock::now_micros().max(self.counters.last_seq + 1);
        self.counters.last_seq
    }
}

fn settle<T: 'static>(reply: Reply<T>, result: Result<T, StoreError>) -> Settle {
    Box::new(move |durable| answer(reply, result, durable))
}

/// As [`settle`], for an intent that came with a body.
fn settle_body<T: 'static>(
    reply: Reply<T>,
    result: Result<T, StoreError>,
    body: NewBody,
) -> Settle {
    // Only its row is needed any more of a small body.
    let file = match body {
        NewBody::File(file) => Some(file),
        NewBody::Small(_) => None,
    };
    Box::new(move |durable| {
        // Refused: the file goes. Durable or not known to be: it stays.
        match file {
            Some(file) if result.is_ok() => file.keep(),
            Some(_) | None => {}
        }
        answer(reply, result, durable);
    })
}

fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>, durable: Result<(), StoreError>) {
    // Nobody may be waiting any more; what was committed stays.
    drop(reply.send(durable.and(result)));
}
