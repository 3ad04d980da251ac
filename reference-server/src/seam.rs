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
    Access, Committed, CommittedPart, Completed, Completion, DeclaredChecksum, Deleted, Deletion,
    ETag, Finish, Found, HolderKind, ListQuery, Listing, NewObject, NewUpload, ObjectTags,
    PartListing, PartNumber, PartWriter, Store, StoreError, StoredObject, Upload, UploadAccess,
    VersionListing, Versioning, VersionsQuery, Writer, WrongKey,
};

/// A finished answer.
pub type Answer = Response<ResponseBody>;

/// Something that is still being done.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Seam A: stands around each operation.
pub trait Interposer: Send + Sync {
    /// Answers a request, with the help of the operation or without.
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer>;

    /// The headers that let a page of another origin read an answer, refusals of the front too.
    fn told_to_page(&self, allowed: HeaderMap) -> HeaderMap {
        allowed
    }
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
    ) -> Pending<'a, Result<Found<Box<dyn FoundObject>>, StoreError>>;

    /// Deletes an object; [`Store::delete`].
    fn delete<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        deletion: Deletion<'a>,
    ) -> Pending<'a, Result<Deleted, StoreError>>;

    /// Lists objects; [`Store::list`].
    fn list<'a>(&'a self, query: ListQuery<'a>) -> Pending<'a, Result<Listing, StoreError>>;

    /// Lists versions; [`Store::list_versions`].
    fn list_versions<'a>(
        &'a self,
        query: VersionsQuery<'a>,
    ) -> Pending<'a, Result<VersionListing, StoreError>>;

    /// Creates an upload, and returns its id; [`Store::create_upload`].
    fn create_upload<'a>(&'a self, new: NewUpload<'a>) -> Pending<'a, Result<String, StoreError>>;

    /// Looks an upload up; [`Store::look_up_upload`].
    fn look_up_upload<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        upload: &'a str,
    ) -> Pending<'a, Result<Box<dyn FoundUpload>, StoreError>>;
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
    /// How the bucket keeps versions.
    pub versioning: Versioning,
    /// Its tags.
    pub tags: ObjectTags,
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

    /// Where a part lies; [`StoredObject::part`].
    fn part(&self, number: PartNumber) -> Option<Range<u64>>;

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

    /// The parts it was uploaded in; [`StoredObject::parts`].
    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>>;

    /// The plaintext of a range, its first window verified; [`StoredObject::read`].
    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>>;
}

/// A part on its way in; dropped before the commit, it leaves nothing behind.
pub trait ArrivingPart: Send {
    /// [`PartWriter::write`].
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>>;

    /// [`PartWriter::commit`].
    fn commit(
        self: Box<Self>,
        finish: Finish,
    ) -> Pending<'static, Result<CommittedPart, StoreError>>;
}

/// What may be known of an upload before its key is proved.
#[derive(Clone, Debug)]
pub struct UploadFacts {
    /// Whose key its parts are sealed under.
    pub holder: HolderKind,
    /// The checksum that it declared.
    pub checksum: Option<DeclaredChecksum>,
    /// The headers that the object will have.
    pub headers: HeaderMap,
    /// When it was created.
    pub created: Timestamp,
}

/// An upload that was looked up. What it does here needs no key.
pub trait FoundUpload: Send + Sync {
    /// What is known of it.
    fn facts(&self) -> UploadFacts;

    /// Proves that the key is the upload's; [`Upload::prove`].
    ///
    /// # Errors
    /// [`WrongKey`].
    fn prove(&self, holder: Holder<'_>) -> Result<Box<dyn OpenedUpload>, WrongKey>;

    /// Lists its parts without their checksums; [`Upload::parts`].
    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>>;

    /// Completes it; checksums of parts are not looked at; [`Upload::complete`].
    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>>;
}

/// An upload whose key was proved.
pub trait OpenedUpload: Send + Sync {
    /// Starts to write a part; [`Upload::begin_part`].
    fn begin_part(
        &self,
        number: PartNumber,
    ) -> Pending<'_, Result<Box<dyn ArrivingPart>, StoreError>>;

    /// Lists its parts with their checksums; [`Upload::parts`].
    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>>;

    /// Completes it, its checksums compared and combined; [`Upload::complete`].
    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>>;
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
    ) -> Pending<'a, Result<Found<Box<dyn FoundObject>>, StoreError>> {
        Box::pin(async move {
            let found = Self::look_up(self, bucket, object, version).await?;
            Ok(found.map(|object| Box::new(Arc::new(object)) as Box<dyn FoundObject>))
        })
    }

    fn delete<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        deletion: Deletion<'a>,
    ) -> Pending<'a, Result<Deleted, StoreError>> {
        Box::pin(Self::delete(self, bucket, object, deletion))
    }

    fn list<'a>(&'a self, query: ListQuery<'a>) -> Pending<'a, Result<Listing, StoreError>> {
        Box::pin(Self::list(self, query))
    }

    fn list_versions<'a>(
        &'a self,
        query: VersionsQuery<'a>,
    ) -> Pending<'a, Result<VersionListing, StoreError>> {
        Box::pin(Self::list_versions(self, query))
    }

    fn create_upload<'a>(&'a self, new: NewUpload<'a>) -> Pending<'a, Result<String, StoreError>> {
        Box::pin(Self::create_upload(self, new))
    }

    fn look_up_upload<'a>(
        &'a self,
        bucket: &'a str,
        object: &'a str,
        upload: &'a str,
    ) -> Pending<'a, Result<Box<dyn FoundUpload>, StoreError>> {
        Box::pin(async move {
            let upload = Self::look_up_upload(self, bucket, object, upload).await?;
            Ok(Box::new(Arc::new(upload)) as Box<dyn FoundUpload>)
        })
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
            versioning: self.versioning(),
            tags: self.tags().clone(),
        }
    }

    fn part(&self, number: PartNumber) -> Option<Range<u64>> {
        StoredObject::part(self, number)
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

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(self.object.parts(&self.access, after, max))
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        Box::pin(async move {
            let stream = self.object.read(&self.access, range).await?;
            Ok(ResponseBody::from_body(stream.map_err(BodyError::from)))
        })
    }
}

impl ArrivingPart for PartWriter {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(Self::write(self, bytes))
    }

    fn commit(
        self: Box<Self>,
        finish: Finish,
    ) -> Pending<'static, Result<CommittedPart, StoreError>> {
        Box::pin(Self::commit(*self, finish))
    }
}

impl FoundUpload for Arc<Upload> {
    fn facts(&self) -> UploadFacts {
        UploadFacts {
            holder: self.holder(),
            checksum: self.checksum(),
            headers: self.headers().clone(),
            created: self.created(),
        }
    }

    fn prove(&self, holder: Holder<'_>) -> Result<Box<dyn OpenedUpload>, WrongKey> {
        let access = Upload::prove(self, holder)?;
        Ok(Box::new(ProvedUpload {
            upload: Self::clone(self),
            access,
        }))
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(Upload::parts(self, None, after, max))
    }

    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>> {
        Box::pin(Upload::complete(self, None, completion))
    }
}

/// An upload with the proof beside it.
struct ProvedUpload {
    upload: Arc<Upload>,
    access: UploadAccess,
}

impl OpenedUpload for ProvedUpload {
    fn begin_part(
        &self,
        number: PartNumber,
    ) -> Pending<'_, Result<Box<dyn ArrivingPart>, StoreError>> {
        Box::pin(async move {
            let writer = self.upload.begin_part(&self.access, number).await?;
            Ok(Box::new(writer) as Box<dyn ArrivingPart>)
        })
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        Box::pin(Upload::parts(&self.upload, Some(&self.access), after, max))
    }

    fn complete(&self, completion: Completion) -> Pending<'_, Result<Completed, StoreError>> {
        Box::pin(Upload::complete(
            &self.upload,
            Some(&self.access),
            completion,
        ))
    }
}
