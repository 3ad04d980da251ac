//! The query parameters of a presigned URL.
//!
//! Source: Amazon S3 API reference, "Authenticating Requests: Using Query Parameters".

use std::time::{Duration, SystemTime};

use super::claim::{Claim, Credential, Signature, signed_headers};
use super::timestamp::{MAX_SKEW, Timestamp, for_people};
use crate::s3_error::{Code, S3Error};

/// The longest life of a presigned URL: seven days, AWS's own limit.
const MAX_EXPIRES_SECONDS: u64 = 7 * 24 * 60 * 60;

const ALGORITHM: &str = "X-Amz-Algorithm";
const CREDENTIAL: &str = "X-Amz-Credential";
const DATE: &str = "X-Amz-Date";
const EXPIRES: &str = "X-Amz-Expires";
const SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
/// The one parameter that is not signed.
pub(super) const SIGNATURE: &str = "X-Amz-Signature";
/// The hash of the payload, where the signer knew it.
pub(super) const CONTENT_SHA256: &str = "X-Amz-Content-Sha256";
/// The token of temporary credentials.
pub(super) const SECURITY_TOKEN: &str = "X-Amz-Security-Token";

const ALL: [&str; 8] = [
    ALGORITHM,
    CREDENTIAL,
    DATE,
    EXPIRES,
    SIGNED_HEADERS,
    SIGNATURE,
    CONTENT_SHA256,
    SECURITY_TOKEN,
];

/// A claim that ends.
#[derive(Debug, Clone)]
pub(super) struct PresignedClaim {
    pub(super) claim: Claim,
    expires: Duration,
}

/// Whether the query carries, or tries to carry, a signature of version 4.
pub(super) fn is_presigned(query: &[(String, String)]) -> bool {
    [ALGORITHM, CREDENTIAL, SIGNATURE]
        .iter()
        .any(|name| query.iter().any(|(key, _)| key == name))
}

/// Whether the query carries a signature of version 2.
pub(super) fn is_version_2(query: &[(String, String)]) -> bool {
    query.iter().any(|(key, _)| key == "AWSAccessKeyId")
}

/// Whether the parameter belongs to the signature, and not to the operation.
pub(crate) fn belongs_to_signature(name: &str) -> bool {
    ALL.contains(&name)
}

/// Reads the parameters.
pub(super) fn read(query: &[(String, String)]) -> Result<PresignedClaim, S3Error> {
    let required = |name: &str| {
        let mut values = query.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(value.as_str()),
            (None | Some(_), None | Some(_)) => Err(invalid(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                 X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and \
                 X-Amz-Expires parameters, each once.",
            )),
        }
    };
    if required(ALGORITHM)? != "AWS4-HMAC-SHA256" {
        return Err(invalid(
            "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"",
        ));
    }
    let claim = Claim {
        credential: Credential::parse(required(CREDENTIAL)?).ok_or_else(|| {
            invalid(
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; \
                 expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            )
        })?,
        timestamp: Timestamp::from_iso8601(required(DATE)?).ok_or_else(|| {
            invalid("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })?,
        signed_headers: signed_headers(required(SIGNED_HEADERS)?)
            .ok_or_else(|| invalid("X-Amz-SignedHeaders is not a list of lower-case names."))?,
        signature: Signature::parse(required(SIGNATURE)?.as_bytes())
            .ok_or(Code::SignatureDoesNotMatch)?,
    };
    Ok(PresignedClaim {
        claim,
        expires: expires(required(EXPIRES)?)?,
    })
}

/// 400 AuthorizationQueryParametersError.
pub(super) fn invalid(message: &str) -> S3Error {
    S3Error::with_message(Code::AuthorizationQueryParametersError, message.to_owned())
}

fn expires(text: &str) -> Result<Duration, S3Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("X-Amz-Expires should be a number"));
    }
    if text.starts_with('-') {
        return Err(invalid("X-Amz-Expires must be non-negative"));
    }
    match text.parse::<u64>() {
        Ok(0) => Err(invalid("X-Amz-Expires must be at least one second")),
        Ok(seconds) if seconds <= MAX_EXPIRES_SECONDS => Ok(Duration::from_secs(seconds)),
        // Too many digits for the type are too many seconds as well.
        Ok(_) | Err(_) => Err(invalid(
            "X-Amz-Expires must be less than a week (in seconds); \
             that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
    }
}

impl PresignedClaim {
    /// Refuses a URL before its time and after it.
    pub(super) fn check_time(&self, now: SystemTime) -> Result<(), S3Error> {
        let start = self.claim.timestamp.time();
        if start > now + MAX_SKEW {
            return Err(
                S3Error::with_message(Code::AccessDenied, "Request is not valid yet")
                    .detail("ServerTime", for_people(now)),
            );
        }
        let end = start + self.expires;
        if now > end {
            return Err(
                S3Error::with_message(Code::AccessDenied, "Request has expired")
                    .detail("X-Amz-Expires", self.expires.as_secs().to_string())
                    .detail("Expires", for_people(end))
                    .detail("ServerTime", for_people(now)),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE_VALUE: &str =
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn query(changed: &str, value: Option<&str>) -> Vec<(String, String)> {
        [
            (ALGORITHM, "AWS4-HMAC-SHA256"),
            (
                CREDENTIAL,
                "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
            ),
            (DATE, "20130524T000000Z"),
            (EXPIRES, "86400"),
            (SIGNED_HEADERS, "host"),
            (SIGNATURE, SIGNATURE_VALUE),
        ]
        .into_iter()
        .filter_map(|(name, good)| {
            let value = if name == changed { value? } else { good };
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
    }

    #[track_caller]
    fn refused(changed: &str, value: Option<&str>, code: Code) {
        assert_eq!(read(&query(changed, value)).unwrap_err().code(), code);
    }

    #[test]
    fn all_parameters_are_needed_once() {
        assert!(read(&query("", None)).is_ok());
        for name in &ALL[..6] {
            refused(name, None, Code::AuthorizationQueryParametersError);
            let mut doubled = query("", None);
            let again = doubled.iter().find(|(key, _)| key == name).unwrap().clone();
            doubled.push(again);
            let error = read(&doubled).unwrap_err();
            assert_eq!(error.code(), Code::AuthorizationQueryParametersError);
        }
    }

    #[test]
    fn a_week_is_the_longest_life() {
        for good in ["1", "86400", "604800"] {
            assert!(read(&query(EXPIRES, Some(good))).is_ok(), "{good}");
        }
        for bad in [
            "0",
            "-1",
            "604801",
            "691200",
            "99999999999999999999999",
            "",
            "1.5",
            "+5",
            "a",
        ] {
            refused(EXPIRES, Some(bad), Code::AuthorizationQueryParametersError);
        }
    }

    #[test]
    fn a_url_has_a_time() {
        let presigned = read(&query("", None)).unwrap();
        let start = presigned.claim.timestamp.time();
        let message = |now| {
            presigned
                .check_time(now)
                .map_err(|error| error.message().to_owned())
        };
        assert_eq!(message(start), Ok(()));
        assert_eq!(message(start - MAX_SKEW), Ok(()));
        assert_eq!(message(start + Duration::from_secs(86400)), Ok(()));
        assert_eq!(
            message(start - MAX_SKEW - Duration::from_secs(1)),
            Err("Request is not valid yet".to_owned())
        );
        assert_eq!(
            message(start + Duration::from_secs(86401)),
            Err("Request has expired".to_owned())
        );
    }
}
