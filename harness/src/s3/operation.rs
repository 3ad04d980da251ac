//! The requests of the S3 operations that steps and the control plane use, unsigned.

use bytes::Bytes;

use super::request::{Bucket, Request, Style, encode, encode_path};
use crate::transport::Endpoint;

/// Names what is copied.
const COPY_SOURCE: &str = "x-amz-copy-source";

/// PutObject.
#[must_use]
pub fn put_object(bucket: &Bucket, object: &str, body: Bytes) -> Request {
    Request::new("PUT", bucket, object).with_body(body)
}

/// GetObject.
#[must_use]
pub fn get_object(bucket: &Bucket, object: &str) -> Request {
    Request::new("GET", bucket, object)
}

/// HeadObject.
#[must_use]
pub fn head_object(bucket: &Bucket, object: &str) -> Request {
    Request::new("HEAD", bucket, object)
}

/// DeleteObject.
#[must_use]
pub fn delete_object(bucket: &Bucket, object: &str) -> Request {
    Request::new("DELETE", bucket, object)
}

/// ListObjectsV2 of the objects whose names begin with `prefix`; `after` is a continuation token.
#[must_use]
pub fn list_objects(bucket: &Bucket, prefix: &str, after: Option<&str>) -> Request {
    let request = Request::new("GET", bucket, "").with_query("list-type", "2");
    let request = match after {
        Some(token) => request.with_query("continuation-token", token),
        None => request,
    };
    request.with_query("prefix", prefix)
}

/// CopyObject; `source` is [`copy_source`] of what is copied.
#[must_use]
pub fn copy_object(bucket: &Bucket, object: &str, source: &str) -> Request {
    Request::new("PUT", bucket, object).with_header(COPY_SOURCE, source)
}

/// The value of `x-amz-copy-source` for an object of this bucket.
#[must_use]
pub fn copy_source(bucket: &Bucket, object: &str) -> String {
    format!("/{}/{}", bucket.name, encode_path(object))
}

/// The value of `x-amz-copy-source` for one version of an object of this bucket.
#[must_use]
pub fn version_source(bucket: &Bucket, object: &str, version: &str) -> String {
    let object = copy_source(bucket, object);
    format!("{object}?versionId={}", encode(version))
}

/// CreateMultipartUpload.
#[must_use]
pub fn create_upload(bucket: &Bucket, object: &str) -> Request {
    Request::new("POST", bucket, object).with_query("uploads", "")
}

/// UploadPart; with `source` and no body it is UploadPartCopy.
#[must_use]
pub fn upload_part(bucket: &Bucket, object: &str, upload: &str, part: u32, body: Bytes) -> Request {
    Request::new("PUT", bucket, object)
        .with_query("partNumber", &part.to_string())
        .with_query("uploadId", upload)
        .with_body(body)
}

/// UploadPartCopy; `source` is [`copy_source`] of what is copied.
#[must_use]
pub fn upload_part_copy(
    bucket: &Bucket,
    object: &str,
    upload: &str,
    part: u32,
    source: &str,
) -> Request {
    upload_part(bucket, object, upload, part, Bytes::new()).with_header(COPY_SOURCE, source)
}

/// CompleteMultipartUpload of parts by number and entity tag, in this order.
#[must_use]
pub fn complete_upload(
    bucket: &Bucket,
    object: &str,
    upload: &str,
    parts: &[(u32, String)],
) -> Request {
    Request::new("POST", bucket, object)
        .with_query("uploadId", upload)
        .with_header("Content-Type", "application/xml")
        .with_body(Bytes::from(parts_document(parts)))
}

/// The body of a completion.
#[must_use]
pub fn parts_document(parts: &[(u32, String)]) -> String {
    let mut body =
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for (number, tag) in parts {
        let tag = quick_xml::escape::escape(tag.as_str());
        body.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
        ));
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// AbortMultipartUpload.
#[must_use]
pub fn abort_upload(bucket: &Bucket, object: &str, upload: &str) -> Request {
    Request::new("DELETE", bucket, object).with_query("uploadId", upload)
}

/// ListParts.
#[must_use]
pub fn list_parts(bucket: &Bucket, object: &str, upload: &str) -> Request {
    Request::new("GET", bucket, object).with_query("uploadId", upload)
}

/// ListMultipartUploads of the objects whose names begin with `prefix`.
#[must_use]
pub fn list_uploads(bucket: &Bucket, prefix: &str) -> Request {
    Request::new("GET", bucket, "")
        .with_query("prefix", prefix)
        .with_query("uploads", "")
}

/// ListObjectVersions of the objects whose names begin with `prefix`; `after` are the markers of
/// name and version id that the page before ended with.
#[must_use]
pub fn list_versions(bucket: &Bucket, prefix: &str, after: Option<(&str, &str)>) -> Request {
    let request = Request::new("GET", bucket, "");
    let request = match after {
        Some((name, version)) => request
            .with_query("key-marker", name)
            .with_query("prefix", prefix)
            .with_query("version-id-marker", version),
        None => request.with_query("prefix", prefix),
    };
    request.with_query("versions", "")
}

/// The request about one version of its object.
#[must_use]
pub fn of_version(request: Request, version: &str) -> Request {
    request.with_query("versionId", version)
}

/// PutBucketVersioning; `status` is `Enabled` or `Suspended`.
#[must_use]
pub fn put_versioning(bucket: &Bucket, status: &str) -> Request {
    let body = format!(
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Status>{status}</Status></VersioningConfiguration>"
    );
    Request::new("PUT", bucket, "")
        .with_query("versioning", "")
        .with_header("Content-Type", "application/xml")
        .with_body(Bytes::from(body))
}

/// GetBucketVersioning.
#[must_use]
pub fn get_versioning(bucket: &Bucket) -> Request {
    Request::new("GET", bucket, "").with_query("versioning", "")
}

/// CreateBucket; the location constraint is sent for every region but `us-east-1`.
#[must_use]
pub fn create_bucket(bucket: &Bucket, region: &str) -> Request {
    let request = Request::new("PUT", bucket, "");
    if region == "us-east-1" {
        return request;
    }
    let body = format!(
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
        quick_xml::escape::escape(region)
    );
    request
        .with_header("Content-Type", "application/xml")
        .with_body(Bytes::from(body))
}

/// HeadBucket.
#[must_use]
pub fn head_bucket(bucket: &Bucket) -> Request {
    Request::new("HEAD", bucket, "")
}

/// DeleteBucket.
#[must_use]
pub fn delete_bucket(bucket: &Bucket) -> Request {
    Request::new("DELETE", bucket, "")
}

/// ListBuckets: the preflight's first question.
#[must_use]
pub fn list_buckets(endpoint: &Endpoint) -> Request {
    let service = Bucket {
        endpoint: endpoint.clone(),
        style: Style::Path,
        name: String::new(),
        domain: None,
    };
    Request::new("GET", &service, "")
}
