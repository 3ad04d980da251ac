//! Why a store was not opened, and why it did not do what it was asked.

use std::path::PathBuf;

use super::upload::PartNumber;
use crate::sealed::Damaged;
use crate::ssec::dialect::Dialect;

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
    /// There is no store in the directory.
    #[error("`{0}` holds no store; name the data directory of a server")]
    NoStore(PathBuf),
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
    /// There is no such version of the object: 404 `NoSuchVersion`.
    #[error("there is no such version")]
    NoSuchVersion,
    /// There is no such upload under this name (any more): 404 `NoSuchUpload`.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// A part of the list was not uploaded, or has another `ETag` or checksum: 400 `InvalidPart`.
    #[error("part {} is not there, or is another one", .0.get())]
    InvalidPart(PartNumber),
    /// The list of parts does not rise: 400 `InvalidPartOrder`.
    #[error("the list of parts is not in ascending order")]
    InvalidPartOrder,
    /// A part that is not the last has less than 5 MiB of plaintext: 400 `EntityTooSmall`.
    #[error("part {} has only {size} bytes", .number.get())]
    PartTooSmall {
        /// Which part.
        number: PartNumber,
        /// Its length, in bytes of plaintext.
        size: u64,
    },
    /// The checksum shown for the whole of a multipart object is not that of its parts: 400
    /// `BadDigest`.
    #[error("the checksum of the object differs")]
    ChecksumDiffers,
    /// The length shown for the whole of a multipart object is not that of its parts: 400
    /// `InvalidRequest`.
    #[error("the object has {made} bytes, not {shown}")]
    SizeDiffers {
        /// What the client says, in bytes.
        shown: u64,
        /// What the parts have, in bytes of plaintext.
        made: u64,
    },
    /// The bucket still holds objects: 409 `BucketNotEmpty`.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// A condition of the write does not hold: 412 `PreconditionFailed`.
    #[error("the condition {0} does not hold")]
    PreconditionFailed(Condition),
    /// A body beyond what one data key may seal, or text beyond what a row takes: 400
    /// `EntityTooLarge`.
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
