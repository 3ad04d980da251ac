//! Packs: files that small bodies share, so that one sync makes many of them durable.
//!
//! The committer appends; look-ups read. A pack is never written to again after an error or a
//! restart, and nothing in it is ever changed. Which of its bodies live, the rows know.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::directory::DataDirectory;
use super::disk::open_regular;
use super::row::{PackId, PackPlace};
use super::shared::{Shared, unavailable};
use crate::sealed::record::RECORD;

/// Bodies of at most so many plaintext bytes go into packs: one record, so that a small body is
/// verified whole before anything is said of it.
pub(super) const SMALL_BODY: u64 = RECORD;

/// The stored bytes of small bodies that one batch takes at most, but for the last of them.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// A pack gets no body that would make it longer than this, in bytes.
const PACK_LIMIT: u64 = 64 << 20;

/// Packs that are held open for reading at the same time.
const OPEN_PACKS: usize = 64;

/// A body that was sealed in memory and waits to be appended.
pub(super) struct SmallBody {
    /// Its one sealed record.
    pub(super) stored: Vec<u8>,
    /// CRC64NVME of that.
    pub(super) crc64: u64,
}

/// Where small bodies are appended. The committer's own.
#[derive(Default)]
pub(super) struct Appender {
    current: Option<Growing>,
    /// Packs that are not appended to any more and may hold nothing.
    retired: Vec<PackId>,
}

/// The pack that is appended to.
struct Growing {
    id: PackId,
    file: Arc<File>,
    length: u64,
}

impl Appender {
    /// Appends the bodies of one batch and makes them durable. After an error the pack is given
    /// up: what a failed sync left behind cannot be known.
    pub(super) fn append(
        &mut self,
        shared: &Shared,
        bodies: &[&SmallBody],
    ) -> io::Result<Vec<PackPlace>> {
        let places = self.try_append(shared, bodies);
        if places.is_err() {
            self.give_up();
        }
        places
    }

    fn try_append(&mut self, shared: &Shared, bodies: &[&SmallBody]) -> io::Result<Vec<PackPlace>> {
        let more: usize = bodies.iter().map(|body| body.stored.len()).sum();
        if let Some(current) = &self.current
            && current.length + more as u64 > PACK_LIMIT
        {
            self.give_up();
        }
        let current = match &mut self.current {
            Some(current) => current,
            None => self.current.insert(Growing::create(shared)?),
        };
        let mut bytes = Vec::with_capacity(more);
        let mut places = Vec::with_capacity(bodies.len());
        for body in bodies {
            let offset = current.length + bytes.len() as u64;
            places.push(PackPlace {
                pack: current.id,
                offset: u32::try_from(offset).expect("a pack is short"),
            });
            bytes.extend_from_slice(&body.stored);
        }
        let (disk, path) = (
            &shared.directory.disk,
            shared.directory.pack_file(current.id),
        );
        disk.write(&current.file, &path, &bytes, current.length)?;
        shared.syncs.pack(disk.sync(&current.file, &path))?;
        current.length += more as u64;
        Ok(places)
    }

    /// Appends to the present pack no more.
    pub(super) fn give_up(&mut self) {
        self.retired.extend(self.current.take().map(|pack| pack.id));
    }

    /// The pack that is appended to, which stays also when nothing in it lives.
    pub(super) fn current(&self) -> Option<PackId> {
        self.current.as_ref().map(|pack| pack.id)
    }

    /// Those given up since [`Appender::forget_retired`].
    pub(super) fn retired(&self) -> &[PackId] {
        &self.retired
    }

    /// A transaction has looked at the retired packs.
    pub(super) fn forget_retired(&mut self) {
        self.retired.clear();
    }
}

impl Growing {
    /// Makes a pack and its directory entry durable.
    fn create(shared: &Shared) -> io::Result<Self> {
        let id = PackId(shared.ids.next());
        let disk = &shared.directory.disk;
        let path = shared.directory.pack_file(id);
        let file = disk.create(&path)?;
        let synced = disk.sync_directory(&shared.directory.packs());
        if let Err(error) = shared.syncs.directory(synced) {
            // Nothing is in it; what stays of it the next start sweeps.
            drop(disk.remove(&path));
            return Err(error);
        }
        let file = Arc::new(file);
        shared.packs.know(id, &file);
        Ok(Self {
            id,
            file,
            length: 0,
        })
    }
}

/// The packs that are open for reading.
#[derive(Default)]
pub(super) struct Packs(Mutex<HashMap<PackId, Arc<File>>>);

impl Packs {
    /// Finds a stored body of `length` bytes. Called under the lock of a read transaction, which
    /// keeps the pack where it is until it is open.
    pub(super) fn find(
        &self,
        directory: &DataDirectory,
        place: PackPlace,
        length: u64,
    ) -> Result<PackedBody, StoreError> {
        match self.open(directory, place.pack) {
            Ok(file) => Ok(PackedBody {
                file,
                place,
                length,
            }),
            Err(error) => Err(unread(&error, place)),
        }
    }

    fn open(&self, directory: &DataDirectory, pack: PackId) -> io::Result<Arc<File>> {
        if let Some(file) = self.lock().get(&pack) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(open_regular(&directory.pack_file(pack))?);
        self.know(pack, &file);
        Ok(file)
    }

    fn know(&self, pack: PackId, file: &Arc<File>) {
        let mut open = self.lock();
        if open.len() >= OPEN_PACKS
            && let Some(any) = open.keys().next().copied()
        {
            open.remove(&any);
        }
        open.insert(pack, Arc::clone(file));
    }

    /// Closes a pack that was removed.
    pub(super) fn forget(&self, pack: PackId) {
        self.lock().remove(&pack);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PackId, Arc<File>>> {
        // Each change under the lock is one call, so a panic elsewhere breaks nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A small body in its pack, which is open: it can be read also when the pack has gone.
#[derive(Clone)]
pub(super) struct PackedBody {
    file: Arc<File>,
    place: PackPlace,
    /// Stored bytes.
    length: u64,
}

impl PackedBody {
    /// All that is stored of it.
    pub(super) fn read(&self) -> Result<Vec<u8>, StoreError> {
        let length = usize::try_from(self.length).expect("a small body is small");
        let mut stored = vec![0; length];
        let offset = u64::from(self.place.offset);
        match self.file.read_exact_at(&mut stored, offset) {
            Ok(()) => Ok(stored),
            Err(error) => Err(unread(&error, self.place)),
        }
    }
}

/// What it means that a body in a pack could not be read.
fn unread(error: &io::Error, place: PackPlace) -> StoreError {
    use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    if matches!(error.kind(), NotFound | UnexpectedEof | InvalidData) {
        let pack = hex::encode(place.pack.0.0);
        tracing::error!(pack, offset = place.offset, "the body in the pack is gone");
        return StoreError::Damaged;
    }
    unavailable(error)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::ssec::dialect::Dialect;
    use crate::store::{Store, StoreSettings};

    fn store(directory: &tempfile::TempDir) -> Store {
        let settings = StoreSettings {
            data_dir: directory.path().to_owned(),
            dialect: Dialect::Aws,
            server_key_file: None,
        };
        Store::open(&settings).unwrap()
    }

    fn small(length: usize) -> SmallBody {
        SmallBody {
            stored: vec![7; length],
            crc64: 0,
        }
    }

    #[test]
    fn a_full_pack_is_followed_by_another() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        let mut appender = Appender::default();
        let body = small(BATCH_BYTES);
        let mut packs = Vec::new();
        for _ in 0..=PACK_LIMIT as usize / BATCH_BYTES {
            let [place] = appender.append(store.shared(), &[&body]).unwrap()[..] else {
                panic!("one body has one place");
            };
            packs.push(place.pack);
        }
        let (last, full) = packs.split_last().unwrap();
        assert!(full.iter().all(|pack| pack == &full[0]) && last != &full[0]);
        assert_eq!(appender.retired(), [full[0]]);
        assert_eq!(appender.current(), Some(*last));
        let path = store.shared().directory.pack_file(full[0]);
        assert_eq!(path.metadata().unwrap().len(), PACK_LIMIT);
    }

    /// `/dev/null` takes every write and cannot be synced; `/dev/full` takes none.
    #[test]
    fn a_pack_whose_sync_or_write_failed_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        for device in ["/dev/null", "/dev/full"] {
            let mut appender = Appender::default();
            let body = small(17);
            let good = appender.append(store.shared(), &[&body]).unwrap()[0];
            let device = OpenOptions::new().write(true).open(device).unwrap();
            appender.current.as_mut().unwrap().file = Arc::new(device);
            appender
                .append(store.shared(), &[&body])
                .expect_err("it is not durable");
            assert_eq!(
                (appender.current(), appender.retired()),
                (None, &[good.pack][..])
            );
            let next = appender.append(store.shared(), &[&body]).unwrap()[0];
            assert!(next.pack != good.pack && next.offset == 0);
        }
    }

    #[test]
    fn few_packs_are_held_open() {
        let packs = Packs::default();
        let file = Arc::new(File::open("/dev/null").unwrap());
        for number in 0..OPEN_PACKS as u128 + 10 {
            packs.know(
                PackId(crate::sealed::envelope::WriteId::from_number(number)),
                &file,
            );
        }
        assert_eq!(packs.lock().len(), OPEN_PACKS);
    }
}
