//! The headers that requests are made of, and the refusals of the contract's section 0.3, word for
//! word.

use super::client::{ALGORITHM, KEY, MANAGED, MD5};
use super::table::{Answer, Pair, Refused, Shown};

pub const A: Pair = (ALGORITHM, "AES256");
pub const K1: Pair = (KEY, super::client::K1);
pub const M1: Pair = (MD5, super::client::M1);
pub const K2: Pair = (KEY, super::client::K2);
pub const M2: Pair = (MD5, super::client::M2);
pub const T1: &[Pair] = &[A, K1, M1];
pub const T2: &[Pair] = &[A, K2, M2];
pub const NONE: &[Pair] = &[];

/// Appendix C, encoded twice as botocore does, with the MD5 that botocore adds.
pub const K44: Pair = (
    KEY,
    "TVRJek5EVTJOemc1TUdGaVkyUmxaakV5TXpRMU5qYzRPVEJoWW1Oa1pXWT0=",
);
pub const M44: Pair = (MD5, "vSxFCLoaKaicDC136YAwYQ==");
/// Bytes 00, 01, 02, … of another length, with their MD5.
pub const K10: Pair = (KEY, "AAECAwQFBgcICQ==");
pub const M10: Pair = (MD5, "xWvVSA9uVBPLYqCtlmZhOg==");
pub const K16: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODw==");
pub const M16: Pair = (MD5, "GsHvAelsrxvg0ykzGk/CqA==");
pub const K31: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==");
pub const M31: Pair = (MD5, "6ed4k7qSbnMvSDKC9Bb/rA==");
pub const K33: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g");
pub const M33: Pair = (MD5, "VQaidqCprMMJP5Fpxzz4xQ==");
/// An empty key, and the MD5 of nothing.
pub const K0: Pair = (KEY, "");
pub const M0: Pair = (MD5, "1B2M2Y8AsgTpgAmY7PhCfg==");
/// Appendix B: the key 00..1f, and what the guide's recipe makes of it.
pub const GUIDE_KEY: Pair = (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
pub const GUIDE_MD5: Pair = (MD5, "MDk3MjE1YWIyODYyYTFiYWUwNmEwOTU5OWE3YjM5ZDQK");
pub const KEY_NO_BASE64: Pair = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijw**=");
pub const KEY_BASE64_URL: Pair = (KEY, "pO3upElrwuEXSoFwCfnZPdSsmt_xWeFa0N9KgDijwVs=");
pub const MD5_NO_BASE64: Pair = (MD5, "%%%");
pub const KMS: Pair = (ALGORITHM, "KMS");
pub const SSE_S3: Pair = (MANAGED, "AES256");
pub const SSE_KMS: Pair = (MANAGED, "aws:kms");
pub const KMS_KEY_ID: Pair = ("x-amz-server-side-encryption-aws-kms-key-id", "x");

/// The triple of a copy's source.
pub const FROM: Pair = ("x-amz-copy-source", "/{bucket}/source");
pub const ITSELF: Pair = ("x-amz-copy-source", "/{bucket}/o");
const SOURCE_ALGORITHM: &str = "x-amz-copy-source-server-side-encryption-customer-algorithm";
const SOURCE_KEY: &str = "x-amz-copy-source-server-side-encryption-customer-key";
const SOURCE_MD5: &str = "x-amz-copy-source-server-side-encryption-customer-key-MD5";
pub const SA: Pair = (SOURCE_ALGORITHM, "AES256");
pub const SKMS: Pair = (SOURCE_ALGORITHM, "KMS");
pub const SK1: Pair = (SOURCE_KEY, super::client::K1);
pub const SM1: Pair = (SOURCE_MD5, super::client::M1);
pub const SK2: Pair = (SOURCE_KEY, super::client::K2);
pub const SM2: Pair = (SOURCE_MD5, super::client::M2);

pub const ECHO1: &[Shown] = &[
    (ALGORITHM, Some("AES256")),
    (MD5, Some(super::client::M1)),
    (MANAGED, None),
];
pub const ECHO2: &[Shown] = &[
    (ALGORITHM, Some("AES256")),
    (MD5, Some(super::client::M2)),
    (MANAGED, None),
];
pub const NO_ECHO: &[Shown] = &[(ALGORITHM, None), (MD5, None), (MANAGED, None)];
pub const NAMES_SSE_S3: &[Shown] = &[(ALGORITHM, None), (MD5, None), (MANAGED, Some("AES256"))];
/// MD5 of `test_data` (contract, appendix C), in the quotes of an `ETag`.
pub const ETAG_OF_TEXT: &str = "\"6af8307c2460f2d208ad254f04be4b0d\"";
pub const NO_ECHO_AND_MD5: &[Shown] = &[
    (ALGORITHM, None),
    (MD5, None),
    (MANAGED, None),
    ("etag", Some(ETAG_OF_TEXT)),
];

/// Who reads what was stored under the first key, in either dialect.
pub const BY_K1: &[(&[Pair], u16)] = &[(T1, 200), (NONE, 400), (T2, 403)];
pub const BY_K2: &[(&[Pair], u16)] = &[(T2, 200), (NONE, 400), (T1, 403)];

const fn refused(
    name: &'static str,
    (status, code): (u16, &'static str),
    message: &'static str,
) -> Answer {
    Answer::Refused(Refused {
        name,
        status,
        code,
        message,
        argument: None,
    })
}

/// Every AWS error about an argument names the same one.
const fn invalid(name: &'static str, code: &'static str, message: &'static str) -> Answer {
    Answer::Refused(Refused {
        name,
        status: 400,
        code,
        message,
        argument: Some((MANAGED, None)),
    })
}

const ARGUMENT: &str = "InvalidArgument";
const REQUEST: (u16, &str) = (400, "InvalidRequest");
const DENIED: (u16, &str) = (403, "AccessDenied");

pub const ALG_INVALID: Answer = invalid(
    "ALG-INVALID",
    "InvalidEncryptionAlgorithmError",
    "The Encryption request you specified is not valid. Supported value: AES256.",
);
pub const ALG_MISSING: Answer = invalid(
    "ALG-MISSING",
    ARGUMENT,
    "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
);
pub const KEY_MISSING: Answer = invalid(
    "KEY-MISSING",
    ARGUMENT,
    "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
);
pub const KEY_INVALID: Answer = invalid(
    "KEY-INVALID",
    ARGUMENT,
    "The secret key was invalid for the specified algorithm.",
);
pub const MD5_MISSING: Answer = invalid(
    "MD5-MISSING",
    ARGUMENT,
    "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.",
);
pub const MD5_MISMATCH: Answer = invalid(
    "MD5-MISMATCH",
    ARGUMENT,
    "The calculated MD5 hash of the key did not match the hash that was provided.",
);
/// The addition is a choice: it says what arrived.
pub const MD5_LENGTH: Answer = invalid(
    "MD5-MISMATCH",
    ARGUMENT,
    "The calculated MD5 hash of the key did not match the hash that was provided. (the MD5 header decodes to 33 bytes, 16 are wanted)",
);
pub const MD5_TEXT: Answer = invalid(
    "MD5-MISMATCH",
    ARGUMENT,
    "The calculated MD5 hash of the key did not match the hash that was provided. (the MD5 header is not base64)",
);
pub const MIXED: Answer = invalid(
    "MIXED",
    ARGUMENT,
    "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
);
pub const ON_READ: Answer = invalid(
    "NOT-ON-READ",
    ARGUMENT,
    "x-amz-server-side-encryption header is not supported for this operation.",
);
pub const IN_QUERY: Answer = invalid(
    "IN-QUERY",
    ARGUMENT,
    "Server Side Encryption with Customer provided keys must be requested with headers, not in the query string.",
);
pub const NEED_KEY: Answer = refused(
    "NEED-KEY",
    REQUEST,
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
);
pub const WRONG_KEY: Answer = refused(
    "WRONG-KEY",
    DENIED,
    "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
);
pub const NOT_APPLICABLE: Answer = refused(
    "NOT-APPLICABLE",
    REQUEST,
    "The encryption parameters are not applicable to this object.",
);
pub const MPU_NEED: Answer = refused(
    "MPU-NEED",
    REQUEST,
    "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
);
pub const PARAMS_DIFFER: Answer = refused(
    "PARAMS-DIFFER",
    REQUEST,
    "The provided encryption parameters did not match the ones used originally.",
);
pub const BLOCKED: Answer = refused(
    "BLOCKED",
    DENIED,
    "User: … is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::…/o\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type",
);
pub const BLOCKED_COPY: Answer = refused(
    "BLOCKED",
    DENIED,
    "User: … is not authorized to perform: s3:CopyObject on resource: \"arn:aws:s3:::…/o\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type",
);
pub const TLS: Answer = refused(
    "TLS",
    REQUEST,
    "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.",
);
pub const UNSIGNED: Answer = refused(
    "UNSIGNED",
    DENIED,
    "There were headers present in the request which were not signed",
);
pub const BAD_SIG: Answer = refused(
    "BAD-SIG",
    (403, "SignatureDoesNotMatch"),
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
);
pub const PART_RANGE: Answer = refused(
    "PART-RANGE",
    (416, "InvalidPartNumber"),
    "The requested partnumber is not satisfiable",
);
pub const RANGE_AND_PART: Answer = refused(
    "RANGE+PART",
    REQUEST,
    "Cannot specify both Range header and partNumber query parameter",
);
pub const RANGE: Answer = refused(
    "RANGE",
    (416, "InvalidRange"),
    "The requested range is not satisfiable",
);
pub const BAD_DIGEST: Answer = refused(
    "BAD-DIGEST",
    (400, "BadDigest"),
    "The Content-MD5 you specified did not match what we received.",
);
pub const NO_SUCH_KEY: Answer = refused(
    "NO-SUCH-KEY",
    (404, "NoSuchKey"),
    "The specified key does not exist.",
);
pub const IS_MARKER: Answer = refused(
    "MARKER",
    (405, "MethodNotAllowed"),
    "The specified method is not allowed against this resource.",
);
pub const PRECONDITION: Answer = refused(
    "PRECONDITION",
    (412, "PreconditionFailed"),
    "At least one of the pre-conditions you specified did not hold",
);
pub const NO_CHANGE: Answer = refused(
    "NO-CHANGE",
    REQUEST,
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
);
pub const CONFLICT: Answer = refused(
    "CONFLICT",
    REQUEST,
    "The header … and the query parameter of that name have different values",
);
pub const DENIED_BY_POLICY: Answer = refused(
    "POLICY",
    DENIED,
    "User: … is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::…/o\" with an explicit deny in a resource-based policy",
);
pub const EXTRA_FIELDS: Answer = refused(
    "EXTRA-FIELDS",
    DENIED,
    "Invalid according to Policy: Extra input fields: …",
);
pub const NO_SUCH_UPLOAD: Answer = refused(
    "NO-SUCH-UPLOAD",
    (404, "NoSuchUpload"),
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
);
pub const NOT_THERE: Answer = refused(
    "NOT-THERE",
    (501, "NotImplemented"),
    "A header or operation that you provided implies functionality that is not implemented.",
);
/// Dialect `ovh`.
pub const OVH_MISSING: Answer = refused(
    "OVH-MISSING",
    (400, "BadRequest"),
    "Missing X-Amz-Server-Side-Encryption-Customer-Key header",
);
pub const OVH_KEY: Answer = refused(
    "OVH-KEY",
    (400, "BadRequest"),
    "X-Amz-Server-Side-Encryption-Customer-Key header must be a base64 encoding of exactly 32 raw bytes",
);
pub const OVH_CLEAR: Answer = refused(
    "OVH-CLEAR",
    (400, "BadRequest"),
    "Missing X-Amz-Server-Side-Encryption-Customer-Key header; the object is not stored in clear",
);
pub const OVH_WRONG: Answer = refused("OVH-WRONG", DENIED, "Access Denied.");

/// All of them, for the document.
pub const CATALOGUE: &[Answer] = &[
    ALG_INVALID,
    ALG_MISSING,
    KEY_MISSING,
    KEY_INVALID,
    MD5_MISSING,
    MD5_MISMATCH,
    MIXED,
    NEED_KEY,
    WRONG_KEY,
    NOT_APPLICABLE,
    MPU_NEED,
    PARAMS_DIFFER,
    BLOCKED,
    TLS,
    UNSIGNED,
    BAD_SIG,
    PART_RANGE,
    RANGE_AND_PART,
    RANGE,
    BAD_DIGEST,
    NO_SUCH_KEY,
    IS_MARKER,
    PRECONDITION,
    NO_CHANGE,
    CONFLICT,
    ON_READ,
    IN_QUERY,
    NO_SUCH_UPLOAD,
    DENIED_BY_POLICY,
    EXTRA_FIELDS,
    NOT_THERE,
    OVH_MISSING,
    OVH_KEY,
    OVH_CLEAR,
    OVH_WRONG,
];
