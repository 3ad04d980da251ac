//! The ids of versions, and how a request chooses one.

use std::ops::RangeInclusive;

use super::row::VersionRow;
use crate::ssec::dialect::Dialect;

/// The id of a version written while its bucket kept none (dialect `aws`).
const NULL: &str = "null";

/// The id of a version as clients see it.
///
/// `aws`: `null`, or 32 hexadecimal digits of the commit's number and of the random half of the
/// write id, so that an id names one write and with it one data key. `ovh`: the commit's number,
/// which is a time in microseconds.
pub(super) fn version_id(dialect: Dialect, row: &VersionRow, seq: u64) -> String {
    match dialect {
        Dialect::Aws if row.is_null_version() => NULL.to_owned(),
        Dialect::Aws => format!("{seq:016x}{}", hex::encode(&row.write_id().0[8..])),
        Dialect::Ovh => seq.to_string(),
    }
}

/// Whether an id is of the dialect's form, or `null`.
pub(super) fn is_well_formed(dialect: Dialect, id: &str) -> bool {
    VersionChoice::new(dialect, Some(id)) != VersionChoice::Unknown
}

/// Which version a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VersionChoice {
    /// The newest.
    Newest,
    /// The null version.
    Null,
    /// The one with this id.
    Id {
        /// The commit's number that the id tells.
        seq: u64,
        id: String,
    },
    /// None: no version has such an id.
    Unknown,
}

impl VersionChoice {
    pub(super) fn new(dialect: Dialect, id: Option<&str>) -> Self {
        let Some(id) = id else { return Self::Newest };
        if id == NULL {
            return Self::Null;
        }
        let seq = match dialect {
            Dialect::Aws => seq_of_hex(id),
            Dialect::Ovh => id.parse().ok().filter(|seq: &u64| seq.to_string() == id),
        };
        let id = id.to_owned();
        seq.map_or(Self::Unknown, |seq| Self::Id { seq, id })
    }

    /// The row keys among which the chosen version is, newest first.
    pub(super) fn range<'k>(
        &self,
        bucket: u64,
        name: &'k [u8],
    ) -> RangeInclusive<(u64, &'k [u8], u64)> {
        match self {
            Self::Newest | Self::Null | Self::Unknown => {
                (bucket, name, 0)..=(bucket, name, u64::MAX)
            }
            Self::Id { seq, .. } => (bucket, name, !seq)..=(bucket, name, !seq),
        }
    }

    /// Whether this version is the chosen one, when versions are asked newest first.
    pub(super) fn is(&self, dialect: Dialect, row: &VersionRow, seq: u64) -> bool {
        match self {
            Self::Newest => true,
            Self::Null => row.is_null_version(),
            Self::Id { id, .. } => *id == version_id(dialect, row, seq),
            Self::Unknown => false,
        }
    }

    /// The same of a version in [`VersionChoice::range`] whose row does not verify.
    pub(super) fn is_damaged(&self) -> bool {
        match self {
            Self::Newest | Self::Id { .. } => true,
            Self::Null | Self::Unknown => false,
        }
    }
}

/// The commit's number in 32 lower-case hexadecimal digits.
fn seq_of_hex(id: &str) -> Option<u64> {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if id.len() != 32 || !id.bytes().all(digit) {
        return None;
    }
    u64::from_str_radix(&id[..16], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, id: &str, expected: bool) {
        assert_eq!(is_well_formed(dialect, id), expected, "{dialect} {id:?}");
    }

    #[test]
    fn an_id_has_the_form_of_its_dialect() {
        let hex = "00061e2f3a4b5c6d0123456789abcdef";
        check(Dialect::Aws, hex, true);
        check(Dialect::Aws, &hex.to_uppercase(), false);
        check(Dialect::Aws, &hex[1..], false);
        check(Dialect::Aws, "1650000000000000", false);
        check(Dialect::Aws, "+0061e2f3a4b5c6d0123456789abcdef", false);
        check(Dialect::Ovh, "1650000000000000", true);
        check(Dialect::Ovh, "+1650000000000000", false);
        check(Dialect::Ovh, "01650000000000000", false);
        check(Dialect::Ovh, "99999999999999999999999", false);
        for dialect in [Dialect::Aws, Dialect::Ovh] {
            check(dialect, "null", true);
            check(dialect, "", false);
            check(dialect, "ä", false);
        }
    }
}
