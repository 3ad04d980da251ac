//! The sealed checksum: a digest of the plaintext, kept so that only the holder of the key reads
//! it.

use aws_lc_rs::aead::{Aad, Nonce};

use super::Damaged;
use super::data_key::{BodyName, ObjectKey};

const NONCE: usize = 12;

/// Seals `plain` under the checksum key of `body`. `nonce` must be random and fresh.
#[must_use]
pub fn seal(key: &ObjectKey, body: BodyName, nonce: [u8; NONCE], plain: &[u8]) -> Vec<u8> {
    let mut sealed = plain.to_vec();
    key.checksum_key(body)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .expect("a checksum is far shorter than what AES-GCM takes");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`Damaged`] when it does not verify.
pub fn open(key: &ObjectKey, body: BodyName, sealed: &[u8]) -> Result<Vec<u8>, Damaged> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Damaged)?;
    let mut rest = rest.to_vec();
    let plain = key
        .checksum_key(body)
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::empty(),
            &mut rest,
        )
        .map_err(|_| Damaged)?;
    Ok(plain.to_vec())
}
