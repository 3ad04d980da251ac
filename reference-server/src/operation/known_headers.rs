//! The `x-amz-*` headers that an operation takes. Any other asks for something that is not done
//! here and is refused with 501, because silence would look like consent.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::object_tagging::TAGGING;
use crate::request::Query;
use crate::s3_error::{Code, S3Error};
use crate::ssec::headers::{MANAGED, is_ssec_name};

/// Refuses the first `x-amz-*` header that neither every request may have nor `takes` accepts.
pub(super) fn only(
    headers: &HeaderMap,
    takes: impl Fn(&str, &HeaderValue) -> bool,
) -> Result<(), S3Error> {
    let unknown = headers.iter().find(|(name, value)| {
        let name = name.as_str();
        name.starts_with("x-amz-") && !everywhere(name) && !takes(name, value)
    });
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(not_implemented(name.as_str())),
    }
}

/// 501 with the name of the header, as S3 has it.
pub(super) fn not_implemented(header: &str) -> S3Error {
    S3Error::with_message(
        Code::NotImplemented,
        "A header you provided implies functionality that is not implemented",
    )
    .detail("Header", header)
}

/// Refuses a header that stands in the query too, with another value: one of them would be ignored
/// (user guide; the words are a choice). What is about the transfer alone may differ.
pub(super) fn agree(headers: &HeaderMap, query: &Query) -> Result<(), S3Error> {
    for (name, value) in query.iter() {
        let lower = name.to_ascii_lowercase();
        let compared = lower.starts_with("x-amz-") && !everywhere(&lower);
        let header = headers.get(lower.as_str()).filter(|_| compared);
        if header.is_some_and(|header| header != value) {
            return Err(S3Error::with_message(
                Code::InvalidRequest,
                format!(
                    "The header {lower} and the query parameter of that name have different values"
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses an `x-amz-*` header that came twice: nobody can tell which of them was meant. Metadata,
/// attributes and conditions may have several values; the SSE-C headers have a refusal of their own.
pub(super) fn single(headers: &HeaderMap) -> Result<(), S3Error> {
    let several = |name: &str| {
        name.starts_with("x-amz-meta-")
            || name.starts_with("x-amz-copy-source-if-")
            || name == "x-amz-object-attributes"
            || is_ssec_name(name)
    };
    let doubled = headers.keys().map(HeaderName::as_str).find(|name| {
        let once = name.starts_with("x-amz-") && !several(name);
        once && headers.get_all(*name).iter().nth(1).is_some()
    });
    match doubled {
        None => Ok(()),
        Some(name) => {
            let message = "The header must be given once.";
            Err(S3Error::with_message(Code::InvalidArgument, message).argument(name, None))
        }
    }
}

/// No header beyond those of every request.
pub(super) fn none(headers: &HeaderMap) -> Result<(), S3Error> {
    only(headers, |_, _| false)
}

/// Headers about transfer and signature, and those that the SSE-C policy has judged.
fn everywhere(name: &str) -> bool {
    matches!(
        name,
        "x-amz-date"
            | "x-amz-content-sha256"
            | "x-amz-decoded-content-length"
            | "x-amz-trailer"
            | "x-amz-user-agent"
            | "x-amz-security-token"
            | "x-amz-request-payer"
    ) || is_ssec_name(name)
}

/// What a write takes: metadata, tags, checksums, and values that ask for what is done anyway.
pub(super) fn of_a_write(name: &str, value: &HeaderValue) -> bool {
    match name {
        "x-amz-acl" => matches!(value.as_bytes(), b"private" | b"bucket-owner-full-control"),
        "x-amz-storage-class" => value == "STANDARD",
        "x-amz-sdk-checksum-algorithm" | TAGGING => true,
        _ => {
            name.starts_with("x-amz-meta-")
                || name.starts_with("x-amz-checksum-")
                || name.starts_with(MANAGED)
        }
    }
}

/// What a read takes; the policy has judged the encryption header.
pub(super) fn of_a_read(name: &str, _value: &HeaderValue) -> bool {
    name == "x-amz-checksum-mode" || name.starts_with(MANAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_write(name: &'static str, value: &'static str, expected: bool) {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )]);
        assert_eq!(only(&headers, of_a_write).is_ok(), expected);
    }

    #[test]
    fn a_write_takes_what_it_does() {
        check_write("x-amz-meta-colour", "red", true);
        check_write("x-amz-acl", "private", true);
        check_write("x-amz-tagging", "a=b", true);
        check_write("x-amz-storage-class", "STANDARD", true);
        check_write("x-amz-checksum-crc32", "AAAAAA==", true);
        check_write("x-amz-server-side-encryption-customer-key", "k", true);
        check_write("content-type", "text/plain", true);
    }

    #[test]
    fn a_write_refuses_what_it_does_not() {
        check_write("x-amz-acl", "public-read", false);
        check_write("x-amz-storage-class", "GLACIER", false);
        check_write("x-amz-object-lock-mode", "COMPLIANCE", false);
        check_write("x-amz-website-redirect-location", "/x", false);
        check_write("x-amz-grant-read", "id=x", false);
        check_write("x-amz-copy-source", "/b/o", false);
        check_write("x-amz-replication-status", "x", false);
    }

    #[test]
    fn a_header_and_a_parameter_of_one_name_agree() {
        let check = |name: &str, value: &str| {
            let headers = HeaderMap::from_iter([
                (
                    HeaderName::from_static("x-amz-acl"),
                    HeaderValue::from_static("private"),
                ),
                (
                    HeaderName::from_static("x-amz-user-agent"),
                    HeaderValue::from_static("one"),
                ),
            ]);
            let query = Query::from_pairs(vec![(name.to_owned(), value.to_owned())]);
            agree(&headers, &query).map_err(|error| error.code())
        };
        assert_eq!(check("x-amz-acl", "private"), Ok(()));
        assert_eq!(check("X-Amz-Acl", "public-read"), Err(Code::InvalidRequest));
        assert_eq!(check("x-amz-user-agent", "two"), Ok(()));
        assert_eq!(check("x-amz-checksum-crc32", "AAAAAA=="), Ok(()));
        assert_eq!(check("acl", "public-read"), Ok(()));
    }

    #[test]
    fn a_header_that_came_twice_is_refused() {
        let check = |name: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(name, HeaderValue::from_static("one"));
            assert!(single(&headers).is_ok(), "{name}");
            headers.append(name, HeaderValue::from_static("one"));
            single(&headers).map_err(|error| error.code())
        };
        for name in ["x-amz-acl", "x-amz-metadata-directive", MANAGED] {
            assert_eq!(check(name), Err(Code::InvalidArgument), "{name}");
        }
        for name in [
            "x-amz-meta-a",
            "x-amz-object-attributes",
            "x-amz-copy-source-if-match",
            "range",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
