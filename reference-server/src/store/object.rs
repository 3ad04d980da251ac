//! What is known of one stored object, and the proof that opens it.

use std::fmt;
use std::ops::Range;

use http::HeaderMap;
use jiff::Timestamp;

use super::StoreError;
use super::body_stream::BodyStream;
use crate::checksum::Checksum;
use crate::sealed::WrongKey;
use crate::sealed::data_key::ObjectKey;
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

/// One version of an object as its row tells it. The row was verified; the body was not read.
pub struct StoredObject {}

impl StoredObject {
    /// The length of the plaintext, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        unreachable!("no object is looked up yet")
    }

    /// The `ETag`.
    #[must_use]
    pub fn etag(&self) -> ETag {
        unreachable!("no object is looked up yet")
    }

    /// When it was committed, to the microsecond. Rises strictly from commit to commit.
    #[must_use]
    pub fn last_modified(&self) -> Timestamp {
        unreachable!("no object is looked up yet")
    }

    /// The headers kept with it: those given to `NewObject`, in no particular order.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        unreachable!("no object is looked up yet")
    }

    /// Whose key opens it.
    #[must_use]
    pub fn holder(&self) -> HolderKind {
        unreachable!("no object is looked up yet")
    }

    /// The id of this version: `null` in a bucket without versions (dialect `aws`), else the id that
    /// [`look_up`](super::Store::look_up) takes.
    #[must_use]
    pub fn version_id(&self) -> String {
        unreachable!("no object is looked up yet")
    }

    /// Whether it is the null version: written while the bucket kept no versions.
    #[must_use]
    pub fn is_null_version(&self) -> bool {
        unreachable!("no object is looked up yet")
    }

    /// Whether `holder` holds the key of this object. Takes the same time whatever the object's size.
    ///
    /// # Errors
    /// [`WrongKey`] for another key, also when the object is the other kind of holder's.
    pub fn prove(&self, _holder: Holder<'_>) -> Result<Access, WrongKey> {
        unreachable!("no object is looked up yet")
    }

    /// The checksum of the plaintext that was kept with it, if any was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not verify.
    pub fn checksum(&self, _access: &Access) -> Result<Option<Checksum>, StoreError> {
        unreachable!("no object is looked up yet")
    }

    /// Opens the plaintext bytes of `range`; `0..size()` for all. An end beyond the size is cut.
    ///
    /// When it returns, the first window of the range was verified (for an empty object its one
    /// record). A record that fails later ends the stream with an error.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the body is gone, has another length, or its first window does
    /// not verify; [`StoreError::Unavailable`] when it cannot be read now.
    #[expect(clippy::unused_async, reason = "becomes asynchronous with its body")]
    pub async fn read(
        &self,
        _access: &Access,
        _range: Range<u64>,
    ) -> Result<BodyStream, StoreError> {
        Err(StoreError::Unavailable)
    }
}

/// The right to read one stored object: made by [`StoredObject::prove`] alone. Holds the object's
/// key, so it has no `Debug`.
pub struct Access {
    pub(super) object_key: ObjectKey,
}
