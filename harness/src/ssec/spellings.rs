//! How a secret of some bytes may be written.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};
use zeroize::{Zeroize as _, Zeroizing};

use super::customer_key::CustomerKey;

pub(super) const BASE64: &str = "base64";
pub(super) const URL_SAFE_BASE64: &str = "url-safe base64";
/// How the names of those end that stand in the base64 of something longer.
pub(super) const WITHIN: &str = "within base64";

/// Whether the spelling of that name is base64, of which a character holds bits of two bytes.
pub(super) fn is_base64(name: &str) -> bool {
    name.ends_with("base64") && !name.contains("hex")
}

/// Whether it is of either alphabet of base64.
pub(super) const fn is_of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// A character of the URL-safe alphabet as the one that stands for the same bits in the other.
pub(super) const fn of_one_alphabet(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// Every spelling of a key that is looked for, without base64 padding.
pub(super) fn key_forms(key: &CustomerKey) -> Vec<(&'static str, Vec<u8>)> {
    let raw = key.expose().as_slice();
    let text = key.base64();
    let text = text.as_bytes();
    let mut forms = vec![
        ("raw bytes", raw.to_vec()),
        (BASE64, trimmed(key.base64().to_string())),
        (URL_SAFE_BASE64, trimmed(BASE64_URL_SAFE.encode(raw))),
        (
            "lower-cased base64",
            trimmed(key.base64().to_ascii_lowercase()),
        ),
        ("base64 of base64", trimmed(BASE64_STANDARD.encode(text))),
        ("hex", hex::encode(raw).into_bytes()),
        ("upper-case hex", hex::encode_upper(raw).into_bytes()),
        ("hex of base64", hex::encode(text).into_bytes()),
        (
            "upper-case hex of base64",
            hex::encode_upper(text).into_bytes(),
        ),
    ];
    for before in [1, 2] {
        forms.push(("base64 within base64", inside_base64(raw, before)));
        forms.push((
            "base64 of base64 within base64",
            inside_base64(text, before),
        ));
    }
    forms
}

/// Every spelling of a digest that is looked for, without base64 padding.
pub(super) fn digest_forms(digest: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("raw bytes", digest.to_vec()),
        (BASE64, trimmed(BASE64_STANDARD.encode(digest))),
        (URL_SAFE_BASE64, trimmed(BASE64_URL_SAFE.encode(digest))),
        ("hex", hex::encode(digest).into_bytes()),
        ("upper-case hex", hex::encode_upper(digest).into_bytes()),
        (
            "base64 of hex",
            trimmed(BASE64_STANDARD.encode(hex::encode(digest))),
        ),
    ]
}

/// How `secret` reads in the base64 of something longer, `before` bytes into a group of three.
pub(super) fn inside_base64(secret: &[u8], before: usize) -> Vec<u8> {
    let mut padded = vec![0; before];
    padded.extend_from_slice(secret);
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(&padded));
    padded.zeroize();
    // Characters that hold a bit of a neighbour are not the secret's alone.
    let (first, last) = ((before * 8).div_ceil(6), (before + secret.len()) * 8 / 6);
    encoded.as_bytes()[first..last].to_vec()
}

/// Without padding: a peer may have taken it away.
pub(super) fn trimmed(encoded: String) -> Vec<u8> {
    let mut bytes = encoded.into_bytes();
    while bytes.last() == Some(&b'=') {
        bytes.pop();
    }
    bytes
}
