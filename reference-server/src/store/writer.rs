//! A body on its way in, sealed window by window.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::body_file::NewBodyFile;
use super::commit::{Intent, PutIntent};
use super::row::{ObjectRow, Place};
use super::shared::{Shared, StreamSlot, blocking, write_failed};
use super::{ETag, ObjectTags, Store, StoreError, Versioning, stored_checksum};
use crate::checksum::Checksum;
use crate::random;
use crate::sealed::data_key::{BodyName, DataKey, ObjectKey, seal_under};
use crate::sealed::envelope::{Envelope, HolderKind, WriteId};
use crate::sealed::seal::Window;
use crate::sealed::{checksum, data_key};
use crate::ssec::customer_key::Holder;

/// What is known of an object when its body starts to arrive.
pub struct NewObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's name, at most 1024 bytes (the caller has checked it).
    pub object: &'a str,
    /// Under whose key it is sealed.
    pub holder: Holder<'a>,
    /// The headers to keep with it: content type and its like, user metadata. All values are kept
    /// as they are, secret ones do not belong here.
    pub headers: HeaderMap,
    /// The tags to keep with it.
    pub tags: ObjectTags,
    /// What must hold of the object that it replaces, decided when it is committed.
    pub conditions: WriteConditions,
}

/// What must hold of the present version of an object for a write to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteConditions {
    /// `If-Match`: there is an object, and it has one of these tags.
    pub if_match: Option<TagSet>,
    /// `If-None-Match`: there is no object, or it has none of these tags.
    pub if_none_match: Option<TagSet>,
}

/// The tags of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagSet {
    /// `*`
    Any,
    /// These, without quotes.
    These(Vec<String>),
}

impl TagSet {
    /// Whether `etag` is one of them.
    #[must_use]
    pub fn holds(&self, etag: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => {
                let etag = etag.to_string();
                tags.contains(&etag)
            }
        }
    }
}

/// What is known of an object only when its body has ended.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    /// The MD5 of the plaintext, to become the `ETag`. Without it the `ETag` is random.
    pub md5: Option<[u8; 16]>,
    /// The checksum of the plaintext to keep; it is sealed under the object's key.
    pub checksum: Option<Checksum>,
}

/// What a commit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The object's `ETag`.
    pub etag: ETag,
    /// The id of the new version; as `StoredObject::version_id`.
    pub version_id: String,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// How the bucket kept versions then.
    pub versioning: Versioning,
}

/// An object that is being written. Nothing sees it before [`Writer::commit`] has answered; dropped
/// before that, it leaves nothing behind.
///
/// The file is made when the first window is full, so a small body never has an unfinished file.
pub struct Writer {
    store: Store,
    bucket: String,
    object: String,
    headers: HeaderMap,
    conditions: WriteConditions,
    envelope: Envelope,
    object_key: ObjectKey,
    data_key: Arc<DataKey>,
    /// What arrives now.
    filling: Window,
    /// What is being sealed and written meanwhile.
    sealing: Option<JoinHandle<Result<NewBodyFile, StoreError>>>,
    file: Option<NewBodyFile>,
    /// The index of the record after `filling`, and the plaintext bytes before it.
    next_record: u64,
    /// Plaintext bytes taken so far.
    size: u64,
    slot: StreamSlot,
    failed: bool,
}

impl Writer {
    pub(super) async fn begin(store: &Store, new: NewObject<'_>) -> Result<Self, StoreError> {
        let shared = store.shared();
        let fits = |value: &http::HeaderValue| u16::try_from(value.len()).is_ok();
        if !new.headers.values().all(fits) || new.headers.len() > usize::from(u16::MAX) {
            return Err(StoreError::TooLarge);
        }
        let (holder, key) = match new.holder {
            Holder::Customer(key) => (HolderKind::Customer, key.bytes()),
            Holder::Server => (HolderKind::Server, &**shared.plain_key),
        };
        let place = data_key::Place {
            bucket: new.bucket,
            object: new.object,
        };
        let id = shared.ids.next();
        let (envelope, object_key) = seal_under(key, holder, place, id, random::bytes());
        let data_key = Arc::new(object_key.data_key(BodyName { id, part: 0 }));
        let (checked, bucket) = (Arc::clone(shared), new.bucket.to_owned());
        blocking(move || {
            checked.check_room()?;
            checked.read(|transaction| checked.bucket(transaction, &bucket).map(drop))
        })
        .await?;
        let slot = StreamSlot::take(&shared.streams);
        let records = slot.window_records(0);
        Ok(Self {
            store: store.clone(),
            bucket: new.bucket.to_owned(),
            object: new.object.to_owned(),
            headers: new.headers,
            conditions: new.conditions,
            envelope,
            object_key,
            data_key,
            filling: Window::new(0, records),
            sealing: None,
            file: None,
            next_record: records,
            size: 0,
            slot,
            failed: false,
        })
    }

    /// Takes the next bytes of the body. Waits while earlier ones are being sealed, so memory is
    /// bounded.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::TooLarge`], [`StoreError::Unavailable`]. The writer is
    /// of no use afterwards.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable);
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            if self.filling.is_full() {
                self.settle_sealing().await?;
                self.start_sealing();
            }
            let taken = self.filling.push(rest);
            self.size += taken as u64;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Makes the object visible and durable: once this has answered, the object survives the loss
    /// of power. Verify the body before: nothing is checked here but the conditions.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::PreconditionFailed`],
    /// [`StoreError::NoSuchObject`] (for `If-Match` without an object), and those of
    /// [`Writer::write`]. On an error nothing changed; only after [`StoreError::Unavailable`] the
    /// object may or may not be there, whole.
    pub async fn commit(mut self, finish: Finish) -> Result<Committed, StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable);
        }
        self.settle_sealing().await?;
        let body = self.finish_body().await?;
        let row = self.row(&body, finish);
        let (reply, answer) = oneshot::channel();
        let Self {
            store,
            bucket,
            object,
            conditions,
            ..
        } = self;
        let put = PutIntent {
            bucket,
            object,
            conditions,
            row,
            body,
            reply,
        };
        store.submit(Intent::Put(Box::new(put)), answer).await
    }

    /// Waits for the window that is being sealed.
    async fn settle_sealing(&mut self) -> Result<(), StoreError> {
        let Some(sealing) = &mut self.sealing else {
            return Ok(());
        };
        let sealed = sealing.await.unwrap_or(Err(StoreError::Unavailable));
        self.sealing = None;
        match sealed {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                self.failed = true;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Seals the full window while the next one is filled. More bytes follow, so none of its
    /// records is the last.
    fn start_sealing(&mut self) {
        let records = self.slot.window_records(self.size);
        let full = std::mem::replace(&mut self.filling, Window::new(self.next_record, records));
        self.next_record += records;
        let sealer = self.sealer();
        self.sealing = Some(tokio::task::spawn_blocking(move || {
            sealer.seal(full, false)
        }));
    }

    async fn finish_body(&mut self) -> Result<NewBodyFile, StoreError> {
        let window = std::mem::replace(&mut self.filling, Window::new(0, 0));
        let sealer = self.sealer();
        blocking(move || {
            let file = sealer.seal(window, true)?;
            file.sync().map_err(|error| write_failed(&error))?;
            Ok(file)
        })
        .await
    }

    fn sealer(&mut self) -> Sealer {
        Sealer {
            shared: Arc::clone(self.store.shared()),
            key: Arc::clone(&self.data_key),
            id: self.envelope.write_id(),
            file: self.file.take(),
        }
    }

    fn row(&mut self, body: &NewBodyFile, finish: Finish) -> ObjectRow {
        let name = BodyName {
            id: self.envelope.write_id(),
            part: 0,
        };
        let checksum = finish.checksum.map_or_else(Vec::new, |plain| {
            let plain = stored_checksum::encode(&plain);
            checksum::seal(&self.object_key, name, random::bytes(), &plain)
        });
        ObjectRow {
            null_version: true,
            envelope: self.envelope.clone(),
            size: self.size,
            place: Place::File,
            stored_crc64: body.crc64(),
            etag: ETag {
                bytes: finish.md5.unwrap_or_else(random::bytes),
                parts: 0,
            },
            checksum,
            headers: std::mem::take(&mut self.headers),
        }
    }
}

/// What seals one window and writes it, where it may block.
struct Sealer {
    shared: Arc<Shared>,
    key: Arc<DataKey>,
    id: WriteId,
    /// None before the first window.
    file: Option<NewBodyFile>,
}

impl Sealer {
    fn seal(self, window: Window, last: bool) -> Result<NewBodyFile, StoreError> {
        self.shared.check_room()?;
        let sealed = window
            .seal(&self.key, last)
            .map_err(|_| StoreError::TooLarge)?;
        let mut file = match self.file {
            Some(file) => file,
            None => NewBodyFile::create(&self.shared.directory, self.id)
                .map_err(|error| write_failed(&error))?,
        };
        file.write(&sealed).map_err(|error| write_failed(&error))?;
        Ok(file)
    }
}
