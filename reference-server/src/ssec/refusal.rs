//! The refusals that the SSE-C policy can give, each with its exact words.
//!
//! Status, code and message are those recorded from Amazon S3 or reported for it (contract section
//! 0.3, the short names in the comments below), unless a variant says that it is a choice.

use std::borrow::Cow;

use super::headers::MANAGED;
use crate::s3_error::{Code, S3Error};

const OVH_KEY_MISSING: &str = "Missing X-Amz-Server-Side-Encryption-Customer-Key header";
const OVH_KEY_INVALID: &str = "X-Amz-Server-Side-Encryption-Customer-Key header must be a base64 \
     encoding of exactly 32 raw bytes";
const OVH_WRITE_WITHOUT_KEY: &str = "Missing X-Amz-Server-Side-Encryption-Customer-Key header; \
     the object is not stored in clear";

/// Why a request is refused on account of SSE-C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// UNSIGNED: `x-amz-*` headers that the signature does not cover, by name.
    Unsigned(Vec<String>),
    /// TLS: anything of SSE-C over a transport that is not TLS.
    NotSecure,
    /// A choice: a customer key does not belong into a URL, which ends up in logs.
    InQuery,
    /// A choice: a copy source's triple on an operation that copies nothing.
    CopySourceTriple,
    /// BLOCKED: the bucket takes no SSE-C. The whole message names who, what and where, which the
    /// policy does not know: the operation completes it.
    Blocked,
    /// A choice: one of the headers came twice.
    Doubled,
    /// A choice: a header with the triple's prefix that nobody has defined, likely a misspelling.
    UnknownHeader,
    /// MIXED, with the value of `x-amz-server-side-encryption`.
    Mixed(Option<String>),
    /// A choice (documented as 400, code unknown): encryption asked for on a read or a part.
    ManagedOnRead(Option<String>),
    /// ALG-MISSING.
    AlgorithmMissing,
    /// KEY-MISSING.
    KeyMissing,
    /// MD5-MISSING.
    Md5Missing,
    /// ALG-INVALID, with the value sent.
    AlgorithmInvalid(Option<String>),
    /// KEY-INVALID.
    KeyInvalid,
    /// MD5-MISMATCH.
    Md5Mismatch,
    /// MD5-MISMATCH, with what arrived instead of 16 bytes; the addition is a choice.
    Md5Length(usize),
    /// MD5-MISMATCH, the value being no base64; the addition is a choice.
    Md5NotBase64,
    /// NEED-KEY.
    NeedKey,
    /// NOT-APPLICABLE.
    NotApplicable,
    /// WRONG-KEY.
    WrongKey,
    /// MPU-NEED: an upload and a request about it do not agree whether there is a key.
    UploadNeedsKey,
    /// PARAMS-DIFFER.
    ParametersDiffer,
    /// OVHcloud 2022: no key where one is needed.
    OvhKeyMissing,
    /// OVHcloud 2022: a key that is not 32 bytes in base64.
    OvhKeyInvalid,
    /// OVHcloud 2022: another key than the object's.
    OvhWrongKey,
    /// A choice in dialect `ovh`: SSE-C headers without a key. That service stored in clear.
    OvhWriteWithoutKey,
}

impl Refusal {
    /// The `Code` of the error document, which has its status with it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unsigned(_) | Self::Blocked | Self::WrongKey | Self::OvhWrongKey => {
                Code::AccessDenied
            }
            Self::NotSecure
            | Self::CopySourceTriple
            | Self::NeedKey
            | Self::NotApplicable
            | Self::UploadNeedsKey
            | Self::ParametersDiffer => Code::InvalidRequest,
            Self::AlgorithmInvalid(_) => Code::InvalidEncryptionAlgorithmError,
            Self::InQuery
            | Self::Doubled
            | Self::UnknownHeader
            | Self::Mixed(_)
            | Self::ManagedOnRead(_)
            | Self::AlgorithmMissing
            | Self::KeyMissing
            | Self::Md5Missing
            | Self::KeyInvalid
            | Self::Md5Mismatch
            | Self::Md5Length(_)
            | Self::Md5NotBase64 => Code::InvalidArgument,
            Self::OvhKeyMissing | Self::OvhKeyInvalid | Self::OvhWriteWithoutKey => {
                Code::BadRequest
            }
        }
    }

    /// The `Message` of the error document.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        let recorded = self.recorded_message();
        if let Self::Md5Length(length) = self {
            return Cow::Owned(format!(
                "{recorded} (the MD5 header decodes to {length} bytes, 16 are wanted)"
            ));
        }
        if matches!(self, Self::Md5NotBase64) {
            return Cow::Owned(format!("{recorded} (the MD5 header is not base64)"));
        }
        Cow::Borrowed(recorded)
    }

    fn recorded_message(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "There were headers present in the request which were not signed",
            Self::NotSecure => {
                "Requests specifying Server Side Encryption with Customer provided keys must be \
                 made over a secure connection."
            }
            Self::InQuery => {
                "Server Side Encryption with Customer provided keys must be requested with \
                 headers, not in the query string."
            }
            Self::CopySourceTriple | Self::NotApplicable => {
                "The encryption parameters are not applicable to this object."
            }
            Self::Blocked => Code::AccessDenied.default_message(),
            Self::Doubled => {
                "Each header of Server Side Encryption with Customer provided keys must be given \
                 once."
            }
            Self::UnknownHeader => {
                "The request has a header of Server Side Encryption with Customer provided keys \
                 that is not known."
            }
            Self::Mixed(_) => {
                "Server Side Encryption with Customer provided key is incompatible with the \
                 encryption method specified"
            }
            Self::ManagedOnRead(_) => {
                "x-amz-server-side-encryption header is not supported for this operation."
            }
            Self::AlgorithmMissing => {
                "Requests specifying Server Side Encryption with Customer provided keys must \
                 provide a valid encryption algorithm."
            }
            Self::KeyMissing => {
                "Requests specifying Server Side Encryption with Customer provided keys must \
                 provide an appropriate secret key."
            }
            Self::Md5Missing => {
                "Requests specifying Server Side Encryption with Customer provided keys must \
                 provide the client calculated MD5 of the secret key."
            }
            Self::AlgorithmInvalid(_) => {
                "The Encryption request you specified is not valid. Supported value: AES256."
            }
            Self::KeyInvalid => "The secret key was invalid for the specified algorithm.",
            Self::Md5Mismatch | Self::Md5Length(_) | Self::Md5NotBase64 => {
                "The calculated MD5 hash of the key did not match the hash that was provided."
            }
            Self::NeedKey => {
                "The object was stored using a form of Server Side Encryption. The correct \
                 parameters must be provided to retrieve the object."
            }
            Self::WrongKey => {
                "Requests specifying Server Side Encryption with Customer provided keys must \
                 provide the correct secret key."
            }
            Self::UploadNeedsKey => {
                "The multipart upload initiate requested encryption. Subsequent part requests must \
                 include the appropriate encryption parameters."
            }
            Self::ParametersDiffer => {
                "The provided encryption parameters did not match the ones used originally."
            }
            Self::OvhKeyMissing => OVH_KEY_MISSING,
            Self::OvhKeyInvalid => OVH_KEY_INVALID,
            Self::OvhWrongKey => "Access Denied.",
            Self::OvhWriteWithoutKey => OVH_WRITE_WITHOUT_KEY,
        }
    }

    /// Whether the error document carries `ArgumentName`, which is then always
    /// `x-amz-server-side-encryption`: recorded for each AWS error about an argument.
    #[must_use]
    pub fn names_argument(&self) -> bool {
        matches!(
            self.code(),
            Code::InvalidArgument | Code::InvalidEncryptionAlgorithmError
        )
    }

    /// The `ArgumentValue` of the error document, where it has one.
    #[must_use]
    pub fn argument_value(&self) -> Option<&str> {
        match self {
            Self::Mixed(value) | Self::ManagedOnRead(value) | Self::AlgorithmInvalid(value) => {
                value.as_deref()
            }
            Self::Unsigned(_)
            | Self::NotSecure
            | Self::InQuery
            | Self::CopySourceTriple
            | Self::Blocked
            | Self::Doubled
            | Self::UnknownHeader
            | Self::AlgorithmMissing
            | Self::KeyMissing
            | Self::Md5Missing
            | Self::KeyInvalid
            | Self::Md5Mismatch
            | Self::Md5Length(_)
            | Self::Md5NotBase64
            | Self::NeedKey
            | Self::NotApplicable
            | Self::WrongKey
            | Self::UploadNeedsKey
            | Self::ParametersDiffer
            | Self::OvhKeyMissing
            | Self::OvhKeyInvalid
            | Self::OvhWrongKey
            | Self::OvhWriteWithoutKey => None,
        }
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let error = Self::with_message(refusal.code(), refusal.message());
        match (&refusal, refusal.names_argument()) {
            (Refusal::Unsigned(names), _) => error.detail("HeadersNotSigned", names.join(", ")),
            (_, true) => error.argument(MANAGED, refusal.argument_value()),
            (_, false) => error,
        }
    }
}
