//! Lists of the versions of the objects of a bucket: by name, newest first.

use std::sync::Arc;

use jiff::Timestamp;
use redb::ReadOnlyTable;

use super::row::{ObjectRowKey, VersionRow};
use super::scan::{Names, after_name, after_prefix};
use super::shared::{Shared, blocking, read_failed};
use super::table::{OBJECTS, VersionKey};
use super::version::{VersionChoice, version_id};
use super::{ETag, Store, StoreError, timestamp};
use crate::sealed::envelope::HolderKind;

/// Which versions to list.
#[derive(Clone, Copy, Debug)]
pub struct VersionsQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a VersionsAfter>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`](super::LIST_LIMIT).
    pub max: usize,
}

/// Where a list of versions goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionsAfter {
    /// After all versions of this name (`key-marker` alone).
    Name(String),
    /// After this version (`key-marker` and `version-id-marker`).
    Version {
        /// The object's name.
        name: String,
        /// The version's id. An id that no version has starts at the first version of the name.
        version_id: String,
    },
    /// After all names that start with this common prefix.
    CommonPrefix(String),
}

/// A page of a list of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionListing {
    /// Versions and delete markers, in order.
    pub versions: Vec<ListedVersion>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<VersionsAfter>,
}

/// A version or a delete marker as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The object's name.
    pub name: String,
    /// The id of the version; `null` for the null version (dialect `aws`).
    pub version_id: String,
    /// Whether it is the newest of its name.
    pub is_latest: bool,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// What it is.
    pub kind: VersionKind,
}

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// An object.
    Object {
        /// The length of the plaintext, in bytes.
        size: u64,
        /// The `ETag`.
        etag: ETag,
        /// Whose key opens it.
        holder: HolderKind,
    },
    /// A delete marker.
    Marker,
}

impl Store {
    /// A page of the versions of a bucket, delete markers included.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_versions(
        &self,
        query: VersionsQuery<'_>,
    ) -> Result<VersionListing, StoreError> {
        let (shared, bucket) = (Arc::clone(self.shared()), query.bucket.to_owned());
        let names = Names::new(query.prefix, query.delimiter, query.max);
        let after = query.after.cloned();
        blocking(move || {
            shared.read(|transaction| {
                let bucket = shared.bucket(transaction, &bucket)?.id;
                let scan = Scan {
                    shared: &shared,
                    table: transaction.open_table(OBJECTS).map_err(read_failed)?,
                    bucket,
                    names,
                };
                scan.run(after)
            })
        })
        .await
    }
}

struct Scan<'s> {
    shared: &'s Shared,
    table: ReadOnlyTable<VersionKey, &'static [u8]>,
    bucket: u64,
    names: Names,
}

impl Scan<'_> {
    fn run(&self, after: Option<VersionsAfter>) -> Result<VersionListing, StoreError> {
        let mut listing = VersionListing::default();
        if self.names.max == 0 {
            return Ok(listing);
        }
        let mut last = None;
        let mut cursor = self.names.start(self.first(after)?);
        'seek: while let Some((start, seq)) = cursor.take() {
            let newest = self.newest(&start)?;
            let mut previous = newest.filter(|newest| *newest < seq).map(|_| start.clone());
            let end = (self.bucket + 1, [].as_slice(), 0);
            let range = self
                .table
                .range((self.bucket, start.as_slice(), seq)..end)
                .map_err(read_failed)?;
            for entry in range {
                let (key, row) = entry.map_err(read_failed)?;
                let (_, name, inverted) = key.value();
                if !self.names.contain(name) {
                    break 'seek;
                }
                let text = std::str::from_utf8(name).map_err(|_| StoreError::Damaged)?;
                if listing.versions.len() + listing.common_prefixes.len() == self.names.max {
                    listing.next = last;
                    break 'seek;
                }
                if let Some(common) = self.names.common_prefix(text) {
                    listing.common_prefixes.push(common.to_owned());
                    last = Some(VersionsAfter::CommonPrefix(common.to_owned()));
                    cursor = after_prefix(common);
                    continue 'seek;
                }
                let is_latest = previous.as_deref() != Some(name);
                let version = self.listed(text, !inverted, row.value(), is_latest)?;
                last = Some(VersionsAfter::Version {
                    name: version.name.clone(),
                    version_id: version.version_id.clone(),
                });
                listing.versions.push(version);
                previous = Some(name.to_vec());
            }
        }
        Ok(listing)
    }

    /// The first row key after `after`; `None` when there is none.
    fn first(&self, after: Option<VersionsAfter>) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let (name, id) = match after {
            None => return Ok(Some((Vec::new(), 0))),
            Some(VersionsAfter::Name(name)) => return Ok(Some(after_name(&name))),
            Some(VersionsAfter::CommonPrefix(prefix)) => return Ok(after_prefix(&prefix)),
            Some(VersionsAfter::Version { name, version_id }) => (name, version_id),
        };
        let inverted = match VersionChoice::new(self.shared.dialect, Some(&id)) {
            VersionChoice::Id { seq, .. } => Some(!seq),
            VersionChoice::Null => self.null_version(name.as_bytes())?,
            VersionChoice::Newest | VersionChoice::Unknown => None,
        };
        Ok(match inverted.map(|inverted| inverted.checked_add(1)) {
            None => Some((name.into_bytes(), 0)),
            Some(Some(next)) => Some((name.into_bytes(), next)),
            Some(None) => Some(after_name(&name)),
        })
    }

    /// The inverted number of the null version of a name.
    fn null_version(&self, name: &[u8]) -> Result<Option<u64>, StoreError> {
        let range = VersionChoice::Null.range(self.bucket, name);
        for entry in self.table.range(range).map_err(read_failed)? {
            let (key, row) = entry.map_err(read_failed)?;
            let inverted = key.value().2;
            let key = ObjectRowKey {
                bucket: self.bucket,
                name,
                seq: !inverted,
            };
            if VersionRow::open(&self.shared.mac, key, row.value())?.is_null_version() {
                return Ok(Some(inverted));
            }
        }
        Ok(None)
    }

    /// The inverted number of the newest version of a name.
    fn newest(&self, name: &[u8]) -> Result<Option<u64>, StoreError> {
        let range = VersionChoice::Newest.range(self.bucket, name);
        let mut range = self.table.range(range).map_err(read_failed)?;
        let newest = range.next().transpose().map_err(read_failed)?;
        Ok(newest.map(|(key, _)| key.value().2))
    }

    fn listed(
        &self,
        name: &str,
        seq: u64,
        row: &[u8],
        is_latest: bool,
    ) -> Result<ListedVersion, StoreError> {
        let key = ObjectRowKey {
            bucket: self.bucket,
            name: name.as_bytes(),
            seq,
        };
        let row = VersionRow::open(&self.shared.mac, key, row)?;
        Ok(ListedVersion {
            name: name.to_owned(),
            version_id: version_id(self.shared.dialect, &row, seq),
            is_latest,
            last_modified: timestamp(seq),
            kind: match row {
                VersionRow::Object(row) => VersionKind::Object {
                    size: row.size,
                    etag: row.etag,
                    holder: row.envelope.holder(),
                },
                VersionRow::Marker(_) => VersionKind::Marker,
            },
        })
    }
}
