//! Lies told through seam B about uploads in parts, and about objects that came so.

use std::ops::Range;

use bytes::Bytes;
use http_body_util::BodyExt as _;

use crate::checksum::Checksum;
use crate::response::ResponseBody;
use crate::sealed::record;
use crate::seam::{FoundUpload, OpenedObject, OpenedUpload, Pending, UploadFacts};
use crate::ssec::customer_key::Holder;
use crate::store::{Completed, Completion, PartListing, PartNumber, StoreError, WrongKey};

/// What is not true of an upload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UploadLie {
    /// Parts are put together by their numbers, in whatever order they are named.
    OrderIgnored,
    /// Lists of parts show stored lengths.
    StoredLength,
}

impl UploadLie {
    fn completed(self, mut completion: Completion) -> Completion {
        if self == Self::OrderIgnored {
            completion.parts.sort_by_key(|part| part.number.get());
        }
        completion
    }

    fn listed(self, mut listing: PartListing) -> PartListing {
        if self == Self::StoredLength {
            for part in &mut listing.parts {
                part.size = record::stored_length(part.size);
            }
        }
        listing
    }
}

/// An upload about which something is not true.
pub(super) struct LyingUpload<U: ?Sized> {
    pub(super) honest: Box<U>,
    pub(super) lie: UploadLie,
}

impl FoundUpload for LyingUpload<dyn FoundUpload> {
    fn facts(&self) -> UploadFacts {
        self.honest.facts()
    }

    fn prove(&self, holder: Holder<'_>) -> Result<Box<dyn OpenedUpload>, WrongKey> {
        let honest = self.honest.prove(holder)?;
        let lie = self.lie;
        Ok(Box::new(LyingUpload { honest, lie }))
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(async move {
            let listing = self.honest.parts(after, max).await?;
            Ok(self.lie.listed(listing))
        })
    }

    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>> {
        self.honest.complete(self.lie.completed(completion))
    }
}

impl OpenedUpload for LyingUpload<dyn OpenedUpload> {
    fn begin_part(
        &self,
        number: PartNumber,
    ) -> Pending<'_, Result<Box<dyn crate::seam::ArrivingPart>, StoreError>> {
        self.honest.begin_part(number)
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(async move {
            let listing = self.honest.parts(after, max).await?;
            Ok(self.lie.listed(listing))
        })
    }

    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>> {
        self.honest.complete(self.lie.completed(completion))
    }
}

/// An object that came in parts; a range across the seam of two of them goes on with the beginning
/// of the object. Read whole, it is right.
pub(super) struct SeamLost {
    pub(super) honest: Box<dyn OpenedObject>,
    pub(super) size: u64,
    /// Where its second part and each one after it begins.
    pub(super) seams: Vec<u64>,
}

impl OpenedObject for SeamLost {
    fn checksum(&self) -> Result<Option<Checksum>, StoreError> {
        self.honest.checksum()
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        self.honest.parts(after, max)
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        let crosses = |seam: &&u64| range.start < **seam && **seam < range.end;
        let is_whole = range == (0..self.size);
        let Some(seam) = self
            .seams
            .iter()
            .find(crosses)
            .copied()
            .filter(|_| !is_whole)
        else {
            return self.honest.read(range);
        };
        Box::pin(async move {
            let mut bytes = read_all(&*self.honest, range.start..seam).await?.to_vec();
            let rest = 0..range.end - seam;
            bytes.extend_from_slice(&read_all(&*self.honest, rest).await?);
            Ok(ResponseBody::full(bytes))
        })
    }
}

async fn read_all(object: &dyn OpenedObject, range: Range<u64>) -> Result<Bytes, StoreError> {
    let body = object.read(range).await?;
    let whole = body.collect().await.map_err(|_| StoreError::Unavailable)?;
    Ok(whole.to_bytes())
}
