//! Which operation a request asks for: method, resource, query, and whether it names a copy source.
//!
//! Whatever is not listed is 501 `NotImplemented`, an unknown parameter too: ignoring one could turn
//! `?tagging` into a read of the object, or drop what the client relies on.

use http::Method;

use crate::request::{Query, Resource, S3Request};
use crate::s3_error::{Code, S3Error};
use crate::ssec::headers::COPY_SOURCE;

/// The operations that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    DeleteBucket,
    GetBucketLocation,
    ListObjects,
    ListObjectsV2,
    DeleteObjects,
    PutObject,
    GetBucketVersioning,
    PutBucketVersioning,
    GetBucketEncryption,
    PutBucketEncryption,
    DeleteBucketEncryption,
    GetBucketPolicy,
    PutBucketPolicy,
    DeleteBucketPolicy,
    GetBucketCors,
    PutBucketCors,
    DeleteBucketCors,
    ListObjectVersions,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    CopyObject,
    CreateUpload,
    UploadPart,
    UploadPartCopy,
    CompleteUpload,
    AbortUpload,
    ListParts,
    ListUploads,
    GetObject,
    GetObjectAttributes,
    HeadObject,
    DeleteObject,
}

/// The operation that a request asks for.
pub(super) fn route(request: &S3Request) -> Result<Operation, S3Error> {
    let copies = request.headers.contains_key(COPY_SOURCE);
    let operation = named(&request.method, &request.resource, &request.query, copies);
    let operation = operation.ok_or(Code::NotImplemented)?;
    for (name, value) in request.query.iter() {
        if !knows_parameter(operation, name, value) {
            return Err(Code::NotImplemented.into());
        }
    }
    Ok(operation)
}

/// The settings of a bucket, by the parameter that names each: read, put, removed.
const SETTINGS: [(&str, [Option<Operation>; 3]); 4] = [
    (
        "versioning",
        [
            Some(Operation::GetBucketVersioning),
            Some(Operation::PutBucketVersioning),
            None,
        ],
    ),
    (
        "encryption",
        [
            Some(Operation::GetBucketEncryption),
            Some(Operation::PutBucketEncryption),
            Some(Operation::DeleteBucketEncryption),
        ],
    ),
    (
        "policy",
        [
            Some(Operation::GetBucketPolicy),
            Some(Operation::PutBucketPolicy),
            Some(Operation::DeleteBucketPolicy),
        ],
    ),
    (
        "cors",
        [
            Some(Operation::GetBucketCors),
            Some(Operation::PutBucketCors),
            Some(Operation::DeleteBucketCors),
        ],
    ),
];

fn named(method: &Method, resource: &Resource, query: &Query, copies: bool) -> Option<Operation> {
    let setting = SETTINGS.iter().find(|(parameter, _)| query.has(parameter));
    if let (Resource::Bucket(_), Some((_, [get, put, delete]))) = (resource, setting) {
        return match *method {
            Method::GET => *get,
            Method::PUT => *put,
            Method::DELETE => *delete,
            _ => None,
        };
    }
    match (resource, method) {
        (Resource::Object { .. }, method) if query.has("tagging") => match *method {
            Method::GET => Some(Operation::GetObjectTagging),
            Method::PUT => Some(Operation::PutObjectTagging),
            Method::DELETE => Some(Operation::DeleteObjectTagging),
            _ => None,
        },
        (Resource::Service, &Method::GET) => Some(Operation::ListBuckets),
        (Resource::Bucket(_), &Method::GET) => {
            if query.has("location") {
                Some(Operation::GetBucketLocation)
            } else if query.has("versions") {
                Some(Operation::ListObjectVersions)
            } else if query.has("uploads") {
                Some(Operation::ListUploads)
            } else {
                match query.get("list-type") {
                    None => Some(Operation::ListObjects),
                    Some("2") => Some(Operation::ListObjectsV2),
                    Some(_) => None,
                }
            }
        }
        (Resource::Bucket(_), &Method::POST) if query.has("delete") => {
            Some(Operation::DeleteObjects)
        }
        (Resource::Bucket(_), &Method::PUT) => Some(Operation::CreateBucket),
        (Resource::Bucket(_), &Method::HEAD) => Some(Operation::HeadBucket),
        (Resource::Bucket(_), &Method::DELETE) => Some(Operation::DeleteBucket),
        (Resource::Object { .. }, method) if query.has("uploadId") => match *method {
            Method::PUT if copies => Some(Operation::UploadPartCopy),
            Method::PUT => Some(Operation::UploadPart),
            Method::POST => Some(Operation::CompleteUpload),
            Method::DELETE => Some(Operation::AbortUpload),
            Method::GET => Some(Operation::ListParts),
            _ => None,
        },
        (Resource::Object { .. }, &Method::POST) if query.has("uploads") => {
            Some(Operation::CreateUpload)
        }
        (Resource::Object { .. }, &Method::PUT) if copies => Some(Operation::CopyObject),
        (Resource::Object { .. }, &Method::PUT) => Some(Operation::PutObject),
        (Resource::Object { .. }, &Method::GET) if query.has("attributes") => {
            Some(Operation::GetObjectAttributes)
        }
        (Resource::Object { .. }, &Method::GET) => Some(Operation::GetObject),
        (Resource::Object { .. }, &Method::HEAD) => Some(Operation::HeadObject),
        (Resource::Object { .. }, &Method::DELETE) => Some(Operation::DeleteObject),
        (Resource::Service | Resource::Bucket(_) | Resource::Object { .. }, _) => None,
    }
}

/// Whether an operation understands a parameter, or may do without: SDKs add `x-id` to everything,
/// and the JavaScript presigner moves checksum headers into the query.
fn knows_parameter(operation: Operation, name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "x-id" | "x-amz-user-agent" | "x-amz-content-sha256" | "x-amz-sdk-checksum-algorithm"
    ) || lower.starts_with("x-amz-checksum-")
    {
        return true;
    }
    match operation {
        Operation::ListBuckets | Operation::CreateBucket | Operation::HeadBucket => false,
        Operation::DeleteBucket => false,
        Operation::GetBucketLocation => name == "location",
        Operation::GetBucketVersioning | Operation::PutBucketVersioning => name == "versioning",
        Operation::GetBucketEncryption
        | Operation::PutBucketEncryption
        | Operation::DeleteBucketEncryption => name == "encryption",
        Operation::GetBucketPolicy | Operation::PutBucketPolicy | Operation::DeleteBucketPolicy => {
            name == "policy"
        }
        Operation::GetBucketCors | Operation::PutBucketCors | Operation::DeleteBucketCors => {
            name == "cors"
        }
        Operation::GetObjectTagging
        | Operation::PutObjectTagging
        | Operation::DeleteObjectTagging => matches!(name, "tagging" | "versionId"),
        Operation::ListObjectVersions => of_list_versions(name),
        Operation::CreateUpload => {
            name == "uploads" || (lower == "x-amz-server-side-encryption" && value == "AES256")
        }
        Operation::UploadPart | Operation::UploadPartCopy => {
            matches!(name, "partNumber" | "uploadId")
        }
        Operation::CompleteUpload | Operation::AbortUpload => name == "uploadId",
        Operation::ListParts => matches!(name, "uploadId" | "max-parts" | "part-number-marker"),
        Operation::ListUploads => of_list_uploads(name),
        Operation::DeleteObjects => name == "delete",
        Operation::ListObjects => matches!(
            name,
            "prefix" | "delimiter" | "max-keys" | "marker" | "encoding-type"
        ),
        Operation::ListObjectsV2 => matches!(
            name,
            "list-type"
                | "prefix"
                | "delimiter"
                | "max-keys"
                | "start-after"
                | "continuation-token"
                | "encoding-type"
                | "fetch-owner"
        ),
        Operation::PutObject | Operation::CopyObject => {
            lower == "x-amz-server-side-encryption" && value == "AES256"
        }
        Operation::GetObject | Operation::HeadObject => {
            matches!(name, "versionId" | "partNumber")
                || OVERRIDES.iter().any(|(parameter, _)| *parameter == name)
        }
        Operation::GetObjectAttributes => matches!(name, "attributes" | "versionId"),
        Operation::DeleteObject => name == "versionId",
    }
}

fn of_list_uploads(name: &str) -> bool {
    of_every_list(name) || matches!(name, "uploads" | "upload-id-marker" | "max-uploads")
}

fn of_list_versions(name: &str) -> bool {
    of_every_list(name) || matches!(name, "versions" | "version-id-marker" | "max-keys")
}

/// What a list of uploads and one of versions have in common.
fn of_every_list(name: &str) -> bool {
    matches!(
        name,
        "prefix" | "delimiter" | "key-marker" | "encoding-type"
    )
}

/// The parameters of a read that replace a header of the answer.
pub(super) const OVERRIDES: [(&str, http::HeaderName); 6] = [
    ("response-cache-control", http::header::CACHE_CONTROL),
    (
        "response-content-disposition",
        http::header::CONTENT_DISPOSITION,
    ),
    ("response-content-encoding", http::header::CONTENT_ENCODING),
    ("response-content-language", http::header::CONTENT_LANGUAGE),
    ("response-content-type", http::header::CONTENT_TYPE),
    ("response-expires", http::header::EXPIRES),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        method: &Method,
        resource: &Resource,
        query: &[(&str, &str)],
        expected: Option<Operation>,
    ) {
        let pairs = query
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let query = Query::from_pairs(pairs);
        let operation = named(method, resource, &query, false)
            .filter(|operation| query.iter().all(|(n, v)| knows_parameter(*operation, n, v)));
        assert_eq!(operation, expected);
    }

    fn object() -> Resource {
        Resource::Object {
            bucket: "b".to_owned(),
            name: "o".to_owned(),
        }
    }

    #[test]
    fn the_operations_are_found() {
        let bucket = Resource::Bucket("b".to_owned());
        check(
            &Method::GET,
            &Resource::Service,
            &[("x-id", "ListBuckets")],
            Some(Operation::ListBuckets),
        );
        check(&Method::PUT, &bucket, &[], Some(Operation::CreateBucket));
        check(&Method::HEAD, &bucket, &[], Some(Operation::HeadBucket));
        check(&Method::DELETE, &bucket, &[], Some(Operation::DeleteBucket));
        check(
            &Method::GET,
            &bucket,
            &[("location", "")],
            Some(Operation::GetBucketLocation),
        );
        let list = [("list-type", "2"), ("prefix", "a/"), ("delimiter", "/")];
        check(&Method::GET, &bucket, &list, Some(Operation::ListObjectsV2));
        check(
            &Method::PUT,
            &object(),
            &[("x-id", "PutObject")],
            Some(Operation::PutObject),
        );
        check(
            &Method::GET,
            &object(),
            &[("x-id", "GetObject")],
            Some(Operation::GetObject),
        );
        check(
            &Method::HEAD,
            &object(),
            &[("versionId", "1")],
            Some(Operation::HeadObject),
        );
        check(
            &Method::DELETE,
            &object(),
            &[],
            Some(Operation::DeleteObject),
        );
    }

    #[test]
    fn a_subresource_is_never_taken_for_its_object() {
        for name in ["acl", "torrent", "legal-hold", "retention", "select"] {
            for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
                check(&method, &object(), &[(name, "")], None);
                check(
                    &method,
                    &Resource::Bucket("b".to_owned()),
                    &[(name, "")],
                    None,
                );
            }
        }
        check(&Method::POST, &object(), &[], None);
        check(&Method::HEAD, &object(), &[("attributes", "")], None);
        check(&Method::PUT, &object(), &[("partNumber", "1")], None);
        check(&Method::PUT, &object(), &[("uploads", "")], None);
        check(&Method::HEAD, &object(), &[("uploadId", "u")], None);
    }

    #[test]
    fn uploads_are_told_apart() {
        let part = [("partNumber", "1"), ("uploadId", "u")];
        let upload = [("uploadId", "u")];
        for (method, query, expected) in [
            (
                Method::POST,
                &[("uploads", "")][..],
                Operation::CreateUpload,
            ),
            (Method::PUT, &part, Operation::UploadPart),
            (Method::POST, &upload, Operation::CompleteUpload),
            (Method::DELETE, &upload, Operation::AbortUpload),
            (Method::GET, &upload, Operation::ListParts),
        ] {
            check(&method, &object(), query, Some(expected));
        }
        let copied = named(
            &Method::PUT,
            &object(),
            &Query::from_pairs(vec![("uploadId".to_owned(), "u".to_owned())]),
            true,
        );
        assert_eq!(copied, Some(Operation::UploadPartCopy));
    }

    #[test]
    fn a_hoisted_header_that_matters_is_not_ignored() {
        let kms = [("X-Amz-Server-Side-Encryption", "aws:kms")];
        check(&Method::PUT, &object(), &kms, None);
        check(&Method::PUT, &object(), &[("x-amz-tagging", "a=b")], None);
        check(&Method::PUT, &object(), &[("SSECustomerKey", "k")], None);
        let checksum = [
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ];
        check(
            &Method::PUT,
            &object(),
            &checksum,
            Some(Operation::PutObject),
        );
    }
}
