//! The SSE-C policy against the contract, one line a row. The expected answers are typed from the
//! contract (sections 0.3, 2.1 to 2.4 and 2.9), the vectors from its appendices B and C.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a row reads better without a borrow"
)]

use http::{HeaderMap, HeaderValue};
use reference_server::ssec::dialect::Dialect::{self, Aws, Ovh};
use reference_server::ssec::headers::SsecHeaders;
use reference_server::ssec::policy::{self, Access, BucketRule, Intent, Stored, decide};
use reference_server::ssec::refusal::Refusal;

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
const MANAGED: &str = "x-amz-server-side-encryption";
const KMS_KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";

type Pair = (&'static str, &'static str);
const A: Pair = (ALGORITHM, "AES256");
const K1: Pair = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=");
const M1: Pair = (MD5, "DWygnHRtgiJ77HCm+1rvHw==");
const K2: Pair = (KEY, "6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=");
const M2: Pair = (MD5, "arxBvwY2V4SiOne6yppVPQ==");
/// Appendix C, double-encoded as botocore sends it, with the MD5 that botocore adds.
const K44: Pair = (
    KEY,
    "TVRJek5EVTJOemc1TUdGaVkyUmxaakV5TXpRMU5qYzRPVEJoWW1Oa1pXWT0=",
);
const M44: Pair = (MD5, "vSxFCLoaKaicDC136YAwYQ==");
/// Bytes 00, 01, 02, … of another length, with their MD5.
const K10: Pair = (KEY, "AAECAwQFBgcICQ==");
const M10: Pair = (MD5, "xWvVSA9uVBPLYqCtlmZhOg==");
const K16: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODw==");
const M16: Pair = (MD5, "GsHvAelsrxvg0ykzGk/CqA==");
const K31: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==");
const M31: Pair = (MD5, "6ed4k7qSbnMvSDKC9Bb/rA==");
const K33: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g");
const M33: Pair = (MD5, "VQaidqCprMMJP5Fpxzz4xQ==");
const K0: Pair = (KEY, "");
const M0: Pair = (MD5, "1B2M2Y8AsgTpgAmY7PhCfg==");
/// Appendix B: what the guide's recipe makes of the key 00..1f.
const GUIDE_KEY: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
const GUIDE_MD5: Pair = (MD5, "MDk3MjE1YWIyODYyYTFiYWUwNmEwOTU5OWE3YjM5ZDQK");

const ARGUMENT: &str = "InvalidArgument";
const REQUEST: &str = "InvalidRequest";
const ALG_INVALID: &str =
    "The Encryption request you specified is not valid. Supported value: AES256.";
const ALG_MISSING: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.";
const KEY_MISSING: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
const KEY_INVALID: &str = "The secret key was invalid for the specified algorithm.";
const MD5_MISSING: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.";
const MD5_MISMATCH: &str =
    "The calculated MD5 hash of the key did not match the hash that was provided.";
const MIXED: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const NEED_KEY: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const WRONG_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
const NOT_APPLICABLE: &str = "The encryption parameters are not applicable to this object.";
const OVH_MISSING: &str = "Missing X-Amz-Server-Side-Encryption-Customer-Key header";
const OVH_KEY: &str = "X-Amz-Server-Side-Encryption-Customer-Key header must be a base64 encoding of exactly 32 raw bytes";
const OVH_CLEAR: &str =
    "Missing X-Amz-Server-Side-Encryption-Customer-Key header; the object is not stored in clear";

/// The answer of a row.
#[derive(Debug, PartialEq)]
enum Answer {
    Plain,
    Sealed {
        md5: [u8; 16],
    },
    Refused {
        status: u16,
        code: String,
        message: String,
        value: Option<String>,
    },
}

fn headers(pairs: &[Pair]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn answer(result: Result<Access<'_>, Refusal>) -> Answer {
    match result {
        Ok(Access::Plain) => Answer::Plain,
        Ok(Access::Customer(key)) => Answer::Sealed { md5: key.md5() },
        Err(refusal) => Answer::Refused {
            status: refusal.code().status().as_u16(),
            code: refusal.code().as_str().to_owned(),
            message: refusal.message().into_owned(),
            value: refusal.argument_value().map(str::to_owned),
        },
    }
}

fn ask(dialect: Dialect, intent: Intent, pairs: &[Pair]) -> Answer {
    answer(decide(
        dialect,
        intent,
        &SsecHeaders::read(&headers(pairs), []),
    ))
}

fn put(dialect: Dialect, pairs: &[Pair]) -> Answer {
    ask(dialect, Intent::Write(BucketRule::Allows), pairs)
}

/// GET and HEAD are one row: the policy cannot tell them apart.
fn read_ssec(dialect: Dialect, pairs: &[Pair]) -> Answer {
    ask(dialect, Intent::Read(Stored::Ssec), pairs)
}

fn read_plain(dialect: Dialect, pairs: &[Pair]) -> Answer {
    ask(dialect, Intent::Read(Stored::Plain), pairs)
}

fn keyless(dialect: Dialect, pairs: &[Pair]) -> Answer {
    ask(dialect, Intent::Keyless, pairs)
}

#[track_caller]
fn plain(answer: Answer) {
    assert_eq!(answer, Answer::Plain);
}

/// Goes on under the key whose MD5 in hex is given.
#[track_caller]
fn sealed(answer: Answer, md5: &str) {
    let Answer::Sealed { md5: got } = answer else {
        panic!("not sealed: {answer:?}")
    };
    assert_eq!(hex::encode(got), md5);
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str, message: &str, value: Option<&str>) {
    let expected = Answer::Refused {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
        value: value.map(str::to_owned),
    };
    assert_eq!(answer, expected);
}

#[track_caller]
fn invalid(answer: Answer, message: &str) {
    refused(answer, 400, ARGUMENT, message, None);
}

const MD5_OF_K1: &str = "0d6ca09c746d82227bec70a6fb5aef1f";
const MD5_OF_K2: &str = "6abc41bf06365784a23a77baca9a553d";
const MD5_OF_GUIDE_KEY: &str = "b4ffcb23737cec315a4a4d1aa2a620ce";
const ALG_ERROR: &str = "InvalidEncryptionAlgorithmError";

#[test]
fn aws_writes_complete() {
    sealed(put(Aws, &[A, K1, M1]), MD5_OF_K1); // P1
    sealed(put(Aws, &[A, K2, M2]), MD5_OF_K2); // P1
    plain(put(Aws, &[])); // P2
    plain(put(Aws, &[(MANAGED, "AES256")])); // P2
    sealed(
        put(Aws, &[A, GUIDE_KEY, (MD5, "tP/LI3N87DFaSk0aoqYgzg==")]),
        MD5_OF_GUIDE_KEY,
    );
}

#[test]
fn aws_writes_incomplete() {
    invalid(put(Aws, &[K1, M1]), ALG_MISSING); // P3
    invalid(put(Aws, &[A, M1]), KEY_MISSING); // P4
    invalid(put(Aws, &[A, K1]), MD5_MISSING); // P5
    invalid(put(Aws, &[A]), KEY_MISSING); // P6
    invalid(put(Aws, &[K1]), ALG_MISSING); // P7
    invalid(put(Aws, &[M1]), ALG_MISSING); // P8
    invalid(
        put(Aws, &[(ALGORITHM, ""), (KEY, ""), (MD5, "")]),
        ALG_MISSING,
    ); // P9
    invalid(put(Aws, &[A, K1, (MD5, "")]), MD5_MISSING); // P9
    invalid(put(Aws, &[A, K0, M0]), KEY_MISSING); // P15
}

#[test]
fn aws_writes_with_a_bad_md5() {
    invalid(put(Aws, &[A, K1, M2]), MD5_MISMATCH); // P10
    let not_base64 = format!("{MD5_MISMATCH} (the MD5 header is not base64)");
    invalid(put(Aws, &[A, K1, (MD5, "%%%")]), &not_base64); // P11a
    let guide = format!("{MD5_MISMATCH} (the MD5 header decodes to 33 bytes, 16 are wanted)");
    invalid(put(Aws, &[A, GUIDE_KEY, GUIDE_MD5]), &guide); // P11b
    let of_hex = format!("{MD5_MISMATCH} (the MD5 header decodes to 32 bytes, 16 are wanted)");
    let hex_in_base64 = "MGQ2Y2EwOWM3NDZkODIyMjdiZWM3MGE2ZmI1YWVmMWY=";
    invalid(put(Aws, &[A, K1, (MD5, hex_in_base64)]), &of_hex); // P11b
    // Hex digits are valid base64: 32 of them decode to 24 bytes.
    let hex = format!("{MD5_MISMATCH} (the MD5 header decodes to 24 bytes, 16 are wanted)");
    invalid(put(Aws, &[A, K1, (MD5, MD5_OF_K1)]), &hex);
    let short = format!("{MD5_MISMATCH} (the MD5 header decodes to 15 bytes, 16 are wanted)");
    invalid(put(Aws, &[A, K1, (MD5, "DWygnHRtgiJ77HCm+1rv")]), &short);
    let of_the_text = (MD5, "LZHe5m3jZJdfxjptzJ7/DA==");
    invalid(put(Aws, &[A, K1, of_the_text]), MD5_MISMATCH); // P11b, REP
}

#[test]
fn aws_writes_with_a_bad_key() {
    invalid(put(Aws, &[A, K44, M44]), KEY_INVALID); // P12
    invalid(put(Aws, &[A, K10, M10]), KEY_INVALID); // P13
    invalid(put(Aws, &[A, K16, M16]), KEY_INVALID); // P14
    invalid(put(Aws, &[A, K31, M31]), KEY_INVALID); // P14
    invalid(put(Aws, &[A, K33, M33]), KEY_INVALID); // P14
    let stars = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijw**=");
    invalid(put(Aws, &[A, stars, M1]), KEY_INVALID); // P16
    let url_alphabet = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt_xWeFa0N9KgDijwVs=");
    invalid(put(Aws, &[A, url_alphabet, M1]), KEY_INVALID); // P17
    let unpadded = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs");
    invalid(put(Aws, &[A, unpadded, M1]), KEY_INVALID); // P17
    let unused_bits = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVt=");
    invalid(put(Aws, &[A, unused_bits, M1]), KEY_INVALID); // P17
    invalid(put(Aws, &[A, K16, M1]), MD5_MISMATCH); // P18
}

#[test]
fn aws_writes_with_another_algorithm() {
    for name in [
        "aes256",
        "AES128",
        "AES192",
        "KMS",
        "aws:kms",
        "AES256,AES256",
        "AES 256",
    ] {
        let answer = put(Aws, &[(ALGORITHM, name), K1, M1]); // P19 to P22
        refused(answer, 400, ALG_ERROR, ALG_INVALID, Some(name));
    }
    // A key in the wrong header is not sent back.
    let answer = put(Aws, &[(ALGORITHM, K1.1), K1, M1]);
    refused(answer, 400, ALG_ERROR, ALG_INVALID, None);
}

#[test]
fn aws_writes_with_two_methods() {
    let aes = put(Aws, &[A, K1, M1, (MANAGED, "AES256")]); // P23
    refused(aes, 400, ARGUMENT, MIXED, Some("AES256"));
    let kms = put(Aws, &[A, K1, M1, (MANAGED, "aws:kms")]); // P24
    refused(kms, 400, ARGUMENT, MIXED, Some("aws:kms"));
    refused(
        put(Aws, &[A, K1, M1, (KMS_KEY_ID, "x")]),
        400,
        ARGUMENT,
        MIXED,
        None,
    ); // P25
    // Section 4.1: MIXED before the value of the algorithm, and before what is missing.
    let both = put(Aws, &[(ALGORITHM, "KMS"), K1, M1, (MANAGED, "AES256")]);
    refused(both, 400, ARGUMENT, MIXED, Some("AES256"));
    refused(
        put(Aws, &[A, (MANAGED, "AES256")]),
        400,
        ARGUMENT,
        MIXED,
        Some("AES256"),
    );
}

#[test]
fn a_bucket_that_blocks_ssec() {
    let blocked = |dialect, pairs| ask(dialect, Intent::Write(BucketRule::Blocks), pairs);
    for dialect in Dialect::ALL {
        plain(blocked(dialect, &[]));
        // P28: before the key material is looked at.
        for pairs in [
            &[A, K1, M1][..],
            &[A],
            &[A, K1, M2],
            &[A, K1, M1, (MANAGED, "AES256")],
        ] {
            refused(
                blocked(dialect, pairs),
                403,
                "AccessDenied",
                "Access Denied",
                None,
            );
        }
    }
}

#[test]
fn a_doubled_or_unknown_header_is_refused() {
    let doubled =
        "Each header of Server Side Encryption with Customer provided keys must be given once.";
    let unknown = "The request has a header of Server Side Encryption with Customer provided keys that is not known.";
    let typo = ("x-amz-server-side-encryption-customer-keymd5", M1.1);
    for dialect in Dialect::ALL {
        for answer in [
            put(dialect, &[A, K1, K1, M1]),
            read_ssec(dialect, &[A, K1, K2, M1]),
        ] {
            invalid(answer, doubled);
        }
        invalid(put(dialect, &[A, A, K1, M1]), doubled);
        invalid(put(dialect, &[A, K1, M1, M1]), doubled);
        invalid(put(dialect, &[typo]), unknown);
        invalid(put(dialect, &[A, K1, M1, typo]), unknown);
        invalid(read_ssec(dialect, &[A, K1, M1, typo]), unknown);
    }
}

#[test]
fn aws_reads_of_an_ssec_object() {
    sealed(read_ssec(Aws, &[A, K1, M1]), MD5_OF_K1); // G1 H1
    refused(read_ssec(Aws, &[]), 400, REQUEST, NEED_KEY, None); // G2 H2
    sealed(read_ssec(Aws, &[A, K2, M2]), MD5_OF_K2); // G3 H3: the object refuses it
    invalid(read_ssec(Aws, &[A, K1, M2]), MD5_MISMATCH); // G4 H7
    invalid(read_ssec(Aws, &[A, K2, M1]), MD5_MISMATCH); // G5
    invalid(read_ssec(Aws, &[A, K1]), MD5_MISSING); // G6 H6
    invalid(read_ssec(Aws, &[K1, M1]), ALG_MISSING); // G7
    invalid(read_ssec(Aws, &[A, M1]), KEY_MISSING); // G8
    invalid(read_ssec(Aws, &[A]), KEY_MISSING); // G9
    invalid(read_ssec(Aws, &[M1]), ALG_MISSING); // defect 20: the MD5 is no password
    for name in ["KMS", "aes256", "AES128"] {
        let answer = read_ssec(Aws, &[(ALGORITHM, name), K1, M1]); // G10 G11 H4
        refused(answer, 400, ALG_ERROR, ALG_INVALID, Some(name));
    }
    refused(
        read_ssec(Aws, &[A, K44, M44]),
        403,
        "AccessDenied",
        WRONG_KEY,
        None,
    ); // G12 H5
    for (key, md5) in [(K16, M16), (K31, M31), (K33, M33)] {
        refused(
            read_ssec(Aws, &[A, key, md5]),
            403,
            "AccessDenied",
            WRONG_KEY,
            None,
        ); // G13
    }
    invalid(read_ssec(Aws, &[A, (KEY, "****"), M1]), KEY_INVALID); // G13
    let managed = read_ssec(Aws, &[A, K1, M1, (MANAGED, "AES256")]); // G16
    let words = "x-amz-server-side-encryption header is not supported for this operation.";
    refused(managed, 400, ARGUMENT, words, Some("AES256"));
}

#[test]
fn aws_wrong_key_is_access_denied() {
    let refusal = policy::wrong_key(Aws); // G3 G20 G29 H3
    refused(answer(Err(refusal)), 403, "AccessDenied", WRONG_KEY, None);
}

#[test]
fn aws_reads_of_a_plain_object() {
    plain(read_plain(Aws, &[]));
    refused(
        read_plain(Aws, &[A, K1, M1]),
        400,
        REQUEST,
        NOT_APPLICABLE,
        None,
    ); // G14 H8
    refused(
        read_plain(Aws, &[A, K0]),
        400,
        REQUEST,
        NOT_APPLICABLE,
        None,
    ); // G15
    refused(
        read_plain(Aws, &[(ALGORITHM, "KMS")]),
        400,
        REQUEST,
        NOT_APPLICABLE,
        None,
    );
}

#[test]
fn operations_that_need_no_key_ignore_one() {
    for dialect in Dialect::ALL {
        plain(keyless(dialect, &[])); // D1
        plain(keyless(dialect, &[A, K2, M2])); // D2
        plain(keyless(dialect, &[A, K2, M1])); // D2
    }
}

#[test]
fn ovh_writes() {
    sealed(put(Ovh, &[A, K1, M1]), MD5_OF_K1); // P1
    plain(put(Ovh, &[])); // P2
    sealed(put(Ovh, &[K1, M1]), MD5_OF_K1); // P3
    refused(put(Ovh, &[A, M1]), 400, "BadRequest", OVH_CLEAR, None); // P4, stored in clear there
    sealed(put(Ovh, &[A, K1]), MD5_OF_K1); // P5
    refused(put(Ovh, &[A]), 400, "BadRequest", OVH_CLEAR, None); // P6, stored in clear there
    sealed(put(Ovh, &[K1]), MD5_OF_K1); // P7
    refused(put(Ovh, &[M1]), 400, "BadRequest", OVH_CLEAR, None); // P8, stored in clear there
    refused(put(Ovh, &[A, K0, M0]), 400, "BadRequest", OVH_CLEAR, None); // P9 P15, in clear there
    sealed(put(Ovh, &[A, K1, M2]), MD5_OF_K1); // P10
    sealed(put(Ovh, &[A, K1, (MD5, "%%%")]), MD5_OF_K1); // P11a
    sealed(put(Ovh, &[A, GUIDE_KEY, GUIDE_MD5]), MD5_OF_GUIDE_KEY); // P11b: the guide
    for (key, md5) in [(K44, M44), (K10, M10), (K16, M16), (K31, M31), (K33, M33)] {
        refused(put(Ovh, &[A, key, md5]), 400, "BadRequest", OVH_KEY, None); // P12 P13 P14
    }
    refused(
        put(Ovh, &[A, (KEY, "****"), M1]),
        400,
        "BadRequest",
        OVH_KEY,
        None,
    ); // P16
    for name in ["aes256", "AES128", "KMS", "aws:kms"] {
        sealed(put(Ovh, &[(ALGORITHM, name), K1, M1]), MD5_OF_K1); // P19 to P22
    }
    sealed(put(Ovh, &[A, K1, M1, (MANAGED, "AES256")]), MD5_OF_K1); // P23
    sealed(put(Ovh, &[A, K1, M1, (MANAGED, "aws:kms")]), MD5_OF_K1); // P24
    sealed(put(Ovh, &[A, K1, M1, (KMS_KEY_ID, "x")]), MD5_OF_K1); // P25
}

#[test]
fn ovh_reads() {
    sealed(read_ssec(Ovh, &[A, K1, M1]), MD5_OF_K1); // G1
    refused(read_ssec(Ovh, &[]), 400, "BadRequest", OVH_MISSING, None); // G2 H2
    sealed(read_ssec(Ovh, &[A, K1, M2]), MD5_OF_K1); // G4 H7
    sealed(read_ssec(Ovh, &[A, K2, M1]), MD5_OF_K2); // G5: the object refuses it
    sealed(read_ssec(Ovh, &[A, K1]), MD5_OF_K1); // G6 H6
    sealed(read_ssec(Ovh, &[K1, M1]), MD5_OF_K1); // G7
    refused(
        read_ssec(Ovh, &[A, M1]),
        400,
        "BadRequest",
        OVH_MISSING,
        None,
    ); // G8
    refused(read_ssec(Ovh, &[A]), 400, "BadRequest", OVH_MISSING, None); // G9
    sealed(read_ssec(Ovh, &[(ALGORITHM, "KMS"), K1, M1]), MD5_OF_K1); // G10 H4
    refused(
        read_ssec(Ovh, &[A, K44, M44]),
        400,
        "BadRequest",
        OVH_KEY,
        None,
    ); // G12 H5
    refused(
        read_ssec(Ovh, &[A, K16, M16]),
        400,
        "BadRequest",
        OVH_KEY,
        None,
    ); // G13
    plain(read_plain(Ovh, &[A, K1, M1])); // G14 H8
    plain(read_plain(Ovh, &[A, K0])); // G15
    plain(read_plain(Ovh, &[(MANAGED, "AES256")])); // G16
    let wrong = answer(Err(policy::wrong_key(Ovh))); // G3 H3
    refused(wrong, 403, "AccessDenied", "Access Denied.", None);
}

#[test]
fn every_argument_error_names_the_same_argument() {
    assert!(Refusal::KeyInvalid.names_argument());
    assert!(Refusal::AlgorithmInvalid(None).names_argument());
    assert!(!Refusal::NeedKey.names_argument());
    assert!(!Refusal::WrongKey.names_argument());
    assert!(!Refusal::OvhKeyInvalid.names_argument());
}
