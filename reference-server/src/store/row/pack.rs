//! The row of a pack, and the place of a body in one.

use super::{Fields, RowMac, VERSION};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;

/// Names a pack, as a body is named: no two packs ever have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct PackId(pub(in crate::store) WriteId);

/// Where a body lies in a pack. How long it is follows from its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct PackPlace {
    pub(in crate::store) pack: PackId,
    /// In bytes from the start of the pack.
    pub(in crate::store) offset: u32,
}

impl PackPlace {
    pub(super) fn encode(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.pack.0.0);
        bytes[16..].copy_from_slice(&self.offset.to_be_bytes());
        bytes
    }

    pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Self, Damaged> {
        Ok(Self {
            pack: PackId(WriteId(fields.array()?)),
            offset: fields.u32()?,
        })
    }
}

/// The row of a pack: what of it still belongs to an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct PackRow {
    /// Stored bytes of the bodies that rows name.
    pub(in crate::store) bytes: u64,
    /// How many bodies that are.
    pub(in crate::store) count: u64,
}

impl PackRow {
    const TABLE: &str = "packs";

    pub(in crate::store) fn seal(self, mac: &RowMac, pack: u128) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.bytes.to_be_bytes());
        row.extend(self.count.to_be_bytes());
        mac.seal(Self::TABLE, &pack.to_be_bytes(), row)
    }

    pub(in crate::store) fn open(mac: &RowMac, pack: u128, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &pack.to_be_bytes(), row)?;
        let row = Self {
            bytes: fields.u64()?,
            count: fields.u64()?,
        };
        fields.end()?;
        Ok(row)
    }
}
