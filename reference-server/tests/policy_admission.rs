//! The rows of the SSE-C policy that need the request alone: what was not signed, what did not come
//! over TLS, what does not belong into a request. Typed from the contract, sections 0.3, 2.1 and 2.9.

use http::{HeaderMap, HeaderValue};
use reference_server::ssec::headers::SsecHeaders;
use reference_server::ssec::policy::{Channel, Coverage, admit, coverage};
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

/// Asks `admit` about headers of which the named ones are signed.
fn admitted(channel: Channel, presigned: bool, pairs: &[Pair], signed: &[&str]) -> Answer {
    let headers = headers(pairs);
    let coverage = coverage(&headers, |name| signed.contains(&name), presigned);
    let shown = SsecHeaders::read(&headers, []);
    answer(admit(&coverage, channel, &shown))
}

#[test]
fn unsigned_headers_are_refused_before_anything_else() {
    let all = [ALGORITHM, KEY, MD5];
    let secure = |presigned, pairs: &[Pair], signed: &[&str]| {
        admitted(Channel::Secure, presigned, pairs, signed)
    };
    for presigned in [true, false] {
        admits(&secure(presigned, &[A, K1, M1], &all)); // U1
        refused(
            secure(presigned, &[A, K1, M1], &[]),
            403,
            "AccessDenied",
            UNSIGNED,
        ); // U3 U13
        let half = secure(presigned, &[A, K1, M1], &[KEY, MD5]); // U4
        refused(half, 403, "AccessDenied", UNSIGNED);
        let other = secure(presigned, &[("x-amz-meta-note", "x")], &[]);
        refused(other, 403, "AccessDenied", UNSIGNED);
        admits(&secure(presigned, &[("content-type", "text/plain")], &[]));
    }
    admits(&secure(true, &[A, K1, M1], &[ALGORITHM])); // U2: the leniency
    refused(
        secure(false, &[A, K1, M1], &[ALGORITHM]),
        403,
        "AccessDenied",
        UNSIGNED,
    );
    let clear = admitted(Channel::Clear, true, &[A, K1, M1], &[]);
    refused(clear, 403, "AccessDenied", UNSIGNED);
}

#[test]
fn unsigned_headers_are_named_in_order() {
    let headers = headers(&[M1, K1, A, ("x-amz-acl", "private")]);
    let expected = ["x-amz-acl", ALGORITHM, KEY, MD5]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(
        coverage(&headers, |_| false, true),
        Coverage::Lacks(expected)
    );
}

#[test]
fn ssec_needs_tls() {
    let all = [ALGORITHM, KEY, MD5, SOURCE_KEY];
    for pairs in [&[A, K1, M1][..], &[A], &[K0], &[(SOURCE_KEY, K1.1)]] {
        let clear = admitted(Channel::Clear, false, pairs, &all); // P27 G18 U12
        refused(clear, 400, "InvalidRequest", TLS);
    }
    admits(&admitted(Channel::Clear, false, &[], &[]));
    admits(&admitted(
        Channel::ClearByConsent,
        false,
        &[A, K1, M1],
        &all,
    ));
    admits(&admitted(Channel::Secure, false, &[A, K1, M1], &all));
}

#[test]
fn a_copy_sources_triple_and_the_query_are_refused() {
    let source = admitted(Channel::Secure, false, &[(SOURCE_KEY, K1.1)], &[SOURCE_KEY]); // P26
    refused(source, 400, "InvalidRequest", NOT_APPLICABLE);
    let words = "Server Side Encryption with Customer provided keys must be requested with headers, not in the query string.";
    for name in [ALGORITHM, KEY, MD5] {
        let shown = SsecHeaders::read(&HeaderMap::new(), [name]); // U9 U10 U11
        let result = admit(&Coverage::Full, Channel::Secure, &shown);
        refused(answer(result), 400, "InvalidArgument", words);
    }
}
