//! A signer over bytes, from the page "Signature Calculations for the Authorization Header" of the
//! S3 API reference: for headers that stand twice or are no text, which `aws-sigv4` cannot carry.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};

use super::chunked::STREAMING;
use super::{Hash, Signable, Signer, UNSIGNED_PAYLOAD};
use crate::clock::amz_date;
use crate::s3::request::encode;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The headers that authenticate the request.
pub(super) fn in_headers(signer: &Signer<'_>, signable: &Signable<'_>) -> Vec<(String, String)> {
    let date = amz_date(signable.at);
    let payload = hash_of(signable.payload);
    let mut added = vec![
        ("x-amz-date".to_owned(), date.clone()),
        ("x-amz-content-sha256".to_owned(), payload.clone()),
    ];
    if let Some(token) = signer.credentials.expose_session_token() {
        added.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    let mut headers = signable.headers.to_vec();
    headers.extend(
        added
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into_bytes())),
    );
    let headers = canonical_headers(&headers);
    let signature = signature(signer, signable, signable.query, &headers, &payload, &date);
    let value = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        signer.credentials.access_key_id,
        scope(signer, &date),
        signed_headers(&headers),
    );
    added.push(("authorization".to_owned(), value));
    added
}

/// The query parameters that authenticate the request, `X-Amz-Signature` last.
pub(super) fn in_query(
    signer: &Signer<'_>,
    signable: &Signable<'_>,
    expires: Duration,
) -> Vec<(String, String)> {
    let date = amz_date(signable.at);
    let headers = canonical_headers(signable.headers);
    let credential = format!(
        "{}/{}",
        signer.credentials.access_key_id,
        scope(signer, &date)
    );
    let mut added: Vec<(String, String)> = [
        ("X-Amz-Algorithm", ALGORITHM.to_owned()),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", date.clone()),
        ("X-Amz-Expires", expires.as_secs().to_string()),
        ("X-Amz-SignedHeaders", signed_headers(&headers)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(token) = signer.credentials.expose_session_token() {
        added.push(("X-Amz-Security-Token".to_owned(), token.to_owned()));
    }
    let query = [signable.query, &added].concat();
    let payload = hash_of(signable.payload);
    let signature = signature(signer, signable, &query, &headers, &payload, &date);
    added.push(("X-Amz-Signature".to_owned(), signature));
    added
}

/// Lower-case name to value; values of one name are joined by commas in the order in which they
/// are sent.
pub(super) fn canonical_headers(headers: &[(String, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
    let mut canonical: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, value) in headers {
        let value = squeezed(value);
        canonical
            .entry(name.to_ascii_lowercase())
            .and_modify(|first| {
                first.push(b',');
                first.extend_from_slice(&value);
            })
            .or_insert(value);
    }
    canonical
}

/// Without spaces around, and with one space for several.
fn squeezed(value: &[u8]) -> Vec<u8> {
    let words = value
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

fn signed_headers(headers: &BTreeMap<String, Vec<u8>>) -> String {
    headers
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(";")
}

fn canonical_query(query: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn signature(
    signer: &Signer<'_>,
    signable: &Signable<'_>,
    query: &[(String, String)],
    headers: &BTreeMap<String, Vec<u8>>,
    payload: &str,
    date: &str,
) -> String {
    let mut request = Vec::new();
    for line in [signable.method, signable.path, &canonical_query(query)] {
        request.extend_from_slice(line.as_bytes());
        request.push(b'\n');
    }
    for (name, value) in headers {
        request.extend_from_slice(name.as_bytes());
        request.push(b':');
        request.extend_from_slice(value);
        request.push(b'\n');
    }
    request.extend_from_slice(format!("\n{}\n{payload}", signed_headers(headers)).as_bytes());
    let to_sign = format!(
        "{ALGORITHM}\n{date}\n{}\n{}",
        scope(signer, date),
        hex::encode(sha256(&request))
    );
    hex::encode(hmac(&signing_key(signer, date), to_sign.as_bytes()))
}

pub(super) fn scope(signer: &Signer<'_>, date: &str) -> String {
    format!("{}/{}/s3/aws4_request", day(date), signer.region)
}

fn day(date: &str) -> &str {
    &date[..8]
}

pub(super) fn signing_key(signer: &Signer<'_>, date: &str) -> Vec<u8> {
    let secret = format!("AWS4{}", signer.credentials.expose_secret());
    let parts = [day(date), signer.region, "s3", "aws4_request"];
    parts
        .into_iter()
        .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()))
}

fn hash_of(payload: Hash<'_>) -> String {
    match payload {
        Hash::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
        Hash::Streaming => STREAMING.to_owned(),
        Hash::Of(body) => hex::encode(sha256(body)),
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(super) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
        .as_ref()
        .to_vec()
}
