//! From a request's head to a proof of who sent it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::hmac::{Key, verify};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use super::canonical::CanonicalRequest;
use super::chunk_signature::ChunkSigner;
use super::claim::{Claim, Credential};
use super::credentials::Credentials;
use super::payload::{Payload, PayloadHash, UNSIGNED_PAYLOAD};
use super::signing_key::SigningKeys;
use super::timestamp::{MAX_SKEW, Timestamp, for_people};
use super::{Authenticated, SignatureKind, SignedHeaders, authorization, presigned};
use crate::s3_error::{Code, S3Error};

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const AMZ_DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";

/// What a signature is made over, decoded but not interpreted.
pub struct RequestHead<'a> {
    /// The method as sent.
    pub method: &'a Method,
    /// The path, decoded to bytes.
    pub path: &'a [u8],
    /// All of the query, decoded, in the order sent.
    pub query: &'a [(String, String)],
    /// All headers.
    pub headers: &'a HeaderMap,
}

/// What a valid signature gives.
#[derive(Debug)]
pub struct Proof {
    /// Who sent the request, and what the signature covers.
    pub authenticated: Authenticated,
    /// How the body is tied to the signature.
    pub payload: Payload,
}

impl Proof {
    /// What is known of a preflight: nothing.
    pub(crate) fn of_preflight() -> Self {
        Self {
            authenticated: Authenticated {
                identity: String::new(),
                signed: SignedHeaders::default(),
                kind: SignatureKind::Preflight,
            },
            payload: Payload::Unsigned,
        }
    }
}

/// Verifies signatures for one pair of credentials in one region.
pub struct Authenticator {
    access_key_id: String,
    keys: SigningKeys,
}

impl Authenticator {
    /// An authenticator for requests signed with `credentials` for `region`.
    pub fn new(credentials: &Credentials, region: &str) -> Self {
        Self {
            access_key_id: credentials.access_key_id.clone(),
            keys: SigningKeys::new(&credentials.secret_access_key, region),
        }
    }

    /// Verifies the signature of a request that arrived at `now`.
    ///
    /// # Errors
    /// The S3 error that says what is wrong, and never what a right signature would be.
    pub fn authenticate(&self, head: &RequestHead<'_>, now: SystemTime) -> Result<Proof, S3Error> {
        let in_query = presigned::is_presigned(head.query);
        let in_header = head.headers.contains_key(AUTHORIZATION);
        if presigned::is_version_2(head.query) {
            return Err(authorization::version_2_refused());
        }
        refuse_session_token(head)?;
        match (in_header, in_query) {
            (true, true) => Err(S3Error::with_message(
                Code::InvalidArgument,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or \
                 the Authorization header should be specified",
            )
            .argument("Authorization", None)),
            (true, false) => self.signed_in_header(head, now),
            (false, true) => self.signed_in_query(head, now),
            (false, false) => Err(Code::AccessDenied.into()),
        }
    }

    fn signed_in_header(&self, head: &RequestHead<'_>, now: SystemTime) -> Result<Proof, S3Error> {
        let claim = authorization::read(head.headers)?;
        self.check_scope(&claim, authorization::malformed)?;
        self.check_identity(&claim.credential)?;
        check_skew(&claim.timestamp, now)?;
        let hash = payload_header(head.headers)?.ok_or_else(|| {
            S3Error::with_message(
                Code::InvalidRequest,
                "Missing required header for this request: x-amz-content-sha256",
            )
        })?;
        // Both are in what was signed, whether they are listed or not.
        let covered = [CONTENT_SHA256, AMZ_DATE];
        self.prove(head, &claim, hash, SignatureKind::Header, &covered)
    }

    fn signed_in_query(&self, head: &RequestHead<'_>, now: SystemTime) -> Result<Proof, S3Error> {
        let presigned = presigned::read(head.query)?;
        let claim = &presigned.claim;
        self.check_scope(claim, |reason| {
            presigned::invalid(&format!(
                "Error parsing the X-Amz-Credential parameter; {reason}"
            ))
        })?;
        self.check_identity(&claim.credential)?;
        presigned.check_time(now)?;
        let in_header = payload_header(head.headers)?;
        let signed_in_header = in_header.filter(|_| {
            claim
                .signed_headers
                .iter()
                .any(|name| name == CONTENT_SHA256)
        });
        let in_query = head
            .query
            .iter()
            .find(|(name, _)| name == presigned::CONTENT_SHA256)
            .map(|(_, value)| value.as_str());
        let hash = in_query.or(signed_in_header).unwrap_or(UNSIGNED_PAYLOAD);
        let covered: &[&str] = if in_header == Some(hash) {
            &[CONTENT_SHA256]
        } else {
            &[]
        };
        self.prove(head, claim, hash, SignatureKind::Presigned, covered)
    }

    /// Region, service and day of the credential, in the words that `refuse` puts around them.
    pub(super) fn check_scope(
        &self,
        claim: &Claim,
        refuse: impl Fn(&str) -> S3Error,
    ) -> Result<(), S3Error> {
        let Credential {
            date,
            region,
            service,
            ..
        } = &claim.credential;
        if service != "s3" {
            return Err(refuse(
                "incorrect service. This endpoint belongs to \"s3\".",
            ));
        }
        let expected = self.keys.region();
        if region != expected {
            let reason = format!("the region '{region}' is wrong; expecting '{expected}'");
            return Err(refuse(&reason).detail("Region", expected));
        }
        if date != claim.timestamp.date() {
            let reason = format!(
                "Invalid credential date \"{date}\". This date is not the same as X-Amz-Date: \
                 \"{}\".",
                claim.timestamp.date()
            );
            return Err(refuse(&reason));
        }
        Ok(())
    }

    pub(super) fn check_identity(&self, credential: &Credential) -> Result<(), S3Error> {
        if credential.access_key_id == self.access_key_id {
            return Ok(());
        }
        Err(S3Error::new(Code::InvalidAccessKeyId)
            .detail("AWSAccessKeyId", credential.access_key_id.clone()))
    }

    /// The key of the day that a credential names.
    pub(super) fn key_for(&self, credential: &Credential) -> Arc<Key> {
        self.keys.for_date(&credential.date)
    }

    fn prove(
        &self,
        head: &RequestHead<'_>,
        claim: &Claim,
        payload_hash: &str,
        kind: SignatureKind,
        also_covered: &[&str],
    ) -> Result<Proof, S3Error> {
        if !claim.signed_headers.iter().any(|name| name == "host") {
            return Err(headers_not_signed("host"));
        }
        let payload = PayloadHash::parse(payload_hash)?;
        let canonical = CanonicalRequest {
            method: head.method,
            path: head.path,
            query: head.query,
            headers: head.headers,
            signed_headers: &claim.signed_headers,
            payload_hash,
        };
        let hash = canonical.hash().ok_or(Code::SignatureDoesNotMatch)?;
        let scope = claim.credential.scope();
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}",
            claim.timestamp.as_str()
        );
        let key = self.key_for(&claim.credential);
        // aws-lc compares in constant time.
        verify(&key, text.as_bytes(), &claim.signature.0)
            .map_err(|_| Code::SignatureDoesNotMatch)?;
        let names = claim
            .signed_headers
            .iter()
            .map(String::as_str)
            .chain(also_covered.iter().copied());
        Ok(Proof {
            authenticated: Authenticated {
                identity: self.access_key_id.clone(),
                signed: SignedHeaders(names.map(str::to_owned).collect::<BTreeSet<_>>()),
                kind,
            },
            payload: payload_of(payload, key, claim, scope),
        })
    }
}

/// 403 AccessDenied for headers that came without being signed, names joined by commas.
pub(crate) fn headers_not_signed(names: &str) -> S3Error {
    S3Error::with_message(
        Code::AccessDenied,
        "There were headers present in the request which were not signed",
    )
    .detail("HeadersNotSigned", names)
}

fn payload_of(hash: PayloadHash, key: Arc<Key>, claim: &Claim, scope: String) -> Payload {
    match hash {
        PayloadHash::Unsigned => Payload::Unsigned,
        PayloadHash::Sha256(hash) => Payload::Sha256(hash),
        PayloadHash::ChunkedUnsigned => Payload::ChunkedUnsigned,
        PayloadHash::ChunkedSigned { trailer } => Payload::ChunkedSigned {
            signer: ChunkSigner::new(key, claim.timestamp.as_str(), scope, claim.signature),
            trailer,
        },
    }
}

fn refuse_session_token(head: &RequestHead<'_>) -> Result<(), S3Error> {
    let in_query = head
        .query
        .iter()
        .any(|(name, _)| name == presigned::SECURITY_TOKEN);
    if in_query || head.headers.contains_key(SECURITY_TOKEN) {
        return Err(token_refused());
    }
    Ok(())
}

/// 400 InvalidToken: there are no temporary credentials here.
pub(super) fn token_refused() -> S3Error {
    S3Error::with_message(
        Code::InvalidToken,
        "This server has no temporary credentials: send the request without a session token.",
    )
}

fn check_skew(timestamp: &Timestamp, now: SystemTime) -> Result<(), S3Error> {
    if timestamp.is_near(now) {
        return Ok(());
    }
    Err(S3Error::new(Code::RequestTimeTooSkewed)
        .detail("RequestTime", timestamp.as_str())
        .detail("ServerTime", for_people(now))
        .detail(
            "MaxAllowedSkewMilliseconds",
            MAX_SKEW.as_millis().to_string(),
        ))
}

/// The value of `x-amz-content-sha256`, if it came, which it may once.
fn payload_header(headers: &HeaderMap) -> Result<Option<&str>, S3Error> {
    let mut values = headers.get_all(CONTENT_SHA256).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    value.map(Some).ok_or_else(|| {
        S3Error::with_message(
            Code::InvalidArgument,
            "x-amz-content-sha256 must be one value",
        )
        .argument(CONTENT_SHA256, None)
    })
}
