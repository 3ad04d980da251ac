//! What steps about a bucket's settings and about single versions of objects have beside the others.

use super::definition::{ActsOn, BucketSetting, Operation, Text};
use super::step::{only, text};
use crate::yaml::{Fields, Node, Reader};

/// Operations that can name a version of their object.
const OF_VERSIONS: [Operation; 3] = [Operation::Get, Operation::Head, Operation::Delete];
const COPIES: [Operation; 2] = [Operation::Copy, Operation::UploadPartCopy];

/// The versions that a step names.
pub(super) struct Versions {
    pub(super) of_object: Option<Text>,
    pub(super) of_source: Option<Text>,
}

/// Reads `version` and `source-version`.
pub(super) fn versions(
    operation: Operation,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> Versions {
    let own = only(operation, &OF_VERSIONS, fields.pair("version"), reader);
    let source = only(operation, &COPIES, fields.pair("source-version"), reader);
    Versions {
        of_object: own.and_then(|node| text(node, "`version`", reader)),
        of_source: source.and_then(|node| text(node, "`source-version`", reader)),
    }
}

/// What each operation on buckets can tell one.
pub(super) fn settings(operation: Operation) -> &'static [(&'static str, BucketSetting)] {
    if operation == Operation::PutVersioning {
        return &[
            ("enabled", BucketSetting::VersionsEnabled),
            ("suspended", BucketSetting::VersionsSuspended),
        ];
    }
    &[]
}

/// The value behind the word of an operation on buckets.
pub(super) fn setting(
    operation: Operation,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<BucketSetting> {
    if operation.verb().acts_on != ActsOn::Bucket {
        return None;
    }
    let what = format!("`{}`", operation.word());
    reader.choice(node, &what, settings(operation))
}
