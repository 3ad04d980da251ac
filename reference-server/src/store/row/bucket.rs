//! The row of a bucket.

use super::super::{SsecUse, Versioning};
use super::{RowMac, VERSION};
use crate::sealed::Damaged;

/// The row of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct BucketRow {
    pub(in crate::store) id: u64,
    pub(in crate::store) created_micros: u64,
    pub(in crate::store) versioning: Versioning,
    pub(in crate::store) ssec: SsecUse,
    /// Empty for none.
    pub(in crate::store) policy: String,
    /// Empty for none.
    pub(in crate::store) cors: String,
}

impl BucketRow {
    const TABLE: &str = "buckets";

    pub(in crate::store) fn seal(&self, mac: &RowMac, name: &str) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.id.to_be_bytes());
        row.extend(self.created_micros.to_be_bytes());
        row.push(match self.versioning {
            Versioning::Unversioned => 0,
            Versioning::Enabled => 1,
            Versioning::Suspended => 2,
        });
        row.push(match self.ssec {
            SsecUse::Allowed => 0,
            SsecUse::Blocked => 1,
        });
        for text in [&self.policy, &self.cors] {
            let length = u32::try_from(text.len()).expect("settings are limited before");
            row.extend(length.to_be_bytes());
            row.extend(text.as_bytes());
        }
        mac.seal(Self::TABLE, name.as_bytes(), row)
    }

    pub(in crate::store) fn open(mac: &RowMac, name: &str, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, name.as_bytes(), row)?;
        let id = fields.u64()?;
        let created_micros = fields.u64()?;
        let versioning = match fields.u8()? {
            0 => Versioning::Unversioned,
            1 => Versioning::Enabled,
            2 => Versioning::Suspended,
            _ => return Err(Damaged),
        };
        let ssec = match fields.u8()? {
            0 => SsecUse::Allowed,
            1 => SsecUse::Blocked,
            _ => return Err(Damaged),
        };
        let (policy, cors) = (fields.long_text()?, fields.long_text()?);
        fields.end()?;
        Ok(Self {
            id,
            created_micros,
            versioning,
            ssec,
            policy,
            cors,
        })
    }
}
