//! The requests of the S3 operations that steps and the control plane use, unsigned.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use quick_xml::escape::escape;

use super::request::{Bucket, Request, Style, encode, encode_path};
use crate::ssec::customer_key::md5;
use crate::transport::Endpoint;

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

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
    let mut body = format!("<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">");
    for (number, tag) in parts {
        let tag = escape(tag.as_str());
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

/// ListObjectVersions of the objects whose names begin with `prefix`: the first page.
#[must_use]
pub fn list_versions(bucket: &Bucket, prefix: &str) -> Request {
    Request::new("GET", bucket, "")
        .with_query("prefix", prefix)
        .with_query("versions", "")
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
        "<VersioningConfiguration xmlns=\"{NAMESPACE}\"><Status>{status}</Status>\
         </VersioningConfiguration>"
    );
    with_document(
        Request::new("PUT", bucket, "").with_query("versioning", ""),
        body,
    )
}

/// GetBucketVersioning.
#[must_use]
pub fn get_versioning(bucket: &Bucket) -> Request {
    Request::new("GET", bucket, "").with_query("versioning", "")
}

/// GetObjectAttributes of all that there are.
#[must_use]
pub fn get_attributes(bucket: &Bucket, object: &str) -> Request {
    const ALL: &str = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";
    Request::new("GET", bucket, object)
        .with_query("attributes", "")
        .with_header("x-amz-object-attributes", ALL)
}

/// GetObjectTagging, or with `DELETE` DeleteObjectTagging.
#[must_use]
pub fn tagging(method: &'static str, bucket: &Bucket, object: &str) -> Request {
    Request::new(method, bucket, object).with_query("tagging", "")
}

/// PutObjectTagging.
#[must_use]
pub fn put_tagging(bucket: &Bucket, object: &str, tags: &[(String, String)]) -> Request {
    let mut body = format!("<Tagging xmlns=\"{NAMESPACE}\"><TagSet>");
    for (name, value) in tags {
        let (name, value) = (escape(name), escape(value));
        body.push_str(&format!(
            "<Tag><Key>{name}</Key><Value>{value}</Value></Tag>"
        ));
    }
    body.push_str("</TagSet></Tagging>");
    with_document(tagging("PUT", bucket, object), body)
}

/// DeleteObjects of these names.
#[must_use]
pub fn delete_objects(bucket: &Bucket, objects: &[String]) -> Request {
    let mut body = format!("<Delete xmlns=\"{NAMESPACE}\">");
    for object in objects {
        body.push_str(&format!("<Object><Key>{}</Key></Object>", escape(object)));
    }
    body.push_str("</Delete>");
    with_document(
        Request::new("POST", bucket, "").with_query("delete", ""),
        body,
    )
}

/// PutBucketEncryption with AES256; `blocked` is `SSE-C` or `NONE`.
#[must_use]
pub fn put_encryption(bucket: &Bucket, blocked: &str) -> Request {
    let body = format!(
        "<ServerSideEncryptionConfiguration xmlns=\"{NAMESPACE}\"><Rule>\
         <ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
         </ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes>\
         <EncryptionType>{blocked}</EncryptionType></BlockedEncryptionTypes></Rule>\
         </ServerSideEncryptionConfiguration>"
    );
    with_document(
        Request::new("PUT", bucket, "").with_query("encryption", ""),
        body,
    )
}

/// GetBucketEncryption.
#[must_use]
pub fn get_encryption(bucket: &Bucket) -> Request {
    Request::new("GET", bucket, "").with_query("encryption", "")
}

/// A request with an XML document.
pub(super) fn with_document(request: Request, document: String) -> Request {
    with_document_of("application/xml", request, document)
}

/// A request with a document of that type, and its digest, which S3 asks for with some of them.
pub(super) fn with_document_of(media: &str, request: Request, document: String) -> Request {
    let digest = BASE64_STANDARD.encode(md5(document.as_bytes()));
    request
        .with_header("Content-Type", media)
        .with_header("Content-MD5", digest)
        .with_body(Bytes::from(document))
}

/// CreateBucket; the location constraint is sent for every region but `us-east-1`.
#[must_use]
pub fn create_bucket(bucket: &Bucket, region: &str) -> Request {
    let request = Request::new("PUT", bucket, "");
    if region == "us-east-1" {
        return request;
    }
    let body = format!(
        "<CreateBucketConfiguration xmlns=\"{NAMESPACE}\">\
         <LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
        escape(region)
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
