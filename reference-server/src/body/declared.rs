//! What a request's head declares about its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::MAX_BODY_BYTES;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::s3_error::{Code, S3Error};

const CONTENT_MD5: &str = "content-md5";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
const TRAILER: &str = "x-amz-trailer";

/// Headers that begin like a checksum's and carry none.
const NO_CHECKSUMS: [&str; 3] = [
    "x-amz-checksum-algorithm",
    "x-amz-checksum-type",
    "x-amz-checksum-mode",
];

/// Everything that the body has to agree with, but for the hash that is part of the signature.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Decoded bytes.
    pub(super) length: Option<u64>,
    pub(super) content_md5: Option<[u8; 16]>,
    pub(super) checksum: Option<Checksum>,
    /// The checksum that will stand behind the body.
    pub(super) trailer: Option<ChecksumAlgorithm>,
}

impl Declared {
    /// Reads the headers. `http_length` is the length of the HTTP message's body, if it has one;
    /// `aws_chunked` says that the body has a framing of its own inside.
    pub(super) fn read(
        headers: &HeaderMap,
        http_length: Option<u64>,
        aws_chunked: bool,
    ) -> Result<Self, S3Error> {
        let length = if aws_chunked {
            Some(decoded_length(headers)?)
        } else {
            http_length
        };
        if let Some(length) = length
            && length > MAX_BODY_BYTES
        {
            return Err(too_large(length));
        }
        let declared = Self {
            length,
            content_md5: content_md5(headers)?,
            checksum: checksum(headers)?,
            trailer: trailer(headers, aws_chunked)?,
        };
        if declared.checksum.is_some() && declared.trailer.is_some() {
            return Err(several_checksums());
        }
        Ok(declared)
    }
}

/// 400 EntityTooLarge.
pub(super) fn too_large(length: u64) -> S3Error {
    S3Error::new(Code::EntityTooLarge)
        .detail("ProposedSize", length.to_string())
        .detail("MaxSizeAllowed", MAX_BODY_BYTES.to_string())
}

/// The one value of a header. `Err` for several values, or one that is not text.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn decoded_length(headers: &HeaderMap) -> Result<u64, S3Error> {
    let refused = || {
        S3Error::with_message(
            Code::InvalidArgument,
            "x-amz-decoded-content-length must be one decimal number",
        )
        .argument(DECODED_LENGTH, None)
    };
    let text = single(headers, DECODED_LENGTH)
        .map_err(|()| refused())?
        .ok_or(Code::MissingContentLength)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(text) = single(headers, CONTENT_MD5).map_err(|()| Code::InvalidDigest)? else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(text).map_err(|_| Code::InvalidDigest)?;
    Ok(Some(bytes.try_into().map_err(|_| Code::InvalidDigest)?))
}

fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, S3Error> {
    let mut found = None;
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-checksum-") || NO_CHECKSUMS.contains(&name) {
            continue;
        }
        if found.is_some() {
            return Err(several_checksums());
        }
        let algorithm = ChecksumAlgorithm::from_header(name).ok_or_else(|| {
            S3Error::with_message(
                Code::NotImplemented,
                format!("The checksum of the header {name} is not implemented."),
            )
        })?;
        let parsed = value
            .to_str()
            .ok()
            .and_then(|value| Checksum::parse(algorithm, value));
        found = Some(parsed.ok_or_else(|| invalid_value(algorithm))?);
    }
    Ok(found)
}

/// 400 InvalidRequest for a value that is no checksum of its kind.
pub(super) fn invalid_value(algorithm: ChecksumAlgorithm) -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        format!("Value for {} header is invalid.", algorithm.header()),
    )
}

fn several_checksums() -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    )
}

fn trailer(headers: &HeaderMap, aws_chunked: bool) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    let refused = |message: &'static str| S3Error::with_message(Code::InvalidRequest, message);
    let unsupported = "The value specified in the x-amz-trailer header is not supported";
    let Some(text) = single(headers, TRAILER).map_err(|()| refused(unsupported))? else {
        return Ok(None);
    };
    if !aws_chunked {
        return Err(refused(
            "x-amz-trailer needs an aws-chunked body: x-amz-content-sha256 must begin with \
             STREAMING-",
        ));
    }
    ChecksumAlgorithm::from_header(text.trim())
        .map(Some)
        .ok_or_else(|| refused(unsupported))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn read(pairs: &[(&str, &str)], aws_chunked: bool) -> Result<Declared, Code> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        Declared::read(&headers, Some(7), aws_chunked).map_err(|error| error.code())
    }

    const LENGTH: (&str, &str) = (DECODED_LENGTH, "5");

    #[test]
    fn lengths() {
        assert_eq!(read(&[], false).unwrap().length, Some(7));
        assert_eq!(read(&[LENGTH], false).unwrap().length, Some(7));
        assert_eq!(read(&[LENGTH], true).unwrap().length, Some(5));
        assert_eq!(read(&[], true).unwrap_err(), Code::MissingContentLength);
        for bad in ["", "-1", "+5", "5.0", "0x5", "99999999999999999999999999"] {
            assert_eq!(
                read(&[(DECODED_LENGTH, bad)], true).unwrap_err(),
                Code::InvalidArgument
            );
        }
        assert_eq!(
            read(&[LENGTH, LENGTH], true).unwrap_err(),
            Code::InvalidArgument
        );
        assert!(read(&[(DECODED_LENGTH, "5368709120")], true).is_ok());
        let beyond = read(&[(DECODED_LENGTH, "5368709121")], true);
        assert_eq!(beyond.unwrap_err(), Code::EntityTooLarge);
    }

    #[test]
    fn content_md5_is_sixteen_bytes() {
        let good = (CONTENT_MD5, "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert!(read(&[good], false).unwrap().content_md5.is_some());
        assert_eq!(read(&[good, good], false).unwrap_err(), Code::InvalidDigest);
        for bad in [
            "",
            "AAAA",
            "1B2M2Y8AsgTpgAmY7PhCfg",
            "d41d8cd98f00b204e9800998ecf8427e",
        ] {
            assert_eq!(
                read(&[(CONTENT_MD5, bad)], false).unwrap_err(),
                Code::InvalidDigest
            );
        }
    }

    #[test]
    fn one_checksum_at_most() {
        let crc32 = ("x-amz-checksum-crc32", "AAAAAA==");
        let crc32c = ("x-amz-checksum-crc32c", "AAAAAA==");
        assert!(read(&[crc32], false).unwrap().checksum.is_some());
        assert_eq!(
            read(&[crc32, crc32], false).unwrap_err(),
            Code::InvalidRequest
        );
        assert_eq!(
            read(&[crc32, crc32c], false).unwrap_err(),
            Code::InvalidRequest
        );
        let trailer = (TRAILER, "x-amz-checksum-crc32");
        assert_eq!(
            read(&[LENGTH, crc32, trailer], true).unwrap_err(),
            Code::InvalidRequest
        );
        let modes = [
            ("x-amz-checksum-mode", "ENABLED"),
            ("x-amz-checksum-algorithm", "CRC32"),
        ];
        assert!(read(&modes, false).unwrap().checksum.is_none());
    }

    #[test]
    fn checksums_that_are_not_known_are_refused() {
        let bad = ("x-amz-checksum-crc32", "AAAA");
        assert_eq!(read(&[bad], false).unwrap_err(), Code::InvalidRequest);
        let unknown = ("x-amz-checksum-xxhash3", "AAAA");
        assert_eq!(read(&[unknown], false).unwrap_err(), Code::NotImplemented);
    }

    #[test]
    fn trailers() {
        let good = (TRAILER, "x-amz-checksum-crc64nvme");
        let declared = read(&[LENGTH, good], true).unwrap();
        assert_eq!(declared.trailer, Some(ChecksumAlgorithm::Crc64Nvme));
        assert_eq!(read(&[good], false).unwrap_err(), Code::InvalidRequest);
        let odd = (TRAILER, "x-amz-meta-note");
        assert_eq!(
            read(&[LENGTH, odd], true).unwrap_err(),
            Code::InvalidRequest
        );
        assert_eq!(
            read(&[LENGTH, good, good], true).unwrap_err(),
            Code::InvalidRequest
        );
    }
}
