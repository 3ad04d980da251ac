//! The ids of versions, and how a request chooses one.

use super::row::ObjectRow;
use crate::ssec::dialect::Dialect;

/// The id of a version written while its bucket kept none (dialect `aws`).
const NULL: &str = "null";

/// The id of a version as clients see it.
///
/// `aws`: `null`, or 32 hexadecimal digits of the commit's number and of the random half of the
/// write id, so that an id names one write and with it one data key. `ovh`: the commit's number,
/// which is a time in microseconds.
pub(super) fn version_id(dialect: Dialect, row: &ObjectRow, seq: u64) -> String {
    match dialect {
        Dialect::Aws if row.null_version => NULL.to_owned(),
        Dialect::Aws => {
            format!("{seq:016x}{}", hex::encode(&row.envelope.write_id().0[8..]))
        }
        Dialect::Ovh => seq.to_string(),
    }
}

/// Whether an id is of the dialect's form, or `null`.
pub(super) fn is_well_formed(dialect: Dialect, id: &str) -> bool {
    let formed = match dialect {
        Dialect::Aws => {
            let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            id.len() == 32 && id.bytes().all(digit)
        }
        Dialect::Ovh => id.parse::<u64>().is_ok_and(|seq| seq.to_string() == id),
    };
    formed || id == NULL
}

/// Which version a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VersionChoice {
    /// The newest.
    Newest,
    /// The one with this id.
    Id(String),
}

impl VersionChoice {
    pub(super) fn new(id: Option<&str>) -> Self {
        id.map_or(Self::Newest, |id| Self::Id(id.to_owned()))
    }

    /// Whether this version is the chosen one, when versions are asked newest first.
    pub(super) fn is(&self, dialect: Dialect, row: &ObjectRow, seq: u64) -> bool {
        match self {
            Self::Newest => true,
            Self::Id(id) if id == NULL => row.null_version,
            Self::Id(id) => *id == version_id(dialect, row, seq),
        }
    }

    /// The same of a version whose row does not verify: only its number is known.
    pub(super) fn is_damaged(&self, seq: u64) -> bool {
        match self {
            Self::Newest => true,
            Self::Id(id) => id.starts_with(&format!("{seq:016x}")) || *id == seq.to_string(),
        }
    }
}
