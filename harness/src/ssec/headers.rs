//! The three headers of a step: made from a key, dropped, mutated or raw.
//!
//! Names are spelled as AWS spells them, also in case. Values are bytes: a spoilt one need be no
//! text.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use super::customer_key::{CustomerKey, md5};
use super::keyring::TrialKeys;
use super::mutation::{decoded_key, mutated};
use crate::error::GivenError;
use crate::scenario::definition::{Ssec, SsecHeader};

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

    /// Its name where it opens the source of a copy, as AWS spells it.
    #[must_use]
    pub const fn source_name(self) -> &'static str {
        match self {
            Self::Algorithm => "x-amz-copy-source-server-side-encryption-customer-algorithm",
            Self::Key => "x-amz-copy-source-server-side-encryption-customer-key",
            Self::KeyMd5 => "x-amz-copy-source-server-side-encryption-customer-key-MD5",
        }
    }

    /// By the name that it has for the source of a copy, in any case.
    #[must_use]
    pub fn of_source_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|header| header.source_name().eq_ignore_ascii_case(name))
    }

    /// By its wire name in any case.
    #[must_use]
    pub fn of_wire_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|header| header.wire_name().eq_ignore_ascii_case(name))
    }
}

/// One header of the triple as it goes on the wire; a doubled one stands twice.
#[derive(Clone, PartialEq, Eq)]
pub struct SsecValue {
    pub header: SsecHeader,
    pub value: Vec<u8>,
}

/// The SSE-C headers of one request, in order. No `Debug`: it holds a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SsecHeaders {
    pub values: Vec<SsecValue>,
}

impl SsecHeaders {
    /// The headers that `ssec` describes.
    ///
    /// # Errors
    /// When the key is not declared, a mutation does not suit its header, or the fault would not
    /// show (an URL-safe value without a character that differs there).
    pub fn build(ssec: &Ssec, keys: &TrialKeys) -> Result<Self, GivenError> {
        let key = known(keys.get(&ssec.key), &ssec.key)?;
        let other = known(keys.other(&ssec.key), &ssec.key)?;
        let decoded = Zeroizing::new(decoded_key(key, ssec.mutate.get(&SsecHeader::Key).copied()));
        let mut headers = Self::default();
        for header in SsecHeader::ALL {
            if ssec.drop.contains(&header) {
                continue;
            }
            let values = if let Some(raw) = ssec.raw.get(&header) {
                vec![raw.clone()]
            } else if let Some(mutation) = ssec.mutate.get(&header) {
                mutated(header, *mutation, key, other, &decoded)?
            } else {
                vec![right(header, key, &decoded)]
            };
            headers
                .values
                .extend(values.into_iter().map(|value| SsecValue { header, value }));
        }
        Ok(headers)
    }

    /// The right triple of the key called `name`.
    ///
    /// # Errors
    /// When the key is not declared.
    pub fn right(name: &str, keys: &TrialKeys) -> Result<Self, GivenError> {
        Ok(Self::of_key(known(keys.get(name), name)?))
    }

    /// The right triple of `key`.
    #[must_use]
    pub fn of_key(key: &CustomerKey) -> Self {
        let value = |header| SsecValue {
            header,
            value: right(header, key, key.expose()),
        };
        Self {
            values: SsecHeader::ALL.map(value).into(),
        }
    }

    /// The values of one header, in order.
    pub fn values_of(&self, header: SsecHeader) -> impl Iterator<Item = &[u8]> {
        self.values
            .iter()
            .filter(move |value| value.header == header)
            .map(|value| value.value.as_slice())
    }
}

fn known<'a>(key: Option<&'a CustomerKey>, name: &str) -> Result<&'a CustomerKey, GivenError> {
    key.ok_or_else(|| GivenError::Step {
        why: format!("no key is called `{name}`"),
    })
}

/// The unspoilt value; the MD5 is that of the bytes to which the key header decodes.
pub(super) fn right(header: SsecHeader, key: &CustomerKey, decoded: &[u8]) -> Vec<u8> {
    match header {
        SsecHeader::Algorithm => ALGORITHM.into(),
        SsecHeader::Key => key.base64().as_bytes().to_vec(),
        SsecHeader::KeyMd5 => BASE64_STANDARD.encode(md5(decoded)).into_bytes(),
    }
}
