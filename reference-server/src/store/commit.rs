//! The committer: the one thread that changes the metadata.
//!
//! It takes whatever waits, writes all of it in one transaction, makes that durable, answers, and
//! removes the bodies that went. What an intent does to the rows is in `change`.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use redb::ReadableTable as _;
use tokio::sync::{mpsc, oneshot};

use super::body_file::NewBodyFile;
use super::change::{Change, Settle};
use super::directory::sync_directory;
use super::lease::Garbage;
use super::row::{CountersRow, ObjectRow};
use super::shared::{BUCKETS, GARBAGE, META, OBJECTS, Shared, unavailable};
use super::version::VersionChoice;
use super::writer::WriteConditions;
use super::{Committed, CreateBucket, Deleted, SsecUse, StoreError};
use crate::sealed::Damaged;

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
        reply: Reply<Deleted>,
    },
    CreateBucket {
        name: String,
        ssec: SsecUse,
        reply: Reply<CreateBucket>,
    },
    DeleteBucket {
        name: String,
        reply: Reply<()>,
    },
    /// Nothing to change; leases have gone, so garbage may be removed.
    Reap,
}

/// A body that is durable but for its directory entry, and the row that will name it.
pub(super) struct PutIntent {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) conditions: WriteConditions,
    pub(super) row: ObjectRow,
    pub(super) body: NewBodyFile,
    pub(super) reply: Reply<Committed>,
}

/// Runs until every sender has gone.
pub(super) fn run(shared: &Arc<Shared>, intents: &mut mpsc::Receiver<Intent>) {
    let mut committer = Committer {
        shared: Arc::clone(shared),
        durable_directories: VecDeque::new(),
        reaped: Vec::new(),
    };
    let mut batch = Vec::with_capacity(BATCH);
    while intents.blocking_recv_many(&mut batch, BATCH) > 0 {
        committer.process(std::mem::take(&mut batch));
    }
}

struct Committer {
    shared: Arc<Shared>,
    durable_directories: VecDeque<PathBuf>,
    /// Rows of garbage that is gone from the disk.
    reaped: Vec<(u64, u32)>,
}

impl Committer {
    fn process(&mut self, batch: Vec<Intent>) {
        let batch: Vec<_> = batch
            .into_iter()
            .filter(|intent| !matches!(intent, Intent::Reap))
            .collect();
        let mut garbage = Vec::new();
        if !batch.is_empty() {
            let synced = self.sync_directories(&batch);
            let mut settles = Vec::with_capacity(batch.len());
            let durable = synced
                .map_err(unavailable)
                .and_then(|()| self.transact(batch, &mut settles, &mut garbage));
            if durable.is_err() {
                garbage.clear();
            }
            for settle in settles {
                settle(durable);
            }
        }
        self.reap(garbage);
    }

    /// Makes the directory entries of the bodies durable.
    fn sync_directories(&mut self, batch: &[Intent]) -> std::io::Result<()> {
        let mut directories: Vec<_> = batch
            .iter()
            .filter_map(|intent| match intent {
                Intent::Put(put) => Some(put.row.envelope.write_id()),
                Intent::Delete { .. }
                | Intent::CreateBucket { .. }
                | Intent::DeleteBucket { .. }
                | Intent::Reap => None,
            })
            .map(|body| self.shared.directory.body_directory(body))
            .collect();
        directories.sort_unstable();
        directories.dedup();
        for directory in directories {
            sync_directory(&directory)?;
            if !self.durable_directories.contains(&directory) {
                sync_directory(&self.shared.directory.bodies())?;
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
        let done = {
            let database = self
                .shared
                .database
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            match database.as_ref() {
                None => Err(None),
                Some(database) => self.write(database, batch, settles, garbage).map_err(Some),
            }
        };
        match done {
            Ok(()) => {
                self.reaped.clear();
                Ok(())
            }
            Err(error) => {
                if let Some(error) = error {
                    tracing::error!(%error, "the metadata could not be written");
                }
                self.reopen();
                Err(StoreError::Unavailable)
            }
        }
    }

    fn write(
        &self,
        database: &redb::Database,
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
            let mut change = Change {
                shared: &self.shared,
                counters,
                buckets: transaction.open_table(BUCKETS).map_err(boxed)?,
                objects: transaction.open_table(OBJECTS).map_err(boxed)?,
                garbage_rows: transaction.open_table(GARBAGE).map_err(boxed)?,
                garbage,
            };
            for key in &self.reaped {
                change.garbage_rows.remove(key).map_err(boxed)?;
            }
            for intent in batch {
                settles.push(change.apply(intent).map_err(boxed)?);
            }
            let counters = change.counters.seal(&self.shared.mac);
            meta.insert(CountersRow::NAME, counters.as_slice())
                .map_err(boxed)?;
        }
        transaction.commit().map_err(boxed)
    }

    /// An I/O error makes the database refuse everything that follows, so it is opened anew.
    fn reopen(&self) {
        let mut database = self
            .shared
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *database = None;
        match Shared::open_database(&self.shared.directory) {
            Ok(opened) => *database = Some(opened),
            Err(error) => tracing::error!(%error, "the metadata could not be opened again"),
        }
    }

    /// Removes from the disk what no row names and nobody reads any more.
    fn reap(&mut self, garbage: Vec<Garbage>) {
        if !garbage.is_empty() {
            self.shared.pass_readers();
        }
        for garbage in self.shared.leases.removable(garbage) {
            let path = self.shared.directory.body_file(garbage.body);
            match std::fs::remove_file(path) {
                Ok(()) => self.reaped.push(garbage.key),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    self.reaped.push(garbage.key);
                }
                Err(error) => tracing::warn!(%error, "a deleted body stays until the next start"),
            }
        }
    }
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}
