//! Lists of the objects of a bucket, in the order of the bytes of their names.

use jiff::Timestamp;

use super::ETag;
use crate::sealed::envelope::HolderKind;

/// The most entries of one list.
pub const LIST_LIMIT: usize = 1_000;

/// Which objects to list.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a After>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`].
    pub max: usize,
}

/// Where a list goes on. A continuation token encodes one; `start-after` and `marker` are
/// `After::Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// After this name, whether it exists or not.
    Name(String),
    /// After all names that start with this common prefix.
    CommonPrefix(String),
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects, in order.
    pub objects: Vec<ListedObject>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<After>,
}

/// An object as lists show it. Only its row was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The object's name.
    pub name: String,
    /// The length of the plaintext, in bytes.
    pub size: u64,
    /// The `ETag`.
    pub etag: ETag,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// Whose key opens it.
    pub holder: HolderKind,
}
