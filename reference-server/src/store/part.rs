//! Parts as rows tell them: lists of them, and what a completion makes of them.

use md5::Digest as _;
use redb::ReadTransaction;

use super::manifest::Manifest;
use super::row::{ObjectRow, PartRow, Place, UploadRow};
use super::shared::{Shared, read_failed};
use super::table::PARTS;
use super::upload::{
    ChecksumKind, Completion, DeclaredChecksum, ListedPart, NamedPart, PART_MINIMUM, PartListing,
    PartNumber,
};
use super::{ETag, LIST_LIMIT, StoreError, stored_checksum, timestamp};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::sealed::data_key::{BodyName, ObjectKey};
use crate::sealed::envelope::WriteId;

/// What the checksums of parts come to where the upload declared none. Parts have one of this
/// algorithm only if whoever wrote them kept it.
const BY_DEFAULT: DeclaredChecksum = DeclaredChecksum {
    algorithm: ChecksumAlgorithm::Crc64Nvme,
    kind: ChecksumKind::FullObject,
};

/// The row of one part.
pub(super) fn find(
    shared: &Shared,
    transaction: &ReadTransaction,
    upload: WriteId,
    number: u16,
) -> Result<Option<PartRow>, StoreError> {
    let table = transaction.open_table(PARTS).map_err(read_failed)?;
    let key = (upload.number(), number);
    let Some(row) = table.get(key).map_err(read_failed)? else {
        return Ok(None);
    };
    Ok(Some(PartRow::open(&shared.mac, key, row.value())?))
}

/// A page of the parts of an upload, or of the object that it became.
pub(super) fn list(
    shared: &Shared,
    transaction: &ReadTransaction,
    upload: WriteId,
    key: Option<&ObjectKey>,
    after: u16,
    max: usize,
) -> Result<PartListing, StoreError> {
    let max = max.min(LIST_LIMIT);
    let mut listing = PartListing::default();
    let Some(first) = after.checked_add(1) else {
        return Ok(listing);
    };
    let table = transaction.open_table(PARTS).map_err(read_failed)?;
    let range = (upload.number(), first)..=(upload.number(), u16::MAX);
    for entry in table.range(range).map_err(read_failed)? {
        if listing.parts.len() == max {
            listing.next = listing.parts.last().map(|part| part.number);
            break;
        }
        let (row_key, row) = entry.map_err(read_failed)?;
        let row = PartRow::open(&shared.mac, row_key.value(), row.value())?;
        let number = PartNumber::new(row_key.value().1).ok_or(StoreError::Damaged)?;
        listing.parts.push(ListedPart {
            number,
            size: row.size,
            etag: row.etag(),
            last_modified: timestamp(row.micros),
            checksum: match key {
                Some(key) => checksum(key, number, &row)?,
                None => None,
            },
        });
    }
    Ok(listing)
}

fn checksum(
    key: &ObjectKey,
    number: PartNumber,
    row: &PartRow,
) -> Result<Option<Checksum>, StoreError> {
    let name = BodyName {
        id: row.body,
        part: number.get(),
    };
    stored_checksum::open(key, name, &row.checksum, 0)
}

/// What an upload becomes, made ready outside the transaction that decides.
pub(super) struct Assembly {
    pub(super) row: ObjectRow,
    pub(super) tags: super::ObjectTags,
    pub(super) manifest: Manifest,
    /// Each part and the body that it had; in order.
    pub(super) bodies: Vec<(u16, WriteId)>,
    /// The checksum of the whole, in wire form.
    pub(super) checksum: Option<Checksum>,
}

impl Assembly {
    pub(super) fn of(
        shared: &Shared,
        transaction: &ReadTransaction,
        upload: &UploadRow,
        key: Option<&ObjectKey>,
        completion: &Completion,
    ) -> Result<Self, StoreError> {
        let id = upload.envelope.write_id();
        let named = &completion.parts;
        if named.is_empty() || !named.is_sorted_by(|a, b| a.number < b.number) {
            return Err(StoreError::InvalidPartOrder);
        }
        let mut parts = Vec::with_capacity(named.len());
        for named in named {
            let row = find(shared, transaction, id, named.number.get())?;
            let row = row.filter(|row| named.etag.eq_ignore_ascii_case(&row.etag().to_string()));
            let row = row.ok_or(StoreError::InvalidPart(named.number))?;
            let checksum = match key {
                Some(key) => checksum_of_named(key, named, &row)?,
                None => None,
            };
            parts.push(Part {
                number: named.number,
                row,
                checksum,
            });
        }
        check_sizes(&parts)?;
        let checksum = combined(upload.checksum.unwrap_or(BY_DEFAULT), &parts)?;
        if let (Some(shown), Some(_)) = (&completion.checksum, key)
            && !checksum.as_ref().is_some_and(|made| agree(shown, made))
        {
            return Err(StoreError::ChecksumDiffers);
        }
        let manifest = Manifest::of(parts.iter().map(|part| (part.number.get(), part.row.size)));
        let made = manifest.size();
        if let Some(shown) = completion.size.filter(|shown| *shown != made) {
            return Err(StoreError::SizeDiffers { shown, made });
        }
        let name = BodyName { id, part: 0 };
        let sealed = key.map_or_else(Vec::new, |key| {
            stored_checksum::seal(key, name, checksum.as_ref())
        });
        Ok(Self {
            row: ObjectRow {
                null_version: true, // decided in the transaction
                envelope: upload.envelope.clone(),
                size: manifest.size(),
                place: Place::Parts,
                stored_crc64: 0,
                etag: etag(&parts),
                checksum: sealed,
                headers: upload.headers.clone(),
            },
            tags: upload.tags.clone(),
            manifest,
            bodies: parts
                .iter()
                .map(|part| (part.number.get(), part.row.body))
                .collect(),
            checksum,
        })
    }
}

/// A part that was listed and found.
struct Part {
    number: PartNumber,
    row: PartRow,
    checksum: Option<Checksum>,
}

/// The part's checksum, which must be the one that the client names, if it names one.
fn checksum_of_named(
    key: &ObjectKey,
    named: &NamedPart,
    row: &PartRow,
) -> Result<Option<Checksum>, StoreError> {
    let kept = checksum(key, named.number, row)?;
    match (&named.checksum, &kept) {
        (Some(shown), Some(kept)) if shown == kept => {}
        (Some(_), _) => return Err(StoreError::InvalidPart(named.number)),
        (None, _) => {}
    }
    Ok(kept)
}

fn check_sizes(parts: &[Part]) -> Result<(), StoreError> {
    let [before @ .., _last] = parts else {
        return Ok(());
    };
    match before.iter().find(|part| part.row.size < PART_MINIMUM) {
        None => Ok(()),
        Some(part) => Err(StoreError::PartTooSmall {
            number: part.number,
            size: part.row.size,
        }),
    }
}

/// The MD5 of the parts' `ETag`s as bytes, and their number.
fn etag(parts: &[Part]) -> ETag {
    let mut md5 = md5::Md5::new();
    for part in parts {
        md5.update(part.row.etag);
    }
    ETag {
        bytes: md5.finalize().into(),
        parts: u16::try_from(parts.len()).expect("their numbers rise within 10,000"),
    }
}

/// The checksum of the whole; `None` when a part has none of the declared algorithm.
fn combined(declared: DeclaredChecksum, parts: &[Part]) -> Result<Option<Checksum>, StoreError> {
    let DeclaredChecksum { algorithm, kind } = declared;
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.checksum {
            Some(checksum) if checksum.algorithm == algorithm => {
                pieces.push((checksum, part.row.size));
            }
            Some(_) | None => return Ok(None),
        }
    }
    match kind {
        ChecksumKind::Composite => stored_checksum::composite(algorithm, &pieces).map(Some),
        ChecksumKind::FullObject => stored_checksum::full_object(algorithm, &pieces),
    }
}

/// Whether a client's word for the checksum of the whole is ours; it may leave out the number of
/// parts of a composite one.
fn agree(shown: &Checksum, made: &Checksum) -> bool {
    let digest = made.value.split('-').next().unwrap_or_default();
    shown.algorithm == made.algorithm && (shown.value == made.value || shown.value == digest)
}
