//! The SSE-C policy about copies, one line a row. The expected answers are typed from the contract,
//! sections 0.3 and 2.5.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a row reads better without a borrow"
)]

use http::{HeaderMap, HeaderValue};
use reference_server::ssec::dialect::Dialect::{self, Aws, Ovh};
use reference_server::ssec::headers::SsecHeaders;
use reference_server::ssec::policy::{
    self, Access, BucketRule, Channel, Intent, Stored, admit, decide,
};
use reference_server::ssec::refusal::Refusal;

const TARGET: &str = "x-amz-server-side-encryption-customer-";
const SOURCE: &str = "x-amz-copy-source-server-side-encryption-customer-";

/// Two keys of appendix C and their MD5s.
const K1: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
const M1: &str = "DWygnHRtgiJ77HCm+1rvHw==";
const M2: &str = "arxBvwY2V4SiOne6yppVPQ==";
const MD5_OF_K1: &str = "0d6ca09c746d82227bec70a6fb5aef1f";

const ARGUMENT: &str = "InvalidArgument";
const REQUEST: &str = "InvalidRequest";
const NEED_KEY: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const WRONG_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
const PARAMS_DIFFER: &str =
    "The provided encryption parameters did not match the ones used originally.";
const NOT_APPLICABLE: &str = "The encryption parameters are not applicable to this object.";
const MD5_MISMATCH: &str =
    "The calculated MD5 hash of the key did not match the hash that was provided.";
const MD5_MISSING: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.";
const ALG_INVALID: &str =
    "The Encryption request you specified is not valid. Supported value: AES256.";
const MIXED: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const OVH_MISSING: &str = "Missing X-Amz-Server-Side-Encryption-Customer-Key header";

/// A triple with a prefix: algorithm, key, MD5; an empty text leaves the header out.
fn triple(prefix: &str, values: [&'static str; 3]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (end, value) in ["algorithm", "key", "key-md5"].into_iter().zip(values) {
        if !value.is_empty() {
            let name: http::HeaderName = format!("{prefix}{end}").parse().expect("a header name");
            headers.append(name, HeaderValue::from_static(value));
        }
    }
    headers
}

type Answer = Result<Option<String>, (u16, &'static str, String, Option<String>)>;

fn answer(result: Result<Access<'_>, Refusal>) -> Answer {
    match result {
        Ok(Access::Plain) => Ok(None),
        Ok(Access::Customer(key)) => Ok(Some(hex::encode(key.md5()))),
        Err(refusal) => Err((
            refusal.code().status().as_u16(),
            refusal.code().as_str(),
            refusal.message().into_owned(),
            refusal.argument_value().map(str::to_owned),
        )),
    }
}

fn source(dialect: Dialect, stored: Stored, values: [&'static str; 3]) -> Answer {
    let mut headers = triple(SOURCE, values);
    // The target's triple never speaks for the source.
    headers.extend(triple(TARGET, ["AES256", K1, M1]));
    let shown = SsecHeaders::of_copy_source(&headers);
    answer(decide(dialect, Intent::Read(stored), &shown))
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str, message: &str, value: Option<&str>) {
    let (got_status, got_code, got_message, got_value) = answer.expect_err("it is refused");
    assert_eq!((got_status, got_code), (status, code));
    assert_eq!(
        (got_message.as_str(), got_value.as_deref()),
        (message, value)
    );
}

#[track_caller]
fn opens_with_k1(answer: Answer) {
    assert_eq!(answer, Ok(Some(MD5_OF_K1.to_owned())));
}

#[track_caller]
fn opens_plain(answer: Answer) {
    assert_eq!(answer, Ok(None));
}

#[test]
fn aws_sources() {
    opens_plain(source(Aws, Stored::Plain, ["", "", ""])); // C1 C3
    opens_with_k1(source(Aws, Stored::Ssec, ["AES256", K1, M1])); // C2 C4 C5
    let bare = source(Aws, Stored::Ssec, ["", "", ""]); // C6 C7
    refused(bare, 400, REQUEST, NEED_KEY, None);
    let kms = source(Aws, Stored::Ssec, ["KMS", K1, M1]); // C9
    refused(
        kms,
        400,
        "InvalidEncryptionAlgorithmError",
        ALG_INVALID,
        Some("KMS"),
    );
    let mismatch = source(Aws, Stored::Ssec, ["AES256", K1, M2]); // C10
    refused(mismatch, 400, ARGUMENT, MD5_MISMATCH, None);
    let no_md5 = source(Aws, Stored::Ssec, ["AES256", K1, ""]); // C11
    refused(no_md5, 400, ARGUMENT, MD5_MISSING, None);
    let plain = source(Aws, Stored::Plain, ["AES256", K1, M1]); // C12
    refused(plain, 400, REQUEST, NOT_APPLICABLE, None);
}

#[test]
fn wrong_keys_of_sources() {
    let wrong = |dialect, onto_itself| answer(Err(policy::wrong_source_key(dialect, onto_itself)));
    refused(wrong(Aws, false), 403, "AccessDenied", WRONG_KEY, None); // C8
    refused(wrong(Aws, true), 400, REQUEST, PARAMS_DIFFER, None); // C8, both keys equal
    refused(
        wrong(Ovh, false),
        403,
        "AccessDenied",
        "Access Denied.",
        None,
    );
    refused(
        wrong(Ovh, true),
        403,
        "AccessDenied",
        "Access Denied.",
        None,
    );
}

#[test]
fn ovh_sources() {
    opens_plain(source(Ovh, Stored::Plain, ["", "", ""])); // C1
    opens_plain(source(Ovh, Stored::Plain, ["AES256", K1, M1])); // C12
    opens_with_k1(source(Ovh, Stored::Ssec, ["AES256", K1, M1])); // C2
    opens_with_k1(source(Ovh, Stored::Ssec, ["KMS", K1, M2])); // C9 C10
    opens_with_k1(source(Ovh, Stored::Ssec, ["", K1, ""])); // C11
    let bare = source(Ovh, Stored::Ssec, ["", "", ""]); // C6 C7
    refused(bare, 400, "BadRequest", OVH_MISSING, None);
}

#[test]
fn the_target_of_a_copy_is_a_write() {
    let target = |headers: &HeaderMap| {
        let shown = SsecHeaders::read(headers, []);
        answer(decide(Aws, Intent::Write(BucketRule::Allows), &shown))
    };
    let kms = target(&triple(TARGET, ["KMS", K1, M1])); // C13
    refused(
        kms,
        400,
        "InvalidEncryptionAlgorithmError",
        ALG_INVALID,
        Some("KMS"),
    );
    let mut mixed = triple(TARGET, ["AES256", K1, M1]);
    let managed = HeaderValue::from_static("AES256");
    mixed.insert("x-amz-server-side-encryption", managed);
    refused(target(&mixed), 400, ARGUMENT, MIXED, Some("AES256")); // C14
    // The source's triple never speaks for the target.
    opens_plain(target(&triple(SOURCE, ["AES256", K1, M1])));
}

#[test]
fn a_source_triple_belongs_to_a_copy() {
    let admitted =
        |headers: &HeaderMap, channel| admit(&[], channel, &SsecHeaders::read(headers, []));
    let mut headers = triple(SOURCE, ["AES256", K1, M1]);
    let stray = admitted(&headers, Channel::Secure); // P26
    assert_eq!(stray, Err(Refusal::CopySourceTriple));
    headers.insert("x-amz-copy-source", HeaderValue::from_static("/b/o"));
    assert_eq!(admitted(&headers, Channel::Secure), Ok(()));
    assert_eq!(admitted(&headers, Channel::Clear), Err(Refusal::NotSecure));
}
