//! The operations of S3, one a file, and the way from a request to one of them.
//!
//! Here stands the order of things: seam A, then the rows of the policy that need the request
//! alone, then the operation. Signatures were verified before; keys are proved by sealed objects.

mod abort_upload;
mod authorization;
mod bucket_cors;
mod bucket_encryption;
mod bucket_location;
pub(crate) mod bucket_name;
mod bucket_policy;
mod bucket_settings;
mod bucket_versioning;
mod complete_upload;
mod conditions;
mod copy_object;
mod copy_source;
mod cors_rules;
mod create_bucket;
mod create_upload;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod get_object;
mod get_object_attributes;
mod head_bucket;
mod head_object;
mod known_headers;
mod list_buckets;
mod list_names;
mod list_objects;
mod list_parts;
mod list_uploads;
mod list_versions;
mod object_headers;
mod object_tagging;
mod post_object;
mod put_object;
mod reading;
mod route;
mod upload;
mod upload_part;
mod upload_part_copy;
mod writing;
mod xml_document;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};

pub use self::bucket_settings::BucketSettings;
use self::route::{Operation, route};
use crate::auth::unsigned_amz_headers;
use crate::request::cross_origin::CrossOrigin;
use crate::request::{S3Request, Transport};
use crate::response::ResponseBody;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, Pending, Perform, Seams};
use crate::server::{Handler, HandlerFuture};
use crate::ssec::dialect::Dialect;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Channel};
use crate::store::{PART_MINIMUM, SsecUse, Store, StoreError};
use crate::xml::XmlWriter;

/// What all operations work with.
pub struct Operations {
    /// Whose answers are given.
    pub dialect: Dialect,
    /// The region that the server claims to be.
    pub region: String,
    /// Whether SSE-C is used in the buckets that are made.
    pub new_buckets: SsecUse,
    /// What the buckets deny and allow.
    pub settings: BucketSettings,
    /// The buckets.
    pub store: Store,
    /// The objects in them, and what stands around operations.
    pub seams: Seams,
}

impl Handler for Operations {
    fn handle(&self, request: S3Request) -> HandlerFuture<'_> {
        self.seams.interposer.around(request, self)
    }

    fn cross_origin<'a>(
        &'a self,
        bucket: &'a str,
        asked: &'a CrossOrigin,
    ) -> Pending<'a, HeaderMap> {
        Box::pin(async move {
            let allowed = bucket_cors::of_an_answer(self, bucket, asked).await;
            self.seams.interposer.told_to_page(allowed)
        })
    }
}

impl Perform for Operations {
    fn perform(&self, request: S3Request) -> Pending<'_, Answer> {
        Box::pin(async move {
            let facts = request.facts.clone();
            self.answer(request)
                .await
                .unwrap_or_else(|error| error.into_response(&facts))
        })
    }
}

impl Operations {
    async fn answer(&self, mut request: S3Request) -> Result<Answer, S3Error> {
        if request.method == Method::OPTIONS {
            return bucket_cors::preflight(self, &request).await;
        }
        let form = request.form.as_mut();
        if let Some(breach) = form.and_then(|form| form.breach.take()) {
            return Err(breach.error);
        }
        let names = request.query.iter().map(|(name, _)| name);
        let shown = SsecHeaders::read(&request.headers, names);
        let unsigned = unsigned_amz_headers(&request);
        policy::admit(&unsigned, channel(request.transport), &shown)?;
        known_headers::single(&request.headers)?;
        known_headers::agree(&request.headers, &request.query)?;
        if let Some(form) = request.form.take() {
            self.authorize(Operation::PutObject, &request).await?;
            if form.tagging.is_some() {
                self.authorize(Operation::PutObjectTagging, &request)
                    .await?;
            }
            return post_object::answer(self, request, &shown, form).await;
        }
        let operation = route(&request)?;
        if let Some(version) = request.query.get("versionId") {
            self.check_version_id(version)?;
        }
        self.authorize(operation, &request).await?;
        self.perform_routed(operation, request, &shown).await
    }

    /// Refuses what no version of this store can be called. That S3 answers it so is known from its
    /// clients, and not recorded: a version that could be there and is not is `NoSuchVersion`.
    fn check_version_id(&self, version: &str) -> Result<(), S3Error> {
        if self.store.is_version_id(version) {
            return Ok(());
        }
        let message = match version {
            "" => "Version id cannot be the empty string",
            _ => "Invalid version id specified",
        };
        let error = S3Error::with_message(Code::InvalidArgument, message);
        Err(error.argument("versionId", Some(version)))
    }

    async fn perform_routed(
        &self,
        operation: Operation,
        request: S3Request,
        shown: &SsecHeaders,
    ) -> Result<Answer, S3Error> {
        match operation {
            Operation::ListBuckets => list_buckets::answer(self, request).await,
            Operation::CreateBucket => create_bucket::answer(self, request).await,
            Operation::HeadBucket => head_bucket::answer(self, request).await,
            Operation::DeleteBucket => delete_bucket::answer(self, request).await,
            Operation::GetBucketLocation => bucket_location::answer(self, request).await,
            Operation::ListObjects => {
                list_objects::answer(self, request, list_objects::Version::One).await
            }
            Operation::ListObjectsV2 => {
                list_objects::answer(self, request, list_objects::Version::Two).await
            }
            Operation::DeleteObjects => delete_objects::answer(self, request, shown).await,
            Operation::PutObject => put_object::answer(self, request, shown).await,
            Operation::CopyObject => copy_object::answer(self, request, shown).await,
            Operation::CreateUpload => create_upload::answer(self, request, shown).await,
            Operation::UploadPart => upload_part::answer(self, request, shown).await,
            Operation::UploadPartCopy => upload_part_copy::answer(self, request, shown).await,
            Operation::CompleteUpload => complete_upload::answer(self, request, shown).await,
            Operation::AbortUpload => abort_upload::answer(self, request).await,
            Operation::ListParts => list_parts::answer(self, request, shown).await,
            Operation::ListUploads => list_uploads::answer(self, request).await,
            Operation::GetBucketVersioning => bucket_versioning::get(self, request).await,
            Operation::PutBucketVersioning => bucket_versioning::put(self, request).await,
            Operation::GetBucketEncryption => bucket_encryption::get(self, request).await,
            Operation::PutBucketEncryption => bucket_encryption::put(self, request).await,
            Operation::DeleteBucketEncryption => bucket_encryption::delete(self, request).await,
            Operation::GetBucketPolicy => bucket_policy::get(self, request).await,
            Operation::PutBucketPolicy => bucket_policy::put(self, request).await,
            Operation::DeleteBucketPolicy => bucket_policy::delete(self, request).await,
            Operation::GetBucketCors => bucket_cors::get(self, request).await,
            Operation::PutBucketCors => bucket_cors::put(self, request).await,
            Operation::DeleteBucketCors => bucket_cors::delete(self, request).await,
            Operation::ListObjectVersions => list_versions::answer(self, request).await,
            Operation::GetObjectTagging => object_tagging::get(self, request).await,
            Operation::PutObjectTagging => object_tagging::put(self, request).await,
            Operation::DeleteObjectTagging => object_tagging::delete(self, request).await,
            Operation::GetObject => get_object::answer(self, request, shown).await,
            Operation::GetObjectAttributes => {
                get_object_attributes::answer(self, request, shown).await
            }
            Operation::HeadObject => head_object::answer(self, request, shown).await,
            Operation::DeleteObject => delete_object::answer(self, request, shown).await,
        }
    }
}

fn channel(transport: Transport) -> Channel {
    match transport {
        Transport::Tls => Channel::Secure,
        Transport::Plain => Channel::Clear,
        Transport::PlainAllowed => Channel::ClearByConsent,
    }
}

/// The bucket that the request names; the route has made sure that there is one.
fn bucket_of(request: &S3Request) -> Result<&str, S3Error> {
    request
        .resource
        .bucket()
        .ok_or_else(|| Code::NoSuchBucket.into())
}

/// Bucket and object name; the route has made sure that there are both.
fn object_of(request: &S3Request) -> Result<(&str, &str), S3Error> {
    let names = request.resource.bucket().zip(request.resource.object());
    names.ok_or_else(|| Code::NoSuchKey.into())
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(ResponseBody::empty());
    *answer.status_mut() = status;
    answer
}

pub(crate) fn document(xml: XmlWriter) -> Answer {
    let mut answer = Response::new(ResponseBody::full(xml.finish()));
    set(
        &mut answer,
        CONTENT_TYPE,
        HeaderValue::from_static("application/xml"),
    );
    answer
}

fn set(answer: &mut Answer, name: HeaderName, value: HeaderValue) {
    answer.headers_mut().insert(name, value);
}

/// The value of a header that we made of visible ASCII ourselves.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits, letters and punctuation are a header value")
}

/// The value of a header that may be a client's text: dropped when it cannot be one.
fn set_text(answer: &mut Answer, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        set(answer, name, value);
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => Code::NoSuchBucket.into(),
            StoreError::NoSuchObject => Code::NoSuchKey.into(),
            StoreError::NoSuchVersion => Code::NoSuchVersion.into(),
            StoreError::NoSuchUpload => Code::NoSuchUpload.into(),
            StoreError::InvalidPart(number) => {
                Self::new(Code::InvalidPart).detail("PartNumber", number.get().to_string())
            }
            StoreError::InvalidPartOrder => Code::InvalidPartOrder.into(),
            StoreError::PartTooSmall { number, size } => Self::new(Code::EntityTooSmall)
                .detail("ProposedSize", size.to_string())
                .detail("MinSizeAllowed", PART_MINIMUM.to_string())
                .detail("PartNumber", number.get().to_string()),
            StoreError::ChecksumDiffers => Code::BadDigest.into(),
            StoreError::SizeDiffers { shown, made } => Self::with_message(
                Code::InvalidRequest,
                format!(
                    "The provided 'x-amz-mp-object-size' header value {shown} does not match what \
                     was computed: {made}"
                ),
            ),
            StoreError::BucketNotEmpty => Code::BucketNotEmpty.into(),
            StoreError::PreconditionFailed(condition) => {
                Self::new(Code::PreconditionFailed).detail("Condition", condition.to_string())
            }
            StoreError::TooLarge => Code::EntityTooLarge.into(),
            StoreError::Damaged => Code::InternalError.into(),
            StoreError::Full => Code::InsufficientStorage.into(),
            StoreError::Unavailable => Code::ServiceUnavailable.into(),
        }
    }
}
