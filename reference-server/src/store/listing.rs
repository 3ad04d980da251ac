//! Lists of the objects of a bucket, in the order of the bytes of their names.

use jiff::Timestamp;
use redb::ReadTransaction;

use super::row::{ObjectRowKey, VersionRow};
use super::scan::{Names, after_name, after_prefix};
use super::shared::{Shared, read_failed};
use super::table::OBJECTS;
use super::{ETag, StoreError, timestamp};
use crate::sealed::envelope::HolderKind;

/// The most entries of one list.
pub const LIST_LIMIT: usize = 1_000;

/// Older versions of one name that are passed one by one; beyond them a seek is cheaper.
const OLDER_VERSIONS: usize = 8;

/// Which objects to list.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a After>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`].
    pub max: usize,
}

/// Where a list goes on. A continuation token encodes one; `start-after` and `marker` are
/// `After::Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// After this name, whether it exists or not.
    Name(String),
    /// After all names that start with this common prefix.
    CommonPrefix(String),
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects, in order.
    pub objects: Vec<ListedObject>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<After>,
}

/// An object as lists show it. Only its row was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The object's name.
    pub name: String,
    /// The length of the plaintext, in bytes.
    pub size: u64,
    /// The `ETag`.
    pub etag: ETag,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// Whose key opens it.
    pub holder: HolderKind,
}

/// The query of a list, in a form that outlives the request.
pub(super) struct Scan {
    names: Names,
    after: Option<After>,
}

impl Scan {
    pub(super) fn new(query: ListQuery<'_>) -> Self {
        Self {
            names: Names::new(query.prefix, query.delimiter, query.max),
            after: query.after.cloned(),
        }
    }

    /// Collects a page. Each common prefix costs one seek, whatever is below it.
    pub(super) fn run(
        &self,
        shared: &Shared,
        transaction: &ReadTransaction,
        bucket: u64,
    ) -> Result<Listing, StoreError> {
        let table = transaction.open_table(OBJECTS).map_err(read_failed)?;
        let mut listing = Listing::default();
        if self.names.max == 0 {
            return Ok(listing);
        }
        let mut last = None;
        let mut cursor = self.start();
        'seek: while let Some((start, seq)) = cursor.take() {
            let end = (bucket + 1, [].as_slice(), 0);
            let range = table
                .range((bucket, start.as_slice(), seq)..end)
                .map_err(read_failed)?;
            let mut previous: Option<Vec<u8>> = None;
            let mut older = 0;
            for entry in range {
                let (key, row) = entry.map_err(read_failed)?;
                let (_, name, inverted) = key.value();
                if !self.names.contain(name) {
                    break 'seek;
                }
                if previous.as_deref() == Some(name) {
                    older += 1;
                    if older == OLDER_VERSIONS {
                        cursor = Some(([name, &[0]].concat(), 0));
                        continue 'seek;
                    }
                    continue;
                }
                (previous, older) = (Some(name.to_vec()), 0);
                let key = ObjectRowKey {
                    bucket,
                    name,
                    seq: !inverted,
                };
                let VersionRow::Object(row) = VersionRow::open(&shared.mac, key, row.value())?
                else {
                    continue; // deleted
                };
                let text = std::str::from_utf8(name).map_err(|_| StoreError::Damaged)?;
                if listing.objects.len() + listing.common_prefixes.len() == self.names.max {
                    listing.next = last;
                    break 'seek;
                }
                if let Some(common) = self.names.common_prefix(text) {
                    listing.common_prefixes.push(common.to_owned());
                    last = Some(After::CommonPrefix(common.to_owned()));
                    cursor = after_prefix(common);
                    continue 'seek;
                }
                listing.objects.push(ListedObject {
                    name: text.to_owned(),
                    size: row.size,
                    etag: row.etag,
                    last_modified: timestamp(key.seq),
                    holder: row.envelope.holder(),
                });
                last = Some(After::Name(text.to_owned()));
            }
        }
        Ok(listing)
    }

    /// The first row key that may be listed; `None` when there is none.
    fn start(&self) -> Option<(Vec<u8>, u64)> {
        self.names.start(match &self.after {
            None => Some((Vec::new(), 0)),
            Some(After::Name(name)) => Some(after_name(name)),
            Some(After::CommonPrefix(prefix)) => after_prefix(prefix),
        })
    }
}
