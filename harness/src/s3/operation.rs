//! The requests of the S3 operations that steps and the control plane use, unsigned.

use bytes::Bytes;

use super::request::{Bucket, Request, Style};
use crate::transport::Endpoint;

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
