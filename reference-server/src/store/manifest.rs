//! The manifest of a multipart object: which parts it has, and where each ends in the plaintext.

use std::ops::Range;

use super::row::{RowMac, VERSION};
use crate::sealed::Damaged;

/// Numbers rise, ends do not fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest(Vec<(u16, u64)>);

/// Where a part lies in the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) number: u16,
    pub(super) bytes: Range<u64>,
}

impl Manifest {
    const TABLE: &str = "manifests";

    /// Of the numbers and sizes of parts, in order.
    pub(super) fn of(parts: impl IntoIterator<Item = (u16, u64)>) -> Self {
        let mut end = 0;
        let ends = parts.into_iter().map(|(number, size)| {
            end += size;
            (number, end)
        });
        Self(ends.collect())
    }

    /// Plaintext bytes of the object.
    pub(super) fn size(&self) -> u64 {
        self.0.last().map_or(0, |(_, end)| *end)
    }

    /// The part that holds the byte at `position`; the last one for the end of the object.
    pub(super) fn holding(&self, position: u64) -> usize {
        let index = self.0.partition_point(|(_, end)| *end <= position);
        index.min(self.0.len().saturating_sub(1))
    }

    /// The part at `index`.
    pub(super) fn extent(&self, index: usize) -> Option<Extent> {
        let (number, end) = *self.0.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.0[before].1);
        Some(Extent {
            number,
            bytes: start..end,
        })
    }

    /// The part with this number.
    pub(super) fn part(&self, number: u16) -> Option<Extent> {
        let index = self.0.binary_search_by_key(&number, |(number, _)| *number);
        self.extent(index.ok()?)
    }

    pub(super) fn seal(&self, mac: &RowMac, upload: u128) -> Vec<u8> {
        let mut row = vec![VERSION];
        for (number, end) in &self.0 {
            row.extend(number.to_be_bytes());
            row.extend(end.to_be_bytes());
        }
        mac.seal(Self::TABLE, &upload.to_be_bytes(), row)
    }

    pub(super) fn open(mac: &RowMac, upload: u128, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &upload.to_be_bytes(), row)?;
        let mut parts = Vec::new();
        while !fields.is_empty() {
            parts.push((fields.u16()?, fields.u64()?));
        }
        if parts.is_empty() {
            return Err(Damaged);
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        Manifest::of([(1, 10), (3, 5), (7, 0), (9, 1)])
    }

    #[track_caller]
    fn check(position: u64, expected: u16) {
        let manifest = sample();
        let extent = manifest.extent(manifest.holding(position)).unwrap();
        assert_eq!(extent.number, expected, "at {position}");
    }

    #[test]
    fn a_position_is_in_the_first_part_that_ends_after_it() {
        check(0, 1);
        check(9, 1);
        check(10, 3);
        check(14, 3);
        check(15, 9);
        check(16, 9);
        assert_eq!(Manifest::of([(5, 0)]).holding(0), 0);
    }

    #[test]
    fn a_part_goes_by_the_number_it_was_uploaded_with() {
        let extent = |number| sample().part(number).map(|extent| extent.bytes);
        assert_eq!(extent(1), Some(0..10));
        assert_eq!(extent(3), Some(10..15));
        assert_eq!(extent(7), Some(15..15));
        assert_eq!(extent(9), Some(15..16));
        assert_eq!(extent(2), None);
        assert_eq!(extent(10), None);
        assert_eq!(sample().size(), 16);
    }

    #[test]
    fn a_manifest_is_read_back_under_its_own_key_alone() {
        let mac = RowMac::new(&[7; 32]);
        let mut row = sample().seal(&mac, 4);
        assert_eq!(Manifest::open(&mac, 4, &row), Ok(sample()));
        assert_eq!(Manifest::open(&mac, 5, &row), Err(Damaged));
        for position in 0..row.len() {
            row[position] ^= 1;
            assert_eq!(Manifest::open(&mac, 4, &row), Err(Damaged));
            row[position] ^= 1;
        }
        let empty = mac.seal("manifests", &4_u128.to_be_bytes(), vec![VERSION]);
        assert_eq!(Manifest::open(&mac, 4, &empty), Err(Damaged));
        let cut = mac.seal("manifests", &4_u128.to_be_bytes(), vec![VERSION, 0, 1, 0]);
        assert_eq!(Manifest::open(&mac, 4, &cut), Err(Damaged));
    }
}
