//! A customer key: 32 bytes that exist in this process only, and their MD5.
//!
//! No `Debug`, `Display`, `Clone` or `PartialEq`: a key cannot be printed, copied or compared by
//! accident. Its bytes are wiped when it is dropped; the header values made from it live as long
//! as the request that carries them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::random;
use crate::scenario::definition::KeySpec;

/// Bytes of a customer key; the S3 API knows no other length.
pub const KEY_BYTES: usize = 32;

/// Draws before a key with a wanted property is given up; one draw in two has most of them.
const MAX_DRAWS: usize = 100_000;

/// The 32 bytes that S3 calls the customer-provided encryption key.
pub struct CustomerKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl CustomerKey {
    /// A fresh key from the operating system.
    #[must_use]
    pub fn fresh() -> Self {
        let mut key = Self::from_bytes([0; KEY_BYTES]);
        random::fill_secret(key.0.as_mut_slice());
        key
    }

    /// A key as `spec` wants it, or `None` when no draw has the wanted property.
    #[must_use]
    pub fn draw(spec: &KeySpec) -> Option<Self> {
        Self::draw_where(spec, |_| true)
    }

    /// As [`draw`](Self::draw), redrawing also until `wanted` holds.
    pub(crate) fn draw_where(spec: &KeySpec, wanted: impl Fn(&Self) -> bool) -> Option<Self> {
        let fits = |key: &Self| {
            spec.base64_has
                .is_none_or(|character| key.base64().contains(character))
                && wanted(key)
        };
        if let Some(value) = spec.fill {
            return Some(Self::from_bytes([value; KEY_BYTES])).filter(fits);
        }
        std::iter::repeat_with(Self::fresh)
            .take(MAX_DRAWS)
            .find(fits)
    }

    /// A key with these very bytes: published vectors, and nothing else.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Box::new(Zeroizing::new(bytes)))
    }

    /// The key's bytes, for whoever makes a header or looks for a leak.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The value of the key header: 44 characters.
    #[must_use]
    pub fn base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_STANDARD.encode(self.expose()))
    }

    /// MD5 over the 32 raw bytes (RFC 1321), as the key-MD5 header digests it.
    #[must_use]
    pub fn md5(&self) -> [u8; 16] {
        md5(self.expose())
    }

    /// The value of the key-MD5 header: 24 characters.
    #[must_use]
    pub fn md5_base64(&self) -> String {
        BASE64_STANDARD.encode(self.md5())
    }

    /// Whether both are the same key, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.expose(), other.expose()).is_ok()
    }
}

/// MD5 of any bytes.
#[must_use]
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_vector(key: &str, md5: &str) {
        let bytes: [u8; 32] = BASE64_STANDARD.decode(key).unwrap().try_into().unwrap();
        let customer_key = CustomerKey::from_bytes(bytes);
        assert_eq!(*customer_key.base64(), key);
        assert_eq!(customer_key.md5_base64(), md5);
    }

    /// Keys and digests that LocalStack, ceph/s3-tests and MinIO publish in their tests.
    #[test]
    fn published_keys_have_their_published_md5() {
        check_vector(
            "MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=",
            "JMwgiexXqwuPqIPjYFmIZQ==",
        );
        check_vector(
            "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
            "DWygnHRtgiJ77HCm+1rvHw==",
        );
        check_vector(
            "6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=",
            "arxBvwY2V4SiOne6yppVPQ==",
        );
        check_vector(
            "MzJieXRlc2xvbmdzZWNyZXRrZXltdXN0cHJvdmlkZWQ=",
            "7PpPLAK26ONlVUGOWlusfg==",
        );
        check_vector(
            "u8zCfnEyt5Imo/krN+sxA1DQXxLWtPJavU6T6gOVj1Y=",
            "jMGbs3GyZkYjJUP6q5jA7g==",
        );
        check_vector(
            "XkYVk4Z3vVDO2yJaUqCAEZX6lL10voMxtV06d8my/eU=",
            "kedo2ab8J1MCjHwJuLTJHw==",
        );
        check_vector(
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "tP/LI3N87DFaSk0aoqYgzg==",
        );
    }

    #[test]
    fn a_fill_gives_all_bytes_that_value() {
        let spec = KeySpec {
            fill: Some(0),
            base64_has: None,
        };
        assert_eq!(CustomerKey::draw(&spec).unwrap().expose(), &[0; 32]);
        let never = KeySpec {
            fill: Some(0),
            base64_has: Some('+'),
        };
        assert!(CustomerKey::draw(&never).is_none());
    }

    #[test]
    fn a_wanted_character_is_drawn_until_it_comes() {
        let spec = KeySpec {
            fill: None,
            base64_has: Some('+'),
        };
        let key = CustomerKey::draw(&spec).unwrap();
        assert!(key.base64().contains('+'));
        let impossible = KeySpec {
            fill: None,
            base64_has: Some('!'),
        };
        assert!(CustomerKey::draw(&impossible).is_none());
    }

    #[test]
    fn two_draws_differ_and_a_key_is_itself() {
        let (one, other) = (CustomerKey::fresh(), CustomerKey::fresh());
        assert!(!one.is(&other));
        assert!(one.is(&CustomerKey::from_bytes(*one.expose())));
    }
}
