//! Changes of objects: versions come and go, and their tags with them.

use redb::ReadableTable as _;

use super::{Applied, Change, proper};
use crate::sealed::Damaged;
use crate::store::row::{
    BucketRow, GarbageRow, MarkerRow, ObjectRow, ObjectRowKey, Place, TagsRow, VersionRow,
};
use crate::store::version::{VersionChoice, version_id};
use crate::store::writer::WriteConditions;
use crate::store::{Committed, Condition, Deleted, ObjectTags, StoreError, Versioning, timestamp};

/// A present version of an object: its number and its row, if that verifies.
type Present = (u64, Result<VersionRow, Damaged>);

/// Which versions a change makes room by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    /// None: the bucket keeps versions.
    None,
    /// The null version.
    Null,
    /// All there are: the bucket never kept versions, so there is one, whatever its row says.
    All,
}

impl Replaced {
    fn in_bucket(versioning: Versioning) -> Self {
        match versioning {
            Versioning::Unversioned => Self::All,
            Versioning::Enabled => Self::None,
            Versioning::Suspended => Self::Null,
        }
    }

    fn holds(self, row: &Result<VersionRow, Damaged>) -> bool {
        match self {
            Self::None => false,
            Self::Null => row.as_ref().is_ok_and(VersionRow::is_null_version),
            Self::All => true,
        }
    }
}

impl Change<'_> {
    pub(super) fn put(
        &mut self,
        bucket: &str,
        object: &str,
        conditions: &WriteConditions,
        row: ObjectRow,
        tags: ObjectTags,
    ) -> Applied<Committed> {
        let bucket = proper!(self.bucket(bucket)?);
        self.put_in(&bucket, object, conditions, row, tags)
    }

    pub(super) fn put_in(
        &mut self,
        bucket: &BucketRow,
        object: &str,
        conditions: &WriteConditions,
        mut row: ObjectRow,
        tags: ObjectTags,
    ) -> Applied<Committed> {
        proper!(self.hold(bucket, object, conditions)?);
        let seq = self.next_seq();
        self.make_room(bucket, object)?;
        row.null_version = bucket.versioning != Versioning::Enabled;
        let key = ObjectRowKey {
            bucket: bucket.id,
            name: object.as_bytes(),
            seq,
        };
        let etag = row.etag;
        self.comes(&row);
        let row = VersionRow::Object(Box::new(row));
        let sealed = row.seal(&self.shared.mac, key);
        self.objects.insert(key.in_table(), sealed.as_slice())?;
        self.keep_tags(key, tags)?;
        Ok(Ok(Committed {
            etag,
            version_id: version_id(self.shared.dialect, &row, seq),
            last_modified: timestamp(seq),
            versioning: bucket.versioning,
        }))
    }

    pub(super) fn delete(
        &mut self,
        bucket: &str,
        object: &str,
        choice: &VersionChoice,
        conditions: &WriteConditions,
    ) -> Applied<Deleted> {
        let bucket = proper!(self.bucket(bucket)?);
        proper!(self.hold(&bucket, object, conditions)?);
        let marks = bucket.versioning != Versioning::Unversioned;
        if *choice == VersionChoice::Newest && marks {
            return self.mark(&bucket, object).map(Ok);
        }
        let nothing = Deleted {
            version_id: None,
            marker: false,
            versioning: bucket.versioning,
        };
        let Some((seq, row)) = self.find(bucket.id, object, choice)? else {
            return Ok(Ok(nothing));
        };
        let deleted = Deleted {
            version_id: Some(row.as_ref().map_or_else(
                |Damaged| seq.to_string(),
                |row| version_id(self.shared.dialect, row, seq),
            )),
            marker: matches!(row, Ok(VersionRow::Marker(_))),
            ..nothing
        };
        self.remove(bucket.id, object, (seq, row))?;
        Ok(Ok(deleted))
    }

    /// Whether the conditions hold of the newest version.
    fn hold(&self, bucket: &BucketRow, object: &str, conditions: &WriteConditions) -> Applied<()> {
        if !conditions.any() {
            return Ok(Ok(()));
        }
        let newest = self.find(bucket.id, object, &VersionChoice::Newest)?;
        Ok(check(conditions, newest.as_ref()))
    }

    /// Makes a delete marker the newest version.
    fn mark(&mut self, bucket: &BucketRow, object: &str) -> Result<Deleted, redb::StorageError> {
        let seq = self.next_seq();
        self.make_room(bucket, object)?;
        let row = VersionRow::Marker(MarkerRow {
            null_version: bucket.versioning != Versioning::Enabled,
            id: self.shared.ids.next(),
        });
        let key = ObjectRowKey {
            bucket: bucket.id,
            name: object.as_bytes(),
            seq,
        };
        let sealed = row.seal(&self.shared.mac, key);
        self.objects.insert(key.in_table(), sealed.as_slice())?;
        Ok(Deleted {
            version_id: Some(version_id(self.shared.dialect, &row, seq)),
            marker: true,
            versioning: bucket.versioning,
        })
    }

    pub(super) fn set_tags(
        &mut self,
        bucket: &str,
        object: &str,
        choice: &VersionChoice,
        tags: ObjectTags,
    ) -> Applied<()> {
        let bucket = proper!(self.bucket(bucket)?);
        let missing = match choice {
            VersionChoice::Newest => StoreError::NoSuchObject,
            VersionChoice::Null | VersionChoice::Id { .. } | VersionChoice::Unknown => {
                StoreError::NoSuchVersion
            }
        };
        match self.find(bucket.id, object, choice)? {
            None => Ok(Err(missing)),
            Some((_, Err(Damaged))) => Ok(Err(StoreError::Damaged)),
            Some((_, Ok(VersionRow::Marker(_)))) => Ok(Err(StoreError::NoSuchObject)),
            Some((seq, Ok(VersionRow::Object(_)))) => {
                let key = ObjectRowKey {
                    bucket: bucket.id,
                    name: object.as_bytes(),
                    seq,
                };
                self.keep_tags(key, tags).map(Ok)
            }
        }
    }

    fn keep_tags(
        &mut self,
        key: ObjectRowKey<'_>,
        tags: ObjectTags,
    ) -> Result<(), redb::StorageError> {
        if tags.is_empty() {
            self.tags.remove(key.in_table())?;
        } else {
            let sealed = TagsRow(tags).seal(&self.shared.mac, key);
            self.tags.insert(key.in_table(), sealed.as_slice())?;
        }
        Ok(())
    }

    /// The chosen version. A row that does not verify is chosen by its place alone.
    fn find(
        &self,
        bucket: u64,
        object: &str,
        choice: &VersionChoice,
    ) -> Result<Option<Present>, redb::StorageError> {
        let name = object.as_bytes();
        let dialect = self.shared.dialect;
        for entry in self.objects.range(choice.range(bucket, name))? {
            let (key, row) = entry?;
            let seq = !key.value().2;
            let key = ObjectRowKey { bucket, name, seq };
            let row = VersionRow::open(&self.shared.mac, key, row.value());
            let chosen = match &row {
                Ok(row) => choice.is(dialect, row, seq),
                Err(Damaged) => choice.is_damaged(),
            };
            if chosen {
                return Ok(Some((seq, row)));
            }
        }
        Ok(None)
    }

    /// Removes what a new version takes the place of.
    fn make_room(&mut self, bucket: &BucketRow, object: &str) -> Result<(), redb::StorageError> {
        let replaced = Replaced::in_bucket(bucket.versioning);
        if replaced == Replaced::None {
            return Ok(());
        }
        let name = object.as_bytes();
        let mut old = Vec::new();
        let range = VersionChoice::Newest.range(bucket.id, name);
        for entry in self.objects.range(range)? {
            let (key, row) = entry?;
            let seq = !key.value().2;
            let key = ObjectRowKey {
                bucket: bucket.id,
                name,
                seq,
            };
            let row = VersionRow::open(&self.shared.mac, key, row.value());
            if replaced.holds(&row) {
                old.push((seq, row));
            }
        }
        for old in old {
            self.remove(bucket.id, object, old)?;
        }
        Ok(())
    }

    /// Takes a version out and its bodies to the garbage. The body of a row that does not verify is
    /// not known; it is swept at the next start.
    fn remove(
        &mut self,
        bucket: u64,
        object: &str,
        (seq, row): Present,
    ) -> Result<(), redb::StorageError> {
        let key = ObjectRowKey {
            bucket,
            name: object.as_bytes(),
            seq,
        };
        self.objects.remove(key.in_table())?;
        self.tags.remove(key.in_table())?;
        let Ok(VersionRow::Object(row)) = row else {
            return Ok(());
        };
        let id = row.envelope.write_id();
        match row.place {
            Place::Parts => self.discard(GarbageRow::Upload(id)),
            Place::File => self.discard(GarbageRow::File(id)),
            Place::Pack(place) => {
                self.goes(place.pack, row.size);
                Ok(())
            }
        }
    }
}

fn check(conditions: &WriteConditions, present: Option<&Present>) -> Result<(), StoreError> {
    let WriteConditions {
        if_match,
        if_none_match,
    } = conditions;
    let etag = match present {
        None | Some((_, Ok(VersionRow::Marker(_)))) => None,
        Some((_, Ok(VersionRow::Object(row)))) => Some(row.etag),
        Some((_, Err(Damaged))) => return Err(StoreError::Damaged),
    };
    if let Some(tags) = if_match {
        let etag = etag.ok_or(StoreError::NoSuchObject)?;
        if !tags.holds(etag) {
            return Err(StoreError::PreconditionFailed(Condition::IfMatch));
        }
    }
    match (if_none_match, etag) {
        (Some(tags), Some(etag)) if tags.holds(etag) => {
            Err(StoreError::PreconditionFailed(Condition::IfNoneMatch))
        }
        (Some(_) | None, _) => Ok(()),
    }
}
