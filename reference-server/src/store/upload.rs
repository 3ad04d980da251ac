//! Multipart uploads: parts sealed one by one, each under a data key of its own, and the completion
//! that makes an object of them without touching a body.
//!
//! The key is proved against the upload's row, at each part anew. Completing needs no key; with
//! one, the checksums of the parts, which are sealed, can be compared and combined.

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::commit::{CompleteIntent, CreateUploadIntent, Intent};
use super::object::ObjectTags;
use super::part::{self, Assembly};
use super::part_writer::PartWriter;
use super::row::{self, UploadRow, UploadRowKey};
use super::shared::blocking;
use super::{Committed, ETag, Store, StoreError, WriteConditions, timestamp};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::sealed::WrongKey;
use crate::sealed::data_key::ObjectKey;
use crate::sealed::envelope::{HolderKind, WriteId};
use crate::ssec::customer_key::Holder;

/// The least plaintext of a part that is not the last, in bytes.
pub const PART_MINIMUM: u64 = 5 << 20;

/// The number of a part: 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// The highest number.
    pub const MAX: u16 = 10_000;

    /// The number, if it is one of a part.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }

    /// As an integer.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

/// What a checksum of a multipart object covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumKind {
    /// The checksums of its parts, in order. Shown with `-` and the number of parts.
    Composite,
    /// Its bytes. CRCs alone can be combined so.
    FullObject,
}

/// The checksum that an upload declared when it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredChecksum {
    /// The algorithm of its parts' checksums and of the object's.
    pub algorithm: ChecksumAlgorithm,
    /// What the object's covers. SHA-1 and SHA-256 take [`ChecksumKind::Composite`] alone, and
    /// CRC64NVME [`ChecksumKind::FullObject`] alone; the caller has checked it.
    pub kind: ChecksumKind,
}

/// What is known of a multipart object when its upload is created.
pub struct NewUpload<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's name, at most 1024 bytes (the caller has checked it).
    pub object: &'a str,
    /// Under whose key all parts are sealed.
    pub holder: Holder<'a>,
    /// The headers to keep with the object.
    pub headers: HeaderMap,
    /// The tags to keep with the object.
    pub tags: ObjectTags,
    /// The checksum that it declares.
    pub checksum: Option<DeclaredChecksum>,
}

/// An upload that was neither completed nor aborted when it was looked up.
pub struct Upload {
    store: Store,
    name: UploadName,
    row: UploadRow,
}

/// The right to seal parts of one upload, and to open their checksums: made by [`Upload::prove`]
/// alone. Holds the object's key, so it has no `Debug`.
pub struct UploadAccess {
    object_key: Arc<ObjectKey>,
}

/// What a part's commit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedPart {
    /// The part's `ETag`.
    pub etag: ETag,
    /// When it was committed.
    pub last_modified: Timestamp,
}

/// A part as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// Its number.
    pub number: PartNumber,
    /// The length of its plaintext, in bytes.
    pub size: u64,
    /// Its `ETag`.
    pub etag: ETag,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// Its checksum, if one was kept and the key was proved.
    pub checksum: Option<Checksum>,
}

/// A page of the parts of an upload or of a multipart object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartListing {
    /// The parts, by their numbers.
    pub parts: Vec<ListedPart>,
    /// The number after which the next page starts; `None` at the end.
    pub next: Option<PartNumber>,
}

/// One line of the list with which an upload is completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPart {
    /// The part's number.
    pub number: PartNumber,
    /// The part's `ETag` as the client wrote it, without quotes.
    pub etag: String,
    /// The part's checksum, if the client names it. Compared only when the key was proved.
    pub checksum: Option<Checksum>,
}

/// How an upload is completed.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The parts, in the order that the client gave. None of the others becomes part of the object.
    pub parts: Vec<NamedPart>,
    /// What must hold of the object that it replaces, decided when it is committed.
    pub conditions: WriteConditions,
    /// What the client says of the checksum of the whole, in wire form; compared when the key was
    /// proved and a checksum was declared, or kept by default.
    pub checksum: Option<Checksum>,
    /// What the client says of the length of the whole, in bytes.
    pub size: Option<u64>,
}

/// What a completion made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The version; its `ETag` is the MD5 of the parts' binary `ETag`s and their number.
    pub committed: Committed,
    /// The checksum of the whole in wire form, when one was declared and the key was proved.
    pub checksum: Option<Checksum>,
}

/// Names an upload.
#[derive(Clone, Debug)]
pub(super) struct UploadName {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) id: WriteId,
}

impl UploadName {
    fn new(bucket: &str, object: &str, upload: &str) -> Result<Self, StoreError> {
        let mut id = [0; 16];
        hex::decode_to_slice(upload, &mut id).map_err(|_| StoreError::NoSuchUpload)?;
        Ok(Self {
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            id: WriteId(id),
        })
    }

    pub(super) fn row_key(&self, bucket: u64) -> UploadRowKey<'_> {
        UploadRowKey {
            bucket,
            name: self.object.as_bytes(),
            upload: self.id,
        }
    }
}

/// The id of an upload as clients see it.
pub(super) fn upload_id(id: WriteId) -> String {
    hex::encode(id.0)
}

impl Store {
    /// Creates an upload, and returns its id. The key is used here and not kept.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn create_upload(&self, new: NewUpload<'_>) -> Result<String, StoreError> {
        if !row::fits(&new.headers, &new.tags) {
            return Err(StoreError::TooLarge);
        }
        let shared = self.shared();
        let (envelope, _) = shared.new_envelope(new.bucket, new.object, new.holder);
        shared.check_bucket(new.bucket).await?;
        let id = envelope.write_id();
        let (reply, answer) = oneshot::channel();
        let intent = CreateUploadIntent {
            upload: UploadName {
                bucket: new.bucket.to_owned(),
                object: new.object.to_owned(),
                id,
            },
            row: UploadRow {
                envelope,
                checksum: new.checksum,
                headers: new.headers,
                tags: new.tags,
            },
            reply,
        };
        self.submit(Intent::CreateUpload(Box::new(intent)), answer)
            .await?;
        Ok(upload_id(id))
    }

    /// The upload with the id `upload` that was created under this bucket and name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::NoSuchUpload`], also for an id that cannot be
    /// one; [`StoreError::Damaged`] when its row does not verify; [`StoreError::Unavailable`].
    pub async fn look_up_upload(
        &self,
        bucket: &str,
        object: &str,
        upload: &str,
    ) -> Result<Upload, StoreError> {
        let name = UploadName::new(bucket, object, upload)?;
        let store = self.clone();
        blocking(move || {
            let shared = store.shared();
            let row = shared.read(|transaction| shared.upload(transaction, &name))?;
            Ok(Upload { store, name, row })
        })
        .await
    }

    /// Aborts an upload. Its parts go, those that are still being sent too. Needs no key, and works
    /// when its row is damaged and when the disk is full.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::NoSuchUpload`], [`StoreError::Unavailable`].
    pub async fn abort_upload(
        &self,
        bucket: &str,
        object: &str,
        upload: &str,
    ) -> Result<(), StoreError> {
        let upload = UploadName::new(bucket, object, upload)?;
        let (reply, answer) = oneshot::channel();
        self.submit(Intent::AbortUpload { upload, reply }, answer)
            .await
    }
}

impl Upload {
    /// Whose key its parts are sealed under.
    #[must_use]
    pub fn holder(&self) -> HolderKind {
        self.row.envelope.holder()
    }

    /// The headers that the object will have.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.row.headers
    }

    /// The checksum that it declared.
    #[must_use]
    pub fn checksum(&self) -> Option<DeclaredChecksum> {
        self.row.checksum
    }

    /// When it was created.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        timestamp(self.name.id.micros())
    }

    /// Whether `holder` holds the key that the upload was created with.
    ///
    /// # Errors
    /// [`WrongKey`] for another key, also when the upload is the other kind of holder's.
    pub fn prove(&self, holder: Holder<'_>) -> Result<UploadAccess, WrongKey> {
        let UploadName { bucket, object, .. } = &self.name;
        let object_key =
            self.store
                .shared()
                .open_envelope(&self.row.envelope, bucket, object, holder)?;
        Ok(UploadAccess { object_key })
    }

    /// Starts to write a part.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] when it has ended meanwhile; [`StoreError::Full`],
    /// [`StoreError::Unavailable`].
    pub async fn begin_part(
        &self,
        access: &UploadAccess,
        number: PartNumber,
    ) -> Result<PartWriter, StoreError> {
        let (shared, name) = (Arc::clone(self.store.shared()), self.name.clone());
        blocking(move || {
            shared.check_room()?;
            shared.read(|transaction| shared.upload(transaction, &name).map(drop))
        })
        .await?;
        let name = self.name.clone();
        Ok(PartWriter::new(
            &self.store,
            name,
            &access.object_key,
            number,
        ))
    }

    /// A page of its parts, from the one after the number `after`, at most `max` and at most 1,000.
    /// Their checksums are there only with `access`, or when no customer holds the key.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] when it has ended meanwhile; [`StoreError::Damaged`],
    /// [`StoreError::Unavailable`].
    pub async fn parts(
        &self,
        access: Option<&UploadAccess>,
        after: u16,
        max: usize,
    ) -> Result<PartListing, StoreError> {
        let (shared, name) = (Arc::clone(self.store.shared()), self.name.clone());
        let key = self.key(access);
        blocking(move || {
            shared.read(|transaction| {
                shared.upload(transaction, &name)?;
                part::list(&shared, transaction, name.id, key.as_deref(), after, max)
            })
        })
        .await
    }

    /// Makes the object of the parts that the completion lists. All is decided in one transaction;
    /// no body is touched, so it takes the same time whatever the size.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] when it has ended meanwhile, also by the same completion;
    /// [`StoreError::InvalidPartOrder`], also for no parts; [`StoreError::InvalidPart`],
    /// [`StoreError::PartTooSmall`], [`StoreError::ChecksumDiffers`], [`StoreError::SizeDiffers`];
    /// [`StoreError::PreconditionFailed`], [`StoreError::NoSuchObject`]; [`StoreError::Damaged`],
    /// [`StoreError::Unavailable`]. On an error the upload goes on.
    pub async fn complete(
        &self,
        access: Option<&UploadAccess>,
        completion: Completion,
    ) -> Result<Completed, StoreError> {
        let completion = Arc::new(completion);
        for _ in 0..COMPLETION_TRIES {
            let (shared, name) = (Arc::clone(self.store.shared()), self.name.clone());
            let (row, key) = (self.row.clone(), self.key(access));
            let asked = Arc::clone(&completion);
            let assembly = blocking(move || {
                shared.read(|transaction| {
                    shared.upload(transaction, &name)?;
                    Assembly::of(&shared, transaction, &row, key.as_deref(), &asked)
                })
            })
            .await?;
            let checksum = assembly.checksum.clone();
            let (reply, answer) = oneshot::channel();
            let intent = CompleteIntent {
                upload: self.name.clone(),
                assembly,
                conditions: completion.conditions.clone(),
                reply,
            };
            let intent = Intent::Complete(Box::new(intent));
            if let Some(committed) = self.store.submit(intent, answer).await? {
                return Ok(Completed {
                    committed,
                    checksum,
                });
            }
        }
        Err(StoreError::Unavailable)
    }

    /// The key, if it was proved, or is the store's own.
    fn key(&self, access: Option<&UploadAccess>) -> Option<Arc<ObjectKey>> {
        match (access, self.holder()) {
            (Some(access), _) => Some(Arc::clone(&access.object_key)),
            // If the store's own key does not fit, that is damage, and the parts will show it.
            (None, HolderKind::Server) => self
                .prove(Holder::Server)
                .ok()
                .map(|access| access.object_key),
            (None, HolderKind::Customer) => None,
        }
    }
}

/// A completion starts over when one of its parts is sent again meanwhile, this often at most.
const COMPLETION_TRIES: usize = 4;
