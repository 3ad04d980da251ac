//! The SSE-C policy about multipart uploads, one line a row. The expected answers are typed from the
//! contract, sections 0.3 and 2.6.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a row reads better without a borrow"
)]

use http::{HeaderMap, HeaderValue};
use reference_server::ssec::dialect::Dialect::{self, Aws, Ovh};
use reference_server::ssec::headers::SsecHeaders;
use reference_server::ssec::policy::{self, Access, BucketRule, Intent, Stored, Sums, decide};
use reference_server::ssec::refusal::Refusal;

type Pair = (&'static str, &'static str);
const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
const MANAGED: Pair = ("x-amz-server-side-encryption", "AES256");
const A: Pair = (ALGORITHM, "AES256");
const K1: Pair = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=");
const M1: Pair = (MD5, "DWygnHRtgiJ77HCm+1rvHw==");
const M2: Pair = (MD5, "arxBvwY2V4SiOne6yppVPQ==");
const K16: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODw==");
const M16: Pair = (MD5, "GsHvAelsrxvg0ykzGk/CqA==");
const MD5_OF_K1: &str = "0d6ca09c746d82227bec70a6fb5aef1f";

const ARGUMENT: &str = "InvalidArgument";
const REQUEST: &str = "InvalidRequest";
const MPU_NEED: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const PARAMS_DIFFER: &str =
    "The provided encryption parameters did not match the ones used originally.";
const ALG_MISSING: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.";
const KEY_INVALID: &str = "The secret key was invalid for the specified algorithm.";
const MD5_MISMATCH: &str =
    "The calculated MD5 hash of the key did not match the hash that was provided.";
const MIXED: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const OVH_CLEAR: &str =
    "Missing X-Amz-Server-Side-Encryption-Customer-Key header; the object is not stored in clear";

type Answer = Result<Option<String>, (u16, &'static str, String)>;

fn answer(result: Result<Access<'_>, Refusal>) -> Answer {
    match result {
        Ok(Access::Plain) => Ok(None),
        Ok(Access::Customer(key)) => Ok(Some(hex::encode(key.md5()))),
        Err(refusal) => Err((
            refusal.code().status().as_u16(),
            refusal.code().as_str(),
            refusal.message().into_owned(),
        )),
    }
}

fn ask(dialect: Dialect, intent: Intent, pairs: &[Pair]) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    answer(decide(dialect, intent, &SsecHeaders::read(&headers, [])))
}

const PART: Intent = Intent::Part(BucketRule::Allows, Stored::Ssec);
const PLAIN_PART: Intent = Intent::Part(BucketRule::Allows, Stored::Plain);

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str, message: &str) {
    let (got_status, got_code, got_message) = answer.expect_err("it is refused");
    assert_eq!((got_status, got_code), (status, code));
    assert_eq!(got_message, message);
}

#[track_caller]
fn goes_under_k1(answer: Answer) {
    assert_eq!(answer, Ok(Some(MD5_OF_K1.to_owned())));
}

#[track_caller]
fn goes_without(answer: Answer) {
    assert_eq!(answer, Ok(None));
}

#[test]
fn aws_parts() {
    goes_under_k1(ask(Aws, PART, &[A, K1, M1])); // M3
    refused(ask(Aws, PART, &[]), 400, REQUEST, MPU_NEED); // M4 M13
    let wrong = answer(Err(policy::wrong_upload_key(Aws)));
    refused(wrong, 400, REQUEST, PARAMS_DIFFER); // M5 M14 M19
    refused(ask(Aws, PLAIN_PART, &[A, K1, M1]), 400, REQUEST, MPU_NEED); // M6
    goes_without(ask(Aws, PLAIN_PART, &[]));
    for part in [PART, PLAIN_PART] {
        refused(ask(Aws, part, &[A, K1, M2]), 400, ARGUMENT, MD5_MISMATCH); // M7
        refused(ask(Aws, part, &[K1, M1]), 400, ARGUMENT, ALG_MISSING); // M8
        refused(ask(Aws, part, &[A, K16, M16]), 400, ARGUMENT, KEY_INVALID);
        let mixed = ask(Aws, part, &[A, K1, M1, MANAGED]); // M9
        refused(mixed, 400, ARGUMENT, MIXED);
        let managed = ask(Aws, part, &[MANAGED]); // M9
        let words = "x-amz-server-side-encryption header is not supported for this operation.";
        refused(managed, 400, ARGUMENT, words);
    }
}

#[test]
fn aws_completion_and_lists_of_parts() {
    let upload = |stored, sums| Intent::Upload(stored, sums);
    for sums in [Sums::Needed, Sums::Optional] {
        goes_under_k1(ask(Aws, upload(Stored::Ssec, sums), &[A, K1, M1])); // M20 M24
        let mismatch = ask(Aws, upload(Stored::Ssec, sums), &[A, K1, M2]);
        refused(mismatch, 400, ARGUMENT, MD5_MISMATCH);
        goes_without(ask(Aws, upload(Stored::Plain, sums), &[]));
        let plain = ask(Aws, upload(Stored::Plain, sums), &[A, K1, M1]);
        refused(plain, 400, REQUEST, MPU_NEED);
    }
    goes_without(ask(Aws, upload(Stored::Ssec, Sums::Optional), &[])); // M17 M23
    let needed = ask(Aws, upload(Stored::Ssec, Sums::Needed), &[]); // M18
    refused(needed, 400, REQUEST, MPU_NEED);
}

#[test]
fn a_bucket_that_blocks_ssec_takes_no_parts_under_a_key() {
    for dialect in Dialect::ALL {
        for created in [Stored::Ssec, Stored::Plain] {
            let part = Intent::Part(BucketRule::Blocks, created);
            // P28: before the key material is looked at.
            for pairs in [&[A, K1, M1][..], &[A], &[A, K1, M2]] {
                let answer = ask(dialect, part, pairs);
                refused(answer, 403, "AccessDenied", "Access Denied");
            }
        }
        let plain = Intent::Part(BucketRule::Blocks, Stored::Plain);
        goes_without(ask(dialect, plain, &[]));
    }
}

#[test]
fn ovh_parts() {
    goes_under_k1(ask(Ovh, PART, &[A, K1, M1])); // M3
    goes_under_k1(ask(Ovh, PART, &[K1])); // M8
    goes_under_k1(ask(Ovh, PART, &[A, K1, M2])); // M7
    goes_without(ask(Ovh, PLAIN_PART, &[]));
    // Stored in clear there, or under a key of its own: refused here.
    refused(ask(Ovh, PART, &[]), 400, "BadRequest", OVH_CLEAR); // M4
    refused(ask(Ovh, PART, &[A]), 400, "BadRequest", OVH_CLEAR);
    refused(ask(Ovh, PLAIN_PART, &[A]), 400, "BadRequest", OVH_CLEAR);
    refused(ask(Ovh, PLAIN_PART, &[A, K1, M1]), 400, REQUEST, MPU_NEED); // M6
    let wrong = answer(Err(policy::wrong_upload_key(Ovh))); // M5
    refused(wrong, 403, "AccessDenied", "Access Denied.");
    for sums in [Sums::Needed, Sums::Optional] {
        goes_without(ask(Ovh, Intent::Upload(Stored::Ssec, sums), &[])); // M17
        goes_without(ask(Ovh, Intent::Upload(Stored::Ssec, sums), &[A, K1, M1])); // M20 M21
    }
}
