//! Scrubbing: nothing to find in what nobody touched, and each kind of damage found and named.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, Key, ReadableTable as _, TableDefinition};

use super::super::table::{BUCKETS, MANIFESTS, META, OBJECTS, PACKS, PARTS, TAGS, UPLOADS};
use super::row_damage::{filled, flip, rows};
use super::*;

type Rows<K> = TableDefinition<'static, K, &'static [u8]>;

/// A closed store with a bit of everything.
async fn closed() -> TempDir {
    let (ground, _) = filled().await;
    ground.put("in a file", Holder::Server, &body(70_001)).await;
    let Ground { directory, store } = ground;
    drop(store);
    // What a start puts right is none of a scrub's business.
    drop(open(&directory).unwrap());
    directory
}

fn scrubbed(directory: &TempDir) -> (Scrubbed, Vec<Finding>) {
    let mut found = Vec::new();
    let told = scrub(&settings(directory), &mut |finding| found.push(finding)).unwrap();
    assert_eq!(told.findings, found.len() as u64);
    (told, found)
}

#[track_caller]
fn assert_clean(directory: &TempDir) -> Scrubbed {
    let (told, found) = scrubbed(directory);
    assert_eq!(found, []);
    told
}

/// One finding with this fault at this place.
#[track_caller]
fn assert_found(directory: &TempDir, place: &str, fault: Fault) {
    let (_, found) = scrubbed(directory);
    let [finding] = &found[..] else {
        panic!("{place}: {found:?}");
    };
    assert_eq!(finding.fault, fault, "{finding}");
    assert!(finding.place.starts_with(place), "{place}: {finding}");
    let text = finding.to_string();
    assert!(text.contains(place) && !text.contains('\n'), "{text}");
}

fn database(directory: &TempDir) -> Database {
    Database::open(directory.path().join("meta.redb")).unwrap()
}

fn files(directory: &TempDir, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![directory.path().join(name)];
    while let Some(path) = left.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

fn shown<'p>(directory: &'p TempDir, path: &'p Path) -> &'p str {
    let below = path.strip_prefix(directory.path()).unwrap();
    below.to_str().unwrap()
}

#[tokio::test]
async fn a_store_that_nobody_touched_is_clean_and_stays_as_it_is() {
    let directory = closed().await;
    let before: Vec<_> = files(&directory, "data")
        .into_iter()
        .map(|file| (fs::read(&file).unwrap(), file))
        .collect();
    let told = assert_clean(&directory);
    // Four objects in one piece, two parts of an object, a part of an upload.
    assert_eq!((told.bodies, told.garbage), (7, 0));
    assert!(told.rows > 14 && told.bytes > 5 << 20, "{told:?}");
    assert!(
        before
            .into_iter()
            .all(|(bytes, file)| fs::read(file).unwrap() == bytes)
    );
    let store = open(&directory).unwrap();
    let found = store.look_up(BUCKET, "a", None).await.unwrap();
    assert_eq!(found.object().unwrap().size(), 70_000);
}

/// Every file below a directory, with its bytes and the time of its last change.
fn all_files(directory: &TempDir) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut all: Vec<_> = files(directory, "")
        .into_iter()
        .map(|file| {
            let changed = fs::metadata(&file).unwrap().modified().unwrap();
            let bytes = fs::read(&file).unwrap();
            (file, bytes, changed)
        })
        .collect();
    all.sort();
    all
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Not a byte of the database either, nor of one that was cut off and has to be repaired to be read.
#[tokio::test]
async fn a_scrub_changes_no_file() {
    let closed = closed().await;
    let (ground, _) = filled().await;
    let cut_off = tempfile::tempdir().unwrap();
    copy_all(ground.directory.path(), cut_off.path());
    for directory in [&closed, &cut_off] {
        let before = all_files(directory);
        assert!(before.len() > 5);
        assert_clean(directory);
        assert!(all_files(directory) == before);
    }
    let opened = open(&cut_off).unwrap();
    drop(opened);
    assert_clean(&cut_off);
}

/// Scrubs on another thread: what waits for a pipe would wait for ever.
fn scrubbed_in_time(directory: &Arc<TempDir>) -> Vec<Finding> {
    let (tell, told) = std::sync::mpsc::channel();
    let scrubbed_there = Arc::clone(directory);
    std::thread::spawn(move || tell.send(scrubbed(&scrubbed_there).1));
    let wait = std::time::Duration::from_secs(60);
    told.recv_timeout(wait).expect("a scrub waits for nothing")
}

#[tokio::test]
async fn pipes_and_links_are_named_and_not_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let directory = Arc::new(closed().await);
    for of in ["data", "packs"] {
        let file = files(&directory, of).remove(0);
        let place = shown(&directory, &file).to_owned();
        let kept = directory.path().join("kept");
        fs::rename(&file, &kept).unwrap();
        let pipe = || mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = || std::os::unix::fs::symlink(&kept, &file).unwrap();
        for put_there in [&pipe as &dyn Fn(), &link] {
            put_there();
            let found = scrubbed_in_time(&directory);
            let named = |finding: &Finding| {
                finding.fault == Fault::NoFile && finding.place.starts_with(&place)
            };
            assert!(!found.is_empty() && found.iter().all(named), "{found:?}");
            fs::remove_file(&file).unwrap();
        }
        fs::rename(&kept, &file).unwrap();
    }
    assert_eq!(scrubbed_in_time(&directory), []);
}

#[tokio::test]
async fn each_flipped_missing_and_surplus_byte_of_a_file_is_found() {
    let directory = closed().await;
    let files = files(&directory, "data");
    assert!(files.len() > 3);
    let mut tried = 0;
    for file in &files {
        let (whole, place) = (fs::read(file).unwrap(), shown(&directory, file));
        let step = whole.len() / 12 + 1;
        for position in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
            let mut flipped = whole.clone();
            flipped[position] ^= 1 << (position % 8);
            fs::write(file, flipped).unwrap();
            assert_found(&directory, place, Fault::Changed);
            tried += 1;
        }
        for length in [0, 1, whole.len() - 1] {
            fs::write(file, &whole[..length]).unwrap();
            assert_found(&directory, place, Fault::Missing);
            tried += 1;
        }
        fs::write(file, [&whole, &[0][..]].concat()).unwrap();
        assert_found(&directory, place, Fault::Longer);
        fs::remove_file(file).unwrap();
        assert_found(&directory, place, Fault::Missing);
        fs::write(file, whole).unwrap();
        tried += 2;
    }
    assert_clean(&directory);
    println!("hardening | scrub: files flipped, cut, extended, gone | {tried} | – | – | 0 |");
}

#[tokio::test]
async fn files_that_nothing_names_are_found() {
    let directory = closed().await;
    let body = files(&directory, "data").remove(0);
    let pack = files(&directory, "packs").remove(0);
    let elsewhere = directory.path().join("data/0000000001");
    let below_packs = directory.path().join("packs/below");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(&below_packs).unwrap();
    for surplus in [
        body.with_file_name("ee".repeat(16)),
        body.with_file_name("note.txt"),
        elsewhere.join(body.file_name().unwrap()),
        below_packs.join(pack.file_name().unwrap()),
        directory.path().join("packs").join("0f".repeat(16)),
    ] {
        fs::write(&surplus, b"surplus").unwrap();
        assert_found(&directory, shown(&directory, &surplus), Fault::Surplus);
        fs::remove_file(&surplus).unwrap();
    }
    assert_clean(&directory);
}

#[tokio::test]
async fn each_byte_of_a_pack_that_lives_is_looked_at() {
    let directory = closed().await;
    let [pack] = files(&directory, "packs").try_into().unwrap();
    let (whole, place) = (fs::read(&pack).unwrap(), shown(&directory, &pack));
    let told = assert_clean(&directory);
    let mut dead = 0;
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        fs::write(&pack, flipped).unwrap();
        let (_, found) = scrubbed(&directory);
        match &found[..] {
            [] => dead += 1,
            [finding] => {
                assert_eq!(finding.fault, Fault::Changed);
                assert!(finding.place.starts_with(place), "{finding}");
            }
            more => panic!("{more:?}"),
        }
    }
    assert_eq!(dead, told.dead_bytes);
    let flips = whole.len();
    println!("hardening | scrub: bytes of a pack flipped, each | {flips} | – | – | 0 |");
    fs::write(&pack, &whole[..whole.len() - 1]).unwrap();
    assert_found(&directory, place, Fault::Missing);
    fs::remove_file(&pack).unwrap();
    let (_, found) = scrubbed(&directory);
    assert!(!found.is_empty() && found.iter().all(|finding| finding.fault == Fault::Missing));
    fs::write(&pack, whole).unwrap();
    assert_clean(&directory);
}

/// Flips bytes of each row; returns how many.
fn each_row<K: Key + 'static>(directory: &TempDir, table: Rows<K>, name: &str) -> usize {
    let all = rows(&database(directory), table);
    assert!(!all.is_empty(), "{name}");
    let mut flips = 0;
    for (row, bytes) in all.iter().enumerate() {
        for byte in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            flip(&database(directory), table, row, byte);
            let (_, found) = scrubbed(directory);
            let named = |finding: &Finding| finding.place == name && finding.fault == Fault::Row;
            assert!(
                found.iter().any(named),
                "{name} {row}, byte {byte}: {found:?}"
            );
            flip(&database(directory), table, row, byte);
            flips += 1;
        }
    }
    assert_clean(directory);
    flips
}

#[tokio::test]
async fn each_changed_row_is_found() {
    let directory = closed().await;
    let flips = each_row(&directory, META, "meta")
        + each_row(&directory, BUCKETS, "buckets")
        + each_row(&directory, OBJECTS, "objects")
        + each_row(&directory, TAGS, "tags")
        + each_row(&directory, UPLOADS, "uploads")
        + each_row(&directory, PARTS, "parts")
        + each_row(&directory, MANIFESTS, "manifests")
        + each_row(&directory, PACKS, "packs");
    println!("hardening | scrub: bytes of rows flipped | {flips} | – | – | 0 |");
}

/// Takes each row away for a while; returns how many there are.
fn without_each<K: Key + 'static>(directory: &TempDir, table: Rows<K>, name: &str) -> usize {
    let count = rows(&database(directory), table).len();
    for row in 0..count {
        let (key, value) = {
            let database = database(directory);
            let transaction = database.begin_write().unwrap();
            let removed = {
                let mut table = transaction.open_table(table).unwrap();
                let (key, value) = {
                    let (key, value) = table.iter().unwrap().nth(row).unwrap().unwrap();
                    let key = K::as_bytes(&key.value()).as_ref().to_vec();
                    (key, value.value().to_vec())
                };
                table.remove(K::from_bytes(&key)).unwrap();
                (key, value)
            };
            transaction.commit().unwrap();
            removed
        };
        let (_, found) = scrubbed(directory);
        assert!(!found.is_empty(), "{name} {row}");
        let database = database(directory);
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(table).unwrap();
        table.insert(K::from_bytes(&key), value.as_slice()).unwrap();
        drop(table);
        transaction.commit().unwrap();
    }
    assert_clean(directory);
    count
}

/// A row that is gone is found where something else speaks of it: its body, its bucket, its object.
#[tokio::test]
async fn each_missing_row_that_leaves_something_behind_is_found() {
    let directory = closed().await;
    let gone = without_each(&directory, META, "meta")
        + without_each(&directory, BUCKETS, "buckets")
        + without_each(&directory, UPLOADS, "uploads")
        + without_each(&directory, PARTS, "parts")
        + without_each(&directory, MANIFESTS, "manifests")
        + without_each(&directory, PACKS, "packs");
    println!("hardening | scrub: rows gone | {gone} | – | – | 0 |");
}

#[tokio::test]
async fn what_is_no_store_in_use_or_unreadable_is_refused() {
    let nothing = tempfile::tempdir().unwrap();
    let refused = |directory: &TempDir| scrub(&settings(directory), &mut |_| {}).err();
    assert!(matches!(refused(&nothing), Some(OpenError::NoStore(_))));
    assert_eq!(fs::read_dir(nothing.path()).unwrap().count(), 0);
    let directory = closed().await;
    let store = open(&directory).unwrap();
    assert!(matches!(refused(&directory), Some(OpenError::InUse(_))));
    drop(store);
    assert_clean(&directory);
    fs::write(directory.path().join("meta.redb"), b"not a database").unwrap();
    assert!(matches!(refused(&directory), Some(OpenError::Damaged(_))));
}

/// A name of a client's cannot write lines of its own into a report.
#[test]
fn a_finding_is_one_line() {
    let finding = Finding {
        place: "data/1/2".to_owned(),
        of: "bucket/a\nb\u{1b}[2J version 1".to_owned(),
        fault: Fault::Changed,
    };
    assert_eq!(
        finding.to_string(),
        "data/1/2: bucket/a\\nb\\u{1b}[2J version 1: stored bytes were changed"
    );
}
