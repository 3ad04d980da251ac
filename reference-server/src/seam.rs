//! The two places where something may stand between the server and what it promises.
//!
//! Seam A lies around an operation: it sees the authenticated request and the finished answer. Seam
//! B is how operations reach sealed objects. Here are the traits and the honest passage through
//! each; `impostor` holds the other ones. Nothing else in the crate knows that there are any.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use jiff::Timestamp;

use crate::checksum::Checksum;
use crate::request::S3Request;
use crate::response::{BodyError, ResponseBody};
use crate::ssec::customer_key::Holder;
use crate::store::{
    Access, Committed, Deleted, ETag, Finish, HolderKind, ListQuery, Listing, NewObject, Store,
    StoreError, StoredObject, Writer, WrongKey,
};

/// A finished answer.
pub type Answer = Response<ResponseBody>;

/// Something that is still being done.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Seam A: stands around each operation.
pub trait Interposer: Send + Sync {
    /// Answers a request, with the help of the operation or without.
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer>;
}

/// The operation as seam A sees it.
pub trait Perform: Send + Sync {
    /// Answers a request honestly.
    fn perform(&self, request: S3Request) -> Pending<'_, Answer>;
}

/// Seam B: how operations reach sealed objects.
pub trait SealedObjects: Send + Sync {
    /// Starts to write an object; [`Store::begin`].
    fn begin<'a>(
        &'a self,
        new: NewObject<'a>,
    ) -> Pending<'a, Result<Box<dyn ArrivingObject>, StoreError>>;

    /// Looks an object up; [`Store::look_up`].
    fn look_up<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        version: Option<&'a str>,
    ) -> Pending<'a, Result<Option<Box<dyn FoundObject>>, StoreError>>;

    /// Deletes an object; [`Store::delete`].
    fn delete<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        version: Option<&'a str>,
    ) -> Pending<'a, Result<Deleted, StoreError>>;

    /// Lists objects; [`Store::list`].
    fn list<'a>(&'a self, query: ListQuery<'a>) -> Pending<'a, Result<Listing, StoreError>>;
}

/// An object on its way in; dropped before the commit, it leaves nothing behind.
pub trait ArrivingObject: Send {
    /// [`Writer::write`].
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>>;

    /// [`Writer::commit`].
    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>>;
}

/// What may be known of an object before its key is proved.
#[derive(Clone, Debug)]
pub struct ObjectFacts {
    /// The length of the plaintext, in bytes.
    pub size: u64,
    /// The `ETag`.
    pub etag: ETag,
    /// When it was committed.
    pub last_modified: Timestamp,
    /// The headers kept with it.
    pub headers: HeaderMap,
    /// Whose key it is under.
    pub holder: HolderKind,
    /// The id of the version.
    pub version_id: String,
}

/// What a key is proved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To tell about the object (HEAD).
    Describe,
    /// To return its bytes (GET).
    Read,
}

/// An object that was looked up.
pub trait FoundObject: Send + Sync {
    /// What is known of it.
    fn facts(&self) -> ObjectFacts;

    /// Proves that the key is the object's; [`StoredObject::prove`].
    ///
    /// # Errors
    /// [`WrongKey`].
    fn prove(
        &self,
        holder: Holder<'_>,
        purpose: Purpose,
    ) -> Result<Box<dyn OpenedObject>, WrongKey>;
}

/// An object whose key was proved.
pub trait OpenedObject: Send + Sync {
    /// The checksum of its plaintext; [`StoredObject::checksum`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    fn checksum(&self) -> Result<Option<Checksum>, StoreError>;

    /// The plaintext of a range, its first window verified; [`StoredObject::read`].
    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>>;
}

/// What stands in the two seams.
pub struct Seams {
    /// Seam A.
    pub interposer: Arc<dyn Interposer>,
    /// Seam B.
    pub objects: Arc<dyn SealedObjects>,
}

impl Seams {
    /// The honest passage to a store.
    #[must_use]
    pub fn honest(store: &Store) -> Self {
        Self {
            interposer: Arc::new(Honest),
            objects: Arc::new(store.clone()),
        }
    }
}

/// The honest passage through seam A.
struct Honest;

impl Interposer for Honest {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        operation.perform(request)
    }
}

impl SealedObjects for Store {
    fn begin<'a>(
        &'a self,
        new: NewObject<'a>,
    ) -> Pending<'a, Result<Box<dyn ArrivingObject>, StoreError>> {
        Box::pin(async move {
            let writer = Self::begin(self, new).await?;
            Ok(Box::new(writer) as Box<dyn ArrivingObject>)
        })
    }

    fn look_up<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        version: Option<&'a str>,
    ) -> Pending<'a, Result<Option<Box<dyn FoundObject>>, StoreError>> {
        Box::pin(async move {
            let found = Self::look_up(self, bucket, object, version).await?;
            Ok(found.map(|object| Box::new(Arc::new(object)) as Box<dyn FoundObject>))
        })
    }

    fn delete<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        version: Option<&'a str>,
    ) -> Pending<'a, Result<Deleted, StoreError>> {
        Box::pin(Self::delete(self, bucket, object, version))
    }

    fn list<'a>(&'a self, query: ListQuery<'a>) -> Pending<'a, Result<Listing, StoreError>> {
        Box::pin(Self::list(self, query))
    }
}

impl ArrivingObject for Writer {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(Self::write(self, bytes))
    }

    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>> {
        Box::pin(Self::commit(*self, finish))
    }
}

impl FoundObject for Arc<StoredObject> {
    fn facts(&self) -> ObjectFacts {
        ObjectFacts {
            size: self.size(),
            etag: self.etag(),
            last_modified: self.last_modified(),
            headers: self.headers().clone(),
            holder: self.holder(),
            version_id: self.version_id(),
        }
    }

    fn prove(
        &self,
        holder: Holder<'_>,
        _purpose: Purpose,
    ) -> Result<Box<dyn OpenedObject>, WrongKey> {
        let access = StoredObject::prove(self, holder)?;
        Ok(Box::new(Opened {
            object: Self::clone(self),
            access,
        }))
    }
}

/// A stored object with the proof beside it.
struct Opened {
    object: Arc<StoredObject>,
    access: Access,
}

impl OpenedObject for Opened {
    fn checksum(&self) -> Result<Option<Checksum>, StoreError> {
        self.object.checksum(&self.access)
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        Box::pin(async move {
            let stream = self.object.read(&self.access, range).await?;
            Ok(ResponseBody::from_body(stream.map_err(BodyError::from)))
        })
    }
}
