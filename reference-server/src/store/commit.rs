//! The committer: the one thread that changes the metadata.
//!
//! It takes whatever waits, appends the small bodies of it to a pack, writes all of it in one
//! transaction, makes that durable, answers, and removes the bodies that went. What an intent does to the rows is in `change`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{Database, ReadableDatabase as _, ReadableTable as _};
use tokio::sync::{mpsc, oneshot};

use super::body_file::NewBodyFile;
use super::body_writer::NewBody;
use super::change::{Change, Settle};
use super::disk::Disk;
use super::lease::Garbage;
use super::pack::{Appender, BATCH_BYTES, SmallBody};
use super::part::Assembly;
use super::row::{CountersRow, GarbageRow, ObjectRow, PartRow, Place, UploadRow};
use super::shared::{Shared, unavailable, write_failed};
use super::sweep;
use super::table::{META, PARTS};
use super::upload::{CommittedPart, UploadName};
use super::version::VersionChoice;
use super::writer::WriteConditions;
use super::{BucketSetting, Committed, CreateBucket, Deleted, ObjectTags, SsecUse, StoreError};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;

/// The most intents of one transaction.
const BATCH: usize = 256;

/// Directories that are known to be durable; the newest few are enough.
const KNOWN_DIRECTORIES: usize = 8;

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A change that somebody waits for.
pub(super) enum Intent {
    Put(Box<PutIntent>),
    Delete {
        bucket: String,
        object: String,
        choice: VersionChoice,
        conditions: WriteConditions,
        reply: Reply<Deleted>,
    },
    SetTags {
        bucket: String,
        object: String,
        choice: VersionChoice,
        tags: ObjectTags,
        reply: Reply<()>,
    },
    CreateBucket {
        name: String,
        ssec: SsecUse,
        reply: Reply<CreateBucket>,
    },
    SetBucket {
        name: String,
        setting: BucketSetting,
        reply: Reply<()>,
    },
    DeleteBucket {
        name: String,
        reply: Reply<()>,
    },
    CreateUpload(Box<CreateUploadIntent>),
    PutPart(Box<PutPartIntent>),
    AbortUpload {
        upload: UploadName,
        reply: Reply<()>,
    },
    Complete(Box<CompleteIntent>),
    /// Nothing to change; leases have gone, so garbage may be removed.
    Reap,
}

impl Intent {
    /// The body whose directory entry must be durable before the row that names it.
    fn body(&self) -> Option<WriteId> {
        match self {
            Self::Put(put) => match &put.body {
                NewBody::File(file) => Some(file.id()),
                NewBody::Small(_) => None,
            },
            Self::PutPart(put) => Some(put.body.id()),
            Self::Delete { .. }
            | Self::SetTags { .. }
            | Self::CreateBucket { .. }
            | Self::SetBucket { .. }
            | Self::DeleteBucket { .. }
            | Self::CreateUpload(_)
            | Self::AbortUpload { .. }
            | Self::Complete(_)
            | Self::Reap => None,
        }
    }

    /// Whether it makes, changes or removes a bucket.
    fn changes_buckets(&self) -> bool {
        match self {
            Self::CreateBucket { .. } | Self::SetBucket { .. } | Self::DeleteBucket { .. } => true,
            Self::Put(_)
            | Self::Delete { .. }
            | Self::SetTags { .. }
            | Self::CreateUpload(_)
            | Self::PutPart(_)
            | Self::AbortUpload { .. }
            | Self::Complete(_)
            | Self::Reap => false,
        }
    }

    /// The body that is to be appended to a pack.
    fn small_body(&self) -> Option<&SmallBody> {
        match self {
            Self::Put(put) => match &put.body {
                NewBody::File(_) => None,
                NewBody::Small(body) => Some(body),
            },
            Self::Delete { .. }
            | Self::SetTags { .. }
            | Self::CreateBucket { .. }
            | Self::SetBucket { .. }
            | Self::DeleteBucket { .. }
            | Self::CreateUpload(_)
            | Self::PutPart(_)
            | Self::AbortUpload { .. }
            | Self::Complete(_)
            | Self::Reap => None,
        }
    }
}

/// A body and the row that will name it.
pub(super) struct PutIntent {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) conditions: WriteConditions,
    pub(super) row: ObjectRow,
    pub(super) tags: ObjectTags,
    pub(super) body: NewBody,
    pub(super) reply: Reply<Committed>,
}

/// An upload to create.
pub(super) struct CreateUploadIntent {
    pub(super) upload: UploadName,
    pub(super) row: UploadRow,
    pub(super) reply: Reply<()>,
}

/// The body of a part, durable but for its directory entry, and its row.
pub(super) struct PutPartIntent {
    pub(super) upload: UploadName,
    pub(super) number: u16,
    pub(super) row: PartRow,
    pub(super) body: NewBodyFile,
    pub(super) reply: Reply<CommittedPart>,
}

/// An object that was made ready of parts. The answer is `None` when one of them has changed since.
pub(super) struct CompleteIntent {
    pub(super) upload: UploadName,
    pub(super) assembly: Assembly,
    pub(super) conditions: WriteConditions,
    pub(super) reply: Reply<Option<Committed>>,
}

/// Runs until every sender has gone.
pub(super) fn run(shared: &Arc<Shared>, intents: &mut mpsc::Receiver<Intent>) {
    let mut committer = Committer {
        shared: Arc::clone(shared),
        durable_directories: VecDeque::new(),
        appender: Appender::default(),
        reaped: Vec::new(),
    };
    let mut waiting = Vec::with_capacity(BATCH);
    while intents.blocking_recv_many(&mut waiting, BATCH) > 0 {
        while !waiting.is_empty() {
            let batch = waiting.drain(..batch_length(&waiting)).collect();
            committer.process(batch);
        }
    }
}

/// How many of those that wait, from the first, are one batch.
fn batch_length(waiting: &[Intent]) -> usize {
    let mut bytes = 0;
    let whole = waiting.iter().position(|intent| {
        bytes += intent.small_body().map_or(0, |body| body.stored.len());
        bytes >= BATCH_BYTES
    });
    whole.map_or(waiting.len(), |last| last + 1)
}

struct Committer {
    shared: Arc<Shared>,
    durable_directories: VecDeque<PathBuf>,
    /// Where small bodies go.
    appender: Appender,
    /// Garbage that is gone from the disk and not yet from the metadata.
    reaped: Vec<Garbage>,
}

impl Committer {
    fn process(&mut self, batch: Vec<Intent>) {
        let batch: Vec<_> = batch
            .into_iter()
            .filter(|intent| !matches!(intent, Intent::Reap))
            .collect();
        let batch = self.append_small_bodies(batch);
        let mut garbage = Vec::new();
        if !batch.is_empty() {
            let changes_buckets = batch.iter().any(Intent::changes_buckets);
            let synced = self.sync_directories(&batch);
            let mut settles = Vec::with_capacity(batch.len());
            let durable = synced
                .map_err(unavailable)
                .and_then(|()| self.transact(batch, &mut settles, &mut garbage));
            if durable.is_err() {
                garbage.clear();
            }
            if changes_buckets {
                // After a failure too: who knows what was stored.
                self.shared.bucket_changes.fetch_add(1, Ordering::Release);
            }
            for settle in settles {
                settle(durable);
            }
        }
        self.reap(garbage);
    }

    /// Makes the small bodies durable and writes down where they lie. If that fails, those who wait
    /// for them are told so and taken out; the rest of the batch goes on.
    fn append_small_bodies(&mut self, mut batch: Vec<Intent>) -> Vec<Intent> {
        let bodies: Vec<_> = batch.iter().filter_map(Intent::small_body).collect();
        if bodies.is_empty() {
            return batch;
        }
        match self.appender.append(&self.shared, &bodies) {
            Ok(places) => {
                let small = batch
                    .iter_mut()
                    .filter(|intent| intent.small_body().is_some());
                for (intent, place) in small.zip(places) {
                    if let Intent::Put(put) = intent {
                        put.row.place = Place::Pack(place);
                    }
                }
            }
            Err(error) => {
                let refusal = write_failed(&error);
                for intent in batch.extract_if(.., |intent| intent.small_body().is_some()) {
                    if let Intent::Put(put) = intent {
                        // Nobody may be waiting any more.
                        drop(put.reply.send(Err(refusal)));
                    }
                }
            }
        }
        batch
    }

    /// Makes the directory entries of the bodies durable.
    fn sync_directories(&mut self, batch: &[Intent]) -> std::io::Result<()> {
        let mut directories: Vec<_> = batch
            .iter()
            .filter_map(Intent::body)
            .map(|body| self.shared.directory.body_directory(body))
            .collect();
        directories.sort_unstable();
        directories.dedup();
        for directory in directories {
            let syncs = &self.shared.syncs;
            let disk = &self.shared.directory.disk;
            syncs.directory(disk.sync_directory(&directory))?;
            if !self.durable_directories.contains(&directory) {
                syncs.directory(disk.sync_directory(&self.shared.directory.bodies()))?;
                self.durable_directories.truncate(KNOWN_DIRECTORIES - 1);
                self.durable_directories.push_front(directory);
            }
        }
        Ok(())
    }

    fn transact(
        &mut self,
        batch: Vec<Intent>,
        settles: &mut Vec<Settle>,
        garbage: &mut Vec<Garbage>,
    ) -> Result<(), StoreError> {
        let changes = batch.len();
        let Shared {
            metadata,
            directory,
            ..
        } = &*self.shared;
        metadata.reopen(directory);
        let write = |database: &Database| self.write(database, batch, settles, garbage);
        let done = match metadata.with(write) {
            None => Err(None),
            Some(written) => written.map_err(Some),
        };
        match done {
            Ok(()) => {
                self.shared.syncs.commit(changes);
                self.appender.forget_retired();
                self.reaped.clear();
                Ok(())
            }
            Err(error) => {
                if let Some(error) = error {
                    tracing::error!(%error, "the metadata could not be written");
                }
                // Whether its bodies live is known only to the metadata, once opened again.
                self.appender.give_up();
                metadata.close();
                metadata.reopen(directory);
                Err(StoreError::Unavailable)
            }
        }
    }

    fn write(
        &self,
        database: &Database,
        batch: Vec<Intent>,
        settles: &mut Vec<Settle>,
        garbage: &mut Vec<Garbage>,
    ) -> Result<(), Box<redb::Error>> {
        let transaction = database.begin_write().map_err(boxed)?;
        {
            let mut meta = transaction.open_table(META).map_err(boxed)?;
            let counters = {
                let row = meta.get(CountersRow::NAME).map_err(boxed)?;
                row.map_or(Ok(CountersRow::default()), |row| {
                    CountersRow::open(&self.shared.mac, row.value())
                })
            };
            let counters = counters.map_err(|Damaged| {
                boxed(redb::Error::Corrupted(
                    "the counters do not verify".to_owned(),
                ))
            })?;
            let mut change =
                Change::open(&self.shared, &transaction, counters, garbage).map_err(boxed)?;
            for garbage in &self.reaped {
                change.forget(garbage).map_err(boxed)?;
            }
            for intent in batch {
                settles.push(change.apply(intent).map_err(boxed)?);
            }
            let appender = &self.appender;
            change
                .count_packs(appender.current(), appender.retired())
                .map_err(boxed)?;
            let counters = change.counters.seal(&self.shared.mac);
            meta.insert(CountersRow::NAME, counters.as_slice())
                .map_err(boxed)?;
        }
        transaction.commit().map_err(boxed)
    }

    /// Removes from the disk what no row names and nobody reads any more.
    fn reap(&mut self, garbage: Vec<Garbage>) {
        if !garbage.is_empty() {
            self.shared.metadata.pass_readers();
        }
        for garbage in self.shared.leases.removable(garbage) {
            match self.remove(garbage.row) {
                Ok(()) => self.reaped.push(garbage),
                Err(error) => tracing::warn!(%error, "a deleted body stays until the next start"),
            }
        }
    }

    fn remove(&self, garbage: GarbageRow) -> Result<(), Box<redb::Error>> {
        let directory = &self.shared.directory;
        match garbage {
            GarbageRow::File(body) => {
                remove_file(&directory.disk, &directory.body_file(body)).map_err(boxed)?
            }
            GarbageRow::Pack(pack) => {
                self.shared.packs.forget(pack);
                remove_file(&directory.disk, &directory.pack_file(pack)).map_err(boxed)?;
            }
            GarbageRow::Upload(upload) => {
                for body in self.part_bodies(upload)? {
                    remove_file(&directory.disk, &directory.body_file(body)).map_err(boxed)?;
                }
            }
        }
        Ok(())
    }

    /// The bodies of all parts of an upload.
    fn part_bodies(&self, upload: WriteId) -> Result<Vec<WriteId>, Box<redb::Error>> {
        let bodies = self.shared.metadata.with(|database| {
            let transaction = database.begin_read().map_err(boxed)?;
            let table = transaction.open_table(PARTS).map_err(boxed)?;
            sweep::part_bodies(&table, &self.shared.mac, upload).map_err(boxed)
        });
        bodies.unwrap_or_else(|| Err(boxed(redb::Error::PreviousIo)))
    }
}

/// Removes a file that may be gone.
fn remove_file(disk: &Disk, path: &Path) -> std::io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}
