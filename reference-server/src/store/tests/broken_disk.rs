//! A disk that is full, read-only or broken, at the store's seam: what is refused changed nothing,
//! what was acknowledged stays, and service resumes when the disk is well again.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::drive::Random;
use super::*;
use crate::store::disk::{Change, Witness};

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Nothing fits any more, but for the metadata, which has the room that is kept for it.
    FullOfBodies,
    /// Nothing fits any more.
    Full,
    ReadOnly,
    /// The metadata cannot be written.
    MetadataBroken,
    /// Packs cannot be synced.
    PacksUnsynced,
    /// Neither the other files nor directories can be synced.
    FilesUnsynced,
    /// One change in so many fails, in one way or another.
    Now(usize),
}

#[derive(Debug)]
struct Faulty {
    state: Mutex<(Fault, u64)>,
}

impl Faulty {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((Fault::None, seed)),
        })
    }

    fn set(&self, fault: Fault) {
        self.state.lock().unwrap().0 = fault;
    }
}

impl Witness for Faulty {
    fn before(&self, change: Change<'_>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let (path, grows, syncs) = match change {
            Change::Create(path) | Change::MakeDirectory(path) => (path, true, false),
            Change::Write { path, .. } | Change::SetLength(path, _) => (path, true, false),
            Change::Sync(path) | Change::SyncDirectory(path) => (path, false, true),
            Change::Remove(path) => (path, false, false),
            Change::Rename { to, .. } => (to, false, false),
        };
        let metadata = path.ends_with("meta.redb");
        let pack = path.parent().is_some_and(|above| above.ends_with("packs"));
        let full = Err(io::ErrorKind::StorageFull.into());
        let broken = Err(io::Error::other("injected"));
        match state.0 {
            Fault::FullOfBodies if grows && !metadata => full,
            Fault::Full if grows => full,
            Fault::ReadOnly => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            Fault::MetadataBroken if metadata => broken,
            Fault::PacksUnsynced if syncs && pack => broken,
            Fault::FilesUnsynced if syncs && !metadata && !pack => broken,
            Fault::Now(one_in) => {
                let mut random = Random(state.1);
                state.1 = random.next();
                match random.below(2 * one_in) {
                    0 => broken,
                    1 if grows => full,
                    _ => Ok(()),
                }
            }
            Fault::None
            | Fault::FullOfBodies
            | Fault::Full
            | Fault::MetadataBroken
            | Fault::PacksUnsynced
            | Fault::FilesUnsynced => Ok(()),
        }
    }

    fn after(&self, _: Change<'_>) {}
}

struct OnFaulty {
    ground: Ground,
    disk: Arc<Faulty>,
}

fn opened(directory: &TempDir, disk: &Arc<Faulty>) -> Result<Store, OpenError> {
    let disk = Disk::watched(Arc::<Faulty>::clone(disk));
    Store::open_on(disk, &settings(directory), 0)
}

const SMALL: usize = 900;
const LARGE: usize = 200_000;

impl OnFaulty {
    async fn new(seed: u64) -> Self {
        let (directory, disk) = (tempfile::tempdir().unwrap(), Faulty::new(seed));
        let store = opened(&directory, &disk).unwrap();
        store.create_bucket(BUCKET, SsecUse::Allowed).await.unwrap();
        let on = Self {
            ground: Ground { directory, store },
            disk,
        };
        on.put("small", SMALL).await.unwrap();
        on.put("large", LARGE).await.unwrap();
        on
    }

    /// The disk is well again. The metadata is open again after a pause, if it was closed.
    async fn heal(&self) {
        self.disk.set(Fault::None);
        for _ in 0..3000 {
            match self.ground.store.look_up(BUCKET, "small", None).await {
                Err(StoreError::Unavailable) => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                Ok(_) | Err(_) => return,
            }
        }
        panic!("service does not resume");
    }

    async fn put(&self, object: &str, size: usize) -> Result<(), StoreError> {
        let key = key(1);
        let new = new_object(object, Holder::Customer(&key));
        let mut writer = self.ground.store.begin(new).await?;
        writer.write(Bytes::from(body(size))).await?;
        writer.commit(Finish::default()).await.map(drop)
    }

    /// The size of an object, read whole and right.
    async fn size(&self, object: &str) -> Result<Option<usize>, StoreError> {
        let found = self.ground.store.look_up(BUCKET, object, None).await?;
        let Some(stored) = found.object() else {
            return Ok(None);
        };
        let access = stored.prove(Holder::Customer(&key(1))).unwrap();
        let bytes = read(&stored, &access, 0..stored.size()).await?;
        assert!(bytes == body(bytes.len()), "{object} is wrong");
        Ok(Some(bytes.len()))
    }

    async fn delete(&self, object: &str) -> Result<(), StoreError> {
        let deleted = self.ground.store.delete(BUCKET, object, None).await;
        deleted.map(drop)
    }

    /// Both objects are there, others come and go, also after a restart, and a scrub is content.
    async fn assert_well(self) {
        self.disk.set(Fault::None);
        let Self { ground, disk } = self;
        let on = Self {
            ground: ground.reopened(),
            disk,
        };
        assert_eq!(on.size("small").await, Ok(Some(SMALL)));
        assert_eq!(on.size("large").await, Ok(Some(LARGE)));
        on.put("another", SMALL).await.unwrap();
        assert_eq!(on.size("another").await, Ok(Some(SMALL)));
        on.delete("another").await.unwrap();
        let Ground { directory, store } = on.ground;
        drop(store);
        let mut found = Vec::new();
        scrub(&settings(&directory), &mut |finding| found.push(finding)).unwrap();
        assert_eq!(found, []);
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_writes_deletes_and_serves_on() {
    let on = OnFaulty::new(1).await;
    on.put("to go", LARGE).await.unwrap();
    on.disk.set(Fault::FullOfBodies);
    for (object, size) in [("small", 10), ("large", LARGE + 1), ("new", SMALL)] {
        assert_eq!(
            on.put(object, size).await,
            Err(StoreError::Full),
            "{object}"
        );
    }
    assert_eq!(on.size("small").await, Ok(Some(SMALL)));
    assert_eq!(on.size("large").await, Ok(Some(LARGE)));
    assert_eq!(on.size("new").await, Ok(None));
    assert_eq!(on.delete("to go").await, Ok(()));
    // Nothing half-written stays; a deleted body goes after its answer.
    for _ in 0..1000 {
        if on.ground.bodies().len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(on.ground.bodies().len(), 1);
    on.disk.set(Fault::None);
    on.put("new", SMALL).await.unwrap();
    on.assert_well().await;
}

/// An I/O error makes the database refuse whatever follows; the store opens it anew by itself.
#[tokio::test]
async fn a_metadata_error_is_told_and_service_resumes() {
    for fault in [Fault::MetadataBroken, Fault::Full, Fault::ReadOnly] {
        let on = OnFaulty::new(2).await;
        on.disk.set(fault);
        let put = on.put("new", SMALL).await;
        assert!(
            matches!(put, Err(StoreError::Unavailable | StoreError::Full)),
            "{fault:?}: {put:?}"
        );
        assert_eq!(on.delete("small").await, Err(StoreError::Unavailable));
        on.heal().await;
        on.put("new", SMALL).await.unwrap();
        assert_eq!(on.size("new").await, Ok(Some(SMALL)), "{fault:?}");
        let small = on.size("small").await.unwrap();
        assert_eq!(small, Some(SMALL), "{fault:?}: a refused deletion");
        on.assert_well().await;
    }
    println!(
        "hardening | disk: errors of the database, service resumed by itself | 3 | 0 | – | 0 |"
    );
}

#[tokio::test]
async fn a_sync_that_fails_is_told_to_those_who_wait_for_it() {
    for (fault, size) in [(Fault::PacksUnsynced, SMALL), (Fault::FilesUnsynced, LARGE)] {
        let on = OnFaulty::new(3).await;
        on.disk.set(fault);
        assert_eq!(on.put("new", size).await, Err(StoreError::Unavailable));
        assert_eq!(on.size("new").await, Ok(None), "{fault:?}");
        on.disk.set(Fault::None);
        on.put("new", size).await.unwrap();
        assert_eq!(on.size("new").await, Ok(Some(size)));
        on.assert_well().await;
    }
}

#[tokio::test]
async fn a_read_only_directory_is_refused_at_the_start_with_its_name() {
    let (directory, disk) = (tempfile::tempdir().unwrap(), Faulty::new(4));
    for life in 0..2 {
        disk.set(Fault::ReadOnly);
        let refused = opened(&directory, &disk).err();
        let Some(OpenError::Io { path, source, .. }) = refused else {
            panic!("life {life}: {refused:?}");
        };
        assert!(path.starts_with(directory.path()), "{}", path.display());
        assert_eq!(source.kind(), io::ErrorKind::ReadOnlyFilesystem);
        disk.set(Fault::None);
        drop(opened(&directory, &disk).unwrap());
    }
}

/// Faults of every kind at random: an acknowledged change holds, a refused one is whole or absent.
async fn work_on_a_failing_disk(seed: u64, operations: usize) -> usize {
    let on = OnFaulty::new(seed).await;
    let mut random = Random(seed);
    let mut may: Vec<Vec<Option<usize>>> = vec![vec![None]; 3];
    let names = ["a", "b", "c"];
    let mut refused = 0;
    for _ in 0..operations {
        let index = random.below(3);
        let size = [0, SMALL, 65_536, 70_000][random.below(4)];
        let (then, done) = {
            on.disk.set(Fault::Now(12));
            if random.below(4) == 0 {
                (None, on.delete(names[index]).await)
            } else {
                (Some(size), on.put(names[index], size).await)
            }
        };
        on.heal().await;
        match done {
            Ok(()) => may[index] = vec![then],
            // Not known to have happened.
            Err(StoreError::Unavailable) => may[index].push(then),
            Err(StoreError::Full) => {}
            Err(error) => panic!("seed {seed}: {error}"),
        }
        refused += usize::from(done.is_err());
        let found = on.size(names[index]).await;
        let found = found.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(
            may[index].contains(&found),
            "seed {seed}: {found:?} {may:?}"
        );
        may[index] = vec![found];
    }
    on.assert_well().await;
    refused
}

#[tokio::test]
async fn on_a_disk_that_fails_at_random_nothing_acknowledged_is_lost() {
    let mut refused = 0;
    for seed in 0..6 {
        refused += work_on_a_failing_disk(seed, 20).await;
    }
    assert!(refused > 10, "{refused} refused");
    println!(
        "hardening | disk: changes on one that fails at random, {refused} refused | 120 | 0 | – | 0 |"
    );
}

#[tokio::test]
#[ignore = "long form: some minutes"]
async fn on_a_disk_that_fails_at_random_for_long_nothing_acknowledged_is_lost() {
    let mut refused = 0;
    for seed in 0..100 {
        refused += work_on_a_failing_disk(seed, 40).await;
    }
    println!(
        "hardening | disk: changes on one that fails at random, {refused} refused | 4000 | 0 | – | 0 |"
    );
}

/// The seam itself: without a fault it adds nothing.
#[test]
fn an_unwatched_disk_and_a_well_one_make_the_same_files() {
    let make = |disk: Disk| {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open_on(disk, &settings(&directory), 0).unwrap();
        drop(store);
        let mut names: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let watched = make(Disk::watched(Faulty::new(5)));
    assert_eq!(make(Disk::default()), watched);
    assert!(
        watched
            .iter()
            .any(|name| Path::new(name) == Path::new("FORMAT"))
    );
}
