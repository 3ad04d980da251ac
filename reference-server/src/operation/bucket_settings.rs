//! What buckets were told: their policies and CORS rules as requests ask them, and whether they take
//! SSE-C. Read once and kept until a bucket changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::cors_rules::Rules;
use crate::bucket_policy::BucketPolicy;
use crate::store::{Bucket, SsecUse, Store, StoreError};

/// The most buckets whose settings are kept; with one more, all are read anew as they are asked for.
const MAX_KEPT: usize = 1_000;

/// The settings of buckets. Kept here, because nothing would be gained by parsing them a request.
#[derive(Default)]
pub struct BucketSettings(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    /// [`Store::bucket_changes`] at the time: what was read before a change is not used after it.
    changes: u64,
    buckets: HashMap<String, Arc<Settings>>,
}

/// What one bucket was told. What does not parse was not written by us: that is damage.
pub(super) struct Settings {
    pub(super) ssec: SsecUse,
    policy: Result<Option<BucketPolicy>, StoreError>,
    cors: Result<Option<Rules>, StoreError>,
}

impl BucketSettings {
    /// The settings of a bucket.
    ///
    /// # Errors
    /// Those of [`Store::bucket`].
    pub(super) async fn of(
        &self,
        store: &Store,
        bucket: &str,
    ) -> Result<Arc<Settings>, StoreError> {
        // Asked for before the bucket is read: a change between the two makes it look older.
        let changes = store.bucket_changes();
        {
            // A panic cannot come between the two changes of `Kept::keep`.
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(settings) = kept.get(bucket, changes) {
                return Ok(settings);
            }
        }
        let settings = Arc::new(Settings::read(&store.bucket(bucket).await?));
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.keep(bucket, &settings, changes);
        Ok(settings)
    }
}

impl Kept {
    fn get(&self, bucket: &str, changes: u64) -> Option<Arc<Settings>> {
        let known = self.buckets.get(bucket)?;
        (self.changes == changes).then(|| Arc::clone(known))
    }

    fn keep(&mut self, bucket: &str, settings: &Arc<Settings>, changes: u64) {
        if self.changes > changes {
            return;
        }
        if self.changes < changes || self.buckets.len() >= MAX_KEPT {
            self.buckets.clear();
            self.changes = changes;
        }
        self.buckets.insert(bucket.to_owned(), Arc::clone(settings));
    }
}

impl Settings {
    fn read(bucket: &Bucket) -> Self {
        let policy = bucket.policy.as_ref().map(|text| {
            let policy = BucketPolicy::read(text.as_bytes(), &bucket.name);
            policy.map_err(|_| StoreError::Damaged)
        });
        let cors = bucket.cors.as_ref().map(|text| {
            let rules = Rules::read(text.as_bytes());
            rules.map_err(|_| StoreError::Damaged)
        });
        Self {
            ssec: bucket.ssec,
            policy: policy.transpose(),
            cors: cors.transpose(),
        }
    }

    /// The policy, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(super) fn policy(&self) -> Result<Option<&BucketPolicy>, StoreError> {
        self.policy
            .as_ref()
            .map(Option::as_ref)
            .map_err(|error| *error)
    }

    /// The CORS rules, if there are any.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(super) fn cors(&self) -> Result<Option<&Rules>, StoreError> {
        self.cors
            .as_ref()
            .map(Option::as_ref)
            .map_err(|error| *error)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;
    use crate::ssec::dialect::Dialect;
    use crate::store::{BucketSetting, StoreSettings};

    const POLICY: &str = "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\
        \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bucket/*\"}}";
    const RULES: &str = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>\
        <AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";

    async fn store(directory: &tempfile::TempDir) -> Store {
        let settings = StoreSettings {
            data_dir: directory.path().to_owned(),
            dialect: Dialect::Aws,
            server_key_file: None,
        };
        let store = Store::open(&settings).unwrap();
        store
            .create_bucket("bucket", SsecUse::Allowed)
            .await
            .unwrap();
        store
    }

    #[tokio::test]
    async fn settings_are_parsed_once_until_a_bucket_changes() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let kept = BucketSettings::default();
        for setting in [
            BucketSetting::Policy(Some(POLICY.to_owned())),
            BucketSetting::Cors(Some(RULES.to_owned())),
            BucketSetting::Ssec(SsecUse::Blocked),
        ] {
            let before = kept.of(&store, "bucket").await.unwrap();
            let again = kept.of(&store, "bucket").await.unwrap();
            assert!(Arc::ptr_eq(&before, &again));
            store.set_bucket("bucket", setting).await.unwrap();
            let after = kept.of(&store, "bucket").await.unwrap();
            assert!(!Arc::ptr_eq(&before, &after));
        }
        let settings = kept.of(&store, "bucket").await.unwrap();
        assert!(settings.policy().unwrap().is_some() && settings.cors().unwrap().is_some());
        assert_eq!(settings.ssec, SsecUse::Blocked);
        store.delete_bucket("bucket").await.unwrap();
        let gone = kept.of(&store, "bucket").await;
        assert_eq!(gone.map(drop), Err(StoreError::NoSuchBucket));
    }

    /// Who asked for a change may leave before it is answered, at any moment: what the store holds
    /// then is what requests are asked by.
    #[tokio::test]
    async fn a_change_that_nobody_waited_for_is_seen() {
        let mut left_in_between = 0;
        for polls in 1..=6 {
            let directory = tempfile::tempdir().unwrap();
            let store = store(&directory).await;
            let kept = BucketSettings::default();
            kept.of(&store, "bucket").await.unwrap();
            let setting = BucketSetting::Policy(Some(POLICY.to_owned()));
            {
                let mut change = pin!(store.set_bucket("bucket", setting));
                let mut answered = false;
                for _ in 0..polls {
                    let mut context = Context::from_waker(Waker::noop());
                    answered |= !answered && change.as_mut().poll(&mut context).is_ready();
                    // Whatever it waits for, off this thread.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                left_in_between += usize::from(!answered);
            }
            // Behind it in the queue.
            store
                .create_bucket("other", SsecUse::Allowed)
                .await
                .unwrap();
            let stored = store.bucket("bucket").await.unwrap().policy;
            let settings = kept.of(&store, "bucket").await.unwrap();
            assert_eq!(
                settings.policy().unwrap().is_some(),
                stored.is_some(),
                "{polls}"
            );
        }
        assert!(left_in_between > 0);
    }

    /// Text that we did not write stands for damage, and only for those who ask for it.
    #[tokio::test]
    async fn what_does_not_parse_is_damage() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let kept = BucketSettings::default();
        let setting = BucketSetting::Policy(Some("{".to_owned()));
        store.set_bucket("bucket", setting).await.unwrap();
        let settings = kept.of(&store, "bucket").await.unwrap();
        assert_eq!(settings.policy().map(drop), Err(StoreError::Damaged));
        assert_eq!(settings.cors().map(|rules| rules.is_some()), Ok(false));
    }

    #[test]
    fn few_buckets_are_kept_and_nothing_old() {
        let settings = Arc::new(Settings {
            ssec: SsecUse::Allowed,
            policy: Ok(None),
            cors: Ok(None),
        });
        let mut kept = Kept::default();
        for number in 0..MAX_KEPT {
            kept.keep(&number.to_string(), &settings, 0);
        }
        assert!(kept.buckets.len() == MAX_KEPT && kept.get("0", 0).is_some());
        kept.keep("one more", &settings, 0);
        assert!(kept.buckets.len() == 1 && kept.get("one more", 0).is_some());
        kept.keep("newer", &settings, 2);
        assert!(kept.get("one more", 2).is_none() && kept.get("newer", 2).is_some());
        kept.keep("older", &settings, 1);
        assert!(kept.get("older", 1).is_none() && kept.get("older", 2).is_none());
    }
}
