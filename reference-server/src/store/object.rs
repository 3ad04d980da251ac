//! What is known of one stored object, and the proof that opens it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;

use super::bodies::{self, Bodies};
use super::body_stream::BodyStream;
use super::lease::Lease;
use super::manifest::Manifest;
use super::pack::PackedBody;
use super::row::ObjectRow;
use super::shared::{Shared, blocking};
use super::{PartListing, PartNumber, StoreError, Versioning, part, stored_checksum, timestamp};
use crate::checksum::Checksum;
use crate::sealed::WrongKey;
use crate::sealed::data_key::{BodyName, ObjectKey};
use crate::sealed::envelope::HolderKind;
use crate::ssec::customer_key::Holder;

/// An `ETag`: 16 bytes, and for a multipart object the number of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag {
    /// Random, or an MD5, as the dialect has it.
    pub bytes: [u8; 16],
    /// The parts of a multipart object; 0 for any other.
    pub parts: u16,
}

/// As headers and lists carry it, without quotes: 32 hexadecimal digits, then `-` and the number of
/// parts if there are parts.
impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.bytes))?;
        match self.parts {
            0 => Ok(()),
            parts => write!(formatter, "-{parts}"),
        }
    }
}

/// The tags of an object, name and value, in the order they were given. Limits are the caller's.
pub type ObjectTags = Vec<(String, String)>;

/// What a look-up found.
#[derive(Debug)]
pub enum Found<T> {
    /// An object.
    Object(T),
    /// A delete marker: the newest version is one, or it was asked for by its id.
    Marker(DeleteMarker),
    /// No such object or version.
    Nothing,
}

impl<T> Found<T> {
    /// The object, if it is one.
    pub fn object(self) -> Option<T> {
        match self {
            Self::Object(object) => Some(object),
            Self::Marker(_) | Self::Nothing => None,
        }
    }

    /// The same with the object made into something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Object(object) => Found::Object(change(object)),
            Self::Marker(marker) => Found::Marker(marker),
            Self::Nothing => Found::Nothing,
        }
    }
}

/// A delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteMarker {
    /// The id of this version.
    pub version_id: String,
    /// When it was made.
    pub last_modified: Timestamp,
}

/// One version of an object as its row tells it. The row was verified; the body was not read.
///
/// While it lives, the body stays on the disk, also when the object is replaced or deleted.
pub struct StoredObject {
    pub(super) shared: Arc<Shared>,
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) seq: u64,
    pub(super) row: ObjectRow,
    pub(super) version_id: String,
    pub(super) content: Content,
    pub(super) tags: ObjectTags,
    pub(super) versioning: Versioning,
    pub(super) _lease: Lease,
}

/// Where the body of a stored object is.
pub(super) enum Content {
    /// In a file of its own.
    File,
    /// In the files of the parts it was uploaded in.
    Parts(Arc<Manifest>),
    /// In a pack: it is small. Or why that could not be opened, which is told only to who asks for
    /// the bytes.
    Small(Result<PackedBody, StoreError>),
}

impl StoredObject {
    /// The length of the plaintext, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// The `ETag`.
    #[must_use]
    pub fn etag(&self) -> ETag {
        self.row.etag
    }

    /// When it was committed, to the microsecond. Rises strictly from commit to commit.
    #[must_use]
    pub fn last_modified(&self) -> Timestamp {
        timestamp(self.seq)
    }

    /// The headers kept with it: those given to `NewObject`, in no particular order.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.row.headers
    }

    /// Whose key opens it.
    #[must_use]
    pub fn holder(&self) -> HolderKind {
        self.row.envelope.holder()
    }

    /// The id of this version: `null` in a bucket without versions (dialect `aws`), else the id
    /// that [`look_up`](super::Store::look_up) takes.
    #[must_use]
    pub fn version_id(&self) -> String {
        self.version_id.clone()
    }

    /// Whether it is the null version: written while the bucket kept no versions.
    #[must_use]
    pub fn is_null_version(&self) -> bool {
        self.row.null_version
    }

    /// Its tags. They need no key.
    #[must_use]
    pub fn tags(&self) -> &ObjectTags {
        &self.tags
    }

    /// How its bucket kept versions when it was looked up.
    #[must_use]
    pub fn versioning(&self) -> Versioning {
        self.versioning
    }

    /// Where the part with this number, as it was uploaded, lies in the plaintext. An object that
    /// was not uploaded in parts has part 1, all of it.
    #[must_use]
    pub fn part(&self, number: PartNumber) -> Option<Range<u64>> {
        match self.manifest() {
            None => (number.get() == 1).then_some(0..self.row.size),
            Some(manifest) => manifest.part(number.get()).map(|extent| extent.bytes),
        }
    }

    /// A page of the parts it was uploaded in, from the one after the number `after`, at most `max`
    /// and at most 1,000, with their checksums. Empty for an object that was not uploaded in parts.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn parts(
        &self,
        access: &Access,
        after: u16,
        max: usize,
    ) -> Result<PartListing, StoreError> {
        if self.manifest().is_none() {
            return Ok(PartListing::default());
        }
        let (shared, key) = (Arc::clone(&self.shared), Arc::clone(&access.object_key));
        let upload = self.row.envelope.write_id();
        blocking(move || {
            shared.read(|transaction| {
                part::list(&shared, transaction, upload, Some(&key), after, max)
            })
        })
        .await
    }

    /// Whether `holder` holds the key of this object. Takes the same time whatever the object's
    /// size.
    ///
    /// # Errors
    /// [`WrongKey`] for another key, also when the object is the other kind of holder's.
    pub fn prove(&self, holder: Holder<'_>) -> Result<Access, WrongKey> {
        let Self {
            shared,
            bucket,
            object,
            row,
            ..
        } = self;
        let object_key = shared.open_envelope(&row.envelope, bucket, object, holder)?;
        Ok(Access { object_key })
    }

    /// The checksum of the plaintext that was kept with it, if any was. That of a multipart object
    /// may be composite: then its value ends with `-` and the number of parts.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not verify.
    pub fn checksum(&self, access: &Access) -> Result<Option<Checksum>, StoreError> {
        let name = self.body_name();
        let parts = self.row.etag.parts;
        stored_checksum::open(&access.object_key, name, &self.row.checksum, parts)
    }

    /// Opens the plaintext bytes of `range`; `0..size()` for all. An end beyond the size is cut.
    ///
    /// When it returns, the first window of the range was verified (for an empty object its one
    /// record). A record that fails later ends the stream with an error.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the body is gone, has another length, or its first window does
    /// not verify; [`StoreError::Unavailable`] when it cannot be read now.
    pub async fn read(&self, access: &Access, range: Range<u64>) -> Result<BodyStream, StoreError> {
        if let Content::Small(stored) = &self.content {
            let packed = stored.as_ref().map_err(|error| *error)?.clone();
            let (name, size) = (self.body_name(), self.row.size);
            let key = access.object_key.data_key(name);
            let read = move |_: &Arc<Shared>| {
                bodies::open_small(&key, &name, size, &packed.read()?, range)
            };
            return self.shared.soon(read).await;
        }
        let bodies = Bodies {
            shared: Arc::clone(&self.shared),
            key: Arc::clone(&access.object_key),
            name: self.body_name(),
            size: self.row.size,
            manifest: self.manifest().cloned(),
            _lease: self.shared.leases.take(self.row.envelope.write_id()),
        };
        blocking(move || BodyStream::start(bodies, range)).await
    }

    fn manifest(&self) -> Option<&Arc<Manifest>> {
        match &self.content {
            Content::Parts(manifest) => Some(manifest),
            Content::File | Content::Small(_) => None,
        }
    }

    /// The body, or for a multipart object the place of its checksum.
    fn body_name(&self) -> BodyName {
        BodyName {
            id: self.row.envelope.write_id(),
            part: 0,
        }
    }
}

/// The right to read one stored object: made by [`StoredObject::prove`] alone. Holds the object's
/// key, so it has no `Debug`.
pub struct Access {
    object_key: Arc<ObjectKey>,
}
