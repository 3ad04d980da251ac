//! `GetBucketVersioning` and `PutBucketVersioning`.

use http::StatusCode;

use super::xml_document::Element;
use super::{Operations, bucket_of, document, empty, known_headers};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::{BucketSetting, Versioning};
use crate::xml::XmlWriter;

/// The most bytes of a configuration.
const LIMIT: usize = 64 << 10;

pub(super) async fn get(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = operations.store.bucket(bucket_of(&request)?).await?;
    let mut xml = XmlWriter::document();
    xml.open_root("VersioningConfiguration");
    match bucket.versioning {
        Versioning::Unversioned => {}
        Versioning::Enabled => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    }
    xml.close("VersioningConfiguration");
    Ok(document(xml))
}

pub(super) async fn put(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    })?;
    let bucket = bucket_of(&request)?.to_owned();
    operations.store.bucket(&bucket).await?;
    let body = request.body.collect(LIMIT).await?;
    let setting = BucketSetting::Versioning(read(&body)?);
    operations.store.set_bucket(&bucket, setting).await?;
    Ok(empty(StatusCode::OK))
}

/// The state that a configuration asks for. MFA deletion is not there.
fn read(body: &[u8]) -> Result<Versioning, S3Error> {
    if body.is_empty() {
        return Err(Code::MissingRequestBodyError.into());
    }
    let root = Element::read(body, "VersioningConfiguration")?;
    if root.text_of("MfaDelete").map(str::trim) == Some("Enabled") {
        return Err(Code::NotImplemented.into());
    }
    if !root.holds_only(&["Status", "MfaDelete"]) {
        return Err(Code::MalformedXML.into());
    }
    match root.text_of("Status").map(str::trim) {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        None => Err(S3Error::with_message(
            Code::InvalidRequest,
            "The Versioning element must be specified",
        )),
        Some(_) => Err(Code::MalformedXML.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(inside: &str) -> Result<Versioning, Code> {
        let body = format!("<VersioningConfiguration>{inside}</VersioningConfiguration>");
        read(body.as_bytes()).map_err(|error| error.code())
    }

    #[test]
    fn a_state_is_read() {
        assert_eq!(status("<Status>Enabled</Status>"), Ok(Versioning::Enabled));
        assert_eq!(
            status("<Status>Suspended</Status>"),
            Ok(Versioning::Suspended)
        );
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(status(""), Err(Code::InvalidRequest));
        assert_eq!(status("<Status>On</Status>"), Err(Code::MalformedXML));
        assert_eq!(
            status("<Status>Enabled</Status><X/>"),
            Err(Code::MalformedXML)
        );
        let mfa = "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>";
        assert_eq!(status(mfa), Err(Code::NotImplemented));
        assert_eq!(read(b"").unwrap_err().code(), Code::MissingRequestBodyError);
    }
}
