//! The rows of the SSE-C policy that need the request alone: what was not signed, what did not come
//! over TLS, what does not belong into a request. Typed from the contract, sections 0.3, 2.1 and 2.9.

use http::{HeaderMap, HeaderValue};
use reference_server::s3_error::S3Error;
use reference_server::ssec::headers::SsecHeaders;
use reference_server::ssec::policy::{Channel, admit};
use reference_server::ssec::refusal::Refusal;

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
const SOURCE_KEY: &str = "x-amz-copy-source-server-side-encryption-customer-key";

type Pair = (&'static str, &'static str);
const A: Pair = (ALGORITHM, "AES256");
const K1: Pair = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=");
const M1: Pair = (MD5, "DWygnHRtgiJ77HCm+1rvHw==");
const K0: Pair = (KEY, "");

const NOT_APPLICABLE: &str = "The encryption parameters are not applicable to this object.";
const TLS: &str = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
const UNSIGNED: &str = "There were headers present in the request which were not signed";

fn headers(pairs: &[Pair]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

type Answer = Result<(), (u16, &'static str, String)>;

fn answer(result: Result<(), Refusal>) -> Answer {
    result.map_err(|refusal| {
        let code = refusal.code();
        (
            code.status().as_u16(),
            code.as_str(),
            refusal.message().into_owned(),
        )
    })
}

#[track_caller]
fn admits(answer: &Answer) {
    assert_eq!(*answer, Ok(()));
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str, message: &str) {
    let (got_status, got_code, got_message) = answer.expect_err("it is refused");
    assert_eq!(
        (got_status, got_code, got_message.as_str()),
        (status, code, message)
    );
}

/// Asks `admit` about headers of which the named ones lack a signature.
fn admitted(channel: Channel, pairs: &[Pair], unsigned: &[&str]) -> Answer {
    let unsigned: Vec<_> = unsigned.iter().map(|name| (*name).to_owned()).collect();
    let shown = SsecHeaders::read(&headers(pairs), []);
    answer(admit(&unsigned, channel, &shown))
}

#[test]
fn unsigned_headers_are_refused_before_anything_else() {
    admits(&admitted(Channel::Secure, &[A, K1, M1], &[])); // U1 U2
    for channel in [Channel::Secure, Channel::Clear, Channel::ClearByConsent] {
        for unsigned in [
            &[ALGORITHM, KEY, MD5][..],
            &[ALGORITHM],
            &["x-amz-meta-note"],
        ] {
            let answer = admitted(channel, &[A, K1, M1], unsigned); // U3 U4 U13
            refused(answer, 403, "AccessDenied", UNSIGNED);
        }
    }
}

#[test]
fn the_refusal_names_what_is_not_signed() {
    let names = vec!["x-amz-acl".to_owned(), ALGORITHM.to_owned()];
    let error = S3Error::from(Refusal::Unsigned(names));
    let expected = format!("x-amz-acl, {ALGORITHM}");
    assert_eq!(error.details(), [("HeadersNotSigned", expected)]);
}

#[test]
fn ssec_needs_tls() {
    for pairs in [&[A, K1, M1][..], &[A], &[K0], &[(SOURCE_KEY, K1.1)]] {
        let clear = admitted(Channel::Clear, pairs, &[]); // P27 G18 U12
        refused(clear, 400, "InvalidRequest", TLS);
    }
    admits(&admitted(Channel::Clear, &[], &[]));
    admits(&admitted(Channel::ClearByConsent, &[A, K1, M1], &[]));
    admits(&admitted(Channel::Secure, &[A, K1, M1], &[]));
}

#[test]
fn a_copy_sources_triple_and_the_query_are_refused() {
    let source = admitted(Channel::Secure, &[(SOURCE_KEY, K1.1)], &[]); // P26
    refused(source, 400, "InvalidRequest", NOT_APPLICABLE);
    let words = "Server Side Encryption with Customer provided keys must be requested with headers, not in the query string.";
    for name in [ALGORITHM, KEY, MD5] {
        let shown = SsecHeaders::read(&HeaderMap::new(), [name]); // U9 U10 U11
        let result = admit(&[], Channel::Secure, &shown);
        refused(answer(result), 400, "InvalidArgument", words);
    }
}
