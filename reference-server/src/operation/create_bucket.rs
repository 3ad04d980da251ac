//! `CreateBucket`.

use http::StatusCode;
use http::header::LOCATION;

use super::xml_document::Element;
use super::{Operations, bucket_name, bucket_of, empty, known_headers, set_text};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::CreateBucket;

/// The most bytes of a `CreateBucketConfiguration`.
const LIMIT: usize = 64 * 1024;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, value| match name {
        "x-amz-acl" => value == "private",
        "x-amz-bucket-object-lock-enabled" => value == "false",
        "x-amz-object-ownership" => value == "BucketOwnerEnforced",
        _ => name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm",
    })?;
    let name = bucket_of(&request)?.to_owned();
    if !bucket_name::is_valid(&name) {
        return Err(S3Error::new(Code::InvalidBucketName).detail("BucketName", name));
    }
    let body = request.body.collect(LIMIT).await?;
    if constraint(&body)?.is_some_and(|region| region != operations.region) {
        return Err(Code::InvalidLocationConstraint.into());
    }
    let made = operations
        .store
        .create_bucket(&name, operations.new_buckets)
        .await?;
    match made {
        CreateBucket::Created => {}
        // The oldest region answers a repeated wish like the first one, all others do not.
        CreateBucket::AlreadyYours if operations.region == "us-east-1" => {}
        CreateBucket::AlreadyYours => return Err(Code::BucketAlreadyOwnedByYou.into()),
    }
    let mut answer = empty(StatusCode::OK);
    set_text(&mut answer, LOCATION, &format!("/{name}"));
    Ok(answer)
}

/// The region that the body asks for, if it asks.
fn constraint(body: &[u8]) -> Result<Option<String>, S3Error> {
    if body.is_empty() {
        return Ok(None);
    }
    let root = Element::read(body, "CreateBucketConfiguration")?;
    for name in ["Location", "Bucket", "Tags"] {
        if root.child(name).is_some() {
            return Err(known_headers::not_implemented(name));
        }
    }
    if !root.holds_only(&["LocationConstraint"]) {
        return Err(Code::MalformedXML.into());
    }
    let region = root.text_of("LocationConstraint").map(str::trim);
    Ok(region
        .filter(|region| !region.is_empty())
        .map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_found() {
        let body = b"<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        assert_eq!(constraint(body).unwrap().as_deref(), Some("eu-west-1"));
        assert_eq!(constraint(b"").unwrap(), None);
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let inside =
            |text: &str| format!("<CreateBucketConfiguration>{text}</CreateBucketConfiguration>");
        let region = "<LocationConstraint>eu-west-1</LocationConstraint>";
        assert!(constraint(inside(region).as_bytes()).is_ok());
        for (body, code) in [
            ("<a></b>".to_owned(), Code::MalformedXML),
            ("<Other/>".to_owned(), Code::MalformedXML),
            (inside("<Other/>"), Code::MalformedXML),
            (inside("<Tags/>"), Code::NotImplemented),
            (
                format!("<!DOCTYPE a [<!ENTITY r \"x\">]>{}", inside(region)),
                Code::MalformedXML,
            ),
            (inside(&"<a>".repeat(1000)), Code::MalformedXML),
        ] {
            let refused = constraint(body.as_bytes()).unwrap_err();
            assert_eq!(refused.code(), code, "{body}");
        }
    }
}
