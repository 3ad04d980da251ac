//! What a start finds and puts right.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::store::disk::{Change, Witness};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn committed_objects_survive_a_restart() {
    let ground = Ground::new().await;
    let large = body(700_000);
    ground.put("small", Holder::Customer(&key(1)), b"s").await;
    ground.put("large", Holder::Server, &large).await;
    let before = ground.stored("large").await.last_modified();
    let ground = ground.reopened();
    let small = ground.get("small", Holder::Customer(&key(1))).await;
    assert_eq!(small.as_deref(), Ok(b"s".as_slice()));
    assert!(ground.get("large", Holder::Server).await == Ok(large));
    let next = ground.put("next", Holder::Server, b"").await;
    assert!(next.last_modified > before);
}

#[tokio::test]
async fn what_no_row_names_is_swept_at_the_start() {
    let ground = Ground::new().await;
    let large = body(65_537);
    ground.put(OBJECT, Holder::Server, &large).await;
    let [kept] = ground.bodies().try_into().unwrap();
    let Ground { directory, store } = ground;
    drop(store);
    let data = directory.path().join("data");
    fs::create_dir(data.join("0000000001")).unwrap();
    fs::write(data.join("0000000001").join("0f".repeat(16)), b"orphan").unwrap();
    fs::write(kept.with_file_name("ee".repeat(16)), b"orphan").unwrap();
    fs::write(kept.with_file_name("note.txt"), b"not ours").unwrap();
    let ground = Ground {
        store: open(&directory).unwrap(),
        directory,
    };
    let mut left = ground.bodies();
    left.sort();
    let mut expected = vec![kept.clone(), kept.with_file_name("note.txt")];
    expected.sort();
    assert_eq!(left, expected);
    assert!(!data.join("0000000001").exists());
    assert!(ground.get(OBJECT, Holder::Server).await == Ok(large));
}

#[tokio::test]
async fn a_store_is_private() {
    let root = tempfile::tempdir().unwrap();
    let data_dir = root.path().join("a").join("b");
    let settings = StoreSettings {
        data_dir: data_dir.clone(),
        ..settings(&root)
    };
    let store = Store::open(&settings).unwrap();
    store.create_bucket(BUCKET, SsecUse::Allowed).await.unwrap();
    assert_eq!(mode(&data_dir), 0o700);
    for inside in ["data", "packs"] {
        assert_eq!(mode(&data_dir.join(inside)), 0o700, "{inside}");
    }
    for file in ["server.key", "meta.redb", "FORMAT", "LOCK"] {
        assert_eq!(mode(&data_dir.join(file)), 0o600, "{file}");
    }
    assert_eq!(fs::read(data_dir.join("server.key")).unwrap().len(), 32);
    assert_eq!(
        fs::read_to_string(data_dir.join("FORMAT")).unwrap(),
        "ssec/1 aws\n"
    );
}

#[test]
fn two_servers_do_not_share_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(&directory).unwrap();
    assert!(matches!(open(&directory), Err(OpenError::InUse(_))));
    drop(first);
    assert!(open(&directory).is_ok());
}

/// A store that ends may hold its metadata a moment longer than its directory: that is no damage.
#[test]
fn metadata_that_somebody_has_open_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    let held = redb::Database::open(directory.path().join("meta.redb")).unwrap();
    let refused = open(&directory).err();
    assert!(
        matches!(&refused, Some(OpenError::InUse(path)) if path == directory.path()),
        "{refused:?}"
    );
    drop(held);
    assert!(open(&directory).is_ok());
}

#[test]
fn another_dialect_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    let ovh = StoreSettings {
        dialect: Dialect::Ovh,
        ..settings(&directory)
    };
    let error = Store::open(&ovh).err().unwrap();
    assert!(matches!(
        error,
        OpenError::OtherDialect {
            found: Dialect::Aws,
            ..
        }
    ));
    assert!(error.to_string().contains("--dialect aws"), "{error}");
    assert!(open(&directory).is_ok());
}

#[test]
fn an_unknown_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    for format in ["ssec/2 aws\n", "ssec/1\n", "ssec/1 ceph\n", "", "\u{e4}"] {
        fs::write(directory.path().join("FORMAT"), format).unwrap();
        assert!(
            matches!(open(&directory), Err(OpenError::UnknownFormat(_))),
            "{format:?}"
        );
    }
    fs::write(directory.path().join("FORMAT"), [0xff]).unwrap();
    assert!(matches!(open(&directory), Err(OpenError::UnknownFormat(_))));
}

#[test]
fn a_store_without_its_server_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    let path = directory.path().join("server.key");
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(&directory), Err(OpenError::NoServerKey(_))));
    assert!(!path.exists());
    for wrong in [key[..31].to_vec(), [key.as_slice(), &[0]].concat()] {
        fs::write(&path, wrong).unwrap();
        assert!(matches!(open(&directory), Err(OpenError::BadServerKey(_))));
    }
    fs::write(&path, [0; 32]).unwrap();
    assert!(matches!(open(&directory), Err(OpenError::Damaged(_))));
    fs::write(&path, key).unwrap();
    assert!(open(&directory).is_ok());
}

#[test]
fn the_server_key_may_lie_elsewhere() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = elsewhere.path().join("key");
    let settings = StoreSettings {
        server_key_file: Some(path.clone()),
        ..settings(&directory)
    };
    drop(Store::open(&settings).unwrap());
    assert_eq!(mode(&path), 0o600);
    assert!(!directory.path().join("server.key").exists());
    assert!(Store::open(&settings).is_ok());
    assert!(matches!(open(&directory), Err(OpenError::NoServerKey(_))));
}

#[test]
fn a_data_directory_that_is_a_file_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, b"").unwrap();
    for data_dir in [file.clone(), file.join("below")] {
        let settings = StoreSettings {
            data_dir,
            ..settings(&root)
        };
        let error = Store::open(&settings).err().unwrap();
        assert!(matches!(error, OpenError::NotADirectory(_)), "{error}");
    }
}

#[test]
fn damaged_metadata_is_refused_or_harmless() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    fs::write(directory.path().join("meta.redb"), b"not a database").unwrap();
    assert!(matches!(
        open(&directory),
        Err(OpenError::Damaged(_) | OpenError::Io { .. })
    ));
}

#[test]
fn a_first_start_that_was_cut_short_is_repeated_where_nothing_can_be_lost() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    let (format, metadata) = (
        directory.path().join("FORMAT"),
        directory.path().join("meta.redb"),
    );
    let body = directory.path().join("packs").join("0f".repeat(16));
    fs::remove_file(&format).unwrap();
    fs::write(&metadata, b"redb, but cut").unwrap();
    fs::write(&body, b"a body").unwrap();
    assert!(matches!(open(&directory), Err(OpenError::Damaged(_))));
    assert_eq!(fs::read(&metadata).unwrap(), b"redb, but cut");
    fs::remove_file(&body).unwrap();
    drop(open(&directory).unwrap());
    assert!(format.exists());
    // Beside `FORMAT` nothing is made anew.
    fs::write(&metadata, b"redb, but cut").unwrap();
    assert!(matches!(open(&directory), Err(OpenError::Damaged(_))));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_allows_deletion() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"x").await;
    let Ground { directory, store } = ground;
    drop(store);
    let store = Store::open_on(Disk::default(), &settings(&directory), u64::MAX).unwrap();
    let begun = store.begin(new_object(OBJECT, Holder::Server)).await;
    assert!(matches!(begun, Err(StoreError::Full)));
    assert_eq!(
        store.create_bucket("b", SsecUse::Allowed).await,
        Err(StoreError::Full)
    );
    let ground = Ground { directory, store };
    assert_eq!(
        ground.get(OBJECT, Holder::Server).await.as_deref(),
        Ok(b"x".as_slice())
    );
    assert!(
        ground
            .store
            .delete(BUCKET, OBJECT, None)
            .await
            .unwrap()
            .version_id
            .is_some()
    );
}

/// Writes down which directories were made and which were synced.
#[derive(Debug, Default)]
struct Names(Mutex<Vec<String>>);

impl Witness for Names {
    fn before(&self, change: Change<'_>) -> std::io::Result<()> {
        let line = match change {
            Change::MakeDirectory(path) => format!("make {}", path.display()),
            Change::SyncDirectory(path) => format!("sync {}", path.display()),
            Change::Create(_)
            | Change::Write { .. }
            | Change::SetLength(..)
            | Change::Sync(_)
            | Change::Remove(_)
            | Change::Rename { .. } => return Ok(()),
        };
        self.0.lock().unwrap().push(line);
        Ok(())
    }

    fn after(&self, _: Change<'_>) {}
}

/// The name of a new data directory is as durable as what is in it, and so are those above it.
#[test]
fn the_name_of_a_new_data_directory_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let top = directory.path().display();
    let settings = StoreSettings {
        data_dir: directory.path().join("a/b"),
        ..settings(&directory)
    };
    let open = || {
        let names = Arc::new(Names::default());
        let disk = Disk::watched(Arc::<Names>::clone(&names));
        drop(Store::open_on(disk, &settings, 0).unwrap());
        Arc::into_inner(names).unwrap().0.into_inner().unwrap()
    };
    let done = open();
    let made = done
        .iter()
        .position(|line| *line == format!("make {top}/a/b"));
    for synced in [format!("sync {top}/a"), format!("sync {top}")] {
        let synced = done.iter().position(|line| *line == synced);
        assert!(made.is_some() && made < synced, "{done:?}");
    }
    let again = open();
    assert!(!again.contains(&format!("sync {top}")), "{again:?}");
}
