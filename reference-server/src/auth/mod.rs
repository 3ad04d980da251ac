//! AWS Signature Version 4: proves who sent a request, and hands on what the signature covered.
//!
//! It refuses what is not proven. It does not refuse a header for not being signed: that is the
//! policy's first row, and [`unsigned_amz_headers`] is what it asks. Signature Version 2 and
//! session tokens are refused by name.

mod authorization;
mod canonical;
pub mod chunk_signature;
mod claim;
pub mod credentials;
mod form;
pub mod payload;
mod post_policy;
mod presigned;
mod signing_key;
mod timestamp;
mod verify;

use std::collections::BTreeSet;

use http::HeaderMap;

pub(crate) use form::FormProof;
pub(crate) use presigned::belongs_to_signature;
pub(crate) use verify::headers_not_signed;
pub use verify::{Authenticator, Proof, RequestHead};

use crate::request::S3Request;

/// The target customer-key headers, in lower case.
pub const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
/// See [`CUSTOMER_ALGORITHM`].
pub const CUSTOMER_KEY: &str = "x-amz-server-side-encryption-customer-key";
/// See [`CUSTOMER_ALGORITHM`].
pub const CUSTOMER_KEY_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

/// What a verified signature proves.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The access key id of the signer.
    pub identity: String,
    /// The headers that the signature covers.
    pub signed: SignedHeaders,
    /// Where the signature was.
    pub kind: SignatureKind,
}

/// Where a request carried its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureKind {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned URL.
    Presigned,
    /// In the fields of a form, over its policy.
    Form,
    /// Nowhere: a browser asks whether a page may ask, and signs nothing.
    Preflight,
}

/// The names, in lower case, of the headers that a signature covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedHeaders(BTreeSet<String>);

impl SignedHeaders {
    /// Whether the signature covers the header; the name is given in lower case.
    pub fn covers(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Adds a name, as an impostor does that pretends that it was signed.
    pub fn insert(&mut self, name: &str) {
        self.0.insert(name.to_ascii_lowercase());
    }
}

/// The `x-amz-*` headers of the request that its signature does not cover and that have to be
/// refused for it, in alphabetical order: 403 AccessDenied with `HeadersNotSigned`.
///
/// One leniency, which AWS and the OVHcloud guide describe: on a presigned URL whose signature
/// covers the customer algorithm, the customer key and its MD5 may come unsigned.
pub fn unsigned_amz_headers(request: &S3Request) -> Vec<String> {
    unsigned_among(&request.headers, &request.authenticated)
}

fn unsigned_among(headers: &HeaderMap, authenticated: &Authenticated) -> Vec<String> {
    let signed = &authenticated.signed;
    let lenient =
        authenticated.kind == SignatureKind::Presigned && signed.covers(CUSTOMER_ALGORITHM);
    let mut unsigned: Vec<String> = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && !signed.covers(name))
        .filter(|name| !(lenient && (*name == CUSTOMER_KEY || *name == CUSTOMER_KEY_MD5)))
        .map(str::to_owned)
        .collect();
    unsigned.sort();
    unsigned
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    const ALL: [&str; 3] = [CUSTOMER_ALGORITHM, CUSTOMER_KEY, CUSTOMER_KEY_MD5];

    #[track_caller]
    fn check(kind: SignatureKind, signed: &[&str], sent: &[&str], refused: &[&str]) {
        let mut names = SignedHeaders::default();
        signed.iter().for_each(|name| names.insert(name));
        let authenticated = Authenticated {
            identity: "id".to_owned(),
            signed: names,
            kind,
        };
        let mut headers = HeaderMap::new();
        for name in sent {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("value"),
            );
        }
        assert_eq!(unsigned_among(&headers, &authenticated), refused);
    }

    #[test]
    fn nothing_is_refused_when_all_is_signed() {
        check(SignatureKind::Header, &ALL, &ALL, &[]);
        check(SignatureKind::Presigned, &ALL, &ALL, &[]);
    }

    #[test]
    fn unsigned_customer_headers_are_refused() {
        check(SignatureKind::Header, &["host"], &ALL, &ALL);
        check(SignatureKind::Presigned, &["host"], &ALL, &ALL);
    }

    #[test]
    fn a_presigned_algorithm_lets_key_and_md5_come_unsigned() {
        check(SignatureKind::Presigned, &[CUSTOMER_ALGORITHM], &ALL, &[]);
    }

    #[test]
    fn the_leniency_is_for_presigned_urls_only() {
        check(
            SignatureKind::Header,
            &[CUSTOMER_ALGORITHM],
            &ALL,
            &ALL[1..],
        );
    }

    #[test]
    fn the_leniency_needs_the_algorithm() {
        check(SignatureKind::Presigned, &ALL[1..], &ALL, &ALL[..1]);
    }

    #[test]
    fn the_leniency_covers_nothing_else() {
        check(
            SignatureKind::Presigned,
            &[CUSTOMER_ALGORITHM],
            &[
                CUSTOMER_ALGORITHM,
                CUSTOMER_KEY,
                "x-amz-meta-note",
                "x-amz-acl",
                "range",
            ],
            &["x-amz-acl", "x-amz-meta-note"],
        );
    }
}
