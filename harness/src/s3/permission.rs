//! The IAM actions that S3's operations need, as AWS names them ("Actions, resources, and condition
//! keys for Amazon S3", Service Authorization Reference).

use std::collections::BTreeSet;

use crate::scenario::definition::{Operation, Step};

/// One action, on buckets or on the objects in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    Bucket(&'static str),
    Object(&'static str),
}

use Permission::{Bucket, Object};

/// Of a run that makes its bucket itself: where new ones block SSE-C, it allows it there.
pub const OWN_BUCKET: [Permission; 4] = [
    Bucket("s3:CreateBucket"),
    Bucket("s3:DeleteBucket"),
    Bucket("s3:GetEncryptionConfiguration"),
    Bucket("s3:PutEncryptionConfiguration"),
];

/// Of every run: it looks whether its bucket is there, tries SSE-C, and removes what it wrote.
pub const EVERY_RUN: [Permission; 4] = [
    Bucket("s3:ListBucket"),
    Object("s3:PutObject"),
    Object("s3:GetObject"),
    Object("s3:DeleteObject"),
];

/// Of a run in a bucket that was there before: whether that keeps versions is seen when something is
/// removed.
pub const GIVEN_BUCKET: [Permission; 2] = [
    Bucket("s3:ListBucketVersions"),
    Object("s3:DeleteObjectVersion"),
];

/// Of the removal of every version.
pub const VERSIONS: [Permission; 3] = [
    Bucket("s3:ListBucketVersions"),
    Bucket("s3:GetBucketVersioning"),
    Object("s3:DeleteObjectVersion"),
];

/// Of the removal of uploads that were begun.
pub const UPLOADS: [Permission; 2] = [
    Bucket("s3:ListBucketMultipartUploads"),
    Object("s3:AbortMultipartUpload"),
];

/// What an operation on the current version of an object, or on a bucket, needs.
#[must_use]
pub const fn of_operation(operation: Operation) -> &'static [Permission] {
    match operation {
        Operation::Put
        | Operation::PostForm
        | Operation::CreateUpload
        | Operation::UploadPart
        | Operation::CompleteUpload => &[Object("s3:PutObject")],
        Operation::Get | Operation::Head => &[Object("s3:GetObject")],
        Operation::Copy | Operation::UploadPartCopy => {
            &[Object("s3:GetObject"), Object("s3:PutObject")]
        }
        Operation::Delete | Operation::DeleteObjects => &[Object("s3:DeleteObject")],
        Operation::List => &[Bucket("s3:ListBucket")],
        Operation::AbortUpload => &[Object("s3:AbortMultipartUpload")],
        Operation::ListParts => &[Object("s3:ListMultipartUploadParts")],
        Operation::ListUploads => &[Bucket("s3:ListBucketMultipartUploads")],
        Operation::ListVersions => &[Bucket("s3:ListBucketVersions")],
        Operation::PutVersioning => &[Bucket("s3:PutBucketVersioning")],
        Operation::GetAttributes => &[Object("s3:GetObject"), Object("s3:GetObjectAttributes")],
        Operation::PutTagging => &[Object("s3:PutObjectTagging")],
        Operation::GetTagging => &[Object("s3:GetObjectTagging")],
        Operation::DeleteTagging => &[Object("s3:DeleteObjectTagging")],
        // A browser shows nobody's signature.
        Operation::Options => &[],
        Operation::PutCors | Operation::DeleteCors => &[Bucket("s3:PutBucketCORS")],
        Operation::GetCors => &[Bucket("s3:GetBucketCORS")],
        Operation::PutPolicy => &[Bucket("s3:PutBucketPolicy")],
        Operation::GetPolicy => &[Bucket("s3:GetBucketPolicy")],
        Operation::DeletePolicy => &[Bucket("s3:DeleteBucketPolicy")],
        // The run reads the setting back before it trusts it.
        Operation::PutEncryption => &[
            Bucket("s3:PutEncryptionConfiguration"),
            Bucket("s3:GetEncryptionConfiguration"),
        ],
    }
}

/// The action in place of this one where a request names a version.
fn of_version(permission: Permission) -> Option<Permission> {
    let Object(action) = permission else {
        return None;
    };
    Some(Object(match action {
        "s3:GetObject" => "s3:GetObjectVersion",
        "s3:DeleteObject" => "s3:DeleteObjectVersion",
        "s3:GetObjectAttributes" => "s3:GetObjectVersionAttributes",
        "s3:PutObjectTagging" => "s3:PutObjectVersionTagging",
        "s3:GetObjectTagging" => "s3:GetObjectVersionTagging",
        "s3:DeleteObjectTagging" => "s3:DeleteObjectVersionTagging",
        _ => return None,
    }))
}

/// What one step of a scenario needs, its removal included.
#[must_use]
pub fn of_step(step: &Step) -> BTreeSet<Permission> {
    let own = of_operation(step.operation).iter().copied();
    let mut needed: BTreeSet<Permission> = own.collect();
    if step.version.is_some() || step.source_version.is_some() {
        let versions: Vec<Permission> = needed.iter().copied().filter_map(of_version).collect();
        needed.extend(versions);
    }
    let has_tags = |(name, _): &(String, _)| name.eq_ignore_ascii_case("x-amz-tagging");
    if step.headers.iter().any(has_tags) {
        needed.insert(Object("s3:PutObjectTagging"));
    }
    if step.operation == Operation::CreateUpload {
        needed.extend(UPLOADS);
    }
    if step.operation == Operation::PutVersioning {
        needed.extend(VERSIONS);
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::definition::OPERATIONS;

    #[test]
    fn every_operation_needs_something_and_is_named_as_aws_names_it() {
        for verb in OPERATIONS {
            let needed = of_operation(verb.operation);
            let is_preflight = verb.operation == Operation::Options;
            assert_eq!(needed.is_empty(), is_preflight, "{}", verb.word);
            for permission in needed {
                let (Bucket(action) | Object(action)) = permission;
                let name = action.strip_prefix("s3:").unwrap();
                assert!(name.bytes().all(|b| b.is_ascii_alphabetic()), "{action}");
            }
        }
    }

    #[test]
    fn a_version_has_actions_of_its_own() {
        let of = |action| of_version(Object(action));
        assert_eq!(of("s3:GetObject"), Some(Object("s3:GetObjectVersion")));
        assert_eq!(of("s3:PutObject"), None);
        assert_eq!(of_version(Bucket("s3:GetObject")), None);
    }
}
