//! The signature of a form: over its policy, which says which fields it may have.
//!
//! Source: S3 API reference, "Authenticating HTTP POST requests".

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac::verify;

use super::claim::{Claim, Credential, Signature};
use super::post_policy::PostPolicy;
use super::timestamp::{MAX_SKEW, Timestamp};
use super::verify::{Authenticator, token_refused};
use super::{Authenticated, SignatureKind, SignedHeaders, authorization};
use crate::request::form::{Breach, Fields, OF_SIGNATURE};
use crate::s3_error::{Code, S3Error};

/// How long a signature is good for, whatever its policy says: S3's own limit of seven days.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the signature of a form proves.
pub(crate) struct FormProof {
    /// Who made the policy; all fields count as signed, for each has a condition.
    pub(crate) authenticated: Authenticated,
    /// How long the file may be, in bytes.
    pub(crate) length: RangeInclusive<u64>,
    /// What of its policy the form does not keep to: refused behind seam A, before anything else.
    pub(crate) breach: Option<Breach>,
}

impl Authenticator {
    /// Verifies the signature of a form that was sent to `bucket` and arrived at `now`, and tells
    /// whether the form keeps to its policy.
    ///
    /// # Errors
    /// The S3 error that says what is wrong.
    pub(crate) fn authenticate_form(
        &self,
        fields: &Fields,
        bucket: &str,
        now: SystemTime,
    ) -> Result<FormProof, S3Error> {
        if fields.has("awsaccesskeyid") || fields.has("signature") {
            return Err(authorization::version_2_refused());
        }
        if fields.has("x-amz-security-token") {
            return Err(token_refused());
        }
        if !OF_SIGNATURE.iter().any(|name| fields.has(name)) {
            return Err(Code::AccessDenied.into());
        }
        let claim = claim(fields)?;
        let policy = fields.required("policy")?;
        fields.required("key")?;
        self.check_scope(&claim, |reason| {
            invalid("X-Amz-Credential", &format!("Invalid credential: {reason}"))
        })?;
        self.check_identity(&claim.credential)?;
        let key = self.key_for(&claim.credential);
        // aws-lc compares in constant time.
        verify(&key, policy.as_bytes(), &claim.signature.0)
            .map_err(|_| Code::SignatureDoesNotMatch)?;
        check_age(&claim.timestamp, now)?;
        let (length, breach) = match PostPolicy::read(policy)?.check(fields, bucket, now) {
            Ok(length) => (length, None),
            Err(breach) => (0..=u64::MAX, Some(breach)),
        };
        Ok(FormProof {
            authenticated: Authenticated {
                identity: claim.credential.access_key_id,
                signed: signed(fields),
                kind: SignatureKind::Form,
            },
            length,
            breach,
        })
    }
}

/// All headers that the fields make.
fn signed(fields: &Fields) -> SignedHeaders {
    let mut signed = SignedHeaders(fields.names().map(str::to_owned).collect());
    if fields.has("acl") {
        signed.insert("x-amz-acl");
    }
    signed
}

fn claim(fields: &Fields) -> Result<Claim, S3Error> {
    if fields.required("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        let message = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
        return Err(invalid("X-Amz-Algorithm", message));
    }
    let credential = Credential::parse(fields.required("X-Amz-Credential")?);
    let timestamp = Timestamp::from_iso8601(fields.required("X-Amz-Date")?);
    let signature = fields.required("X-Amz-Signature")?;
    Ok(Claim {
        credential: credential.ok_or_else(|| {
            let form = "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
            invalid(
                "X-Amz-Credential",
                &format!("The credential is mal-formed; {form}"),
            )
        })?,
        timestamp: timestamp.ok_or_else(|| {
            let message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
            invalid("X-Amz-Date", message)
        })?,
        signed_headers: Vec::new(),
        signature: Signature::parse(signature.as_bytes()).ok_or(Code::SignatureDoesNotMatch)?,
    })
}

fn check_age(timestamp: &Timestamp, now: SystemTime) -> Result<(), S3Error> {
    let start = timestamp.time();
    let message = if start > now + MAX_SKEW {
        "Request is not valid yet"
    } else if now > start + MAX_AGE {
        "Request has expired"
    } else {
        return Ok(());
    };
    Err(S3Error::with_message(Code::AccessDenied, message))
}

fn invalid(field: &str, message: &str) -> S3Error {
    S3Error::with_message(Code::InvalidArgument, message.to_owned()).argument(field, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::credentials::Credentials;

    /// The policy of "Example: Browser-Based Upload using HTTP POST" of the S3 API reference.
    const POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    /// The signature that the page gives for it.
    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

    /// The form of that page, but for one field, at a number of days after its date.
    fn authenticate(field: &str, value: &str, days: u64) -> Result<FormProof, S3Error> {
        let mut fields = Fields::default();
        for (name, good) in [
            ("key", "user/user1/${filename}"),
            ("acl", "public-read"),
            (
                "success_action_redirect",
                "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
            ),
            ("Content-Type", "image/jpeg"),
            ("x-amz-meta-uuid", "14365123651274"),
            ("x-amz-server-side-encryption", "AES256"),
            (
                "X-Amz-Credential",
                "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
            ),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Date", "20151229T000000Z"),
            ("x-amz-meta-tag", ""),
            ("Policy", POLICY),
            ("X-Amz-Signature", SIGNATURE),
        ] {
            let value = if name == field { value } else { good };
            fields.push(name, value.to_owned());
        }
        fields.expand("photo.jpg", 4096).unwrap();
        let credentials = Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned().into(),
        };
        let date = Timestamp::from_iso8601("20151229T000000Z").unwrap();
        let now = date.time() + Duration::from_secs(days * 24 * 60 * 60);
        Authenticator::new(&credentials, "us-east-1").authenticate_form(
            &fields,
            "sigv4examplebucket",
            now,
        )
    }

    #[test]
    fn the_published_form_is_accepted() {
        let proof = authenticate("", "", 1).unwrap();
        assert_eq!(proof.authenticated.identity, "AKIAIOSFODNN7EXAMPLE");
        assert!(proof.authenticated.signed.covers("x-amz-acl"));
        assert_eq!(proof.length, 0..=u64::MAX);
        assert!(proof.breach.is_none());
    }

    #[track_caller]
    fn refused(field: &str, value: &str, days: u64, code: Code) {
        let proof = authenticate(field, value, days);
        let error = match proof {
            Ok(proof) => proof.breach.unwrap().error,
            Err(error) => error,
        };
        assert_eq!(error.code(), code, "{error}");
    }

    #[test]
    fn a_changed_form_is_not() {
        let other = SIGNATURE.replacen('8', "9", 1);
        refused("X-Amz-Signature", &other, 1, Code::SignatureDoesNotMatch);
        let policy = POLICY.replacen("eyAi", "eyAj", 1);
        refused("Policy", &policy, 1, Code::SignatureDoesNotMatch);
        refused("key", "user/user2/a", 1, Code::AccessDenied);
        refused("x-amz-meta-uuid", "1", 1, Code::AccessDenied);
        refused("", "", 2, Code::AccessDenied);
        refused("", "", 8, Code::AccessDenied);
    }
}
