//! The store: buckets and sealed objects in a data directory.
//!
//! It knows files, rows and the order in which they become durable. It seals whatever it keeps and
//! never sees how a request looked or who asked; what an error means to a client is the operation's
//! affair.

mod at_once;
mod bodies;
mod body_file;
mod body_stream;
mod body_writer;
mod bucket;
mod change;
mod commit;
mod directory;
mod disk;
mod error;
mod lease;
mod listing;
mod manifest;
mod metadata;
mod object;
mod open;
mod pace;
mod pack;
mod part;
mod part_writer;
mod row;
mod scan;
mod scrub;
mod shared;
mod stored_checksum;
mod sweep;
mod syncs;
mod table;
mod upload;
mod upload_listing;
mod version;
mod version_listing;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

pub use self::body_stream::BodyStream;
pub use self::bucket::{Bucket, BucketSetting, CreateBucket, SETTING_LIMIT, SsecUse, Versioning};
use self::commit::Intent;
use self::disk::Disk;
pub use self::error::{Condition, OpenError, StoreError};
use self::listing::Scan;
pub use self::listing::{After, LIST_LIMIT, ListQuery, ListedObject, Listing};
pub use self::object::{Access, DeleteMarker, ETag, Found, ObjectTags, StoredObject};
use self::open::Running;
pub use self::part_writer::PartWriter;
pub use self::scrub::{Fault, Finding, Scrubbed, scrub};
use self::shared::{Shared, blocking};
pub use self::syncs::Durability;
pub use self::upload::{
    ChecksumKind, CommittedPart, Completed, Completion, DeclaredChecksum, ListedPart, NamedPart,
    NewUpload, PART_MINIMUM, PartListing, PartNumber, Upload, UploadAccess,
};
pub use self::upload_listing::{ListedUpload, UploadListing, UploadsAfter, UploadsQuery};
use self::version::VersionChoice;
pub use self::version_listing::{
    ListedVersion, VersionKind, VersionListing, VersionsAfter, VersionsQuery,
};
pub use self::writer::{Committed, Finish, NewObject, TagSet, WriteConditions, Writer};
pub use crate::sealed::envelope::HolderKind;
pub use crate::sealed::{Damaged, WrongKey};
use crate::ssec::dialect::Dialect;

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The data directory; made if it is not there.
    pub data_dir: PathBuf,
    /// The dialect that the store belongs to: it decides the form of version ids.
    pub dialect: Dialect,
    /// Where the server key is kept, if not in the data directory.
    pub server_key_file: Option<PathBuf>,
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The version that went, or the delete marker that was made; `None` when nothing was there to
    /// go, which S3 answers like a success.
    pub version_id: Option<String>,
    /// Whether that is a delete marker: made, or removed by its id.
    pub marker: bool,
    /// How the bucket kept versions then.
    pub versioning: Versioning,
}

/// What a deletion takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion<'a> {
    /// The newest version: it goes, or a delete marker hides it.
    Newest {
        /// What its `ETag` must be, decided inside the transaction that deletes it.
        if_match: Option<TagSet>,
    },
    /// The version with this id.
    Version(&'a str),
}

impl<'a> From<Option<&'a str>> for Deletion<'a> {
    fn from(version: Option<&'a str>) -> Self {
        version.map_or(Self::Newest { if_match: None }, Self::Version)
    }
}

/// A store of buckets and sealed objects. Clones share one store, which closes with the last of
/// them.
#[derive(Clone)]
pub struct Store {
    running: Arc<Running>,
}

impl Store {
    /// Opens the store of a data directory, and makes it at the first start. Blocks; call it before
    /// serving.
    ///
    /// # Errors
    /// [`OpenError`], which says what to do.
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        Self::open_on(Disk::default(), settings, FREE_SPACE_FLOOR)
    }

    fn open_on(disk: Disk, settings: &StoreSettings, floor: u64) -> Result<Self, OpenError> {
        Ok(Self {
            running: Arc::new(Running::open(disk, settings, floor)?),
        })
    }

    /// Starts to write an object. The key is used here and not kept.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Full`], [`StoreError::Unavailable`];
    /// [`StoreError::TooLarge`] for headers beyond 64 KiB.
    pub async fn begin(&self, new: NewObject<'_>) -> Result<Writer, StoreError> {
        Writer::begin(self, new).await
    }

    /// The present version of an object, or the one with the id `version`: `null` for the null
    /// version, in every dialect.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::Damaged`] when its row does not verify;
    /// [`StoreError::Unavailable`].
    pub async fn look_up(
        &self,
        bucket: &str,
        object: &str,
        version: Option<&str>,
    ) -> Result<Found<StoredObject>, StoreError> {
        let (bucket, object) = (bucket.to_owned(), object.to_owned());
        let choice = VersionChoice::new(self.shared().dialect, version);
        let look_up = move |shared: &Arc<Shared>| shared.look_up(bucket, object, &choice);
        self.shared().soon(look_up).await
    }

    /// Whether `version` has the form of a version id of this store, or is `null`. Look-ups of
    /// other ids find nothing.
    #[must_use]
    pub fn is_version_id(&self, version: &str) -> bool {
        version::is_well_formed(self.shared().dialect, version)
    }

    /// Replaces the tags of an object, or of its version with the id `version`; none removes them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::NoSuchObject`], also for a delete marker;
    /// [`StoreError::NoSuchVersion`]; [`StoreError::TooLarge`] for texts beyond 64 KiB;
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn set_tags(
        &self,
        bucket: &str,
        object: &str,
        version: Option<&str>,
        tags: ObjectTags,
    ) -> Result<(), StoreError> {
        if !row::fits(&http::HeaderMap::new(), &tags) {
            return Err(StoreError::TooLarge);
        }
        let shared = Arc::clone(self.shared());
        blocking(move || shared.check_room()).await?;
        let (reply, answer) = oneshot::channel();
        let (bucket, object) = (bucket.to_owned(), object.to_owned());
        let intent = Intent::SetTags {
            bucket,
            object,
            choice: VersionChoice::new(self.shared().dialect, version),
            tags,
            reply,
        };
        self.submit(intent, answer).await
    }

    /// Deletes an object, or one version of it. Without a version, a bucket that keeps versions, or
    /// kept them, gets a delete marker, also where nothing was. Without a condition, it works when
    /// the row is damaged; always, when the disk is full.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Unavailable`]; of a condition
    /// [`StoreError::PreconditionFailed`], [`StoreError::NoSuchObject`] (also for a delete marker)
    /// and [`StoreError::Damaged`].
    pub async fn delete(
        &self,
        bucket: &str,
        object: &str,
        deletion: impl Into<Deletion<'_>>,
    ) -> Result<Deleted, StoreError> {
        let (reply, answer) = oneshot::channel();
        let (bucket, object) = (bucket.to_owned(), object.to_owned());
        let (version, if_match) = match deletion.into() {
            Deletion::Newest { if_match } => (None, if_match),
            Deletion::Version(id) => (Some(id), None),
        };
        let choice = VersionChoice::new(self.shared().dialect, version);
        let conditions = WriteConditions {
            if_match,
            if_none_match: None,
        };
        self.submit(
            Intent::Delete {
                bucket,
                object,
                choice,
                conditions,
                reply,
            },
            answer,
        )
        .await
    }

    /// A page of the objects of a bucket.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::Damaged`] when a row in it does not verify;
    /// [`StoreError::Unavailable`].
    pub async fn list(&self, query: ListQuery<'_>) -> Result<Listing, StoreError> {
        let (shared, bucket) = (Arc::clone(self.shared()), query.bucket.to_owned());
        let scan = Scan::new(query);
        blocking(move || {
            shared.read(|transaction| {
                let bucket = shared.bucket(transaction, &bucket)?;
                scan.run(&shared, transaction, bucket.id)
            })
        })
        .await
    }

    /// What was made durable since the store was opened, and by how many syncs.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.shared().syncs.so_far()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.running.shared
    }

    /// Hands a change to the committer and waits until it is durable.
    async fn submit<T>(
        &self,
        intent: Intent,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.running
            .intents()
            .send(intent)
            .await
            .map_err(|_| StoreError::Unavailable)?;
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

/// With fewer free bytes, writes are refused: a database that runs out of room stops.
const FREE_SPACE_FLOOR: u64 = 64 << 20;

/// A commit's number as a time.
fn timestamp(micros: u64) -> Timestamp {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
