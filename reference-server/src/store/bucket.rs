//! Buckets and their settings.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::commit::Intent;
use super::row::BucketRow;
use super::shared::{Shared, blocking};
use super::{Store, StoreError, timestamp};

/// Whether a bucket lets objects be written under customer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsecUse {
    /// It does.
    Allowed,
    /// It refuses them (`BlockedEncryptionTypes` of its encryption configuration).
    Blocked,
}

/// Whether a bucket keeps the versions that a write or a deletion replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It never did. Each object has one version, the null version.
    Unversioned,
    /// It does: each write makes a version, each deletion a delete marker.
    Enabled,
    /// It did: what it holds stays, and what is written now is the null version, one an object.
    Suspended,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether SSE-C is used in it.
    pub ssec: SsecUse,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Its policy, as [`BucketSetting::Policy`] gave it.
    pub policy: Option<String>,
    /// Its CORS rules, as [`BucketSetting::Cors`] gave them.
    pub cors: Option<String>,
}

/// A setting of a bucket, with its new value. The store keeps texts and does not read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketSetting {
    /// Whether SSE-C is used.
    Ssec(SsecUse),
    /// Whether versions are kept. A bucket does not go back to [`Versioning::Unversioned`]; asked
    /// to, it stays as it is.
    Versioning(Versioning),
    /// The policy; `None` removes it.
    Policy(Option<String>),
    /// The CORS rules; `None` removes them.
    Cors(Option<String>),
}

/// What became of the wish for a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateBucket {
    /// It was made.
    Created,
    /// It was there already. There is one owner, so it is the asker's own.
    AlreadyYours,
}

impl Store {
    /// Makes a bucket. The name has been checked by the caller.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn create_bucket(
        &self,
        name: &str,
        ssec: SsecUse,
    ) -> Result<CreateBucket, StoreError> {
        let shared = Arc::clone(self.shared());
        blocking(move || shared.check_room()).await?;
        let (reply, answer) = oneshot::channel();
        let intent = Intent::CreateBucket {
            name: name.to_owned(),
            ssec,
            reply,
        };
        self.submit(intent, answer).await
    }

    /// Changes one setting of a bucket.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::TooLarge`] for a text beyond [`SETTING_LIMIT`];
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    pub async fn set_bucket(&self, name: &str, setting: BucketSetting) -> Result<(), StoreError> {
        if let BucketSetting::Policy(Some(text)) | BucketSetting::Cors(Some(text)) = &setting
            && text.len() > SETTING_LIMIT
        {
            return Err(StoreError::TooLarge);
        }
        let shared = Arc::clone(self.shared());
        blocking(move || shared.check_room()).await?;
        let (reply, answer) = oneshot::channel();
        let intent = Intent::SetBucket {
            name: name.to_owned(),
            setting,
            reply,
        };
        self.submit(intent, answer).await
    }

    /// The bucket of that name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        let name = name.to_owned();
        let look_up = move |shared: &Arc<Shared>| {
            let row = shared.read(|transaction| shared.bucket(transaction, &name))?;
            Ok(described(name, row))
        };
        self.shared().soon(look_up).await
    }

    /// How often a bucket may have changed: rises when a change of buckets was tried, before it is
    /// answered, and whether or not anybody waits for the answer. What was read of a bucket after a
    /// number was told holds as long as the number stays.
    #[must_use]
    pub fn bucket_changes(&self) -> u64 {
        self.shared().bucket_changes.load(Ordering::Acquire)
    }

    /// All buckets, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`].
    pub async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let shared = Arc::clone(self.shared());
        blocking(move || shared.read(|transaction| shared.buckets(transaction))).await
    }

    /// Removes a bucket, and the uploads that were not completed in it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchBucket`]; [`StoreError::BucketNotEmpty`] while it holds a version or a
    /// delete marker; [`StoreError::Unavailable`].
    pub async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(
            Intent::DeleteBucket {
                name: name.to_owned(),
                reply,
            },
            answer,
        )
        .await
    }
}

/// The longest policy and the longest CORS rules, in bytes.
pub const SETTING_LIMIT: usize = 64 << 10;

/// A bucket as its row tells it.
pub(super) fn described(name: String, row: BucketRow) -> Bucket {
    Bucket {
        name,
        created: timestamp(row.created_micros),
        ssec: row.ssec,
        versioning: row.versioning,
        policy: Some(row.policy).filter(|text| !text.is_empty()),
        cors: Some(row.cors).filter(|text| !text.is_empty()),
    }
}
