//! The headers of objects: which ones are kept with an object, and how answers show them.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_TYPE, ETAG, EXPIRES, HeaderName, HeaderValue, LAST_MODIFIED,
};
use jiff::Timestamp;

use super::{header_value, set};
use crate::checksum::Checksum;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, ObjectFacts};
use crate::ssec::customer_key::CustomerKey;
use crate::ssec::dialect::Dialect;
use crate::ssec::headers::{ALGORITHM, KEY_MD5, MANAGED};
use crate::ssec::policy::Access;
use crate::store::{ETag, Versioning};
use crate::xml::XmlWriter;

/// The id of a version.
pub(super) const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");
/// The id of the version that a copy read.
pub(super) const COPY_SOURCE_VERSION_ID: HeaderName =
    HeaderName::from_static("x-amz-copy-source-version-id");
/// Says that a version is a delete marker.
pub(super) const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
/// The prefix of user metadata.
const METADATA: &str = "x-amz-meta-";
/// The most bytes of user metadata: names without the prefix, and values (S3 user guide).
const METADATA_LIMIT: usize = 2 * 1024;
/// The type of an object that was sent without one.
const DEFAULT_TYPE: HeaderValue = HeaderValue::from_static("binary/octet-stream");

/// The headers of a write that are kept with the object.
///
/// # Errors
/// 400 `MetadataTooLarge`.
pub(super) fn kept(request: &HeaderMap) -> Result<HeaderMap, S3Error> {
    let mut kept = HeaderMap::new();
    let mut metadata = 0;
    for (name, value) in request {
        match name.as_str().strip_prefix(METADATA) {
            Some(short) => {
                metadata += short.len() + value.len();
                kept.append(name.clone(), value.clone());
            }
            None if name == CONTENT_ENCODING => {
                if let Some(encoding) = without_chunks(value) {
                    kept.append(name.clone(), encoding);
                }
            }
            None if is_kept(name) => {
                kept.append(name.clone(), value.clone());
            }
            None => {}
        }
    }
    if metadata > METADATA_LIMIT {
        return Err(S3Error::new(Code::MetadataTooLarge)
            .detail("Size", metadata.to_string())
            .detail("MaxSizeAllowed", METADATA_LIMIT.to_string()));
    }
    if kept.get(CONTENT_TYPE).is_none_or(HeaderValue::is_empty) {
        kept.insert(CONTENT_TYPE, DEFAULT_TYPE);
    }
    Ok(kept)
}

fn is_kept(name: &HeaderName) -> bool {
    [
        CONTENT_TYPE,
        CACHE_CONTROL,
        CONTENT_DISPOSITION,
        CONTENT_LANGUAGE,
        EXPIRES,
    ]
    .contains(name)
}

/// A content encoding without `aws-chunked`, which is about the transfer and not the object.
fn without_chunks(value: &HeaderValue) -> Option<HeaderValue> {
    let Ok(text) = value.to_str() else {
        return Some(value.clone());
    };
    let rest: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    if rest.is_empty() {
        return None;
    }
    HeaderValue::from_str(&rest.join(", ")).ok()
}

/// Shows what is known of an object: type, metadata, `ETag`, time.
pub(super) fn describe(answer: &mut Answer, facts: &ObjectFacts) {
    for (name, value) in &facts.headers {
        answer.headers_mut().append(name.clone(), value.clone());
    }
    tag(answer, facts.etag, facts.last_modified);
    set(answer, ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// Shows `ETag` and time, all that a 304 shows.
pub(super) fn tag(answer: &mut Answer, etag: ETag, modified: Timestamp) {
    set(answer, ETAG, quoted(etag));
    let date = httpdate::fmt_http_date(SystemTime::from(modified));
    set(answer, LAST_MODIFIED, header_value(&date));
}

/// An `ETag` as its header has it.
pub(super) fn quoted(etag: ETag) -> HeaderValue {
    header_value(&format!("\"{etag}\""))
}

/// Shows under whose key the object is, as far as the dialect tells.
pub(super) fn name_encryption(answer: &mut Answer, dialect: Dialect, access: &Access<'_>) {
    let facts = dialect.facts();
    match access {
        Access::Plain if facts.names_server_encryption => {
            set(
                answer,
                HeaderName::from_static(MANAGED),
                HeaderValue::from_static("AES256"),
            );
        }
        Access::Customer(key) if facts.echoes_customer_key_md5 => echo(answer, key),
        Access::Plain | Access::Customer(_) => {}
    }
}

fn echo(answer: &mut Answer, key: &CustomerKey) {
    set(
        answer,
        HeaderName::from_static(ALGORITHM),
        HeaderValue::from_static("AES256"),
    );
    let md5 = header_value(&STANDARD.encode(key.md5()));
    set(answer, HeaderName::from_static(KEY_MD5), md5);
}

/// Shows a checksum of the object: of its bytes, or of its parts' checksums.
pub(super) fn name_checksum(answer: &mut Answer, checksum: &Checksum) {
    let name = HeaderName::from_static(checksum.algorithm.header());
    set(answer, name, header_value(&checksum.value));
    let kind = HeaderName::from_static("x-amz-checksum-type");
    set(
        answer,
        kind,
        HeaderValue::from_static(checksum_type(checksum)),
    );
}

/// What a checksum covers. Base64 has no hyphen: the number of parts follows it.
pub(super) fn checksum_type(checksum: &Checksum) -> &'static str {
    if checksum.value.contains('-') {
        "COMPOSITE"
    } else {
        "FULL_OBJECT"
    }
}

/// Writes the element with a checksum.
pub(super) fn write_checksum(xml: &mut XmlWriter, checksum: &Checksum) {
    let name = format!("Checksum{}", checksum.algorithm.as_str());
    xml.text(&name, &checksum.value);
}

/// Shows the version where the bucket keeps versions, or kept them, and in dialects that always do.
pub(super) fn name_version(
    answer: &mut Answer,
    dialect: Dialect,
    versioning: Versioning,
    version_id: &str,
) {
    if dialect.facts().shows_version_id || versioning != Versioning::Unversioned {
        set(answer, VERSION_ID, header_value(version_id));
    }
}

/// A time as XML has it: ISO 8601, milliseconds, UTC.
pub(super) fn iso_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[track_caller]
    fn check_encoding(sent: &str, expected: Option<&str>) {
        let kept = kept(&headers(&[("content-encoding", sent)])).unwrap();
        assert_eq!(
            kept.get(CONTENT_ENCODING).map(|v| v.to_str().unwrap()),
            expected
        );
    }

    #[test]
    fn aws_chunked_is_not_kept() {
        check_encoding("aws-chunked", None);
        check_encoding("AWS-Chunked,gzip", Some("gzip"));
        check_encoding("gzip", Some("gzip"));
        check_encoding("", None);
    }

    #[test]
    fn an_object_has_a_type_and_its_metadata_and_no_secret() {
        let key = "x-amz-server-side-encryption-customer-key";
        let kept = kept(&headers(&[
            ("x-amz-meta-a", "b"),
            (key, "k"),
            ("authorization", "s"),
        ]))
        .unwrap();
        assert_eq!(kept.get(CONTENT_TYPE).unwrap(), "binary/octet-stream");
        assert_eq!(kept.get("x-amz-meta-a").unwrap(), "b");
        assert_eq!(kept.len(), 2);
    }

    #[test]
    fn metadata_has_a_limit() {
        let most = "v".repeat(METADATA_LIMIT - 1);
        assert!(kept(&headers(&[("x-amz-meta-a", &most)])).is_ok());
        let more = "v".repeat(METADATA_LIMIT);
        let error = kept(&headers(&[("x-amz-meta-a", &more)])).unwrap_err();
        assert_eq!(error.code(), Code::MetadataTooLarge);
    }

    #[test]
    fn times_have_milliseconds() {
        let time = Timestamp::from_microsecond(1_650_376_416_551_536).unwrap();
        assert_eq!(iso_time(time), "2022-04-19T13:53:36.551Z");
    }
}
