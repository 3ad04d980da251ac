//! One transaction's changes: what each intent does to the rows, and what it is answered.
//!
//! Conditions are decided here, so two writers cannot both find them true. Nothing here touches a
//! file.

use redb::{ReadableTable as _, Table};

use super::commit::{Intent, PutIntent, Reply};
use super::lease::Garbage;
use super::row::{BucketRow, CountersRow, GarbageRow, ObjectRow, ObjectRowKey};
use super::shared::Shared;
use super::version::{VersionChoice, version_id};
use super::writer::WriteConditions;
use super::{
    Committed, Condition, CreateBucket, Deleted, SsecUse, StoreError, Versioning, timestamp,
};
use crate::clock;
use crate::sealed::Damaged;

/// Answers an intent once it is known whether the transaction became durable.
pub(super) type Settle = Box<dyn FnOnce(Result<(), StoreError>)>;

/// The tables of one transaction.
pub(super) struct Change<'t> {
    pub(super) shared: &'t Shared,
    pub(super) counters: CountersRow,
    pub(super) buckets: Table<'t, &'static str, &'static [u8]>,
    pub(super) objects: Table<'t, (u64, &'static [u8], u64), &'static [u8]>,
    pub(super) garbage_rows: Table<'t, (u64, u32), &'static [u8]>,
    pub(super) garbage: &'t mut Vec<Garbage>,
}

/// `Err` fails the whole batch; what a client did wrong is inside.
type Applied<T> = Result<Result<T, StoreError>, redb::StorageError>;

/// A present version of an object: its number and its row, if that verifies.
type Present = (u64, Result<ObjectRow, Damaged>);

impl Change<'_> {
    pub(super) fn apply(&mut self, intent: Intent) -> Result<Settle, redb::StorageError> {
        match intent {
            Intent::Put(put) => {
                let PutIntent {
                    bucket,
                    object,
                    conditions,
                    row,
                    body,
                    reply,
                } = *put;
                let result = self.put(&bucket, &object, &conditions, row)?;
                Ok(Box::new(move |durable| {
                    // Refused: the file goes. Durable or not known to be: it stays.
                    if result.is_ok() {
                        body.keep();
                    } else {
                        drop(body);
                    }
                    answer(reply, result, durable);
                }))
            }
            Intent::Delete {
                bucket,
                object,
                choice,
                reply,
            } => {
                let result = self.delete(&bucket, &object, &choice)?;
                Ok(settle(reply, result))
            }
            Intent::CreateBucket { name, ssec, reply } => {
                let result = self.create_bucket(&name, ssec)?;
                Ok(settle(reply, result))
            }
            Intent::DeleteBucket { name, reply } => {
                let result = self.delete_bucket(&name)?;
                Ok(settle(reply, result))
            }
            Intent::Reap => Ok(Box::new(|_| {})),
        }
    }

    fn put(
        &mut self,
        bucket: &str,
        object: &str,
        conditions: &WriteConditions,
        mut row: ObjectRow,
    ) -> Applied<Committed> {
        let bucket = match self.bucket(bucket)? {
            Ok(bucket) => bucket,
            Err(error) => return Ok(Err(error)),
        };
        let present = self.versions(bucket.id, object)?;
        if let Err(error) = check(conditions, present.first()) {
            return Ok(Err(error));
        }
        let seq = self.next_seq();
        row.null_version = true;
        for old in present {
            self.remove(bucket.id, object, old, seq)?;
        }
        let key = ObjectRowKey {
            bucket: bucket.id,
            name: object.as_bytes(),
            seq,
        };
        let sealed = row.seal(&self.shared.mac, key);
        self.objects.insert(key.in_table(), sealed.as_slice())?;
        Ok(Ok(Committed {
            etag: row.etag,
            version_id: version_id(self.shared.dialect, &row, seq),
            last_modified: timestamp(seq),
            versioning: Versioning::Unversioned,
        }))
    }

    fn delete(&mut self, bucket: &str, object: &str, choice: &VersionChoice) -> Applied<Deleted> {
        let bucket = match self.bucket(bucket)? {
            Ok(bucket) => bucket,
            Err(error) => return Ok(Err(error)),
        };
        let present = self.versions(bucket.id, object)?;
        let dialect = self.shared.dialect;
        let chosen = present.into_iter().find(|(seq, row)| match row {
            Ok(row) => choice.is(dialect, row, *seq),
            Err(Damaged) => choice.is_damaged(*seq),
        });
        let Some((seq, row)) = chosen else {
            return Ok(Ok(Deleted {
                version_id: None,
                marker: false,
                versioning: Versioning::Unversioned,
            }));
        };
        let id = row.as_ref().map_or_else(
            |Damaged| seq.to_string(),
            |row| version_id(dialect, row, seq),
        );
        let at = self.next_seq();
        self.remove(bucket.id, object, (seq, row), at)?;
        Ok(Ok(Deleted {
            version_id: Some(id),
            marker: false,
            versioning: Versioning::Unversioned,
        }))
    }

    fn create_bucket(&mut self, name: &str, ssec: SsecUse) -> Applied<CreateBucket> {
        match self.bucket(name)? {
            Ok(_) => return Ok(Ok(CreateBucket::AlreadyYours)),
            Err(StoreError::NoSuchBucket) => {}
            Err(error) => return Ok(Err(error)),
        }
        self.counters.last_bucket += 1;
        let row = BucketRow {
            id: self.counters.last_bucket,
            created_micros: clock::now_micros(),
            ssec,
        };
        self.buckets
            .insert(name, row.seal(&self.shared.mac, name).as_slice())?;
        Ok(Ok(CreateBucket::Created))
    }

    fn delete_bucket(&mut self, name: &str) -> Applied<()> {
        let bucket = match self.bucket(name)? {
            Ok(bucket) => bucket,
            Err(error) => return Ok(Err(error)),
        };
        let first = (bucket.id, [].as_slice(), 0);
        let end = (bucket.id + 1, [].as_slice(), 0);
        if self
            .objects
            .range(first..end)?
            .next()
            .transpose()?
            .is_some()
        {
            return Ok(Err(StoreError::BucketNotEmpty));
        }
        self.buckets.remove(name)?;
        Ok(Ok(()))
    }

    fn bucket(&self, name: &str) -> Applied<BucketRow> {
        let Some(row) = self.buckets.get(name)? else {
            return Ok(Err(StoreError::NoSuchBucket));
        };
        Ok(BucketRow::open(&self.shared.mac, name, row.value()).map_err(StoreError::from))
    }

    /// The versions of an object, newest first.
    fn versions(&self, bucket: u64, object: &str) -> Result<Vec<Present>, redb::StorageError> {
        let name = object.as_bytes();
        let mut versions = Vec::new();
        for entry in self
            .objects
            .range((bucket, name, 0)..=(bucket, name, u64::MAX))?
        {
            let (key, row) = entry?;
            let seq = !key.value().2;
            let key = ObjectRowKey { bucket, name, seq };
            versions.push((seq, ObjectRow::open(&self.shared.mac, key, row.value())));
        }
        Ok(versions)
    }

    /// Takes a version out and its body to the garbage. The body of a row that does not verify is
    /// not known; it is swept at the next start.
    fn remove(
        &mut self,
        bucket: u64,
        object: &str,
        (seq, row): Present,
        at: u64,
    ) -> Result<(), redb::StorageError> {
        let key = ObjectRowKey {
            bucket,
            name: object.as_bytes(),
            seq,
        };
        self.objects.remove(key.in_table())?;
        let Ok(row) = row else { return Ok(()) };
        let body = row.envelope.write_id();
        let number = u32::try_from(self.garbage.len()).expect("a batch holds few intents");
        let garbage = Garbage {
            key: (at, number),
            body,
        };
        let sealed = GarbageRow::File(body).seal(&self.shared.mac, garbage.key);
        self.garbage_rows.insert(garbage.key, sealed.as_slice())?;
        self.garbage.push(garbage);
        Ok(())
    }

    /// The number of the next version: its order and its time, strictly rising.
    fn next_seq(&mut self) -> u64 {
        self.counters.last_seq = clock::now_micros().max(self.counters.last_seq + 1);
        self.counters.last_seq
    }
}

fn check(conditions: &WriteConditions, present: Option<&Present>) -> Result<(), StoreError> {
    let WriteConditions {
        if_match,
        if_none_match,
    } = conditions;
    if if_match.is_none() && if_none_match.is_none() {
        return Ok(());
    }
    let etag = match present {
        None => None,
        Some((_, Ok(row))) => Some(row.etag),
        Some((_, Err(Damaged))) => return Err(StoreError::Damaged),
    };
    if let Some(tags) = if_match {
        let etag = etag.ok_or(StoreError::NoSuchObject)?;
        if !tags.holds(etag) {
            return Err(StoreError::PreconditionFailed(Condition::IfMatch));
        }
    }
    match (if_none_match, etag) {
        (Some(tags), Some(etag)) if tags.holds(etag) => {
            Err(StoreError::PreconditionFailed(Condition::IfNoneMatch))
        }
        (Some(_) | None, _) => Ok(()),
    }
}

fn settle<T: 'static>(reply: Reply<T>, result: Result<T, StoreError>) -> Settle {
    Box::new(move |durable| answer(reply, result, durable))
}

fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>, durable: Result<(), StoreError>) {
    // Nobody may be waiting any more; what was committed stays.
    drop(reply.send(durable.and(result)));
}
