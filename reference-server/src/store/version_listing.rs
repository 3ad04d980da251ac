//! Lists of the versions of the objects of a bucket: by name, newest first.

use jiff::Timestamp;

use super::{ETag, Store, StoreError};
use crate::sealed::envelope::HolderKind;

/// Which versions to list.
#[derive(Clone, Copy, Debug)]
pub struct VersionsQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a VersionsAfter>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`](super::LIST_LIMIT).
    pub max: usize,
}

/// Where a list of versions goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionsAfter {
    /// After all versions of this name (`key-marker` alone).
    Name(String),
    /// After this version (`key-marker` and `version-id-marker`).
    Version {
        /// The object's name.
        name: String,
        /// The version's id. An id that no version has starts at the first version of the name.
        version_id: String,
    },
    /// After all names that start with this common prefix.
    CommonPrefix(String),
}

/// A page of a list of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionListing {
    /// Versions and delete markers, in order.
    pub versions: Vec<ListedVersion>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<VersionsAfter>,
}

/// A version or a delete marker as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The object's name.
    pub name: String,
    /// The id of the version; `null` for the null version (dialect `aws`).
    pub version_id: String,
    /// Whether it is the newest of its name.
    pub is_latest: bool,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// What it is.
    pub kind: VersionKind,
}

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// An object.
    Object {
        /// The length of the plaintext, in bytes.
        size: u64,
        /// The `ETag`.
        etag: ETag,
        /// Whose key opens it.
        holder: HolderKind,
    },
    /// A delete marker.
    Marker,
}

impl Store {
    /// A page of the versions of a bucket, delete markers included.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_versions(
        &self,
        query: VersionsQuery<'_>,
    ) -> Result<VersionListing, StoreError> {
        let _ = query;
        Err(StoreError::Unavailable)
    }
}
