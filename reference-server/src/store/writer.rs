//! A body on its way in, sealed window by window.

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::{ETag, StoreError};
use crate::checksum::Checksum;
use crate::ssec::customer_key::Holder;

/// What is known of an object when its body starts to arrive.
pub struct NewObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's name, at most 1024 bytes (the caller has checked it).
    pub object: &'a str,
    /// Under whose key it is sealed.
    pub holder: Holder<'a>,
    /// The headers to keep with it: content type and its like, user metadata. All values are kept as
    /// they are, secret ones do not belong here.
    pub headers: HeaderMap,
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
}

/// An object that is being written. Nothing sees it before [`Writer::commit`] has answered; dropped
/// before that, it leaves nothing behind.
pub struct Writer {}

impl Writer {
    /// Takes the next bytes of the body. Waits while earlier ones are being sealed, so memory is
    /// bounded.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::TooLarge`], [`StoreError::Unavailable`]. The writer is of no use
    /// afterwards.
    #[expect(clippy::unused_async, reason = "becomes asynchronous with its body")]
    pub async fn write(&mut self, _bytes: Bytes) -> Result<(), StoreError> {
        Err(StoreError::Unavailable)
    }

    /// Makes the object visible and durable: once this has answered, the object survives the loss of
    /// power. Verify the body before: nothing is checked here but the conditions.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::PreconditionFailed`], [`StoreError::NoSuchObject`] (for
    /// `If-Match` without an object), and those of [`Writer::write`]. On an error nothing changed; only
    /// after [`StoreError::Unavailable`] the object may or may not be there, whole.
    #[expect(clippy::unused_async, reason = "becomes asynchronous with its body")]
    pub async fn commit(self, _finish: Finish) -> Result<Committed, StoreError> {
        Err(StoreError::Unavailable)
    }
}
