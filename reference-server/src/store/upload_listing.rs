//! Lists of the uploads of a bucket, by object name and then by the time they were created.

use std::sync::Arc;

use jiff::Timestamp;
use redb::ReadTransaction;

use super::row::{UploadRow, UploadRowKey};
use super::scan::{Names, after_name, after_prefix};
use super::shared::{Shared, blocking, read_failed};
use super::table::UPLOADS;
use super::upload::upload_id;
use super::{Store, StoreError, timestamp};
use crate::sealed::envelope::{HolderKind, WriteId};

/// Which uploads to list.
#[derive(Clone, Copy, Debug)]
pub struct UploadsQuery<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Only names that start with this.
    pub prefix: &'a str,
    /// Names that hold this after the prefix are rolled up to one entry a common prefix. Not empty.
    pub delimiter: Option<&'a str>,
    /// Where to start.
    pub after: Option<&'a UploadsAfter>,
    /// The most entries, common prefixes included; cut to [`LIST_LIMIT`](super::LIST_LIMIT).
    pub max: usize,
}

/// Where a list of uploads goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadsAfter {
    /// After all uploads of this name (`key-marker` alone).
    Name(String),
    /// After this upload (`key-marker` and `upload-id-marker`).
    Upload {
        /// The object's name.
        name: String,
        /// The upload's id.
        upload_id: String,
    },
    /// After all names that start with this common prefix (`key-marker` when it ends with the
    /// delimiter and came from a list).
    CommonPrefix(String),
}

/// A page of a list of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadListing {
    /// The uploads, in order.
    pub uploads: Vec<ListedUpload>,
    /// The common prefixes, in order, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<UploadsAfter>,
}

/// An upload as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpload {
    /// The object's name.
    pub name: String,
    /// The upload's id.
    pub upload_id: String,
    /// When it was created.
    pub created: Timestamp,
    /// Whose key its parts are sealed under.
    pub holder: HolderKind,
}

impl Store {
    /// A page of the uploads of a bucket that were neither completed nor aborted.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_uploads(&self, query: UploadsQuery<'_>) -> Result<UploadListing, StoreError> {
        let (shared, bucket) = (Arc::clone(self.shared()), query.bucket.to_owned());
        let names = Names::new(query.prefix, query.delimiter, query.max);
        let after = query.after.cloned();
        blocking(move || {
            shared.read(|transaction| {
                let bucket = shared.bucket(transaction, &bucket)?.id;
                scan(&shared, transaction, bucket, &names, after)
            })
        })
        .await
    }
}

fn scan(
    shared: &Shared,
    transaction: &ReadTransaction,
    bucket: u64,
    names: &Names,
    after: Option<UploadsAfter>,
) -> Result<UploadListing, StoreError> {
    let table = transaction.open_table(UPLOADS).map_err(read_failed)?;
    let mut listing = UploadListing::default();
    if names.max == 0 {
        return Ok(listing);
    }
    let mut last = None;
    let mut cursor = names.start(first(after));
    'seek: while let Some((start, upload)) = cursor.take() {
        let end = (bucket + 1, [].as_slice(), 0);
        let range = table
            .range((bucket, start.as_slice(), upload)..end)
            .map_err(read_failed)?;
        for entry in range {
            let (key, row) = entry.map_err(read_failed)?;
            let (_, name, upload) = key.value();
            if !names.contain(name) {
                break 'seek;
            }
            let text = std::str::from_utf8(name).map_err(|_| StoreError::Damaged)?;
            if listing.uploads.len() + listing.common_prefixes.len() == names.max {
                listing.next = last;
                break 'seek;
            }
            if let Some(common) = names.common_prefix(text) {
                listing.common_prefixes.push(common.to_owned());
                last = Some(UploadsAfter::CommonPrefix(common.to_owned()));
                cursor = after_prefix(common);
                continue 'seek;
            }
            let upload = WriteId::from_number(upload);
            let key = UploadRowKey {
                bucket,
                name,
                upload,
            };
            let row = UploadRow::open(&shared.mac, key, row.value())?;
            let listed = ListedUpload {
                name: text.to_owned(),
                upload_id: upload_id(upload),
                created: timestamp(upload.micros()),
                holder: row.envelope.holder(),
            };
            last = Some(UploadsAfter::Upload {
                name: listed.name.clone(),
                upload_id: listed.upload_id.clone(),
            });
            listing.uploads.push(listed);
        }
    }
    Ok(listing)
}

/// The first row key after `after`; `None` when there is none.
fn first(after: Option<UploadsAfter>) -> Option<(Vec<u8>, u128)> {
    match after {
        None => Some((Vec::new(), 0)),
        Some(UploadsAfter::Name(name)) => Some(after_name(&name)),
        Some(UploadsAfter::CommonPrefix(prefix)) => after_prefix(&prefix),
        Some(UploadsAfter::Upload { name, upload_id }) => {
            let mut id = [0; 16];
            let next = match hex::decode_to_slice(&upload_id, &mut id) {
                Ok(()) => u128::from_be_bytes(id).checked_add(1),
                // An id that none has sorts before all of them.
                Err(_) => Some(0),
            };
            match next {
                Some(next) => Some((name.into_bytes(), next)),
                None => Some(after_name(&name)),
            }
        }
    }
}
