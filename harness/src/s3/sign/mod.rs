//! Signature Version 4, in the header or in the query, over a chosen set of headers.
//!
//! `aws-sigv4`, AWS's own signer, signs whatever it can carry. It cannot carry a header that stands
//! twice, nor a value that is not printable ASCII: those requests are signed by [`bytewise`],
//! which is tested against it and against the examples that AWS publishes.

mod aws;
mod bytewise;
mod chunked;
mod form;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::request::{Request, encode_query};
use crate::credentials::Credentials;
use crate::error::{Error, GivenError, OurError};
pub use crate::scenario::definition::Payload;
use crate::scenario::definition::{Presign, SsecHeader};
use crate::ssec::SsecHeaders;
use crate::transport::SignedRequest;

pub use form::SignedForm;

/// What stands for the hash of a body that the signature does not cover.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Headers that a presigned URL need not cover: whoever uses the URL may choose them.
const FREE_WHEN_PRESIGNED: [&str; 5] = [
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];

/// Who signs, where and when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub credentials: &'a Credentials,
    pub region: &'a str,
    pub now: SystemTime,
}

/// What a signature is made of. Headers are those covered, `host` among them.
struct Signable<'a> {
    method: &'a str,
    /// `https://` or `http://`, authority and encoded path, without query.
    url: &'a str,
    path: &'a str,
    query: &'a [(String, String)],
    headers: &'a [(String, Vec<u8>)],
    payload: Hash<'a>,
    at: SystemTime,
}

/// The hash of the body that enters the signature.
#[derive(Clone, Copy)]
enum Hash<'a> {
    Unsigned,
    /// The chunks of the body have signatures of their own.
    Streaming,
    Of(&'a [u8]),
}

impl Signable<'_> {
    /// Whether `aws-sigv4` can carry every header.
    fn suits_aws(&self) -> bool {
        let names: BTreeSet<String> = self
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        let printable = |value: &[u8]| value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
        names.len() == self.headers.len() && self.headers.iter().all(|(_, value)| printable(value))
    }
}

impl Signer<'_> {
    /// Signs a request of the control plane, or a step without SSE-C: every header is covered.
    ///
    /// # Errors
    /// When a header cannot be signed.
    pub fn sign(&self, request: Request, payload: Payload) -> Result<SignedRequest, Error> {
        self.sign_step(request, &SsecHeaders::default(), None, payload)
    }

    /// Signs a step in the `Authorization` header. `covered` are the SSE-C headers that the
    /// signature covers (`None`: all that are sent); the others are sent beside it.
    ///
    /// # Errors
    /// When a header cannot be signed.
    pub fn sign_step(
        &self,
        request: Request,
        ssec: &SsecHeaders,
        covered: Option<&BTreeSet<SsecHeader>>,
        payload: Payload,
    ) -> Result<SignedRequest, Error> {
        let covers = |header| covered.is_none_or(|covered| covered.contains(&header));
        let mut headers = request.headers.clone();
        if payload == Payload::Chunked {
            announce_chunks(&mut headers, request.body.len());
        }
        headers.extend(named(ssec, covers));
        let mut signed = vec![("host".to_owned(), authority(&request))];
        signed.extend(headers.iter().cloned());
        let signable = Signable {
            method: request.method,
            url: &url(&request),
            path: &request.path,
            query: &request.query,
            headers: &signed,
            payload: match payload {
                Payload::Unsigned => Hash::Unsigned,
                Payload::Chunked => Hash::Streaming,
                Payload::Signed => Hash::Of(&request.body),
            },
            at: self.now,
        };
        let added = if signable.suits_aws() {
            aws::in_headers(self, &signable)?
        } else {
            bytewise::in_headers(self, &signable)
        };
        headers.extend(named(ssec, |header| !covers(header)));
        let body = match payload {
            Payload::Signed | Payload::Unsigned => request.body.clone(),
            Payload::Chunked => self.in_chunks(&request.body, &added)?,
        };
        headers.extend(
            added
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes())),
        );
        let query = request.query.clone();
        assemble(request.with_body(body), &query, headers)
    }

    /// The body in chunks whose signatures go on from that of the head.
    fn in_chunks(&self, body: &[u8], added: &[(String, String)]) -> Result<Bytes, OurError> {
        let value = |wanted: &str| {
            let found = added
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let found = found.map(|(_, value)| value.as_str());
            found.ok_or_else(|| signing(format!("the signer made no {wanted}")))
        };
        let seed = value("authorization")?.rsplit_once("Signature=");
        let (_, seed) = seed.ok_or_else(|| signing("the signer made no signature"))?;
        Ok(chunked::encode(self, value("x-amz-date")?, seed, body))
    }

    /// Signs a step in the query. `sent` are the step's own SSE-C headers, `signed_as` the right
    /// triple whose values the signature covers where [`Presign::sign`] says so.
    ///
    /// # Errors
    /// When a header cannot be signed, or a value for the query is not text.
    pub fn presign_step(
        &self,
        request: Request,
        sent: &SsecHeaders,
        signed_as: &SsecHeaders,
        presign: &Presign,
    ) -> Result<SignedRequest, Error> {
        let mut query = request.query.clone();
        for value in sent
            .values
            .iter()
            .filter(|value| presign.query.contains(&value.header))
        {
            let name = value.header.wire_name();
            let text = std::str::from_utf8(&value.value).map_err(|_| GivenError::Step {
                why: format!("the value of {name} is not text, so it cannot stand in the query"),
            })?;
            query.push((name.to_owned(), text.to_owned()));
        }
        let mut signed = vec![("host".to_owned(), authority(&request))];
        let free = |name: &str| {
            FREE_WHEN_PRESIGNED
                .iter()
                .any(|free| free.eq_ignore_ascii_case(name))
        };
        signed.extend(
            request
                .headers
                .iter()
                .filter(|(name, _)| !free(name))
                .cloned(),
        );
        signed.extend(named(signed_as, |header| presign.sign.contains(&header)));
        let age = Duration::from_secs(presign.age.into());
        let signable = Signable {
            method: request.method,
            url: &url(&request),
            path: &request.path,
            query: &query,
            headers: &signed,
            payload: Hash::Unsigned,
            at: self.now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH),
        };
        let expires = Duration::from_secs(presign.expires.into());
        let added = if signable.suits_aws() {
            aws::in_query(self, &signable, expires)?
        } else {
            bytewise::in_query(self, &signable, expires)
        };
        query.extend(added);
        let mut headers = request.headers.clone();
        headers.extend(named(sent, |header| !presign.query.contains(&header)));
        assemble(request, &query, headers)
    }
}

/// What a request says whose body of `decoded` bytes goes in chunks.
fn announce_chunks(headers: &mut Vec<(String, Vec<u8>)>, decoded: usize) {
    let is_coding =
        |(name, _): &&mut (String, Vec<u8>)| name.eq_ignore_ascii_case("content-encoding");
    match headers.iter_mut().find(is_coding) {
        Some((_, value)) => value.splice(..0, *b"aws-chunked,").for_each(drop),
        None => headers.push(("Content-Encoding".to_owned(), b"aws-chunked".to_vec())),
    }
    let mut length = |name: &str, bytes: usize| {
        headers.push((name.to_owned(), bytes.to_string().into_bytes()));
    };
    length("Content-Length", chunked::length(decoded));
    length("x-amz-decoded-content-length", decoded);
}

fn named(ssec: &SsecHeaders, wanted: impl Fn(SsecHeader) -> bool) -> Vec<(String, Vec<u8>)> {
    let values = ssec.values.iter().filter(|value| wanted(value.header));
    values
        .map(|value| (value.header.wire_name().to_owned(), value.value.clone()))
        .collect()
}

fn authority(request: &Request) -> Vec<u8> {
    request.endpoint.authority_of(&request.host).into_bytes()
}

fn url(request: &Request) -> String {
    let scheme = if request.endpoint.tls {
        "https"
    } else {
        "http"
    };
    format!(
        "{scheme}://{}{}",
        request.endpoint.authority_of(&request.host),
        request.path
    )
}

/// The request as it goes out: `Host` first, then what was signed, then the body's length.
fn assemble(
    request: Request,
    query: &[(String, String)],
    headers: Vec<(String, Vec<u8>)>,
) -> Result<SignedRequest, Error> {
    let mut all = vec![
        ("Host".to_owned(), authority(&request)),
        (
            "User-Agent".to_owned(),
            concat!("ssec/", env!("CARGO_PKG_VERSION")).into(),
        ),
        // Absent, it would allow a proxy to compress, and a body to differ from the object.
        ("Accept-Encoding".to_owned(), "identity".into()),
        ("Connection".to_owned(), "close".into()),
    ];
    all.extend(headers);
    let has_length = all
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let sends_body = matches!(request.method, "PUT" | "POST") || !request.body.is_empty();
    if sends_body && !has_length {
        all.push((
            "Content-Length".to_owned(),
            request.body.len().to_string().into_bytes(),
        ));
    }
    let target = if query.is_empty() {
        request.path
    } else {
        format!("{}?{}", request.path, encode_query(query))
    };
    let signed = SignedRequest {
        method: request.method,
        host: request.host,
        target,
        headers: all,
        fields: 0,
        body: request.body,
    };
    signed.check()?;
    Ok(signed)
}

fn signing(why: impl std::fmt::Display) -> OurError {
    OurError::Signing {
        why: why.to_string(),
    }
}
