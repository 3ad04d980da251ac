//! Opening the records of a body.

use aws_lc_rs::aead::Aad;

use super::Damaged;
use super::data_key::DataKey;
use super::record::{self, STORED_RECORD, TAG};

/// Opens consecutive records: `stored` holds whole records, the first of them record `first` of a
/// body of `size` plaintext bytes. `plaintext` gets what was in them.
///
/// Which record is the last comes from `size`, which a verified row tells, never from `stored`.
///
/// # Errors
/// [`Damaged`] when a record does not verify or has another length than its place asks for; then
/// `plaintext` is empty.
pub fn open(
    key: &DataKey,
    size: u64,
    first: u64,
    stored: &[u8],
    plaintext: &mut Vec<u8>,
) -> Result<(), Damaged> {
    plaintext.clear();
    let opened = open_each(key, size, first, stored, plaintext);
    if opened.is_err() {
        plaintext.clear();
    }
    opened
}

fn open_each(
    key: &DataKey,
    size: u64,
    first: u64,
    stored: &[u8],
    plaintext: &mut Vec<u8>,
) -> Result<(), Damaged> {
    let count = record::count(size);
    for (index, stored) in (first..).zip(stored.chunks(STORED_RECORD as usize)) {
        let place = record::plaintext(index, size);
        let length = place.end.checked_sub(place.start).ok_or(Damaged)?;
        if index >= count || stored.len() as u64 != length + TAG {
            return Err(Damaged);
        }
        let (ciphertext, tag) = stored.split_at(stored.len() - TAG as usize);
        let start = plaintext.len();
        plaintext.resize(start + ciphertext.len(), 0);
        let nonce = record::nonce(index, index + 1 == count);
        key.0
            .open_separate_gather(
                nonce,
                Aad::empty(),
                ciphertext,
                tag,
                &mut plaintext[start..],
            )
            .map_err(|_| Damaged)?;
    }
    Ok(())
}
