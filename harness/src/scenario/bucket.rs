//! What steps about a bucket's settings and about single versions of objects have beside the others.

use super::cors;
use super::definition::{ActsOn, BucketDocument, BucketSetting, Operation, Text};
use super::policy;
use super::step::{one_name, only, text};
use crate::yaml::{Code, Fields, Node, Reader};

/// Operations that can name a version of their object.
const OF_VERSIONS: [Operation; 7] = [
    Operation::Get,
    Operation::Head,
    Operation::Delete,
    Operation::GetAttributes,
    Operation::PutTagging,
    Operation::GetTagging,
    Operation::DeleteTagging,
];
/// Objects that S3 deletes in one request at most.
const MAX_BATCH: usize = 1000;
/// Operations on a bucket that send a document.
const TOLD_BY_DOCUMENT: [Operation; 2] = [Operation::PutCors, Operation::PutPolicy];
/// Operations on a bucket that tell it nothing.
const ASKED: [Operation; 4] = [
    Operation::GetCors,
    Operation::DeleteCors,
    Operation::GetPolicy,
    Operation::DeletePolicy,
];
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
    if operation == Operation::PutEncryption {
        return &[
            ("block-ssec", BucketSetting::SsecBlocked),
            ("allow-ssec", BucketSetting::SsecAllowed),
        ];
    }
    &[]
}

/// The names behind the word of an operation on several objects.
pub(super) fn objects(operation: Operation, node: &Node, reader: &mut Reader<'_>) -> Vec<String> {
    if operation.verb().acts_on != ActsOn::Objects {
        return Vec::new();
    }
    let items = reader.list(node, "the objects").unwrap_or_default();
    if items.len() > MAX_BATCH {
        let message = format!("at most {MAX_BATCH} objects go at once");
        let error = reader.error_at(Code::Limit, node, message);
        reader.push(error);
    }
    let name = |item: &Node| one_name(item, false, reader);
    items.iter().filter_map(name).collect()
}

/// The tags of `put-tagging`.
pub(super) fn tags(
    operation: Operation,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> Vec<(String, String)> {
    let pair = fields.pair("tags");
    if pair.is_none() && operation == Operation::PutTagging {
        let message = "`put-tagging` needs the field `tags`";
        let error = reader.error(Code::MissingField, fields.caret(), message);
        reader.push(error);
    }
    let Some(node) = only(operation, &[Operation::PutTagging], pair, reader) else {
        return Vec::new();
    };
    let mut tags = Vec::new();
    for pair in reader.named(node, "`tags`").unwrap_or_default() {
        if let Some(value) = reader.text(&pair.value, "a tag's value") {
            tags.push((pair.key.text.clone(), value.to_owned()));
        }
    }
    tags
}

/// The value behind the word of an operation on buckets.
pub(super) fn setting(
    operation: Operation,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<BucketSetting> {
    if operation.verb().acts_on != ActsOn::Bucket || TOLD_BY_DOCUMENT.contains(&operation) {
        return None;
    }
    let what = format!("`{}`", operation.word());
    if ASKED.contains(&operation) {
        // Nothing is told: the word stands where the others say what.
        reader.choice(node, &what, &[("bucket", ())]);
        return None;
    }
    reader.choice(node, &what, settings(operation))
}

/// The document behind the word of an operation that tells a bucket to keep one.
pub(super) fn document(
    operation: Operation,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<BucketDocument> {
    if operation == Operation::PutCors {
        return Some(BucketDocument::Cors(cors::rules(node, reader)));
    }
    if operation == Operation::PutPolicy {
        return Some(BucketDocument::Policy(policy::denials(node, reader)));
    }
    None
}
