//! Changes of buckets.

use redb::ReadableTable as _;

use super::{Applied, Change, proper};
use crate::clock;
use crate::sealed::envelope::WriteId;
use crate::store::row::{BucketRow, GarbageRow};
use crate::store::{BucketSetting, CreateBucket, SsecUse, StoreError, Versioning};

impl Change<'_> {
    pub(super) fn create_bucket(&mut self, name: &str, ssec: SsecUse) -> Applied<CreateBucket> {
        match self.bucket(name)? {
            Ok(_) => return Ok(Ok(CreateBucket::AlreadyYours)),
            Err(StoreError::NoSuchBucket) => {}
            Err(error) => return Ok(Err(error)),
        }
        self.counters.last_bucket += 1;
        let row = BucketRow {
            id: self.counters.last_bucket,
            created_micros: clock::now_micros(),
            versioning: Versioning::Unversioned,
            ssec,
            policy: String::new(),
            cors: String::new(),
        };
        self.buckets
            .insert(name, row.seal(&self.shared.mac, name).as_slice())?;
        Ok(Ok(CreateBucket::Created))
    }

    pub(super) fn set_bucket(&mut self, name: &str, setting: BucketSetting) -> Applied<()> {
        let mut row = proper!(self.bucket(name)?);
        match setting {
            BucketSetting::Ssec(ssec) => row.ssec = ssec,
            BucketSetting::Versioning(Versioning::Unversioned) => {}
            BucketSetting::Versioning(versioning) => row.versioning = versioning,
            BucketSetting::Policy(policy) => row.policy = policy.unwrap_or_default(),
            BucketSetting::Cors(cors) => row.cors = cors.unwrap_or_default(),
        }
        self.buckets
            .insert(name, row.seal(&self.shared.mac, name).as_slice())?;
        Ok(Ok(()))
    }

    pub(super) fn delete_bucket(&mut self, name: &str) -> Applied<()> {
        let bucket = proper!(self.bucket(name)?);
        let first = (bucket.id, [].as_slice(), 0);
        let end = (bucket.id + 1, [].as_slice(), 0);
        if self
            .objects
            .range(first..end)?
            .next()
            .transpose()?
            .is_some()
        {
            return Ok(Err(StoreError::BucketNotEmpty));
        }
        self.buckets.remove(name)?;
        let first = (bucket.id, [].as_slice(), 0);
        let end = (bucket.id + 1, [].as_slice(), 0);
        let mut uploads = Vec::new();
        self.uploads.retain_in(first..end, |(_, _, upload), _| {
            uploads.push(WriteId::from_number(upload));
            false
        })?;
        for upload in uploads {
            self.discard(GarbageRow::Upload(upload))?;
        }
        Ok(Ok(()))
    }
}
