//! The geometry of records: sizes, positions and nonces.

use std::ops::Range;

use aws_lc_rs::aead::Nonce;

/// Plaintext bytes in each record but the last, which may be shorter.
pub const RECORD: u64 = 65_536;

/// Bytes that sealing adds to each record: the tag of AES-256-GCM.
pub const TAG: u64 = 16;

/// Bytes that a full record takes at rest.
pub const STORED_RECORD: u64 = RECORD + TAG;

/// A body has fewer records than this, so that no key seals more than 64 GiB.
pub const RECORD_LIMIT: u64 = 1 << 20;

/// The largest body, in plaintext bytes.
pub const BODY_LIMIT: u64 = RECORD_LIMIT * RECORD;

/// The number of records of a body of `size` plaintext bytes. An empty body has one, empty record,
/// so that there is always a tag to verify.
#[must_use]
pub fn count(size: u64) -> u64 {
    size.div_ceil(RECORD).max(1)
}

/// The bytes that a body of `size` plaintext bytes takes at rest.
#[must_use]
pub fn stored_length(size: u64) -> u64 {
    size + TAG * count(size)
}

/// The records that hold the plaintext bytes of `range`, of a body of `size` bytes.
/// An empty range names one record all the same: something is verified before anything is said.
#[must_use]
pub fn holding(range: &Range<u64>, size: u64) -> Range<u64> {
    let first = (range.start / RECORD).min(count(size) - 1);
    let end = count(range.end.min(size)).max(first + 1);
    first..end
}

/// The plaintext bytes of record `index`, of a body of `size` bytes.
#[must_use]
pub fn plaintext(index: u64, size: u64) -> Range<u64> {
    index * RECORD..((index + 1) * RECORD).min(size)
}

/// The nonce of record `index`: a counter, then whether the record is the last. The flag makes a
/// body that was cut or extended at a record border fail to open.
pub(super) fn nonce(index: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: u64, records: u64, stored: u64) {
        assert_eq!(count(size), records);
        assert_eq!(stored_length(size), stored);
    }

    #[test]
    fn stored_lengths_near_record_borders() {
        check(0, 1, 16);
        check(1, 1, 17);
        check(65_535, 1, 65_551);
        check(65_536, 1, 65_552);
        check(65_537, 2, 65_569);
        check(131_071, 2, 131_103);
        check(131_072, 2, 131_104);
        check(131_073, 3, 131_121);
        check(5_368_709_120, 81_920, 5_370_019_840);
    }

    #[test]
    fn a_range_is_held_by_the_records_it_touches() {
        assert_eq!(holding(&(0..0), 0), 0..1);
        assert_eq!(holding(&(0..1), 1), 0..1);
        assert_eq!(holding(&(0..65_536), 65_537), 0..1);
        assert_eq!(holding(&(0..65_537), 65_537), 0..2);
        assert_eq!(holding(&(65_535..65_537), 131_072), 0..2);
        assert_eq!(holding(&(65_536..65_537), 131_072), 1..2);
        assert_eq!(holding(&(131_072..131_072), 131_072), 1..2);
    }

    #[test]
    fn a_nonce_is_the_counter_then_the_last_flag() {
        assert_eq!(
            hex::encode(nonce(0, false).as_ref()),
            "000000000000000000000000"
        );
        assert_eq!(
            hex::encode(nonce(0, true).as_ref()),
            "000000000000000000000001"
        );
        assert_eq!(
            hex::encode(nonce(0x0102_0304_0506_0708, true).as_ref()),
            "000000010203040506070801"
        );
    }
}
