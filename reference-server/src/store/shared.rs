//! What the parts of an open store share: the database, the keys, the directory.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition,
};
use zeroize::Zeroizing;

use super::directory::DataDirectory;
use super::lease::Leases;
use super::row::{BucketRow, ObjectRow, ObjectRowKey, RowMac};
use super::version::VersionChoice;
use super::{Bucket, Found, StoreError, StoredObject, Versioning, bucket};
use crate::sealed::envelope::WriteId;
use crate::ssec::dialect::Dialect;
use crate::{clock, random};

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const BUCKETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("buckets");
pub(super) const OBJECTS: TableDefinition<'_, (u64, &[u8], u64), &[u8]> =
    TableDefinition::new("objects");
pub(super) const GARBAGE: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("garbage");

/// The database's own cache; its default is 1 GiB.
const CACHE: usize = 32 << 20;

/// Streams that may use large windows at the same time.
const LARGE_WINDOW_STREAMS: usize = 16;

/// Records of a window.
const SMALL_WINDOW: u64 = 4;
const LARGE_WINDOW: u64 = 16;

/// How far a stream must have come to get large windows.
const LARGE_WINDOW_AFTER: u64 = 1 << 20;

/// An open store.
pub(super) struct Shared {
    pub(super) directory: DataDirectory,
    pub(super) dialect: Dialect,
    pub(super) mac: RowMac,
    /// The holder key of objects without SSE-C.
    pub(super) plain_key: Box<Zeroizing<[u8; 32]>>,
    pub(super) leases: Arc<Leases>,
    pub(super) ids: WriteIds,
    pub(super) streams: Arc<AtomicUsize>,
    /// With fewer free bytes than this, writes are refused.
    pub(super) free_space_floor: u64,
    /// `None` after an I/O error, until it could be opened again.
    pub(super) database: RwLock<Option<Database>>,
}

impl Shared {
    /// Runs `work` in a read transaction. Blocks; the transaction ends with it.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(StoreError::Unavailable)?;
        let transaction = database.begin_read().map_err(unavailable)?;
        work(&transaction)
    }

    /// The row of a bucket.
    pub(super) fn bucket(
        &self,
        transaction: &ReadTransaction,
        name: &str,
    ) -> Result<BucketRow, StoreError> {
        let table = transaction.open_table(BUCKETS).map_err(read_failed)?;
        let row = table
            .get(name)
            .map_err(read_failed)?
            .ok_or(StoreError::NoSuchBucket)?;
        Ok(BucketRow::open(&self.mac, name, row.value())?)
    }

    /// All buckets, in the order of their names.
    pub(super) fn buckets(&self, transaction: &ReadTransaction) -> Result<Vec<Bucket>, StoreError> {
        let table = transaction.open_table(BUCKETS).map_err(read_failed)?;
        let mut buckets = Vec::new();
        for entry in table.iter().map_err(read_failed)? {
            let (name, row) = entry.map_err(read_failed)?;
            let name = name.value();
            let row = BucketRow::open(&self.mac, name, row.value())?;
            buckets.push(bucket::described(name.to_owned(), row));
        }
        Ok(buckets)
    }

    /// The chosen version of an object, leased.
    pub(super) fn look_up(
        self: &Arc<Self>,
        bucket: String,
        object: String,
        choice: &VersionChoice,
    ) -> Result<Found<StoredObject>, StoreError> {
        let found = self.read(|transaction| {
            let id = self.bucket(transaction, &bucket)?.id;
            let table = transaction.open_table(OBJECTS).map_err(read_failed)?;
            let name = object.as_bytes();
            let versions = (id, name, 0)..=(id, name, u64::MAX);
            for entry in table.range(versions).map_err(read_failed)? {
                let (key, row) = entry.map_err(read_failed)?;
                let key = ObjectRowKey {
                    bucket: id,
                    name,
                    seq: !key.value().2,
                };
                let row = ObjectRow::open(&self.mac, key, row.value())?;
                if choice.is(self.dialect, &row, key.seq) {
                    let lease = self.leases.take(row.envelope.write_id());
                    return Ok(Some((key.seq, row, lease)));
                }
            }
            Ok(None)
        })?;
        let Some((seq, row, lease)) = found else {
            return Ok(Found::Nothing);
        };
        let shared = Arc::clone(self);
        Ok(Found::Object(StoredObject {
            shared,
            bucket,
            object,
            seq,
            row,
            tags: Vec::new(),
            versioning: Versioning::Unversioned,
            _lease: lease,
        }))
    }

    /// Waits until every look-up that started before has taken its lease.
    pub(super) fn pass_readers(&self) {
        drop(
            self.database
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Refuses a write when the disk is nearly full: a database that runs out of room stops.
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        match self.directory.free_space() {
            Ok(free) if free < self.free_space_floor => Err(StoreError::Full),
            Ok(_) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Opens the database and checks all of it.
    pub(super) fn open_database(
        directory: &DataDirectory,
    ) -> Result<Database, redb::DatabaseError> {
        Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create(directory.metadata())
    }
}

/// Runs `work` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // The work may have panicked, or the runtime may be going down.
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(StoreError::Unavailable))
}

/// Logs an error that is ours or the disk's, and names what the client gets.
pub(super) fn unavailable(error: impl std::fmt::Display) -> StoreError {
    tracing::error!(%error, "the store failed");
    StoreError::Unavailable
}

/// What a failure to read the metadata means: damage, or trouble with the disk.
pub(super) fn read_failed(error: impl Into<redb::Error>) -> StoreError {
    let error = error.into();
    if matches!(error, redb::Error::Corrupted(_)) {
        return StoreError::Damaged;
    }
    unavailable(error)
}

/// As [`unavailable`], but a full disk is called that.
pub(super) fn write_failed(error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded) {
        return StoreError::Full;
    }
    unavailable(error)
}

/// Makes ids that rise strictly in this process, also when the clock is set back.
#[derive(Default)]
pub(super) struct WriteIds(AtomicU64);

impl WriteIds {
    pub(super) fn next(&self) -> WriteId {
        let now = clock::now_micros();
        let rise = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise)
            .expect("the closure always gives a value");
        let micros = now.max(last.saturating_add(1));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&micros.to_be_bytes());
        id[8..].copy_from_slice(&random::bytes::<8>());
        WriteId(id)
    }
}

/// Counts a stream for as long as it lives.
pub(super) struct StreamSlot(Arc<AtomicUsize>);

impl StreamSlot {
    pub(super) fn take(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }

    /// The records of the next window of a stream that has passed `passed` bytes.
    pub(super) fn window_records(&self, passed: u64) -> u64 {
        let few = self.0.load(Ordering::Relaxed) <= LARGE_WINDOW_STREAMS;
        if few && passed >= LARGE_WINDOW_AFTER {
            LARGE_WINDOW
        } else {
            SMALL_WINDOW
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_ids_rise_also_when_the_clock_does_not() {
        let ids = WriteIds::default();
        ids.0.store(u64::MAX / 2, Ordering::Relaxed);
        let (first, second) = (ids.next(), ids.next());
        assert_eq!(first.micros(), u64::MAX / 2 + 1);
        assert_eq!(second.micros(), first.micros() + 1);
    }

    #[test]
    fn windows_are_large_only_late_and_among_few() {
        let streams = Arc::default();
        let slot = StreamSlot::take(&streams);
        assert_eq!(slot.window_records(0), 4);
        assert_eq!(slot.window_records(1 << 20), 16);
        let others: Vec<_> = (0..16).map(|_| StreamSlot::take(&streams)).collect();
        assert_eq!(slot.window_records(1 << 20), 4);
        drop(others);
        assert_eq!(slot.window_records(1 << 20), 16);
    }
}
