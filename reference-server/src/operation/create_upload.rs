//! `CreateMultipartUpload`. It decides under which key all parts will be.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::{
    Operations, document, known_headers, object_headers, object_of, object_tagging, set, writing,
};
use crate::checksum::ChecksumAlgorithm;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::Access;
use crate::store::{ChecksumKind, DeclaredChecksum, NewUpload};
use crate::xml::XmlWriter;

const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let (bucket, object) = object_of(&request)?;
    let (bucket, object) = (bucket.to_owned(), object.to_owned());
    let access = writing::decide(operations, &request, shown, "s3:PutObject").await?;
    known_headers::only(&request.headers, known_headers::of_a_write)?;
    if matches!(access, Access::Plain) {
        writing::check_managed(&request)?;
    }
    let checksum = declared(&request.headers)?;
    let headers = object_headers::kept(&request.headers)?;
    let tags = object_tagging::of_a_write(&request.headers)?;
    request.body.collect(0).await?;
    let new = NewUpload {
        bucket: &bucket,
        object: &object,
        holder: writing::holder(&access),
        headers,
        tags,
        checksum,
    };
    let id = operations.seams.objects.create_upload(new).await?;

    let mut xml = XmlWriter::document();
    xml.open_root("InitiateMultipartUploadResult");
    xml.text("Bucket", &bucket);
    xml.text("Key", &object);
    xml.text("UploadId", &id);
    xml.close("InitiateMultipartUploadResult");
    let mut answer = document(xml);
    object_headers::name_encryption(&mut answer, operations.dialect, &access);
    if let Some(declared) = checksum {
        let algorithm = HeaderValue::from_static(declared.algorithm.as_str());
        set(&mut answer, ALGORITHM, algorithm);
        let kind = HeaderValue::from_static(type_name(declared.kind));
        set(&mut answer, TYPE, kind);
    }
    Ok(answer)
}

/// The name of a kind of checksum on the wire.
pub(super) fn type_name(kind: ChecksumKind) -> &'static str {
    match kind {
        ChecksumKind::Composite => "COMPOSITE",
        ChecksumKind::FullObject => "FULL_OBJECT",
    }
}

/// The kind of checksum that `x-amz-checksum-type` names.
pub(super) fn kind(headers: &HeaderMap) -> Result<Option<ChecksumKind>, S3Error> {
    match headers.get(TYPE).map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"COMPOSITE") => Ok(Some(ChecksumKind::Composite)),
        Some(b"FULL_OBJECT") => Ok(Some(ChecksumKind::FullObject)),
        Some(_) => Err(invalid("Value for x-amz-checksum-type header is invalid.")),
    }
}

/// The checksum that the headers declare.
fn declared(headers: &HeaderMap) -> Result<Option<DeclaredChecksum>, S3Error> {
    let kind = kind(headers)?;
    let Some(algorithm) = writing::wanted_checksum(headers)? else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(invalid(
                "The x-amz-checksum-type header can only be used with the \
                 x-amz-checksum-algorithm header.",
            )),
        };
    };
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    let kind = match (algorithm, kind) {
        (Crc64Nvme, None | Some(ChecksumKind::FullObject)) => ChecksumKind::FullObject,
        (Crc32 | Crc32c, Some(ChecksumKind::FullObject)) => ChecksumKind::FullObject,
        (Crc32 | Crc32c | Sha1 | Sha256, None | Some(ChecksumKind::Composite)) => {
            ChecksumKind::Composite
        }
        (Crc64Nvme, Some(kind @ ChecksumKind::Composite))
        | (Sha1 | Sha256, Some(kind @ ChecksumKind::FullObject)) => {
            let (kind, algorithm) = (type_name(kind), algorithm.as_str().to_ascii_lowercase());
            return Err(invalid(format!(
                "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
            )));
        }
    };
    Ok(Some(DeclaredChecksum { algorithm, kind }))
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::with_message(Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(algorithm: Option<&str>, kind: Option<&str>, expected: Result<Option<&str>, ()>) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ALGORITHM, algorithm), (TYPE, kind)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        let declared = declared(&headers);
        let kinds = declared
            .map(|d| d.map(|d| type_name(d.kind)))
            .map_err(|_| ());
        assert_eq!(kinds, expected);
    }

    #[test]
    fn checksums_of_uploads() {
        check(None, None, Ok(None));
        check(Some("CRC32"), None, Ok(Some("COMPOSITE")));
        check(Some("CRC32C"), Some("FULL_OBJECT"), Ok(Some("FULL_OBJECT")));
        check(Some("CRC64NVME"), None, Ok(Some("FULL_OBJECT")));
        check(Some("SHA256"), Some("COMPOSITE"), Ok(Some("COMPOSITE")));
        check(Some("SHA256"), Some("FULL_OBJECT"), Err(()));
        check(Some("CRC64NVME"), Some("COMPOSITE"), Err(()));
        check(Some("MD5"), None, Err(()));
        check(None, Some("COMPOSITE"), Err(()));
        check(Some("CRC32"), Some("BOTH"), Err(()));
    }
}
