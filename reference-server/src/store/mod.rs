//! The store: buckets and sealed objects in a data directory.
//!
//! It knows files, rows and the order in which they become durable. It seals whatever it keeps and
//! never sees how a request looked or who asked; what an error means to a client is the operation's
//! affair.

mod body_file;
mod body_stream;
mod change;
mod commit;
mod directory;
mod lease;
mod listing;
mod object;
mod open;
mod row;
mod shared;
mod stored_checksum;
mod sweep;
mod version;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

pub use self::body_stream::BodyStream;
use self::commit::Intent;
use self::listing::Scan;
pub use self::listing::{After, LIST_LIMIT, ListQuery, ListedObject, Listing};
pub use self::object::{Access, ETag, StoredObject};
use self::open::Running;
use self::shared::{Shared, blocking};
use self::version::VersionChoice;
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

/// Why a store was not opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A path that must be a directory is something else.
    #[error("`{0}` is not a directory; give another data directory")]
    NotADirectory(PathBuf),
    /// Another process has the store open.
    #[error("`{0}` is in use by another server; stop it, or give another data directory")]
    InUse(PathBuf),
    /// The store was made under another dialect.
    #[error(
        "`{data_dir}` holds a store of dialect `{found}`; start with --dialect {found}, or give \
             another data directory"
    )]
    OtherDialect {
        /// The data directory.
        data_dir: PathBuf,
        /// The dialect it was made under.
        found: Dialect,
    },
    /// The store has a format that this version does not know.
    #[error("`{0}` holds a store of an unknown or newer format; use the version that made it")]
    UnknownFormat(PathBuf),
    /// There is a store but not its server key, without which nothing in it can be verified.
    #[error(
        "`{0}` is missing; without the server key the store beside it cannot be read: restore \
             the file, or give another data directory"
    )]
    NoServerKey(PathBuf),
    /// The server key is not 32 bytes.
    #[error("`{0}` is not a server key of 32 bytes; restore the file")]
    BadServerKey(PathBuf),
    /// The metadata does not verify.
    #[error("the metadata `{0}` is damaged; restore the data directory from a copy")]
    Damaged(PathBuf),
    /// The operating system refused something.
    #[error("cannot {what} `{path}`: {source}")]
    Io {
        /// What was tried: a verb.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Why the store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such bucket: 404 `NoSuchBucket`.
    #[error("there is no such bucket")]
    NoSuchBucket,
    /// There is no such object, and the request asked for one by `If-Match`: 404 `NoSuchKey`.
    #[error("there is no such object")]
    NoSuchObject,
    /// The bucket still holds objects: 409 `BucketNotEmpty`.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// A condition of the write does not hold: 412 `PreconditionFailed`.
    #[error("the condition {0} does not hold")]
    PreconditionFailed(Condition),
    /// A body beyond what one data key may seal: 400 `EntityTooLarge`.
    #[error("the body is too large")]
    TooLarge,
    /// What is stored does not verify: 500 `InternalError`. Never a wrong key.
    #[error("what is stored is damaged")]
    Damaged,
    /// The disk has too little room for a write; deletion still works: 507 `InsufficientStorage`.
    #[error("the disk is full")]
    Full,
    /// The store cannot read or write now: 503 `ServiceUnavailable`. A write may have happened,
    /// whole.
    #[error("the store cannot serve this now")]
    Unavailable,
}

/// The name of a condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `If-Match`
    IfMatch,
    /// `If-None-Match`
    IfNoneMatch,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::IfMatch => "If-Match",
            Self::IfNoneMatch => "If-None-Match",
        })
    }
}

impl From<Damaged> for StoreError {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// Whether a bucket lets objects be written under customer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsecUse {
    /// It does.
    Allowed,
    /// It refuses them (`BlockedEncryptionTypes` of its encryption configuration).
    Blocked,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether SSE-C is used in it.
    pub ssec: SsecUse,
}

/// What became of the wish for a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateBucket {
    /// It was made.
    Created,
    /// It was there already. There is one owner, so it is the asker's own.
    AlreadyYours,
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The version that went; `None` when there was none, which S3 answers like a success.
    pub version_id: Option<String>,
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
        Self::open_with_floor(settings, FREE_SPACE_FLOOR)
    }

    fn open_with_floor(settings: &StoreSettings, floor: u64) -> Result<Self, OpenError> {
        Ok(Self {
            running: Arc::new(Running::open(settings, floor)?),
        })
    }

    /// Makes a bucket. The name has been checked by the caller.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn create_bucket(
        &self,
        name: &str,
        ssec: SsecUse,
    ) -> Result<CreateBucket, StoreError> {
        let shared = Arc::clone(self.shared());
        blocking(move || shared.check_room()).await?;
        let (reply, answer) = oneshot::channel();
        let intent = Intent::CreateBucket {
            name: name.to_owned(),
            ssec,
            reply,
        };
        self.submit(intent, answer).await
    }

    /// The bucket of that name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        let (shared, name) = (Arc::clone(self.shared()), name.to_owned());
        blocking(move || {
            let row = shared.read(|transaction| shared.bucket(transaction, &name))?;
            Ok(Bucket {
                name,
                created: timestamp(row.created_micros),
                ssec: row.ssec,
            })
        })
        .await
    }

    /// All buckets, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let shared = Arc::clone(self.shared());
        blocking(move || shared.read(|transaction| shared.buckets(transaction))).await
    }

    /// Removes a bucket.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::BucketNotEmpty`], [`StoreError::Unavailable`].
    pub async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(
            Intent::DeleteBucket {
                name: name.to_owned(),
                reply,
            },
            answer,
        )
        .await
    }

    /// Starts to write an object. The key is used here and not kept.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Full`], [`StoreError::Unavailable`];
    /// [`StoreError::TooLarge`] for headers beyond 64 KiB.
    pub async fn begin(&self, new: NewObject<'_>) -> Result<Writer, StoreError> {
        Writer::begin(self, new).await
    }

    /// The present version of an object, or the one with the id `version`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::Damaged`] when its row does not verify;
    /// [`StoreError::Unavailable`].
    pub async fn look_up(
        &self,
        bucket: &str,
        object: &str,
        version: Option<&str>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let shared = Arc::clone(self.shared());
        let (bucket, object) = (bucket.to_owned(), object.to_owned());
        let choice = VersionChoice::new(version);
        blocking(move || shared.look_up(bucket, object, &choice)).await
    }

    /// Deletes an object, or its version with the id `version`. Works when the row is damaged and
    /// when the disk is full.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Unavailable`].
    pub async fn delete(
        &self,
        bucket: &str,
        object: &str,
        version: Option<&str>,
    ) -> Result<Deleted, StoreError> {
        let (reply, answer) = oneshot::channel();
        let (bucket, object) = (bucket.to_owned(), object.to_owned());
        let choice = VersionChoice::new(version);
        self.submit(
            Intent::Delete {
                bucket,
                object,
                choice,
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
