//! The envelope: the 84 bytes of a row that say under what an object was sealed.
//!
//! It holds no key and nothing that tells two objects under one key apart from two under different
//! keys. It does not know who may open it; `data_key` does.

use super::Damaged;

/// The length of an envelope.
pub const LENGTH: usize = 84;

/// The bytes that the context of a key covers: all but the key check.
const BOUND: usize = 52;

const VERSION: u8 = 1;
const AES_256_GCM_HKDF_SHA_256: u8 = 1;

/// Names one write: microseconds since 1970, strictly rising in this process, then 8 random bytes.
/// A body that is not a part of a multipart upload goes under the id of its write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub [u8; 16]);

impl WriteId {
    /// The time at which the write started, in microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The id as a number, in the same order.
    #[must_use]
    pub fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The id with this number.
    #[must_use]
    pub fn from_number(number: u128) -> Self {
        Self(number.to_be_bytes())
    }
}

/// Whose key an object is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderKind {
    /// The client's, sent with each request (SSE-C).
    Customer,
    /// The server's (plain objects).
    Server,
}

/// Under what an object was sealed: the holder, the write, the salt and the check of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub(super) holder: HolderKind,
    pub(super) write_id: WriteId,
    pub(super) salt: [u8; 32],
    pub(super) key_check: [u8; 32],
}

impl Envelope {
    /// Whose key opens the object.
    #[must_use]
    pub fn holder(&self) -> HolderKind {
        self.holder
    }

    /// The write that made the object.
    #[must_use]
    pub fn write_id(&self) -> WriteId {
        self.write_id
    }

    /// The bytes that go into the row.
    #[must_use]
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..BOUND].copy_from_slice(&bound(self.holder, self.write_id, &self.salt));
        bytes[BOUND..].copy_from_slice(&self.key_check);
        bytes
    }

    /// Reads an envelope back.
    ///
    /// # Errors
    /// [`Damaged`] for another length, version or suite, or an unknown holder: the row that holds
    /// it was verified before, so this is no envelope that this format wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| Damaged)?;
        let [version, suite, holder, zero, rest @ ..] = bytes;
        if (*version, *suite, *zero) != (VERSION, AES_256_GCM_HKDF_SHA_256, 0) {
            return Err(Damaged);
        }
        let holder = match holder {
            1 => HolderKind::Customer,
            2 => HolderKind::Server,
            _ => return Err(Damaged),
        };
        let (write_id, rest) = rest.split_first_chunk::<16>().ok_or(Damaged)?;
        let (salt, rest) = rest.split_first_chunk::<32>().ok_or(Damaged)?;
        let key_check = rest.try_into().map_err(|_| Damaged)?;
        Ok(Self {
            holder,
            write_id: WriteId(*write_id),
            salt: *salt,
            key_check,
        })
    }
}

/// The part of an envelope that a key's context covers.
pub(super) fn bound(holder: HolderKind, write_id: WriteId, salt: &[u8; 32]) -> [u8; BOUND] {
    let holder = match holder {
        HolderKind::Customer => 1,
        HolderKind::Server => 2,
    };
    let mut bytes = [0; BOUND];
    bytes[..4].copy_from_slice(&[VERSION, AES_256_GCM_HKDF_SHA_256, holder, 0]);
    bytes[4..20].copy_from_slice(&write_id.0);
    bytes[20..].copy_from_slice(salt);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Envelope {
        Envelope {
            holder: HolderKind::Customer,
            write_id: WriteId([0xa0; 16]),
            salt: [0x20; 32],
            key_check: [0x6f; 32],
        }
    }

    #[test]
    fn an_envelope_is_read_back() {
        assert_eq!(Envelope::decode(&sample().encode()), Ok(sample()));
    }

    #[test]
    fn other_lengths_versions_suites_and_holders_are_damage() {
        let bytes = sample().encode();
        assert_eq!(Envelope::decode(&bytes[..83]), Err(Damaged));
        assert_eq!(
            Envelope::decode(&[bytes.as_slice(), &[0]].concat()),
            Err(Damaged)
        );
        for (position, value) in [(0, 2), (1, 2), (2, 0), (2, 3), (3, 1)] {
            let mut other = bytes;
            other[position] = value;
            assert_eq!(
                Envelope::decode(&other),
                Err(Damaged),
                "byte {position} = {value}"
            );
        }
    }
}
