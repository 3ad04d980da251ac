//! The signature of a form, over the base64 text of its policy; and preflights, which have none.
//!
//! Source: S3 API reference, "Authenticating Requests: Browser-Based Uploads Using POST".

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::bytewise::{ALGORITHM, hmac, scope, signing_key};
use super::{Signer, assemble};
use crate::clock::{amz_date, rfc3339};
use crate::error::Error;
use crate::s3::form::{BOUNDARY, Condition, UnsignedForm, body, encoded, policy};
use crate::s3::request::Request;
use crate::scenario::definition::{FormFault, Presign};
use crate::ssec::SsecHeaders;
use crate::transport::SignedRequest;

/// How much longer a policy lives that was changed after it was signed.
const LONGER: Duration = Duration::from_secs(60);

/// A form as it goes out. No `Debug`: it carries keys and a signature.
pub struct SignedForm {
    pub request: SignedRequest,
    /// The signature that was sent, and the right one.
    pub signatures: [String; 2],
}

impl Signer<'_> {
    /// Signs a form that is sent to `request`.
    ///
    /// # Errors
    /// When a header cannot travel.
    pub fn sign_form(&self, request: Request, form: &UnsignedForm) -> Result<SignedForm, Error> {
        let at = self.now.checked_sub(form.age);
        let at = at.unwrap_or(SystemTime::UNIX_EPOCH);
        let date = amz_date(at);
        let credential = format!("{}/{}", self.credentials.access_key_id, scope(self, &date));
        let mut own = vec![
            ("x-amz-algorithm", ALGORITHM.to_owned()),
            ("x-amz-credential", credential),
            ("x-amz-date", date.clone()),
        ];
        if let Some(token) = self.credentials.expose_session_token() {
            own.push(("x-amz-security-token", token.to_owned()));
        }
        let mut conditions = form.conditions.clone();
        conditions.extend(
            own.iter()
                .map(|(name, value)| Condition::Equals((*name).to_owned(), value.clone())),
        );
        let until = |end: SystemTime| encoded(&policy(&rfc3339(end), &conditions));
        let end = at + form.expires;
        let right = until(end);
        let signature = hex::encode(hmac(&signing_key(self, &date), right.as_bytes()));
        let (mut sent_policy, mut sent_signature) = (right, signature.clone());
        match form.fault {
            Some(FormFault::Policy) => sent_policy = until(end + LONGER),
            Some(FormFault::Signature) => {
                let last = sent_signature.pop();
                sent_signature.push(if last == Some('0') { '1' } else { '0' });
            }
            Some(FormFault::Cut) | None => {}
        }
        own.push(("policy", sent_policy));
        own.push(("x-amz-signature", sent_signature.clone()));
        let mut fields = form.fields.clone();
        fields.extend(
            own.into_iter()
                .map(|(name, value)| (name.to_owned(), value.into_bytes())),
        );
        let (body, in_front) = body(&fields, &form.file, form.fault);
        let mut headers = request.headers.clone();
        headers.push((
            "Content-Type".to_owned(),
            format!("multipart/form-data; boundary={BOUNDARY}").into_bytes(),
        ));
        let mut signed = assemble(request.with_body(body), &[], headers)?;
        signed.fields = in_front;
        Ok(SignedForm {
            request: signed,
            signatures: [sent_signature, signature],
        })
    }

    /// A preflight: as a browser sends it, without a signature; with `presign` to the URL that was
    /// signed for a request of `method`.
    ///
    /// # Errors
    /// When a header cannot travel or be signed.
    pub fn preflight(
        &self,
        request: Request,
        method: &'static str,
        presign: Option<(&Presign, &SsecHeaders)>,
    ) -> Result<SignedRequest, Error> {
        let Some((presign, signed_as)) = presign else {
            let (query, headers) = (request.query.clone(), request.headers.clone());
            return assemble(request, &query, headers);
        };
        // What the page would send is signed, not what the browser asks beforehand.
        let asked = request.headers.clone();
        let asking = Request {
            method,
            headers: Vec::new(),
            body: Bytes::new(),
            ..request
        };
        let nothing = SsecHeaders::default();
        let mut signed = self.presign_step(asking, &nothing, signed_as, presign)?;
        signed.method = "OPTIONS";
        let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
        signed.headers.retain(|(name, _)| !is_length(name));
        signed.headers.extend(asked);
        signed.check()?;
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::s3::Bucket;

    /// The policy of the page "Example: Browser-Based Upload using HTTP POST" of the S3 API
    /// reference, in base64 as printed there, and the signature that the page gives for it.
    const POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

    fn signer(credentials: &Credentials) -> Signer<'_> {
        Signer {
            credentials,
            region: "us-east-1",
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_451_347_200),
        }
    }

    fn credentials() -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, None)
    }

    #[test]
    fn the_published_policy_has_the_published_signature() {
        let credentials = credentials();
        let key = signing_key(&signer(&credentials), "20151229T000000Z");
        assert_eq!(hex::encode(hmac(&key, POLICY.as_bytes())), SIGNATURE);
    }

    /// The fields of a form with this fault, by name.
    fn sent(fault: Option<FormFault>) -> (Vec<(String, String)>, [String; 2]) {
        let form = UnsignedForm {
            fields: vec![("key".to_owned(), b"o".to_vec())],
            conditions: vec![Condition::Equals("key".to_owned(), "o".to_owned())],
            expires: Duration::from_secs(300),
            age: Duration::from_secs(60),
            file: Bytes::from_static(b"file"),
            fault,
        };
        let credentials = credentials();
        let request = Request::new("POST", &Bucket::of_tests(), "");
        let signed = signer(&credentials).sign_form(request, &form).unwrap();
        let fields = crate::s3::form::fields_sent(&signed.request.body[..signed.request.fields]);
        let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
        let fields = fields.into_iter().map(|(name, value)| (name, text(value)));
        (fields.collect(), signed.signatures)
    }

    #[test]
    fn a_form_is_signed_over_its_policy_and_a_fault_comes_after() {
        let field = |fields: &[(String, String)], name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap()
        };
        let (good, [shown, right]) = sent(None);
        assert_eq!(shown, right);
        assert_eq!(field(&good, "x-amz-signature"), right);
        assert_eq!(field(&good, "x-amz-date"), "20151228T235900Z");
        let credentials = credentials();
        let key = signing_key(&signer(&credentials), "20151228T235900Z");
        let policy = field(&good, "policy");
        assert_eq!(hex::encode(hmac(&key, policy.as_bytes())), right);
        let (other, signatures) = sent(Some(FormFault::Policy));
        assert_eq!(signatures, [right.clone(), right.clone()]);
        assert_ne!(field(&other, "policy"), policy);
        let (_, [shown, kept]) = sent(Some(FormFault::Signature));
        assert_eq!(kept, right);
        assert_ne!(shown, right);
    }

    #[test]
    fn a_preflight_has_no_signature_but_that_of_its_url() {
        let credentials = credentials();
        let signer = signer(&credentials);
        let request =
            Request::new("OPTIONS", &Bucket::of_tests(), "o").with_header("Origin", "https://p");
        let plain = signer.preflight(request.clone(), "PUT", None).unwrap();
        let has = |signed: &SignedRequest, name: &str| {
            let names = signed.headers.iter().map(|(name, _)| name);
            names
                .into_iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        assert!(has(&plain, "origin") && !has(&plain, "authorization"));
        assert_eq!((plain.method, plain.target.as_str()), ("OPTIONS", "/b/o"));
        let presign = Presign {
            sign: std::collections::BTreeSet::new(),
            query: std::collections::BTreeSet::new(),
            signed_as: None,
            expires: 60,
            age: 0,
        };
        let none = SsecHeaders::default();
        let asked = signer
            .preflight(request, "PUT", Some((&presign, &none)))
            .unwrap();
        let put = signer
            .presign_step(
                Request::new("PUT", &Bucket::of_tests(), "o"),
                &none,
                &none,
                &presign,
            )
            .unwrap();
        assert_eq!((asked.method, &asked.target), ("OPTIONS", &put.target));
        assert!(has(&asked, "origin") && !has(&asked, "content-length"));
    }
}
