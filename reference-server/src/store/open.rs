//! Opening a store, and closing it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

use redb::{Database, ReadableDatabase as _, TableError};
use tokio::sync::mpsc;

use super::at_once::AtOnce;
use super::commit::{self, Intent};
use super::directory::{DataDirectory, Found, failed};
use super::disk::Disk;
use super::lease::Leases;
use super::metadata::{Metadata, OpenDatabase};
use super::pace::WriteIds;
use super::pack::Packs;
use super::row::{CountersRow, RowMac};
use super::shared::Shared;
use super::sweep::{SweepError, sweep};
use super::syncs::Syncs;
use super::table::{self, META};
use super::{OpenError, StoreSettings};
use crate::sealed::Damaged;
use crate::sealed::data_key::store_key;

/// The most changes that wait for the committer; more wait before they are handed over.
const WAITING: usize = 1_024;

/// An open store and its committer.
pub(super) struct Running {
    pub(super) shared: Arc<Shared>,
    /// `None` only while it is being dropped.
    intents: Option<mpsc::Sender<Intent>>,
    committer: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn open(
        disk: Disk,
        settings: &StoreSettings,
        free_space_floor: u64,
    ) -> Result<Self, OpenError> {
        let StoreSettings {
            data_dir,
            dialect,
            server_key_file,
        } = settings;
        let (directory, found) = DataDirectory::lock(disk, data_dir, *dialect)?;
        let server_key = directory.server_key(server_key_file.as_deref(), found)?;
        directory.make_bodies()?;
        directory.make_metadata()?;
        let mac = RowMac::new(&store_key(&server_key, b"row"));
        let plain_key = store_key(&server_key, b"plain objects");
        drop(server_key);
        let open = match open_database(&directory, &mac, found) {
            // A first start was cut short while it made the metadata: there is nothing to lose.
            Err(OpenError::Damaged(_)) if found == Found::Nothing && directory.is_empty() => {
                directory.make_metadata_anew()?;
                open_database(&directory, &mac, found)?
            }
            opened => opened?,
        };
        directory.finish(*dialect, found)?;
        put_right(&directory, &open.database, &mac)?;
        let (intents, mut received) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            directory,
            dialect: *dialect,
            mac,
            plain_key,
            leases: Leases::new(intents.downgrade()),
            ids: WriteIds::default(),
            streams: Arc::default(),
            packs: Packs::default(),
            syncs: Syncs::default(),
            at_once: AtOnce::default(),
            bucket_changes: AtomicU64::default(),
            free_space_floor,
            metadata: Metadata::new(open),
        });
        let committed = Arc::clone(&shared);
        let committer = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || commit::run(&committed, &mut received))
            .map_err(failed("start the committer of", data_dir))?;
        Ok(Self {
            shared,
            intents: Some(intents),
            committer: Some(committer),
        })
    }

    pub(super) fn intents(&self) -> &mpsc::Sender<Intent> {
        self.intents
            .as_ref()
            .expect("it goes only when the store is dropped")
    }
}

/// Waits for the committer, so that the data directory is free again once the store is dropped.
impl Drop for Running {
    fn drop(&mut self) {
        self.intents = None;
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the committer had panicked");
        }
        let done = self.shared.syncs.so_far();
        let (changes, commits, syncs) = (done.changes, done.commits, done.syncs());
        tracing::info!(changes, commits, syncs, "the store is closed");
    }
}

/// Why the metadata cannot be used.
pub(super) fn unusable(directory: &DataDirectory, error: redb::Error) -> OpenError {
    let path = directory.metadata();
    if let redb::Error::Io(source) = error {
        // With these two redb says that the file is none of its own, or cut.
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        if !matches!(source.kind(), InvalidData | UnexpectedEof) {
            return failed("open", &path)(source);
        }
        tracing::error!(error = %source, "the metadata cannot be used");
        return OpenError::Damaged(path);
    }
    // A store that ends gives its directory free a moment before redb does the file.
    if let redb::Error::DatabaseAlreadyOpen = error {
        return OpenError::InUse(path.parent().unwrap_or(&path).to_path_buf());
    }
    tracing::error!(%error, "the metadata cannot be used");
    OpenError::Damaged(path)
}

/// Opens the metadata, makes the tables, and verifies the counters: with another server key they do
/// not, and nothing else would.
fn open_database(
    directory: &DataDirectory,
    mac: &RowMac,
    found: Found,
) -> Result<OpenDatabase, OpenError> {
    let broken = |error| unusable(directory, error);
    let open = OpenDatabase::open(directory).map_err(|error| broken(error.into()))?;
    let counters = read_counters(&open.database).map_err(broken)?;
    let verified = counters
        .as_deref()
        .map(|row| CountersRow::open(mac, row))
        .transpose();
    let first = match (verified, found) {
        (Ok(Some(_)), Found::Nothing | Found::Store) => None,
        (Ok(None), Found::Nothing) => Some(CountersRow::default().seal(mac)),
        // Counting anew would give ids of buckets a second time.
        (Ok(None), Found::Store) | (Err(Damaged), Found::Nothing | Found::Store) => {
            return Err(OpenError::Damaged(directory.metadata()));
        }
    };
    make_tables(&open.database, first).map_err(broken)?;
    Ok(open)
}

fn read_counters(database: &Database) -> Result<Option<Vec<u8>>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(table
        .get(CountersRow::NAME)?
        .map(|row| row.value().to_vec()))
}

/// Makes the tables that are not there: all at the first start, later those that an earlier version
/// did not have.
fn make_tables(database: &Database, counters: Option<Vec<u8>>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    table::make_all(&transaction)?;
    if let Some(counters) = counters {
        transaction
            .open_table(META)?
            .insert(CountersRow::NAME, counters.as_slice())?;
    }
    transaction.commit()?;
    Ok(())
}

fn put_right(
    directory: &DataDirectory,
    database: &Database,
    mac: &RowMac,
) -> Result<(), OpenError> {
    let swept = sweep(directory, database, mac).map_err(|error| match error {
        SweepError::Io(source) => failed("sweep", &directory.bodies())(source),
        SweepError::Database(error) => {
            tracing::error!(%error, "the metadata cannot be used");
            OpenError::Damaged(directory.metadata())
        }
    })?;
    if swept.damaged_rows > 0 {
        tracing::warn!(
            rows = swept.damaged_rows,
            "rows do not verify; nothing was swept"
        );
    }
    if swept.recounted > 0 {
        tracing::warn!(packs = swept.recounted, "counted anew what lives in packs");
    }
    if swept.orphans + swept.garbage > 0 {
        tracing::info!(
            orphans = swept.orphans,
            garbage = swept.garbage,
            "swept the bodies"
        );
    }
    Ok(())
}
