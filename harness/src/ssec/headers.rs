//! The three headers of a step: made from a key, dropped, mutated or raw, and judged by what was sent.
//!
//! Names are spelled as AWS spells them, also in case. Values are bytes: a spoilt one need be no text.

use crate::error::GivenError;
use crate::scenario::definition::{Mutation, Ssec, SsecHeader};
use crate::ssec::keyring::TrialKeys;

/// The only algorithm of SSE-C.
pub const ALGORITHM: &str = "AES256";

impl SsecHeader {
    /// All three, in the order in which they are sent.
    pub const ALL: [Self; 3] = [Self::Algorithm, Self::Key, Self::KeyMd5];

    /// As AWS spells it.
    #[must_use]
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Algorithm => "x-amz-server-side-encryption-customer-algorithm",
            Self::Key => "x-amz-server-side-encryption-customer-key",
            Self::KeyMd5 => "x-amz-server-side-encryption-customer-key-MD5",
        }
    }
}

/// One header of the triple as it goes on the wire; a doubled one stands twice.
#[derive(PartialEq, Eq)]
pub struct SsecValue {
    pub header: SsecHeader,
    pub value: Vec<u8>,
}

/// The SSE-C headers of one request, in order. No `Debug`: it holds a key.
#[derive(PartialEq, Eq)]
pub struct SsecHeaders {
    pub values: Vec<SsecValue>,
}

impl SsecHeaders {
    /// The headers that `ssec` describes.
    ///
    /// # Errors
    /// When the key is not declared, or a mutation does not suit its header.
    pub fn build(ssec: &Ssec, keys: &TrialKeys) -> Result<Self, GivenError> {
        let _ = (ssec, keys);
        Ok(Self { values: Vec::new() })
    }

    /// The right triple of the key called `name`.
    ///
    /// # Errors
    /// When the key is not declared.
    pub fn right(name: &str, keys: &TrialKeys) -> Result<Self, GivenError> {
        let _ = (name, keys);
        Ok(Self { values: Vec::new() })
    }
}

/// Whether `mutation` can spoil `header` at all.
#[must_use]
pub const fn suits(mutation: Mutation, header: SsecHeader) -> bool {
    let _ = (mutation, header);
    true
}
