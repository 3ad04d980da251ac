//! The `Authorization` header of Signature Version 4.
//!
//! Source: Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header".

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};

use super::claim::{Claim, Credential, Signature, signed_headers};
use super::timestamp::Timestamp;
use crate::s3_error::{Code, S3Error};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Reads the header and the date that it was signed at.
pub(super) fn read(headers: &HeaderMap) -> Result<Claim, S3Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Code::AccessDenied)?;
    if values.next().is_some() {
        return Err(malformed("it was sent more than once."));
    }
    let value = value
        .to_str()
        .map_err(|_| malformed("it holds bytes that are not ASCII."))?;
    let fields = fields_of(value)?;
    let parsed = Fields::parse(fields)?;
    Ok(Claim {
        credential: parsed.credential,
        signed_headers: parsed.signed_headers,
        signature: parsed.signature,
        timestamp: timestamp(headers)?,
    })
}

/// 400 AuthorizationHeaderMalformed in the words of AWS.
pub(super) fn malformed(reason: &str) -> S3Error {
    S3Error::with_message(
        Code::AuthorizationHeaderMalformed,
        format!("The authorization header is malformed; {reason}"),
    )
}

/// What Signature Version 2 gets, in the header or in the query.
pub(super) fn version_2_refused() -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        "The authorization mechanism you have provided is not supported. \
         Please use AWS4-HMAC-SHA256 (in boto3: signature_version='s3v4').",
    )
}

/// What stands behind the algorithm's name.
fn fields_of(value: &str) -> Result<&str, S3Error> {
    let (scheme, fields) = value.split_once(' ').unwrap_or((value, ""));
    match scheme {
        ALGORITHM => Ok(fields),
        "AWS" => Err(version_2_refused()),
        _ if scheme.starts_with("AWS4-") => Err(S3Error::with_message(
            Code::NotImplemented,
            "Only the signature algorithm AWS4-HMAC-SHA256 is supported.",
        )),
        _ => Err(
            S3Error::with_message(Code::InvalidArgument, "Unsupported Authorization Type")
                .argument("Authorization", None),
        ),
    }
}

struct Fields {
    credential: Credential,
    signed_headers: Vec<String>,
    signature: Signature,
}

impl Fields {
    fn parse(text: &str) -> Result<Self, S3Error> {
        let (mut credential, mut names, mut signature) = (None, None, None);
        for field in text.split(',') {
            let (name, value) = field
                .trim_matches([' ', '\t'])
                .split_once('=')
                .ok_or_else(|| malformed("a field without a value was found."))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut names,
                "Signature" => &mut signature,
                _ => return Err(malformed("a field of unknown name was found.")),
            };
            if slot.replace(value).is_some() {
                return Err(malformed("a field was given more than once."));
            }
        }
        let missing = |name| malformed(&format!("the field {name} is missing."));
        let credential = credential.ok_or_else(|| missing("Credential"))?;
        let names = names.ok_or_else(|| missing("SignedHeaders"))?;
        let signature = signature.ok_or_else(|| missing("Signature"))?;
        Ok(Self {
            credential: Credential::parse(credential).ok_or_else(|| {
                malformed(
                    "the Credential is mal-formed; expecting \
                     \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
                )
            })?,
            signed_headers: signed_headers(names)
                .ok_or_else(|| malformed("SignedHeaders is not a list of lower-case names."))?,
            signature: Signature::parse(signature.as_bytes()).ok_or(Code::SignatureDoesNotMatch)?,
        })
    }
}

/// `X-Amz-Date`, or `Date` where there is none.
fn timestamp(headers: &HeaderMap) -> Result<Timestamp, S3Error> {
    let stamp = match single(headers, "x-amz-date") {
        Some(text) => Timestamp::from_iso8601(text),
        None if headers.contains_key("x-amz-date") => None,
        None => single(headers, DATE.as_str()).and_then(|text| {
            Timestamp::from_http_date(text).or_else(|| Timestamp::from_iso8601(text))
        }),
    };
    stamp.ok_or_else(|| {
        S3Error::with_message(
            Code::AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header",
        )
    })
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=ID/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=host;x-amz-date,\
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

    fn parse(value: &str) -> Result<Claim, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        headers.insert("x-amz-date", HeaderValue::from_static("20130524T000000Z"));
        read(&headers).map_err(|error| error.code())
    }

    #[test]
    fn a_good_header_is_read_with_and_without_blanks() {
        for value in [
            GOOD.to_owned(),
            GOOD.replace(',', ", "),
            GOOD.replace(',', " ,  "),
        ] {
            let claim = parse(&value).unwrap();
            assert_eq!(claim.credential.region, "us-east-1");
            assert_eq!(claim.signed_headers, ["host", "x-amz-date"]);
            assert_eq!(claim.timestamp.date(), "20130524");
        }
    }

    #[track_caller]
    fn refused(value: &str, code: Code) {
        assert_eq!(parse(value).unwrap_err(), code, "{value}");
    }

    #[test]
    fn what_is_not_a_version_4_header_is_refused() {
        refused(
            "AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
            Code::InvalidRequest,
        );
        refused("AWS4-ECDSA-P256-SHA256 Credential=x", Code::NotImplemented);
        refused("Basic dXNlcjpwYXNz", Code::InvalidArgument);
        refused("", Code::InvalidArgument);
        refused("AWS4-HMAC-SHA256", Code::AuthorizationHeaderMalformed);
    }

    #[test]
    fn a_header_with_a_missing_or_doubled_field_is_refused() {
        for field in ["Credential=", "SignedHeaders=", "Signature="] {
            refused(
                &GOOD.replace(field, "Other="),
                Code::AuthorizationHeaderMalformed,
            );
            refused(&GOOD.replace(field, ""), Code::AuthorizationHeaderMalformed);
            refused(
                &format!("{GOOD},{field}x"),
                Code::AuthorizationHeaderMalformed,
            );
        }
        refused(&GOOD.replace("bdb41", "bdb4"), Code::SignatureDoesNotMatch);
        refused(&GOOD.replace("bdb41", "BDB41"), Code::SignatureDoesNotMatch);
    }

    #[test]
    fn a_date_is_needed() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(GOOD));
        assert_eq!(read(&headers).unwrap_err().code(), Code::AccessDenied);
        headers.insert(
            DATE,
            HeaderValue::from_static("Fri, 24 May 2013 00:00:00 GMT"),
        );
        assert_eq!(
            read(&headers).unwrap().timestamp.as_str(),
            "20130524T000000Z"
        );
        headers.insert("x-amz-date", HeaderValue::from_static("yesterday"));
        assert_eq!(read(&headers).unwrap_err().code(), Code::AccessDenied);
    }
}
