//! Lists of the uploads of a bucket, by object name and then by the time they were created.

use jiff::Timestamp;

use super::{Store, StoreError};
use crate::sealed::envelope::HolderKind;

/// Which uploads to list.
#[derive(Clone, Copy, Debug)]
pub struct UploadsQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a UploadsAfter>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`](super::LIST_LIMIT).
    pub max: usize,
}

/// Where a list of uploads goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadsAfter {
    /// After all uploads of this name (`key-marker` alone).
    Name(String),
    /// After this upload (`key-marker` and `upload-id-marker`).
    Upload {
        /// The object's name.
        name: String,
        /// The upload's id.
        upload_id: String,
    },
    /// After all names that start with this common prefix (`key-marker` when it ends with the
    /// delimiter and came from a list).
    CommonPrefix(String),
}

/// A page of a list of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadListing {
    /// The uploads, in order.
    pub uploads: Vec<ListedUpload>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<UploadsAfter>,
}

/// An upload as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpload {
    /// The object's name.
    pub name: String,
    /// The upload's id.
    pub upload_id: String,
    /// When it was created.
    pub created: Timestamp,
    /// Whose key its parts are sealed under.
    pub holder: HolderKind,
}

impl Store {
    /// A page of the uploads of a bucket that were neither completed nor aborted.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_uploads(&self, query: UploadsQuery<'_>) -> Result<UploadListing, StoreError> {
        let _ = query;
        Err(StoreError::Unavailable)
    }
}
