//! The store: buckets and sealed objects in a data directory.
//!
//! It knows files, rows and the order in which they become durable. It seals whatever it keeps and
//! never sees how a request looked or who asked; what an error means to a client is the operation's
//! affair.

mod body_stream;
mod listing;
mod object;
mod writer;

use std::path::PathBuf;

use jiff::Timestamp;

pub use self::body_stream::BodyStream;
pub use self::listing::{After, LIST_LIMIT, ListQuery, ListedObject, Listing};
pub use self::object::{Access, ETag, StoredObject};
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
    /// The store cannot read or write now: 503 `ServiceUnavailable`. A write may have happened, whole.
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

/// A store of buckets and sealed objects. Clones share one store.
#[derive(Clone)]
pub struct Store {}

#[expect(clippy::unused_async, reason = "becomes asynchronous with the bodies")]
impl Store {
    /// Opens the store of a data directory, and makes it at the first start. Blocks; call it before
    /// serving.
    ///
    /// # Errors
    /// [`OpenError`], which says what to do.
    pub fn open(_settings: StoreSettings) -> Result<Self, OpenError> {
        Ok(Self {})
    }

    /// Makes a bucket. The name has been checked by the caller.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn create_bucket(
        &self,
        _name: &str,
        _ssec: SsecUse,
    ) -> Result<CreateBucket, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// The bucket of that name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn bucket(&self, _name: &str) -> Result<Bucket, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// All buckets, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// Removes a bucket.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::BucketNotEmpty`], [`StoreError::Unavailable`].
    pub async fn delete_bucket(&self, _name: &str) -> Result<(), StoreError> {
        Err(StoreError::Unavailable)
    }

    /// Starts to write an object. The key is used here and not kept.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn begin(&self, _new: NewObject<'_>) -> Result<Writer, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// The present version of an object, or the one with the id `version`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::Damaged`] when its row does not verify;
    /// [`StoreError::Unavailable`].
    pub async fn look_up(
        &self,
        _bucket: &str,
        _object: &str,
        _version: Option<&str>,
    ) -> Result<Option<StoredObject>, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// Deletes an object, or its version with the id `version`. Works when the row is damaged and when
    /// the disk is full.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Unavailable`].
    pub async fn delete(
        &self,
        _bucket: &str,
        _object: &str,
        _version: Option<&str>,
    ) -> Result<Deleted, StoreError> {
        Err(StoreError::Unavailable)
    }

    /// A page of the objects of a bucket.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::Damaged`] when a row in it does not verify;
    /// [`StoreError::Unavailable`].
    pub async fn list(&self, _query: ListQuery<'_>) -> Result<Listing, StoreError> {
        Err(StoreError::Unavailable)
    }
}
