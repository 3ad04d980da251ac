//! Whether the policy of a bucket denies what a request asks for. The asker owns the bucket, so
//! nothing else can.
//!
//! It is asked before the SSE-C policy judges the headers: a bucket that wants `AES256` answers
//! `AES192` with 403 (contract, section 4.1). The words of the refusal are a choice.

use std::sync::Arc;

use super::Operations;
use super::bucket_settings::Settings;
use super::object_tagging::TAGGING;
use super::route::Operation;
use crate::bucket_policy::{Asked, BucketPolicy, CUSTOMER_ALGORITHM, MANAGED, SECURE_TRANSPORT};
use crate::request::{S3Request, Transport};
use crate::s3_error::{Code, S3Error};
use crate::ssec::headers;
use crate::store::StoreError;

/// What a deletion of the newest version is called.
pub(super) const DELETE: &str = "s3:DeleteObject";
/// What the deletion of a version is called.
pub(super) const DELETE_VERSION: &str = "s3:DeleteObjectVersion";

/// Who asks, and what a condition may look at.
pub(super) struct Asker {
    identity: String,
    customer_algorithm: Option<String>,
    managed: Option<String>,
    secure: bool,
}

impl Asker {
    pub(super) fn of(request: &S3Request) -> Self {
        Self {
            identity: request.authenticated.identity.clone(),
            customer_algorithm: named(request, headers::ALGORITHM),
            managed: named(request, headers::MANAGED),
            secure: request.transport == Transport::Tls,
        }
    }

    fn value(&self, key: &str) -> Option<String> {
        match key {
            SECURE_TRANSPORT => Some(self.secure.to_string()),
            CUSTOMER_ALGORITHM => self.customer_algorithm.clone(),
            MANAGED => self.managed.clone(),
            _ => None,
        }
    }

    /// 403 where the policy denies the action.
    fn check(
        &self,
        policy: &BucketPolicy,
        action: &str,
        bucket: &str,
        object: Option<&str>,
    ) -> Result<(), S3Error> {
        let denied = policy.denies(&Asked {
            action,
            bucket,
            object,
            value: &|key| self.value(key),
        });
        if !denied {
            return Ok(());
        }
        let object = object.map(|name| format!("/{name}")).unwrap_or_default();
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: \
             \"arn:aws:s3:::{bucket}{object}\" with an explicit deny in a resource-based policy",
            self.identity,
        );
        Err(S3Error::with_message(Code::AccessDenied, message))
    }
}

/// The value of a header; of one that came twice, both. A presigned URL may carry it in its query.
fn named(request: &S3Request, name: &str) -> Option<String> {
    let values = request.headers.get_all(name).iter();
    let values: Vec<_> = values
        .map(|v| String::from_utf8_lossy(v.as_bytes()))
        .collect();
    if !values.is_empty() {
        return Some(values.join(","));
    }
    let mut parameters = request.query.iter();
    let found = parameters.find(|(parameter, _)| parameter.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned())
}

impl Operations {
    /// Asks for all that a routed request does to what it names.
    ///
    /// # Errors
    /// 403 `AccessDenied`.
    pub(super) async fn authorize(
        &self,
        operation: Operation,
        request: &S3Request,
    ) -> Result<(), S3Error> {
        let Some(bucket) = request.resource.bucket() else {
            return Ok(());
        };
        let Some(settings) = self.settings_of(bucket).await? else {
            return Ok(());
        };
        let Some(policy) = settings.policy()? else {
            return Ok(());
        };
        let asker = Asker::of(request);
        actions(operation, request)
            .iter()
            .try_for_each(|action| asker.check(policy, action, bucket, request.resource.object()))
    }

    /// Asks for one action on an object.
    ///
    /// # Errors
    /// 403 `AccessDenied`.
    pub(super) async fn authorize_one(
        &self,
        asker: &Asker,
        action: &str,
        bucket: &str,
        object: &str,
    ) -> Result<(), S3Error> {
        let Some(settings) = self.settings_of(bucket).await? else {
            return Ok(());
        };
        match settings.policy()? {
            Some(policy) => asker.check(policy, action, bucket, Some(object)),
            None => Ok(()),
        }
    }

    /// The settings of a bucket; none of one that is not there.
    async fn settings_of(&self, bucket: &str) -> Result<Option<Arc<Settings>>, StoreError> {
        match self.settings.of(&self.store, bucket).await {
            Ok(settings) => Ok(Some(settings)),
            Err(StoreError::NoSuchBucket) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What S3 calls that which an operation does. What reads a copy's source, and each deletion of a
/// batch, is asked for by the operation itself; the owner may always mend a policy.
fn actions(operation: Operation, request: &S3Request) -> &'static [&'static str] {
    let of_version = request.query.has("versionId");
    let tags = request.headers.contains_key(TAGGING);
    match operation {
        Operation::ListBuckets | Operation::CreateBucket | Operation::DeleteObjects => &[],
        Operation::GetBucketPolicy | Operation::PutBucketPolicy | Operation::DeleteBucketPolicy => {
            &[]
        }
        Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => {
            &["s3:ListBucket"]
        }
        Operation::DeleteBucket => &["s3:DeleteBucket"],
        Operation::GetBucketLocation => &["s3:GetBucketLocation"],
        Operation::GetBucketVersioning => &["s3:GetBucketVersioning"],
        Operation::PutBucketVersioning => &["s3:PutBucketVersioning"],
        Operation::GetBucketEncryption => &["s3:GetEncryptionConfiguration"],
        Operation::PutBucketEncryption | Operation::DeleteBucketEncryption => {
            &["s3:PutEncryptionConfiguration"]
        }
        Operation::GetBucketCors => &["s3:GetBucketCORS"],
        Operation::PutBucketCors | Operation::DeleteBucketCors => &["s3:PutBucketCORS"],
        Operation::ListObjectVersions => &["s3:ListBucketVersions"],
        Operation::ListUploads => &["s3:ListBucketMultipartUploads"],
        Operation::PutObject | Operation::CopyObject | Operation::CreateUpload if tags => {
            &["s3:PutObject", "s3:PutObjectTagging"]
        }
        Operation::PutObject
        | Operation::CopyObject
        | Operation::CreateUpload
        | Operation::UploadPart
        | Operation::UploadPartCopy
        | Operation::CompleteUpload => &["s3:PutObject"],
        Operation::AbortUpload => &["s3:AbortMultipartUpload"],
        Operation::ListParts => &["s3:ListMultipartUploadParts"],
        Operation::GetObject | Operation::HeadObject if of_version => &["s3:GetObjectVersion"],
        Operation::GetObject | Operation::HeadObject => &["s3:GetObject"],
        Operation::GetObjectAttributes if of_version => {
            &["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"]
        }
        Operation::GetObjectAttributes => &["s3:GetObject", "s3:GetObjectAttributes"],
        Operation::GetObjectTagging if of_version => &["s3:GetObjectVersionTagging"],
        Operation::GetObjectTagging => &["s3:GetObjectTagging"],
        Operation::PutObjectTagging if of_version => &["s3:PutObjectVersionTagging"],
        Operation::PutObjectTagging => &["s3:PutObjectTagging"],
        Operation::DeleteObjectTagging if of_version => &["s3:DeleteObjectVersionTagging"],
        Operation::DeleteObjectTagging => &["s3:DeleteObjectTagging"],
        Operation::DeleteObject if of_version => &[DELETE_VERSION],
        Operation::DeleteObject => &[DELETE],
    }
}
