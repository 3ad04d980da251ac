//! What a request may do to an object, as far as SSE-C decides it. Pure: no IO, no clock.
//!
//! Two questions, in this order. `admit` asks what can be told from the request alone; `decide`
//! also knows what is stored. The answers are those of the contract's sections 2.1 to 2.4 in the
//! order of its section 4. Whether a well-formed key is the *right* key is not known here: the
//! sealed object proves it.
//!
//! Where Amazon's answer is not known, the strictest one that leaks nothing is taken:
//!
//! | row | condition | chosen |
//! |---|---|---|
//! | P6 P7 P8 | one header alone | the first that is missing: algorithm, key, MD5 |
//! | P9 P15 | a header without a value | as if it were missing; never a plain store |
//! | P11a P11b | MD5 not base64, or not 16 bytes | MD5-MISMATCH, with what arrived |
//! | P14 P16 P17 | key of another length, not base64, not canonical | KEY-INVALID |
//! | P18 | wrong length and wrong MD5 | MD5-MISMATCH |
//! | P19 P20 | `aes256`, `AES128` | ALG-INVALID |
//! | P24 P25 | with `aws:kms`, with a KMS header alone | MIXED |
//! | P26 | a copy source's triple where nothing is copied | 400, NOT-APPLICABLE's words |
//! | P27 G18 | not TLS | 400 InvalidRequest, the words of MinIO and IBM |
//! | G4 G5 H7 | key and MD5 of different keys, on a read | MD5-MISMATCH |
//! | G6 H6 | no MD5 on a read | MD5-MISSING |
//! | G7 G8 G9 | incomplete on a read | as on a write |
//! | G13 | key of another length on a read; not base64 | WRONG-KEY, as G12; KEY-INVALID |
//! | G16 | `x-amz-server-side-encryption` on a read | 400 InvalidArgument |
//! | G17 | no such object, whatever the headers | 404 (the operation looks first) |
//! | G31 G32 H10 | a precondition with no key or a wrong one | the key first |
//! | C7 | a copy with the target's triple only, SSE-C source, dialect `ovh` | 400, as C6 |
//! | C11 | a source triple without MD5 | MD5-MISSING, as on a read |
//! | C12 | a source triple on a plain source | NOT-APPLICABLE, as on a read |
//! | C16 | a copy onto itself under the same key, nothing else changed | 400 InvalidRequest |
//! | - | a copy with faults in both triples | the target's |
//! | P28 | a part with a triple, where the bucket blocks SSE-C since the upload was created | BLOCKED |
//! | M2 M8 | a flawed triple on a part | as on a write, before it is compared with the upload |
//! | M9 | `x-amz-server-side-encryption` on a part | MIXED; without a triple, as G16 |
//! | M15 | a part copied with a wrong source key | WRONG-KEY |
//! | M18 | completing without a key when a checksum was declared | MPU-NEED |
//! | M19 M21 | completing with another key, checksum declared or not | PARAMS-DIFFER |
//! | M24 | listing parts without a key | served without checksums |
//! | - | completing or listing a plain upload with a triple | MPU-NEED |
//! | F3 F5 | a flawed triple in the fields of a form; a bucket that blocks SSE-C | as on a write |
//! | F4 | a triple among the HTTP headers of a form | UNSIGNED: a form signs its fields alone |
//! | D2 | SSE-C headers on an operation that needs none | ignored |
//! | U9 U10 U11 | anything of SSE-C in the query | 400 |
//! | - | one header twice | 400 InvalidArgument |
//! | - | an unknown header with the triple's prefix | 400 InvalidArgument |
//!
//! Dialect `ovh` looks at the key alone, as that service did. It parts from it where the service
//! stored in clear (P4, P6, P8, P9, P15: SSE-C headers, but no key; M4: no key for a
//! part): 400, nothing is stored; and where an upload would mix keys (M5: 403, M6: 400). The
//! rows of `admit`, the doubled and the unknown header hold in both dialects.

use super::customer_key::CustomerKey;
use super::dialect::Dialect;
use super::headers::{self, Field, Managed, OfferedKey, OfferedMd5, SsecHeaders};
use super::refusal::Refusal;

/// How the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Over TLS.
    Secure,
    /// Not over TLS.
    Clear,
    /// Not over TLS, where the configuration takes that for secure (`--plain-http`).
    ClearByConsent,
}

/// What the operation does with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Stores a new one in a bucket of this rule.
    Write(BucketRule),
    /// Tells about an existing one, or returns its bytes.
    Read(Stored),
    /// Adds a part to a multipart upload that was created so, in a bucket of this rule: "Multipart
    /// Upload requests that specify SSE-C" are blocked (user guide), so parts are, too.
    Part(BucketRule, Stored),
    /// Completes a multipart upload that was created so, or lists its parts.
    Upload(Stored, Sums),
    /// Neither: deletes, lists, or has to do with buckets.
    Keyless,
}

/// Whether the sealed checksums of an upload's parts have to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// They must be: they are compared and combined.
    Needed,
    /// There are none, or they are only shown to whoever shows the key.
    Optional,
}

/// Whether a bucket takes objects under customer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketRule {
    /// It does.
    Allows,
    /// Its encryption configuration names SSE-C among `BlockedEncryptionTypes`.
    Blocks,
}

/// Whose key an existing object is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The server's.
    Plain,
    /// A customer's.
    Ssec,
}

/// The key under which the operation goes on.
pub enum Access<'k> {
    /// The server's; of no importance to an operation that needs none.
    Plain,
    /// The customer's that the request shows. On a read it is still to be proved.
    Customer(&'k CustomerKey),
}

/// The rows that need the request alone. `unsigned` are the `x-amz-*` headers that the signature
/// should cover and does not.
///
/// # Errors
/// The refusal, when the request must not go on.
pub fn admit(unsigned: &[String], channel: Channel, shown: &SsecHeaders) -> Result<(), Refusal> {
    let speaks = shown.speaks();
    let stray_source = shown.copy_source && !shown.copies;
    match (unsigned, channel, speaks, shown.in_query, stray_source) {
        ([_, ..], _, _, _, _) => Err(Refusal::Unsigned(unsigned.to_vec())),
        ([], _, false, _, _) => Ok(()),
        ([], Channel::Clear, true, _, _) => Err(Refusal::NotSecure),
        ([], Channel::Secure | Channel::ClearByConsent, true, true, _) => Err(Refusal::InQuery),
        ([], Channel::Secure | Channel::ClearByConsent, true, false, true) => {
            Err(Refusal::CopySourceTriple)
        }
        ([], Channel::Secure | Channel::ClearByConsent, true, false, false) => Ok(()),
    }
}

/// The table: under which key the operation goes on, if it does.
///
/// # Errors
/// The refusal of the first row that applies.
pub fn decide<'k>(
    dialect: Dialect,
    intent: Intent,
    shown: &'k SsecHeaders,
) -> Result<Access<'k>, Refusal> {
    match dialect {
        Dialect::Aws => decide_aws(intent, shown),
        Dialect::Ovh => decide_ovh(intent, shown),
    }
}

/// What the answer is when the key shown is not the object's.
#[must_use]
pub fn wrong_key(dialect: Dialect) -> Refusal {
    match dialect {
        Dialect::Aws => Refusal::WrongKey,
        Dialect::Ovh => Refusal::OvhWrongKey,
    }
}

/// What the answer is when the key shown for a copy's source is not the source's. `onto_itself`
/// when the copy replaces its source and shows that key for both (C8).
#[must_use]
pub fn wrong_source_key(dialect: Dialect, onto_itself: bool) -> Refusal {
    match (dialect, onto_itself) {
        (Dialect::Aws, true) => Refusal::ParametersDiffer,
        (Dialect::Aws, false) | (Dialect::Ovh, _) => wrong_key(dialect),
    }
}

/// What the answer is when the key shown is not the one that an upload was created with (M5).
#[must_use]
pub fn wrong_upload_key(dialect: Dialect) -> Refusal {
    match dialect {
        Dialect::Aws => Refusal::ParametersDiffer,
        Dialect::Ovh => Refusal::OvhWrongKey,
    }
}

fn decide_aws<'k>(intent: Intent, shown: &'k SsecHeaders) -> Result<Access<'k>, Refusal> {
    match (intent, shown.is_silent(), &shown.managed) {
        (Intent::Keyless, _, _) => Ok(Access::Plain),
        (Intent::Write(_), true, _) => Ok(Access::Plain),
        (Intent::Write(BucketRule::Blocks) | Intent::Part(BucketRule::Blocks, _), false, _) => {
            Err(Refusal::Blocked)
        }
        (Intent::Write(BucketRule::Allows), false, Managed::Asked(value)) => {
            Err(Refusal::Mixed(value.clone()))
        }
        (Intent::Write(BucketRule::Allows), false, Managed::Absent) => match whole_triple(shown) {
            Ok(key) => Ok(Access::Customer(key)),
            Err(Flaw::KeyLength) => Err(Refusal::KeyInvalid),
            Err(Flaw::Other(refusal)) => Err(refusal),
        },
        (
            Intent::Part(BucketRule::Allows, _) | Intent::Upload(_, _),
            false,
            Managed::Asked(value),
        ) => Err(Refusal::Mixed(value.clone())),
        (Intent::Part(_, _), true, Managed::Asked(value)) => {
            Err(Refusal::ManagedOnRead(value.clone()))
        }
        (Intent::Part(_, Stored::Plain), true, Managed::Absent)
        | (Intent::Upload(Stored::Plain, _) | Intent::Upload(_, Sums::Optional), true, _) => {
            Ok(Access::Plain)
        }
        (Intent::Part(_, Stored::Ssec), true, Managed::Absent)
        | (Intent::Upload(Stored::Ssec, Sums::Needed), true, _) => Err(Refusal::UploadNeedsKey),
        (
            Intent::Part(BucketRule::Allows, created) | Intent::Upload(created, _),
            false,
            Managed::Absent,
        ) => match (whole_triple(shown), created) {
            (Ok(key), Stored::Ssec) => Ok(Access::Customer(key)),
            (Ok(_), Stored::Plain) => Err(Refusal::UploadNeedsKey),
            (Err(Flaw::KeyLength), _) => Err(Refusal::KeyInvalid),
            (Err(Flaw::Other(refusal)), _) => Err(refusal),
        },
        (Intent::Read(_), _, Managed::Asked(value)) => Err(Refusal::ManagedOnRead(value.clone())),
        (Intent::Read(Stored::Plain), true, Managed::Absent) => Ok(Access::Plain),
        (Intent::Read(Stored::Plain), false, Managed::Absent) => Err(Refusal::NotApplicable),
        (Intent::Read(Stored::Ssec), true, Managed::Absent) => Err(Refusal::NeedKey),
        (Intent::Read(Stored::Ssec), false, Managed::Absent) => match whole_triple(shown) {
            Ok(key) => Ok(Access::Customer(key)),
            Err(Flaw::KeyLength) => Err(Refusal::WrongKey),
            Err(Flaw::Other(refusal)) => Err(refusal),
        },
    }
}

fn decide_ovh<'k>(intent: Intent, shown: &'k SsecHeaders) -> Result<Access<'k>, Refusal> {
    match (intent, shown.has_doubled(), shown.unknown, &shown.key) {
        (Intent::Keyless | Intent::Read(Stored::Plain) | Intent::Upload(_, _), _, _, _) => {
            Ok(Access::Plain)
        }
        (Intent::Write(BucketRule::Blocks) | Intent::Part(BucketRule::Blocks, _), _, _, _)
            if !shown.is_silent() =>
        {
            Err(Refusal::Blocked)
        }
        (_, true, _, _) | (_, _, _, Field::Doubled) => Err(Refusal::Doubled),
        (_, false, true, _) => Err(Refusal::UnknownHeader),
        (Intent::Part(_, Stored::Plain), false, false, Field::Present(_)) => {
            Err(Refusal::UploadNeedsKey)
        }
        (_, false, false, Field::Present(OfferedKey::Whole(key))) => Ok(Access::Customer(key)),
        (_, false, false, Field::Present(OfferedKey::WrongLength { .. }) | Field::Malformed) => {
            Err(Refusal::OvhKeyInvalid)
        }
        (Intent::Part(_, Stored::Ssec), false, false, Field::Absent | Field::Empty) => {
            Err(Refusal::OvhWriteWithoutKey)
        }
        (
            Intent::Write(_) | Intent::Part(_, Stored::Plain),
            false,
            false,
            Field::Absent | Field::Empty,
        ) => {
            if shown.is_silent() {
                Ok(Access::Plain)
            } else {
                Err(Refusal::OvhWriteWithoutKey)
            }
        }
        (Intent::Read(Stored::Ssec), false, false, Field::Absent | Field::Empty) => {
            Err(Refusal::OvhKeyMissing)
        }
    }
}

/// The first fault of a triple. The key's length is told apart, because it has one answer on a
/// write and another on a read.
enum Flaw {
    KeyLength,
    Other(Refusal),
}

/// The key of a complete, valid and consistent triple.
fn whole_triple(shown: &SsecHeaders) -> Result<&CustomerKey, Flaw> {
    use Field::{Absent, Doubled, Empty, Malformed, Present};
    let refusal = match (&shown.algorithm, &shown.key, &shown.key_md5) {
        (Doubled, _, _) | (_, Doubled, _) | (_, _, Doubled) => Refusal::Doubled,
        (_, _, _) if shown.unknown => Refusal::UnknownHeader,
        (Absent | Empty, _, _) => Refusal::AlgorithmMissing,
        (_, Absent | Empty, _) => Refusal::KeyMissing,
        (_, _, Absent | Empty) => Refusal::Md5Missing,
        (Malformed, _, _) => Refusal::AlgorithmInvalid(None),
        (Present(name), _, _) if name.as_deref() != Some("AES256") => {
            Refusal::AlgorithmInvalid(name.clone())
        }
        (Present(_), Malformed, _) => Refusal::KeyInvalid,
        (Present(_), Present(_), Malformed) => Refusal::Md5NotBase64,
        (Present(_), Present(_), Present(OfferedMd5::WrongLength(length))) => {
            Refusal::Md5Length(*length)
        }
        (Present(_), Present(key), Present(OfferedMd5::Digest(md5))) => {
            return match (headers::agrees(key, md5), key) {
                (false, _) => Err(Flaw::Other(Refusal::Md5Mismatch)),
                (true, OfferedKey::WrongLength { .. }) => Err(Flaw::KeyLength),
                (true, OfferedKey::Whole(key)) => Ok(key),
            };
        }
    };
    Err(Flaw::Other(refusal))
}
