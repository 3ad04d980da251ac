//! Every key of the format, and how each is derived.
//!
//! Nothing here is stored. A customer key is used for the two expansions of [`seal_under`] or
//! [`open_under`] and is not needed afterwards; a stream holds the object key and one data key.
//!
//! `aws-lc-rs` keeps a copy of the input inside a `Prk` and gives keys by value, so keys are filled
//! into zeroised buffers of ours, and no `Prk` outlives its statement.

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use super::WrongKey;
use super::envelope::{Envelope, HolderKind, WriteId, bound};

const KEY_CHECK: &[u8] = b"ssec/1 key check";
const CONTEXT: &[u8] = b"ssec/1 context";
const OBJECT: &[u8] = b"ssec/1 object";
const DATA: &[u8] = b"ssec/1 data";
const CHECKSUM: &[u8] = b"ssec/1 checksum";

/// What keeps 32 secret bytes, off the stack.
type Secret = Box<Zeroizing<[u8; 32]>>;

/// The key from which the keys of all bodies of one write are derived. It opens nothing but what
/// was written under this name by this write.
pub struct ObjectKey(Secret);

/// Names one body of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyName {
    /// The id of the write, or of the sending of one part.
    pub id: WriteId,
    /// The part number; 0 for a body that is not a part.
    pub part: u16,
}

impl ObjectKey {
    /// The key that seals the records of one body.
    #[must_use]
    pub fn data_key(&self, body: BodyName) -> DataKey {
        DataKey(self.body_key(DATA, body))
    }

    /// The key that seals the checksum of one body.
    pub(super) fn checksum_key(&self, body: BodyName) -> LessSafeKey {
        self.body_key(CHECKSUM, body)
    }

    /// The object key, data key and checksum key, for the vectors.
    #[cfg(test)]
    pub(super) fn vector_bytes(&self, body: BodyName) -> [[u8; 32]; 3] {
        let [data, checksum] = [DATA, CHECKSUM].map(|purpose| **self.body_key_bytes(purpose, body));
        [**self.0, data, checksum]
    }

    fn body_key(&self, purpose: &[u8], body: BodyName) -> LessSafeKey {
        let key = self.body_key_bytes(purpose, body);
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("AES-256 takes 32 bytes");
        LessSafeKey::new(key)
    }

    fn body_key_bytes(&self, purpose: &[u8], body: BodyName) -> Secret {
        let prk = Prk::new_less_safe(HKDF_SHA256, self.0.as_slice());
        expand(&prk, &[purpose, &body.id.0, &body.part.to_be_bytes()])
    }
}

/// The key that seals the records of one body, expanded for AES-256-GCM and wiped when dropped.
pub struct DataKey(pub(super) LessSafeKey);

/// Where an object lives; part of what its key is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's name.
    pub object: &'a str,
}

/// Derives the key of a new object, and the envelope by which the same key is derived again.
///
/// `write_id` and `salt` must be fresh: they are what makes the data key unique.
#[must_use]
pub fn seal_under(
    key: &[u8; 32],
    holder: HolderKind,
    place: Place<'_>,
    write_id: WriteId,
    salt: [u8; 32],
) -> (Envelope, ObjectKey) {
    let key_check = *expand_from(&salt, key, &[KEY_CHECK]);
    let object_key = object_key(key, holder, place, write_id, &salt);
    (
        Envelope {
            holder,
            write_id,
            salt,
            key_check: *key_check,
        },
        object_key,
    )
}

/// Derives the key of a stored object, if `key` is the one it was written under.
///
/// The check is compared in constant time, whoever holds the key and whatever the object's size.
///
/// # Errors
/// [`WrongKey`] when it is another key. The row that holds the envelope must have been verified
/// before, or damage would be called a wrong key.
pub fn open_under(
    key: &[u8; 32],
    envelope: &Envelope,
    place: Place<'_>,
) -> Result<ObjectKey, WrongKey> {
    let check = expand_from(&envelope.salt, key, &[KEY_CHECK]);
    verify_slices_are_equal(check.as_slice(), &envelope.key_check).map_err(|_| WrongKey)?;
    let Envelope {
        holder,
        write_id,
        salt,
        key_check: _,
    } = envelope;
    Ok(object_key(key, *holder, place, *write_id, salt))
}

/// Derives a key of the store itself from the server key.
pub(crate) fn store_key(server_key: &[u8; 32], purpose: &[u8]) -> Box<Zeroizing<[u8; 32]>> {
    expand_from(b"ssec/1 store", server_key, &[purpose])
}

fn object_key(
    key: &[u8; 32],
    holder: HolderKind,
    place: Place<'_>,
    write_id: WriteId,
    salt: &[u8; 32],
) -> ObjectKey {
    let context = context(holder, place, write_id, salt);
    ObjectKey(expand_from(salt, key, &[OBJECT, &context]))
}

/// Everything that the key of an object is bound to. Lengths go before names, so that moving the
/// border between bucket and object name makes another context.
fn context(holder: HolderKind, place: Place<'_>, write_id: WriteId, salt: &[u8; 32]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(CONTEXT);
    context.update(&bound(holder, write_id, salt));
    for name in [place.bucket, place.object] {
        let length = u16::try_from(name.len()).expect("names are limited to 1024 bytes before");
        context.update(&length.to_be_bytes());
        context.update(name.as_bytes());
    }
    context
        .finish()
        .as_ref()
        .try_into()
        .expect("SHA-256 gives 32 bytes")
}

/// 32 bytes, as the type that aws-lc-rs asks an output length from.
struct ThirtyTwo;

impl KeyType for ThirtyTwo {
    fn len(&self) -> usize {
        32
    }
}

fn expand_from(salt: &[u8], key: &[u8; 32], info: &[&[u8]]) -> Secret {
    expand(&Salt::new(HKDF_SHA256, salt).extract(key), info)
}

fn expand(prk: &Prk, info: &[&[u8]]) -> Secret {
    let mut key = Box::new(Zeroizing::new([0; 32]));
    prk.expand(info, ThirtyTwo)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .expect("32 bytes are within what HKDF gives");
    key
}
