//! `GetBucketEncryption`, `PutBucketEncryption` and `DeleteBucketEncryption`: AES256 is what there
//! is, and `BlockedEncryptionTypes` decides whether SSE-C is taken.

use http::StatusCode;

use super::xml_document::Element;
use super::{Operations, bucket_of, document, empty, known_headers};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::{BucketSetting, SsecUse};
use crate::xml::XmlWriter;

/// The most bytes of a configuration.
const LIMIT: usize = 64 << 10;

pub(super) async fn get(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = operations.store.bucket(bucket_of(&request)?).await?;
    let mut xml = XmlWriter::document();
    xml.open_root("ServerSideEncryptionConfiguration");
    xml.open("Rule");
    xml.open("ApplyServerSideEncryptionByDefault");
    xml.text("SSEAlgorithm", "AES256");
    xml.close("ApplyServerSideEncryptionByDefault");
    xml.text("BucketKeyEnabled", "false");
    if bucket.ssec == SsecUse::Blocked {
        xml.open("BlockedEncryptionTypes");
        xml.text("EncryptionType", "SSE-C");
        xml.close("BlockedEncryptionTypes");
    }
    xml.close("Rule");
    xml.close("ServerSideEncryptionConfiguration");
    Ok(document(xml))
}

pub(super) async fn put(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    })?;
    let name = bucket_of(&request)?.to_owned();
    let bucket = operations.store.bucket(&name).await?;
    let body = request.body.collect(LIMIT).await?;
    // A configuration that does not speak of blocking leaves it as it is.
    let ssec = read(&body)?.unwrap_or(bucket.ssec);
    let setting = BucketSetting::Ssec(ssec);
    operations.store.set_bucket(&name, setting).await?;
    Ok(empty(StatusCode::OK))
}

pub(super) async fn delete(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let setting = BucketSetting::Ssec(operations.new_buckets);
    let bucket = bucket_of(&request)?;
    operations.store.set_bucket(bucket, setting).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Whether a configuration blocks SSE-C, or lets it be, if it says so.
fn read(body: &[u8]) -> Result<Option<SsecUse>, S3Error> {
    if body.is_empty() {
        return Err(Code::MissingRequestBodyError.into());
    }
    let root = Element::read(body, "ServerSideEncryptionConfiguration")?;
    let mut rules = root.children("Rule");
    let (Some(rule), None) = (rules.next(), rules.next()) else {
        return Err(Code::MalformedXML.into());
    };
    let known = [
        "ApplyServerSideEncryptionByDefault",
        "BucketKeyEnabled",
        "BlockedEncryptionTypes",
    ];
    if !root.holds_only(&["Rule"]) || !rule.holds_only(&known) {
        return Err(Code::MalformedXML.into());
    }
    if let Some(default) = rule.child("ApplyServerSideEncryptionByDefault") {
        match default.text_of("SSEAlgorithm").map(str::trim) {
            Some("AES256") => {}
            Some("aws:kms" | "aws:kms:dsse") => return Err(Code::NotImplemented.into()),
            None | Some(_) => return Err(Code::MalformedXML.into()),
        }
    }
    let Some(blocked) = rule.child("BlockedEncryptionTypes") else {
        return Ok(None);
    };
    let mut types = blocked
        .children("EncryptionType")
        .map(|kind| kind.text().trim());
    match (types.next(), types.next()) {
        (Some("SSE-C"), None) => Ok(Some(SsecUse::Blocked)),
        (Some("NONE"), None) => Ok(Some(SsecUse::Allowed)),
        (_, _) => Err(Code::MalformedXML.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(inside: &str) -> Result<Option<SsecUse>, Code> {
        let body = format!(
            "<ServerSideEncryptionConfiguration><Rule>{inside}</Rule></ServerSideEncryptionConfiguration>"
        );
        read(body.as_bytes()).map_err(|error| error.code())
    }

    fn default(algorithm: &str) -> String {
        format!(
            "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
        )
    }

    fn blocks(kind: &str) -> String {
        format!(
            "<BlockedEncryptionTypes><EncryptionType>{kind}</EncryptionType></BlockedEncryptionTypes>"
        )
    }

    #[test]
    fn blocking_is_read() {
        assert_eq!(rule(&blocks("SSE-C")), Ok(Some(SsecUse::Blocked)));
        assert_eq!(rule(&blocks("NONE")), Ok(Some(SsecUse::Allowed)));
        assert_eq!(rule(&default("AES256")), Ok(None));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert_eq!(rule(&default("aws:kms")), Err(Code::NotImplemented));
        assert_eq!(rule(&default("ROT13")), Err(Code::MalformedXML));
        assert_eq!(rule(&blocks("SSE-X")), Err(Code::MalformedXML));
        assert_eq!(rule("<Other/>"), Err(Code::MalformedXML));
        assert_eq!(read(b"").unwrap_err().code(), Code::MissingRequestBodyError);
    }
}
