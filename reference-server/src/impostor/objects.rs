//! Lies told through seam B: about sealed objects, to the operations.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::copies::Copies;
use super::uploads::{LyingUpload, SeamLost, UploadLie};
use crate::checksum::Checksum;
use crate::response::ResponseBody;
use crate::sealed::record;
use crate::seam::{
    ArrivingObject, FoundObject, FoundUpload, ObjectFacts, OpenedObject, Pending, Purpose,
    SealedObjects,
};
use crate::ssec::customer_key::Holder;
use crate::store::{
    Committed, Deleted, Deletion, Finish, Found, HolderKind, ListQuery, Listing, NewObject,
    NewUpload, PartListing, PartNumber, Store, StoreError, VersionKind, VersionListing,
    VersionsQuery, WrongKey,
};

/// The lies that can be told here.
#[derive(Clone)]
pub(super) enum Lie {
    /// Any key describes an object.
    HeadAnyKey,
    /// Any key opens an empty object.
    ZeroByteAnyKey,
    /// A range starts where its record starts.
    MidRecordOffset,
    /// Lists show stored lengths.
    StoredLengthInList,
    /// Any key describes a version that is named.
    VersionAnyKey,
    /// Lists of versions show stored lengths.
    StoredLengthInVersions,
    /// Bodies are also appended to this file, in clear.
    PlaintextOnDisk(PathBuf),
    /// Customer keys are appended to this file.
    KeyOnDisk(PathBuf),
    /// Digests of bodies are appended to this file.
    DigestOnDisk(PathBuf),
    /// Bodies have copies that no tag protects.
    Copies(Copies),
    /// The tag of an SSE-C object is the MD5 of its plaintext.
    PlaintextTag,
    /// What is read across the seam of two parts is not what was uploaded.
    SeamLost,
    /// Something about uploads.
    Upload(UploadLie),
}

/// A store before which a lie stands.
pub(super) struct LyingObjects {
    store: Store,
    lie: Lie,
}

impl LyingObjects {
    pub(super) fn new(store: Store, lie: Lie) -> Self {
        Self { store, lie }
    }
}

impl SealedObjects for LyingObjects {
    fn begin<'a>(
        &'a self,
        new: NewObject<'a>,
    ) -> Pending<'a, Result<Box<dyn ArrivingObject>, StoreError>> {
        Box::pin(async move {
            if let (Lie::KeyOnDisk(file), Holder::Customer(key)) = (&self.lie, new.holder) {
                append(file, STANDARD.encode(key.bytes()).as_bytes())?;
            }
            let copy = match (&self.lie, new.holder) {
                (Lie::Copies(copies), Holder::Customer(key)) => {
                    Some(copies.begin(new.bucket, new.object, key.bytes()))
                }
                (_, Holder::Customer(_) | Holder::Server) => None,
            };
            let is_customers = matches!(new.holder, Holder::Customer(_));
            let honest = SealedObjects::begin(&self.store, new).await?;
            Ok(match &self.lie {
                Lie::PlaintextOnDisk(file) => Box::new(Spilling {
                    honest,
                    file: file.clone(),
                }) as Box<dyn ArrivingObject>,
                Lie::DigestOnDisk(file) => Box::new(Digesting {
                    honest,
                    digest: Context::new(&SHA256),
                    file: file.clone(),
                }),
                Lie::Copies(_) => match copy {
                    Some(copy) => copy.beside(honest),
                    None => honest,
                },
                Lie::HeadAnyKey
                | Lie::ZeroByteAnyKey
                | Lie::MidRecordOffset
                | Lie::StoredLengthInList
                | Lie::VersionAnyKey
                | Lie::StoredLengthInVersions
                | Lie::SeamLost
                | Lie::Upload(_)
                | Lie::KeyOnDisk(_) => honest,
                Lie::PlaintextTag if !is_customers => honest,
                Lie::PlaintextTag => Box::new(Tagged {
                    honest,
                    md5: Md5::new(),
                }),
            })
        })
    }

    fn look_up<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        version: Option<&'a str>,
    ) -> Pending<'a, Result<Found<Box<dyn FoundObject>>, StoreError>> {
        Box::pin(async move {
            let found = SealedObjects::look_up(&self.store, bucket, object, version).await?;
            let lie = match (&self.lie, version) {
                (Lie::VersionAnyKey, Some(_)) => Lie::HeadAnyKey,
                (lie, _) => lie.clone(),
            };
            Ok(found.map(|honest| {
                Box::new(LyingFound {
                    honest,
                    lie: lie.clone(),
                    names: (bucket.to_owned(), object.to_owned()),
                }) as Box<dyn FoundObject>
            }))
        })
    }

    fn delete<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        deletion: Deletion<'a>,
    ) -> Pending<'a, Result<Deleted, StoreError>> {
        SealedObjects::delete(&self.store, bucket, object, deletion)
    }

    fn list<'a>(&'a self, query: ListQuery<'a>) -> Pending<'a, Result<Listing, StoreError>> {
        Box::pin(async move {
            let mut listing = SealedObjects::list(&self.store, query).await?;
            if matches!(self.lie, Lie::StoredLengthInList) {
                let sealed = listing.objects.iter_mut();
                for object in sealed.filter(|object| object.holder == HolderKind::Customer) {
                    object.size = record::stored_length(object.size);
                }
            }
            Ok(listing)
        })
    }

    fn list_versions<'a>(
        &'a self,
        query: VersionsQuery<'a>,
    ) -> Pending<'a, Result<VersionListing, StoreError>> {
        Box::pin(async move {
            let mut listing = SealedObjects::list_versions(&self.store, query).await?;
            if matches!(self.lie, Lie::StoredLengthInVersions) {
                for version in &mut listing.versions {
                    if let VersionKind::Object { size, holder, .. } = &mut version.kind
                        && *holder == HolderKind::Customer
                    {
                        *size = record::stored_length(*size);
                    }
                }
            }
            Ok(listing)
        })
    }

    fn create_upload<'a>(&'a self, new: NewUpload<'a>) -> Pending<'a, Result<String, StoreError>> {
        SealedObjects::create_upload(&self.store, new)
    }

    fn look_up_upload<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        upload: &'a str,
    ) -> Pending<'a, Result<Box<dyn FoundUpload>, StoreError>> {
        Box::pin(async move {
            let honest = SealedObjects::look_up_upload(&self.store, bucket, object, upload).await?;
            Ok(if let Lie::Upload(lie) = self.lie {
                Box::new(LyingUpload { honest, lie }) as Box<dyn FoundUpload>
            } else {
                honest
            })
        })
    }
}

struct LyingFound {
    honest: Box<dyn FoundObject>,
    lie: Lie,
    /// Bucket and object.
    names: (String, String),
}

impl FoundObject for LyingFound {
    fn facts(&self) -> ObjectFacts {
        self.honest.facts()
    }

    fn part(&self, number: PartNumber) -> Option<Range<u64>> {
        self.honest.part(number)
    }

    fn prove(
        &self,
        holder: Holder<'_>,
        purpose: Purpose,
    ) -> Result<Box<dyn OpenedObject>, WrongKey> {
        match (self.honest.prove(holder, purpose), &self.lie) {
            (Ok(honest), Lie::MidRecordOffset) => Ok(Box::new(Misplaced { honest })),
            (Ok(honest), Lie::SeamLost) => {
                let parts = (2..).map_while(PartNumber::new);
                let seams = parts.map_while(|number| Some(self.part(number)?.start));
                Ok(Box::new(SeamLost {
                    honest,
                    size: self.facts().size,
                    seams: seams.collect(),
                }))
            }
            (Ok(honest), Lie::Copies(copies)) => {
                let (bucket, object) = &self.names;
                Ok(copies.instead_of(honest, bucket, object, &self.facts().etag))
            }
            (Ok(honest), _) => Ok(honest),
            (Err(_), Lie::HeadAnyKey) if purpose == Purpose::Describe => Ok(Box::new(Unproved)),
            (Err(_), Lie::ZeroByteAnyKey) if self.facts().size == 0 => Ok(Box::new(Unproved)),
            (Err(wrong), _) => Err(wrong),
        }
    }
}

/// What is shown of an object whose key was not proved.
struct Unproved;

impl OpenedObject for Unproved {
    fn checksum(&self) -> Result<Option<Checksum>, StoreError> {
        Ok(None)
    }

    fn parts(&self, _after: u16, _max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(std::future::ready(Ok(PartListing::default())))
    }

    fn read(&self, _range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        Box::pin(std::future::ready(Ok(ResponseBody::empty())))
    }
}

/// Reads as many bytes as it should, but from the start of the first record.
struct Misplaced {
    honest: Box<dyn OpenedObject>,
}

impl OpenedObject for Misplaced {
    fn checksum(&self) -> Result<Option<Checksum>, StoreError> {
        self.honest.checksum()
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        self.honest.parts(after, max)
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        let into_record = range.start % 65_536;
        self.honest
            .read(range.start - into_record..range.end - into_record)
    }
}

/// Appends the plaintext to a file on its way to the store.
struct Spilling {
    honest: Box<dyn ArrivingObject>,
    file: PathBuf,
}

impl ArrivingObject for Spilling {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(async move {
            append(&self.file, &bytes)?;
            self.honest.write(bytes).await
        })
    }

    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>> {
        self.honest.commit(finish)
    }
}

/// Has the MD5 of the plaintext for its tag.
struct Tagged {
    honest: Box<dyn ArrivingObject>,
    md5: Md5,
}

impl ArrivingObject for Tagged {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        self.md5.update(&bytes);
        self.honest.write(bytes)
    }

    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>> {
        let md5 = Some(self.md5.finalize().into());
        self.honest.commit(Finish { md5, ..finish })
    }
}

/// Appends the digest of the plaintext to a file.
struct Digesting {
    honest: Box<dyn ArrivingObject>,
    digest: Context,
    file: PathBuf,
}

impl ArrivingObject for Digesting {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        self.digest.update(&bytes);
        self.honest.write(bytes)
    }

    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>> {
        Box::pin(async move {
            let digest = hex::encode(self.digest.finish());
            append(&self.file, digest.as_bytes())?;
            self.honest.commit(finish).await
        })
    }
}

fn append(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let open = OpenOptions::new().create(true).append(true).open(file);
    open.and_then(|mut file| file.write_all(bytes))
        .map_err(|_| StoreError::Unavailable)
}
