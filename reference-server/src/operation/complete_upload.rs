//! `CompleteMultipartUpload`. It needs no key, unless sealed checksums have to be compared.

use http::HeaderMap;

use super::upload::{self, Named, Usable};
use super::xml_document::Element;
use super::{Operations, conditions, create_upload, document, known_headers, object_headers};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{Access, Sums};
use crate::store::{
    ChecksumKind, Completed, Completion, DeclaredChecksum, HolderKind, NamedPart, PartNumber,
    StoreError,
};
use crate::xml::XmlWriter;

/// The most bytes of the list: 10,000 parts with two checksums each.
const LIMIT: usize = 4 << 20;

/// The length of the whole as the client has counted it.
const SIZE: &str = "x-amz-mp-object-size";

pub(super) async fn answer(
    operations: &Operations,
    mut request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let upload = Named::find(operations, &request).await?;
    let (bucket, object) = (upload.bucket.clone(), upload.object.clone());
    let (holder, declared) = (upload.facts.holder, upload.facts.checksum);
    let kept = upload.kept_checksum(operations.dialect);
    let sums = match declared {
        Some(_) => Sums::Needed,
        None => Sums::Optional,
    };
    let usable = upload.open_for_list(operations, shown, sums)?;
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-")
            || name == "x-amz-sdk-checksum-algorithm"
            || name == SIZE
    })?;
    let conditions = conditions::of_a_write(&request.headers)?;
    let checksum = whole(&request.headers, request.body.take_checksum(), kept)?;
    let size = size(&request.headers)?;
    let body = request.body.collect(LIMIT).await?;
    // Without the key nothing is known of the parts' checksums.
    let compared = kept.filter(|_| matches!(usable, Usable::Opened(_)));
    let completion = Completion {
        parts: read_parts(&body, compared)?,
        conditions,
        checksum,
        size,
    };
    let completed = match &usable {
        Usable::Found(upload) => upload.complete(completion).await,
        Usable::Opened(upload) => upload.complete(completion).await,
    };
    let completed = completed.map_err(|error| match (error, kept) {
        (StoreError::ChecksumDiffers, Some(kept)) => S3Error::with_message(
            Code::BadDigest,
            format!(
                "The {} you specified did not match the calculated checksum.",
                kept.algorithm.as_str()
            ),
        ),
        (error, _) => error.into(),
    })?;

    let mut answer = document(result(&bucket, &object, &completed));
    if holder == HolderKind::Server {
        object_headers::name_encryption(&mut answer, operations.dialect, &Access::Plain);
    }
    object_headers::name_version(
        &mut answer,
        operations.dialect,
        completed.committed.versioning,
        &completed.committed.version_id,
    );
    Ok(answer)
}

/// What the headers say of the checksum of the whole, which must be of the upload's algorithm and
/// kind. S3 has these words for a contradiction, as its clients tell.
fn whole(
    headers: &HeaderMap,
    shown: Option<Checksum>,
    kept: Option<DeclaredChecksum>,
) -> Result<Option<Checksum>, S3Error> {
    let kind = create_upload::kind(headers)?;
    if kind.is_some_and(|kind| kept.is_none_or(|kept| kept.kind != kind)) {
        let created = kept.map_or("null", |kept| create_upload::type_name(kept.kind));
        return Err(S3Error::with_message(
            Code::InvalidRequest,
            format!(
                "The upload was created using the {created} checksum mode. The complete request \
                 must use the same checksum mode."
            ),
        ));
    }
    let algorithm = shown.as_ref().map(|shown| shown.algorithm);
    match (algorithm, kept.map(|kept| kept.algorithm)) {
        (Some(shown), Some(kept)) if shown == kept => {}
        (None, _) => {}
        (Some(shown), kept) => return Err(upload::checksum_differs(kept, Some(shown))),
    }
    Ok(shown)
}

/// What `x-amz-mp-object-size` says of the length of the whole, in bytes.
fn size(headers: &HeaderMap) -> Result<Option<u64>, S3Error> {
    let Some(value) = headers.get(SIZE) else {
        return Ok(None);
    };
    let digits = value.to_str().ok().filter(|text| {
        let all = text.bytes().all(|byte| byte.is_ascii_digit());
        all && !text.is_empty()
    });
    let size = digits.and_then(|text| text.parse().ok());
    let message = "Value for x-amz-mp-object-size header is invalid.";
    size.map(Some)
        .ok_or_else(|| S3Error::with_message(Code::InvalidRequest, message))
}

/// The parts that the client names, in its order.
fn read_parts(body: &[u8], declared: Option<DeclaredChecksum>) -> Result<Vec<NamedPart>, S3Error> {
    if body.is_empty() {
        return Err(Code::MissingRequestBodyError.into());
    }
    let root = Element::read(body, "CompleteMultipartUpload")?;
    let parts: Vec<_> = root
        .children("Part")
        .map(|part| read_part(part, declared))
        .collect::<Result<_, _>>()?;
    if parts.is_empty() || parts.len() > usize::from(PartNumber::MAX) || !root.holds_only(&["Part"])
    {
        return Err(Code::MalformedXML.into());
    }
    Ok(parts)
}

fn read_part(part: &Element, declared: Option<DeclaredChecksum>) -> Result<NamedPart, S3Error> {
    let text = |name: &str| part.text_of(name).map(str::trim);
    let number = text("PartNumber").ok_or(Code::MalformedXML)?;
    let number: i64 = number.parse().map_err(|_| Code::MalformedXML)?;
    let number = u16::try_from(number).ok().and_then(PartNumber::new);
    let number = number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        S3Error::with_message(Code::InvalidArgument, message).argument("partNumber", None)
    })?;
    let etag = text("ETag").ok_or(Code::MalformedXML)?;
    Ok(NamedPart {
        number,
        etag: etag.trim_matches('"').to_owned(),
        checksum: declared
            .map(|declared| read_checksum(part, number, declared))
            .transpose()?
            .flatten(),
    })
}

/// The checksum of a part. A composite one is made of them, so that none may be missing.
fn read_checksum(
    part: &Element,
    number: PartNumber,
    declared: DeclaredChecksum,
) -> Result<Option<Checksum>, S3Error> {
    let algorithm: ChecksumAlgorithm = declared.algorithm;
    let element = format!("Checksum{}", algorithm.as_str());
    let shown = part.text_of(&element).map(str::trim);
    let shown = shown.filter(|value| !value.is_empty());
    match (shown, declared.kind) {
        (Some(value), _) => Checksum::parse(algorithm, value)
            .map(Some)
            .ok_or_else(|| Code::InvalidPart.into()),
        (None, ChecksumKind::FullObject) => Ok(None),
        (None, ChecksumKind::Composite) => Err(S3Error::with_message(
            Code::InvalidRequest,
            format!(
                "The upload was created using a {} checksum. The complete request must include \
                 the checksum for each part. It was missing for part {} in the request.",
                algorithm.as_str().to_ascii_lowercase(),
                number.get()
            ),
        )),
    }
}

fn result(bucket: &str, object: &str, completed: &Completed) -> XmlWriter {
    let mut xml = XmlWriter::document();
    xml.open_root("CompleteMultipartUploadResult");
    xml.text("Location", &format!("/{bucket}/{object}"));
    xml.text("Bucket", bucket);
    xml.text("Key", object);
    xml.text("ETag", &format!("\"{}\"", completed.committed.etag));
    if let Some(checksum) = &completed.checksum {
        object_headers::write_checksum(&mut xml, checksum);
        xml.text("ChecksumType", object_headers::checksum_type(checksum));
    }
    xml.close("CompleteMultipartUploadResult");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str, declared: Option<DeclaredChecksum>) -> Result<Vec<NamedPart>, Code> {
        let body = format!("<CompleteMultipartUpload>{inside}</CompleteMultipartUpload>");
        read_parts(body.as_bytes(), declared).map_err(|error| error.code())
    }

    fn part(number: &str, rest: &str) -> String {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>&quot;ab&quot;</ETag>{rest}</Part>")
    }

    #[test]
    fn parts_are_read_in_their_order() {
        let list = format!("{}{}", part("2", ""), part("1", ""));
        let parts = read(&list, None).unwrap();
        assert_eq!((parts[0].number.get(), parts[1].number.get()), (2, 1));
        assert_eq!(parts[0].etag, "ab");
        assert!(read(&part("10000", "").repeat(10_000), None).is_ok());
    }

    #[test]
    fn what_is_no_list_of_parts_is_refused() {
        for (inside, code) in [
            (String::new(), Code::MalformedXML),
            ("<Part><ETag>a</ETag></Part>".to_owned(), Code::MalformedXML),
            (
                "<Part><PartNumber>1</PartNumber></Part>".to_owned(),
                Code::MalformedXML,
            ),
            (part("x", ""), Code::MalformedXML),
            (part("0", ""), Code::InvalidArgument),
            (part("10001", ""), Code::InvalidArgument),
            (part("-1", ""), Code::InvalidArgument),
            (format!("{}<Other/>", part("1", "")), Code::MalformedXML),
            (part("1", "").repeat(10_001), Code::MalformedXML),
        ] {
            assert_eq!(read(&inside, None).unwrap_err(), code);
        }
        let empty = read_parts(b"", None).unwrap_err();
        assert_eq!(empty.code(), Code::MissingRequestBodyError);
    }

    #[test]
    fn a_declared_checksum_is_wanted_for_each_part() {
        let declared = |kind| {
            let algorithm = ChecksumAlgorithm::Crc32;
            Some(DeclaredChecksum { algorithm, kind })
        };
        let shown = part("1", "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>");
        let parts = read(&shown, declared(ChecksumKind::Composite)).unwrap();
        assert_eq!(parts[0].checksum.as_ref().unwrap().value, "AAAAAA==");
        assert_eq!(read(&shown, None).unwrap()[0].checksum, None);
        let missing = part("1", "");
        let composite = read(&missing, declared(ChecksumKind::Composite));
        assert_eq!(composite.unwrap_err(), Code::InvalidRequest);
        assert!(read(&missing, declared(ChecksumKind::FullObject)).is_ok());
        let broken = part("1", "<ChecksumCRC32>AAAA</ChecksumCRC32>");
        let broken = read(&broken, declared(ChecksumKind::FullObject));
        assert_eq!(broken.unwrap_err(), Code::InvalidPart);
    }

    #[test]
    fn the_whole_has_a_checksum_of_the_uploads_kind() {
        let crc = ChecksumAlgorithm::Crc32;
        let kept = |kind| {
            let algorithm = crc;
            Some(DeclaredChecksum { algorithm, kind })
        };
        let check = |kind: Option<&'static str>, shown: Option<&str>, kept| {
            let mut headers = HeaderMap::new();
            if let Some(kind) = kind {
                headers.insert("x-amz-checksum-type", kind.parse().unwrap());
            }
            let shown = shown.and_then(|value| Checksum::parse(crc, value));
            whole(&headers, shown, kept).map_err(|error| error.code())
        };
        let (full, parts) = (ChecksumKind::FullObject, ChecksumKind::Composite);
        let sum = Some("AAAAAA==");
        assert_eq!(check(None, None, None), Ok(None));
        assert!(check(None, sum, kept(full)).unwrap().is_some());
        assert!(check(Some("FULL_OBJECT"), sum, kept(full)).is_ok());
        for (kind, sum, kept) in [
            (Some("FULL_OBJECT"), None, kept(parts)),
            (Some("COMPOSITE"), None, kept(full)),
            (Some("COMPOSITE"), None, None),
            (Some("OTHER"), None, kept(full)),
            (None, sum, None),
            (
                None,
                sum,
                Some(DeclaredChecksum {
                    algorithm: ChecksumAlgorithm::Sha1,
                    kind: parts,
                }),
            ),
        ] {
            assert_eq!(check(kind, sum, kept), Err(Code::InvalidRequest));
        }
    }

    #[test]
    fn a_size_is_a_number() {
        let read = |value: &'static str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(SIZE),
                http::HeaderValue::from_static(value),
            )]);
            size(&headers).map_err(|error| error.code())
        };
        assert_eq!(size(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("0"), Ok(Some(0)));
        assert_eq!(read("5242880"), Ok(Some(5_242_880)));
        for bad in ["", "-1", "+1", "1.5", "x", "99999999999999999999"] {
            assert_eq!(read(bad), Err(Code::InvalidRequest), "{bad}");
        }
    }
}
