//! Changes of uploads. Each finds the upload still there, so a part that races an abort or a
//! completion leaves no row and no file.

use std::collections::BTreeMap;

use redb::ReadableTable as _;

use super::{Applied, Change, proper};
use crate::clock;
use crate::sealed::Damaged;
use crate::store::part::Assembly;
use crate::store::row::{BucketRow, GarbageRow, PartRow, UploadRow};
use crate::store::upload::{CommittedPart, PartNumber, UploadName};
use crate::store::writer::WriteConditions;
use crate::store::{Committed, StoreError, timestamp};

impl Change<'_> {
    pub(super) fn create_upload(&mut self, upload: &UploadName, row: &UploadRow) -> Applied<()> {
        let bucket = proper!(self.bucket(&upload.bucket)?);
        let key = upload.row_key(bucket.id);
        let sealed = row.seal(&self.shared.mac, key);
        self.uploads.insert(key.in_table(), sealed.as_slice())?;
        Ok(Ok(()))
    }

    pub(super) fn put_part(
        &mut self,
        upload: &UploadName,
        number: u16,
        mut row: PartRow,
    ) -> Applied<CommittedPart> {
        proper!(self.going_on(upload)?);
        let key = (upload.id.number(), number);
        row.micros = clock::now_micros();
        let sealed = row.seal(&self.shared.mac, key);
        let old = self.parts.insert(key, sealed.as_slice())?;
        let old = old.map(|old| PartRow::open(&self.shared.mac, key, old.value()));
        // The body of a row that does not verify is swept at the next start.
        if let Some(Ok(old)) = old {
            self.discard(GarbageRow::File(old.body))?;
        }
        Ok(Ok(CommittedPart {
            etag: row.etag(),
            last_modified: timestamp(row.micros),
        }))
    }

    pub(super) fn abort_upload(&mut self, upload: &UploadName) -> Applied<()> {
        let bucket = proper!(self.going_on(upload)?);
        self.uploads.remove(upload.row_key(bucket.id).in_table())?;
        self.discard(GarbageRow::Upload(upload.id))?;
        Ok(Ok(()))
    }

    /// Makes the object; `None` when one of its parts is not the one it was made ready with.
    pub(super) fn complete(
        &mut self,
        upload: &UploadName,
        conditions: &WriteConditions,
        assembly: Assembly,
    ) -> Applied<Option<Committed>> {
        let bucket = proper!(self.going_on(upload)?);
        let id = upload.id.number();
        let mut listed: BTreeMap<_, _> = assembly.bodies.iter().copied().collect();
        let mut others = Vec::new();
        for entry in self.parts.range((id, 0)..=(id, u16::MAX))? {
            let (key, row) = entry?;
            let number = key.value().1;
            let row = PartRow::open(&self.shared.mac, key.value(), row.value());
            match (listed.remove(&number), row) {
                (Some(body), Ok(row)) if row.body == body => {}
                (Some(_), Ok(_)) => return Ok(Ok(None)),
                (Some(_), Err(Damaged)) => return Ok(Err(StoreError::Damaged)),
                (None, row) => others.push((number, row)),
            }
        }
        if let Some(gone) = listed.keys().next().copied().and_then(PartNumber::new) {
            return Ok(Err(StoreError::InvalidPart(gone)));
        }
        let Assembly {
            row,
            tags,
            manifest,
            ..
        } = assembly;
        let committed = self.put_in(&bucket, &upload.object, conditions, row, tags)?;
        let committed = proper!(committed);
        self.uploads.remove(upload.row_key(bucket.id).in_table())?;
        let sealed = manifest.seal(&self.shared.mac, id);
        self.manifests.insert(id, sealed.as_slice())?;
        for (number, row) in others {
            self.parts.remove((id, number))?;
            if let Ok(row) = row {
                self.discard(GarbageRow::File(row.body))?;
            }
        }
        Ok(Ok(Some(committed)))
    }

    /// The bucket of an upload that was neither completed nor aborted. Its row need not verify:
    /// whoever depends on it has looked it up before.
    fn going_on(&self, upload: &UploadName) -> Applied<BucketRow> {
        let bucket = proper!(self.bucket(&upload.bucket)?);
        match self.uploads.get(upload.row_key(bucket.id).in_table())? {
            Some(_) => Ok(Ok(bucket)),
            None => Ok(Err(StoreError::NoSuchUpload)),
        }
    }
}
