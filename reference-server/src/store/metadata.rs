//! The database of the rows: open, or closed after an error of the disk until it can be opened again.
//!
//! After an error, of a read too, `redb` refuses whatever follows. So the database is closed then, and
//! opened by the next request, which checks all of it; while that fails, attempts keep a pause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, StorageBackend};
use tokio::time::Instant;

use super::StoreError;
use super::directory::DataDirectory;
use super::disk::MetadataFile;
use super::shared::unavailable;

/// The database's own cache, in bytes; its default is 1 GiB.
pub(super) const CACHE: usize = 32 << 20;

/// How long it is not tried to open the database again after one failure.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// And after many: each failure doubles the pause up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An open database.
pub(super) struct OpenDatabase {
    pub(super) database: Database,
    /// Whether its file has failed.
    failed: Arc<AtomicBool>,
}

impl OpenDatabase {
    /// Opens the database of a directory and checks all of it.
    pub(super) fn open(directory: &DataDirectory) -> Result<Self, redb::DatabaseError> {
        Self::with_cache(directory, CACHE)
    }

    fn with_cache(directory: &DataDirectory, cache: usize) -> Result<Self, redb::DatabaseError> {
        let file = MetadataFile::open(&directory.disk, directory.metadata())?;
        let failed = file.failed();
        let database = checked(cache, file)?;
        Ok(Self { database, failed })
    }
}

/// Opens a database and checks all of its pages.
pub(super) fn checked(
    cache: usize,
    file: impl StorageBackend,
) -> Result<Database, redb::DatabaseError> {
    Builder::new()
        .set_cache_size(cache)
        .set_check_integrity_on_open(true)
        .create_with_backend(file)
}

/// The database of an open store.
pub(super) struct Metadata {
    /// `None` after an error, until it could be opened again.
    open: RwLock<Option<OpenDatabase>>,
    attempts: Mutex<Attempts>,
}

impl Metadata {
    pub(super) fn new(open: OpenDatabase) -> Self {
        Self {
            open: RwLock::new(Some(open)),
            attempts: Mutex::default(),
        }
    }

    /// Runs `work` in a read transaction. Blocks; the transaction ends with it.
    pub(super) fn read<T>(
        &self,
        directory: &DataDirectory,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reopen(directory);
        let (done, failed) = {
            let open = self.shared();
            let open = open.as_ref().ok_or(StoreError::Unavailable)?;
            let transaction = open.database.begin_read().map_err(unavailable);
            let done = transaction.and_then(|transaction| work(&transaction));
            (done, open.failed.load(Ordering::Acquire))
        };
        if failed {
            self.close_failed();
        }
        done
    }

    /// Whether a read can begin now: nobody waits for it to be shut, and it need not be opened first.
    pub(super) fn is_at_hand(&self) -> bool {
        self.open.try_read().is_ok_and(|open| open.is_some())
    }

    /// Runs `work` on the database; `None` while there is none.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> T) -> Option<T> {
        self.shared().as_ref().map(|open| work(&open.database))
    }

    /// Opens the database again if an error closed it: the disk may be well by now.
    pub(super) fn reopen(&self, directory: &DataDirectory) {
        if self.shared().is_some() {
            return;
        }
        // One tries, the others wait for what it comes to.
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared().is_some() || !attempts.may_begin(Instant::now()) {
            return;
        }
        match OpenDatabase::open(directory) {
            Ok(opened) => {
                tracing::info!("the metadata is open again");
                *attempts = Attempts::default();
                *self.exclusive() = Some(opened);
            }
            Err(error) => {
                tracing::error!(%error, "the metadata could not be opened again");
                attempts.failed(Instant::now());
            }
        }
    }

    /// Closes the database after an error, which makes it refuse everything that follows.
    pub(super) fn close(&self) {
        *self.exclusive() = None;
    }

    /// Closes it if it is still the one that failed.
    fn close_failed(&self) {
        let mut open = self.exclusive();
        let failed = |open: &OpenDatabase| open.failed.load(Ordering::Acquire);
        if open.as_ref().is_some_and(failed) {
            *open = None;
        }
    }

    /// Waits until every read that began before has ended.
    pub(super) fn pass_readers(&self) {
        drop(self.exclusive());
    }

    fn shared(&self) -> RwLockReadGuard<'_, Option<OpenDatabase>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps everybody out while it is held.
    pub(super) fn exclusive(&self) -> RwLockWriteGuard<'_, Option<OpenDatabase>> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When it may be tried again.
#[derive(Default)]
struct Attempts {
    /// `None` before the first failure.
    last: Option<(Instant, Duration)>,
}

impl Attempts {
    fn may_begin(&self, now: Instant) -> bool {
        self.last
            .is_none_or(|(failed, pause)| now.duration_since(failed) >= pause)
    }

    fn failed(&mut self, now: Instant) {
        let pause = match self.last {
            None => FIRST_PAUSE,
            Some((_, pause)) => (pause * 2).min(LONGEST_PAUSE),
        };
        self.last = Some((now, pause));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use redb::TableDefinition;

    use super::*;
    use crate::ssec::dialect::Dialect;
    use crate::store::disk::{Change, Disk, Witness};

    const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("table");
    const ROWS: u64 = 500;

    /// A disk from which, for a while, the metadata cannot be read.
    #[derive(Debug, Default)]
    struct Unreadable {
        now: AtomicBool,
        tried: Mutex<usize>,
    }

    impl Witness for Unreadable {
        fn before(&self, _: Change<'_>) -> io::Result<()> {
            Ok(())
        }

        fn after(&self, _: Change<'_>) {}

        fn before_read(&self, _: &Path) -> io::Result<()> {
            if !self.now.load(Ordering::Relaxed) {
                return Ok(());
            }
            *self.tried.lock().unwrap() += 1;
            Err(io::Error::other("injected"))
        }
    }

    fn read(metadata: &Metadata, directory: &DataDirectory) -> Result<u64, StoreError> {
        metadata.read(directory, |transaction| {
            let table = transaction.open_table(TABLE).map_err(unavailable)?;
            let rows = (0..ROWS).map(|row| {
                let found = table.get(row).map_err(unavailable)?;
                Ok(u64::from(found.is_some()))
            });
            rows.sum()
        })
    }

    #[test]
    fn a_read_that_failed_is_followed_by_one_that_does_not() {
        let path = tempfile::tempdir().unwrap();
        let disk = Arc::new(Unreadable::default());
        let watched = Disk::watched(Arc::<Unreadable>::clone(&disk));
        let (directory, _) = DataDirectory::lock(watched, path.path(), Dialect::Aws).unwrap();
        directory.make_metadata().unwrap();
        // Next to nothing stays in so small a cache: rows come from the disk.
        let open = OpenDatabase::with_cache(&directory, 1 << 14).unwrap();
        let transaction = open.database.begin_write().unwrap();
        let mut table = transaction.open_table(TABLE).unwrap();
        for row in 0..ROWS {
            table.insert(row, [7; 2000].as_slice()).unwrap();
        }
        drop(table);
        transaction.commit().unwrap();
        let metadata = Metadata::new(open);
        assert_eq!(read(&metadata, &directory), Ok(ROWS));
        disk.now.store(true, Ordering::Relaxed);
        assert_eq!(read(&metadata, &directory), Err(StoreError::Unavailable));
        assert!(*disk.tried.lock().unwrap() > 0, "the disk was asked");
        assert!(metadata.with(|_| ()).is_none(), "it is closed");
        disk.now.store(false, Ordering::Relaxed);
        assert_eq!(read(&metadata, &directory), Ok(ROWS));
    }

    #[test]
    fn attempts_keep_a_pause_that_grows_up_to_a_limit() {
        let path = tempfile::tempdir().unwrap();
        let disk = Arc::new(Unreadable::default());
        let watched = Disk::watched(Arc::<Unreadable>::clone(&disk));
        let (directory, _) = DataDirectory::lock(watched, path.path(), Dialect::Aws).unwrap();
        directory.make_metadata().unwrap();
        let metadata = Metadata::new(OpenDatabase::open(&directory).unwrap());
        metadata.close();
        disk.now.store(true, Ordering::Relaxed);
        // Longer than all of what follows takes.
        metadata.attempts.lock().unwrap().last = Some((Instant::now(), Duration::from_secs(600)));
        assert_eq!(read(&metadata, &directory), Err(StoreError::Unavailable));
        assert_eq!(*disk.tried.lock().unwrap(), 0, "it was not tried");
        metadata.attempts.lock().unwrap().last = None;
        assert_eq!(read(&metadata, &directory), Err(StoreError::Unavailable));
        assert!(*disk.tried.lock().unwrap() > 0, "it was tried");

        let (mut attempts, mut now) = (Attempts::default(), Instant::now());
        assert!(attempts.may_begin(now));
        let mut pauses = Vec::new();
        for _ in 0..9 {
            attempts.failed(now);
            let (_, pause) = attempts.last.unwrap();
            assert!(!attempts.may_begin(now + pause - Duration::from_nanos(1)));
            now += pause;
            assert!(attempts.may_begin(now));
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }
}
