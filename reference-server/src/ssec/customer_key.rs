//! The 32 bytes of a customer key, for as long as a request needs them.

use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// A customer key. It has no `Debug`, `Display` or `Clone`, and is wiped when dropped.
pub struct CustomerKey(Box<Zeroizing<[u8; 32]>>);

impl CustomerKey {
    /// Takes the key's bytes.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(Box::new(bytes))
    }

    /// The MD5 of the 32 bytes, which requests carry to detect a damaged key header.
    #[must_use]
    pub fn md5(&self) -> [u8; 16] {
        Md5::digest(self.0.as_slice()).into()
    }
}
