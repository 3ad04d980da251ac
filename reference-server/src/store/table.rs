//! The tables of the metadata and the types of their keys. The rows are `row`'s.

use redb::{TableDefinition, WriteTransaction};

/// Row keys of `objects` and `tags`: bucket id, object name, the commit's number inverted.
pub(super) type VersionKey = (u64, &'static [u8], u64);
/// Row keys of `uploads`: bucket id, object name, the upload's write id.
pub(super) type UploadKey = (u64, &'static [u8], u128);

pub(super) type Rows<K> = TableDefinition<'static, K, &'static [u8]>;

pub(super) const META: Rows<&'static str> = TableDefinition::new("meta");
pub(super) const BUCKETS: Rows<&'static str> = TableDefinition::new("buckets");
pub(super) const OBJECTS: Rows<VersionKey> = TableDefinition::new("objects");
pub(super) const TAGS: Rows<VersionKey> = TableDefinition::new("tags");
pub(super) const UPLOADS: Rows<UploadKey> = TableDefinition::new("uploads");
/// The upload's write id, the part's number.
pub(super) const PARTS: Rows<(u128, u16)> = TableDefinition::new("parts");
/// The upload's write id.
pub(super) const MANIFESTS: Rows<u128> = TableDefinition::new("manifests");
/// The id of the pack.
pub(super) const PACKS: Rows<u128> = TableDefinition::new("packs");
/// The number of the commit that made it garbage, then a counter.
pub(super) const GARBAGE: Rows<(u64, u32)> = TableDefinition::new("garbage");

/// Makes the tables that are not there yet.
pub(super) fn make_all(transaction: &WriteTransaction) -> Result<(), redb::TableError> {
    transaction.open_table(META)?;
    transaction.open_table(BUCKETS)?;
    transaction.open_table(OBJECTS)?;
    transaction.open_table(TAGS)?;
    transaction.open_table(UPLOADS)?;
    transaction.open_table(PARTS)?;
    transaction.open_table(MANIFESTS)?;
    transaction.open_table(PACKS)?;
    transaction.open_table(GARBAGE)?;
    Ok(())
}
