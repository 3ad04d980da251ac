//! What the parts of an open store share: the database, the keys, the directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use redb::{ReadTransaction, ReadableTable as _};
use zeroize::Zeroizing;

use super::at_once::AtOnce;
use super::directory::DataDirectory;
use super::lease::Leases;
use super::manifest::Manifest;
use super::metadata::Metadata;
use super::object::Content;
use super::pace::WriteIds;
use super::pack::Packs;
use super::row::{
    BucketRow, ObjectRow, ObjectRowKey, Place, RowMac, TagsRow, UploadRow, VersionRow,
};
use super::syncs::Syncs;
use super::table::{BUCKETS, MANIFESTS, OBJECTS, TAGS, UPLOADS};
use super::upload::UploadName;
use super::version::{VersionChoice, version_id};
use super::{Bucket, DeleteMarker, Found, ObjectTags, StoreError, StoredObject, bucket, timestamp};
use crate::random;
use crate::sealed::WrongKey;
use crate::sealed::data_key::{self, ObjectKey};
use crate::sealed::envelope::{Envelope, HolderKind, WriteId};
use crate::sealed::record::stored_length;
use crate::ssec::customer_key::Holder;
use crate::ssec::dialect::Dialect;

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
    pub(super) packs: Packs,
    pub(super) syncs: Syncs,
    pub(super) at_once: AtOnce,
    /// How often a change of buckets was tried.
    pub(super) bucket_changes: AtomicU64,
    /// With fewer free bytes than this, writes are refused.
    pub(super) free_space_floor: u64,
    pub(super) metadata: Metadata,
}

impl Shared {
    /// Runs `work` in a read transaction. Blocks; the transaction ends with it.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.metadata.read(&self.directory, work)
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

    /// The chosen version of an object, leased, with what lies beside its row.
    pub(super) fn look_up(
        self: &Arc<Self>,
        bucket: String,
        object: String,
        choice: &VersionChoice,
    ) -> Result<Found<StoredObject>, StoreError> {
        self.read(|transaction| {
            let row = self.bucket(transaction, &bucket)?;
            let table = transaction.open_table(OBJECTS).map_err(read_failed)?;
            let name = object.as_bytes();
            for entry in table
                .range(choice.range(row.id, name))
                .map_err(read_failed)?
            {
                let (key, version) = entry.map_err(read_failed)?;
                let key = ObjectRowKey {
                    bucket: row.id,
                    name,
                    seq: !key.value().2,
                };
                let version = VersionRow::open(&self.mac, key, version.value())?;
                if !choice.is(self.dialect, &version, key.seq) {
                    continue;
                }
                let version_id = version_id(self.dialect, &version, key.seq);
                let version = match version {
                    VersionRow::Object(version) => *version,
                    VersionRow::Marker(_) => {
                        return Ok(Found::Marker(DeleteMarker {
                            version_id,
                            last_modified: timestamp(key.seq),
                        }));
                    }
                };
                let id = version.envelope.write_id();
                let lease = self.leases.take(id);
                let (tags, seq) = (self.tags(transaction, key)?, key.seq);
                let content = self.content(transaction, &version)?;
                return Ok(Found::Object(StoredObject {
                    shared: Arc::clone(self),
                    bucket,
                    object,
                    seq,
                    row: version,
                    version_id,
                    content,
                    tags,
                    versioning: row.versioning,
                    _lease: lease,
                }));
            }
            Ok(Found::Nothing)
        })
    }

    /// What lies between a row and its body. The pack of a small body is opened: it stays under the
    /// lock that the look-up holds, and an open file stays for as long as it is open.
    fn content(
        &self,
        transaction: &ReadTransaction,
        row: &ObjectRow,
    ) -> Result<Content, StoreError> {
        Ok(match row.place {
            Place::File => Content::File,
            Place::Parts => {
                let id = row.envelope.write_id();
                Content::Parts(Arc::new(self.manifest(transaction, id)?))
            }
            Place::Pack(place) => {
                let length = stored_length(row.size);
                Content::Small(self.packs.find(&self.directory, place, length))
            }
        })
    }

    fn tags(
        &self,
        transaction: &ReadTransaction,
        key: ObjectRowKey<'_>,
    ) -> Result<ObjectTags, StoreError> {
        let table = transaction.open_table(TAGS).map_err(read_failed)?;
        let Some(row) = table.get(key.in_table()).map_err(read_failed)? else {
            return Ok(ObjectTags::new());
        };
        Ok(TagsRow::open(&self.mac, key, row.value())?.0)
    }

    fn manifest(
        &self,
        transaction: &ReadTransaction,
        upload: WriteId,
    ) -> Result<Manifest, StoreError> {
        let table = transaction.open_table(MANIFESTS).map_err(read_failed)?;
        let row = table.get(upload.number()).map_err(read_failed)?;
        let row = row.ok_or(StoreError::Damaged)?;
        Ok(Manifest::open(&self.mac, upload.number(), row.value())?)
    }

    /// The row of an upload that goes on.
    pub(super) fn upload(
        &self,
        transaction: &ReadTransaction,
        upload: &UploadName,
    ) -> Result<UploadRow, StoreError> {
        let bucket = self.bucket(transaction, &upload.bucket)?.id;
        let table = transaction.open_table(UPLOADS).map_err(read_failed)?;
        let key = upload.row_key(bucket);
        let row = table.get(key.in_table()).map_err(read_failed)?;
        let row = row.ok_or(StoreError::NoSuchUpload)?;
        Ok(UploadRow::open(&self.mac, key, row.value())?)
    }

    /// The envelope of a new write, and the key under which its bodies are sealed.
    pub(super) fn new_envelope(
        &self,
        bucket: &str,
        object: &str,
        holder: Holder<'_>,
    ) -> (Envelope, ObjectKey) {
        let (kind, key) = match holder {
            Holder::Customer(key) => (HolderKind::Customer, key.bytes()),
            Holder::Server => (HolderKind::Server, &**self.plain_key),
        };
        let place = data_key::Place { bucket, object };
        data_key::seal_under(key, kind, place, self.ids.next(), random::bytes())
    }

    /// The key of an envelope, if `holder` holds it.
    pub(super) fn open_envelope(
        &self,
        envelope: &Envelope,
        bucket: &str,
        object: &str,
        holder: Holder<'_>,
    ) -> Result<Arc<ObjectKey>, WrongKey> {
        let key = match holder {
            Holder::Customer(key) => key.bytes(),
            Holder::Server => &**self.plain_key,
        };
        let place = data_key::Place { bucket, object };
        data_key::open_under(key, envelope, place).map(Arc::new)
    }

    /// Refuses a write to a bucket that is not there, and to a full disk.
    pub(super) async fn check_bucket(self: &Arc<Self>, bucket: &str) -> Result<(), StoreError> {
        let bucket = bucket.to_owned();
        let check = move |shared: &Arc<Self>| {
            shared.check_room()?;
            shared.read(|transaction| shared.bucket(transaction, &bucket).map(drop))
        };
        self.soon(check).await
    }

    /// Runs a short read: on this thread if it may, at the second attempt after those that wait for
    /// it have had theirs; else where it may block. A panic of the work is the store's failure.
    pub(super) async fn soon<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        for attempt in 0..2 {
            if attempt > 0 {
                tokio::task::yield_now().await;
            }
            // To open the metadata again is no short read.
            if self.metadata.is_at_hand()
                && let Some(_turn) = self.at_once.turn()
            {
                let done = catch_unwind(AssertUnwindSafe(|| work(self)));
                return done.unwrap_or(Err(StoreError::Unavailable));
            }
        }
        let shared = Arc::clone(self);
        blocking(move || work(&shared)).await
    }

    /// Refuses a write when the disk is nearly full: a database that runs out of room stops.
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        match self.directory.free_space() {
            Ok(free) if free < self.free_space_floor => Err(StoreError::Full),
            Ok(_) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
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
