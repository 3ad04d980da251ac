//! An object on its way in.

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::body_writer::BodyWriter;
use super::commit::{Intent, PutIntent};
use super::row::{self, ObjectRow, Place};
use super::{ETag, ObjectTags, Store, StoreError, Versioning, stored_checksum};
use crate::checksum::Checksum;
use crate::random;
use crate::sealed::data_key::{BodyName, ObjectKey};
use crate::sealed::envelope::Envelope;
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

impl WriteConditions {
    /// Whether there is any condition.
    pub(super) fn any(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }
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
pub struct Writer {
    store: Store,
    bucket: String,
    object: String,
    headers: HeaderMap,
    tags: ObjectTags,
    conditions: WriteConditions,
    envelope: Envelope,
    object_key: ObjectKey,
    body: BodyWriter,
}

impl Writer {
    pub(super) async fn begin(store: &Store, new: NewObject<'_>) -> Result<Self, StoreError> {
        let shared = store.shared();
        if !row::fits(&new.headers, &new.tags) {
            return Err(StoreError::TooLarge);
        }
        let (envelope, object_key) = shared.new_envelope(new.bucket, new.object, new.holder);
        shared.check_bucket(new.bucket).await?;
        let name = BodyName {
            id: envelope.write_id(),
            part: 0,
        };
        let body = BodyWriter::new(shared, &object_key, name);
        Ok(Self {
            store: store.clone(),
            bucket: new.bucket.to_owned(),
            object: new.object.to_owned(),
            headers: new.headers,
            tags: new.tags,
            conditions: new.conditions,
            envelope,
            object_key,
            body,
        })
    }

    /// Takes the next bytes of the body. Waits while earlier ones are being sealed, so memory is
    /// bounded.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::TooLarge`], [`StoreError::Unavailable`]. The writer is
    /// of no use afterwards.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.body.write(bytes).await
    }

    /// Makes the object visible and durable: once this has answered, the object survives the loss
    /// of power. Verify the body before: nothing is checked here but the conditions.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::PreconditionFailed`],
    /// [`StoreError::NoSuchObject`] (for `If-Match` without an object), and those of
    /// [`Writer::write`]. On an error nothing changed; only after [`StoreError::Unavailable`] the
    /// object may or may not be there, whole.
    pub async fn commit(self, finish: Finish) -> Result<Committed, StoreError> {
        let written = self.body.finish().await?;
        let name = BodyName {
            id: self.envelope.write_id(),
            part: 0,
        };
        let row = ObjectRow {
            null_version: true, // decided in the transaction
            envelope: self.envelope,
            size: written.size,
            place: Place::File, // unless the committer appends it to a pack
            stored_crc64: written.body.crc64(),
            etag: ETag {
                bytes: finish.md5.unwrap_or_else(random::bytes),
                parts: 0,
            },
            checksum: stored_checksum::seal(&self.object_key, name, finish.checksum.as_ref()),
            headers: self.headers,
        };
        let (reply, answer) = oneshot::channel();
        let put = PutIntent {
            bucket: self.bucket,
            object: self.object,
            conditions: self.conditions,
            row,
            tags: self.tags,
            body: written.body,
            reply,
        };
        self.store.submit(Intent::Put(Box::new(put)), answer).await
    }
}
