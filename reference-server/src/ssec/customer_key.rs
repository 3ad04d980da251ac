//! The customer key: 32 secret bytes that a request brought and that nothing keeps.
//!
//! It knows how to hold the bytes and to compare a claimed MD5 with them. It does not know how a
//! request spells them (`headers`) nor what is derived from them (`sealed::data_key`).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// The 32 bytes of SSE-C. No `Debug`, `Display` or `Clone`; boxed so that a move leaves no copy
/// behind; wiped when dropped.
pub struct CustomerKey(Box<Zeroizing<[u8; 32]>>);

impl CustomerKey {
    /// Takes over the decoded bytes.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(Box::new(bytes))
    }

    /// The secret itself, for key derivation only.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The MD5 of the key, which a client sends beside it and which AWS echoes. It tells no key
    /// bytes, but it may not be logged or stored either: it would link objects under one key.
    #[must_use]
    pub fn md5(&self) -> [u8; 16] {
        Md5::digest(self.0.as_slice()).into()
    }

    /// Whether `claimed` is the MD5 of this key, compared in constant time.
    #[must_use]
    pub fn md5_is(&self, claimed: &[u8]) -> bool {
        verify_slices_are_equal(&self.md5(), claimed).is_ok()
    }

    /// Whether this is the same key, compared in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_slice(), other.0.as_slice()).is_ok()
    }
}

/// Who holds the key of a body.
#[derive(Clone, Copy)]
pub enum Holder<'a> {
    /// The client does, and sent it with the request (SSE-C).
    Customer(&'a CustomerKey),
    /// The server does (plain objects, sealed under a key derived from `server.key`).
    Server,
}

impl fmt::Debug for Holder<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Customer(_) => "Customer",
            Self::Server => "Server",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 1321 gives no 32-byte value; this one is `head -c 32 /dev/zero | md5sum`.
    const MD5_OF_ZEROS: &str = "70bc8f4b72a86921468bf8e8441dce51";

    fn zeros() -> CustomerKey {
        CustomerKey::new(Zeroizing::new([0; 32]))
    }

    #[test]
    fn md5_is_that_of_the_raw_bytes() {
        assert_eq!(hex::encode(zeros().md5()), MD5_OF_ZEROS);
    }

    #[test]
    fn a_claimed_md5_is_compared_whole() {
        let mut md5 = zeros().md5();
        assert!(zeros().md5_is(&md5));
        assert!(!zeros().md5_is(&md5[..15]));
        md5[15] ^= 1;
        assert!(!zeros().md5_is(&md5));
    }

    #[test]
    fn a_key_is_itself_and_no_other() {
        let mut other = [0; 32];
        other[31] = 1;
        assert!(zeros().is(&zeros()));
        assert!(!zeros().is(&CustomerKey::new(Zeroizing::new(other))));
    }

    #[test]
    fn a_holder_shows_no_key() {
        let key = zeros();
        assert_eq!(format!("{:?}", Holder::Customer(&key)), "Customer");
        assert_eq!(format!("{:?}", Holder::Server), "Server");
    }
}
