//! Lists of the objects of a bucket, in the order of the bytes of their names.

use jiff::Timestamp;
use redb::ReadTransaction;

use super::row::{ObjectRow, ObjectRowKey};
use super::shared::{OBJECTS, Shared, read_failed};
use super::{ETag, StoreError, timestamp};
use crate::sealed::Damaged;
use crate::sealed::envelope::HolderKind;

/// The most entries of one list.
pub const LIST_LIMIT: usize = 1_000;

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
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    pub(super) after: Option<After>,
    pub(super) max: usize,
}

impl Scan {
    pub(super) fn new(query: ListQuery<'_>) -> Self {
        Self {
            prefix: query.prefix.to_owned(),
            delimiter: query.delimiter.map(str::to_owned),
            after: query.after.cloned(),
            max: query.max.min(LIST_LIMIT),
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
        if self.max == 0 {
            return Ok(listing);
        }
        let mut last = None;
        let Some(mut cursor) = self.start() else {
            return Ok(listing);
        };
        'seek: loop {
            let end = (bucket + 1, [].as_slice(), 0);
            let range = table
                .range((bucket, cursor.as_slice(), 0)..end)
                .map_err(read_failed)?;
            let mut previous: Option<Vec<u8>> = None;
            for entry in range {
                let (key, row) = entry.map_err(read_failed)?;
                let (_, name, inverted) = key.value();
                if !name.starts_with(self.prefix.as_bytes()) {
                    break 'seek;
                }
                if previous.as_deref() == Some(name) {
                    continue; // an older version
                }
                let text = std::str::from_utf8(name).map_err(|_| StoreError::Damaged)?;
                if listing.objects.len() + listing.common_prefixes.len() == self.max {
                    listing.next = last;
                    break 'seek;
                }
                if let Some(common) = self.common_prefix(text) {
                    listing.common_prefixes.push(common.to_owned());
                    last = Some(After::CommonPrefix(common.to_owned()));
                    match successor(common.as_bytes()) {
                        Some(next) => cursor = next,
                        None => break 'seek,
                    }
                    continue 'seek;
                }
                let key = ObjectRowKey {
                    bucket,
                    name,
                    seq: !inverted,
                };
                listing
                    .objects
                    .push(listed(shared, key, text, row.value())?);
                last = Some(After::Name(text.to_owned()));
                previous = Some(name.to_vec());
            }
            break;
        }
        Ok(listing)
    }

    /// The first name that may be listed; `None` when there is none.
    fn start(&self) -> Option<Vec<u8>> {
        let after = match &self.after {
            None => Vec::new(),
            Some(After::Name(name)) => [name.as_bytes(), &[0]].concat(),
            Some(After::CommonPrefix(prefix)) => successor(prefix.as_bytes())?,
        };
        Some(after.max(self.prefix.clone().into_bytes()))
    }

    /// The name up to the first delimiter after the prefix, delimiter included.
    fn common_prefix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let delimiter = self
            .delimiter
            .as_deref()
            .filter(|delimiter| !delimiter.is_empty())?;
        let rest = &name[self.prefix.len()..];
        let end = rest.find(delimiter)? + delimiter.len();
        Some(&name[..self.prefix.len() + end])
    }
}

fn listed(
    shared: &Shared,
    key: ObjectRowKey<'_>,
    name: &str,
    row: &[u8],
) -> Result<ListedObject, StoreError> {
    let row = ObjectRow::open(&shared.mac, key, row).map_err(|Damaged| StoreError::Damaged)?;
    Ok(ListedObject {
        name: name.to_owned(),
        size: row.size,
        etag: row.etag,
        last_modified: timestamp(key.seq),
        holder: row.envelope.holder(),
    })
}

/// The least name after all names that start with `prefix`; `None` when there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = prefix[..=kept].to_vec();
    next[kept] += 1;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(prefix: &[u8], expected: Option<&[u8]>) {
        assert_eq!(successor(prefix).as_deref(), expected);
    }

    #[test]
    fn a_successor_adds_one_and_carries() {
        check(b"a/", Some(b"a0"));
        check(b"a\xff", Some(b"b"));
        check(b"a\xff\xff", Some(b"b"));
        check(b"\xff", None);
        check(b"", None);
    }
}
