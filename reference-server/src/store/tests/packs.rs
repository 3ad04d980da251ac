//! Small bodies: how they share packs, how few syncs they need, and when a pack goes.

use std::fs;

use redb::{Database, ReadableTable as _};

use super::super::row::{ObjectRowKey, PackRow, Place, RowMac, VersionRow};
use super::super::table::{OBJECTS, PACKS};
use super::*;
use crate::sealed::data_key::store_key;
use crate::sealed::record::stored_length;

/// Larger than what goes into a pack.
const LARGE: usize = 65_537;

type PackRows = Vec<(u128, Vec<u8>)>;

/// Changes the rows of the packs while the store is closed.
fn with_pack_rows(ground: Ground, change: impl Fn(&mut PackRows)) -> Ground {
    let Ground { directory, store } = ground;
    drop(store);
    let database = Database::open(directory.path().join("meta.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(PACKS).unwrap();
        let mut rows: Vec<_> = table
            .iter()
            .unwrap()
            .map(|entry| {
                let (key, row) = entry.unwrap();
                (key.value(), row.value().to_vec())
            })
            .collect();
        table.retain(|_, _| false).unwrap();
        change(&mut rows);
        for (key, row) in &rows {
            table.insert(*key, row.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
    drop(database);
    let store = open(&directory).unwrap();
    Ground { directory, store }
}

fn live(sizes: &[usize]) -> PackRow {
    PackRow {
        count: sizes.len() as u64,
        bytes: sizes.iter().map(|size| stored_length(*size as u64)).sum(),
    }
}

#[tokio::test]
async fn bodies_of_one_record_share_a_pack_and_larger_ones_do_not() {
    let ground = Ground::new().await;
    let sizes = [0, 1, 4_096, LARGE - 1];
    for (name, size) in ["a", "b", "c", "d"].into_iter().zip(sizes) {
        let holder = Holder::Server;
        ground.put(name, holder, &body(size)).await;
    }
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
    let [pack] = ground.packs().try_into().unwrap();
    assert_eq!(fs::metadata(&pack).unwrap().len(), live(&sizes).bytes);
    assert_eq!(ground.counted(), [live(&sizes)]);
    ground.put("e", Holder::Server, &body(LARGE)).await;
    assert_eq!((ground.packs().len(), ground.bodies().len()), (1, 1));
    let ground = ground.reopened();
    for (name, size) in ["a", "b", "c", "d", "e"]
        .into_iter()
        .zip(sizes.into_iter().chain([LARGE]))
    {
        assert!(
            ground.get(name, Holder::Server).await == Ok(body(size)),
            "{name}"
        );
    }
}

/// A part keeps its file, whatever its size: its row has no place for another one.
#[tokio::test]
async fn a_small_part_has_a_file() {
    let ground = Ground::new().await;
    let new = NewUpload {
        bucket: BUCKET,
        object: OBJECT,
        holder: Holder::Server,
        headers: HeaderMap::new(),
        tags: ObjectTags::new(),
        checksum: None,
    };
    let id = ground.store.create_upload(new).await.unwrap();
    let upload = ground
        .store
        .look_up_upload(BUCKET, OBJECT, &id)
        .await
        .unwrap();
    let access = upload.prove(Holder::Server).unwrap();
    let number = PartNumber::new(1).unwrap();
    let mut writer = upload.begin_part(&access, number).await.unwrap();
    writer.write(Bytes::from_static(b"part")).await.unwrap();
    writer.commit(Finish::default()).await.unwrap();
    assert_eq!((ground.packs().len(), ground.bodies().len()), (0, 1));
}

/// 64 clients, each of which puts the next 4 KiB when the last are durable. The metadata is held
/// back until all of them wait, as on a disk that is slower than they are: counts, not times.
#[tokio::test]
#[expect(
    clippy::await_holding_lock,
    reason = "it keeps the committer out, which has a thread of its own"
)]
async fn many_small_puts_need_few_syncs() {
    const CLIENTS: u64 = 64;
    const ROUNDS: u64 = 10;
    let ground = Ground::new().await;
    let before = ground.store.durability();
    for _ in 0..ROUNDS {
        let mut ready = Vec::new();
        for client in 0..CLIENTS {
            let name = client.to_string();
            let new = new_object(&name, Holder::Server);
            let mut writer = ground.store.begin(new).await.unwrap();
            writer.write(Bytes::from(body(4_096))).await.unwrap();
            ready.push(writer);
        }
        let held = ground.store.shared().metadata.exclusive();
        let commits: Vec<_> = ready
            .into_iter()
            .map(|writer| tokio::spawn(writer.commit(Finish::default())))
            .collect();
        // Each is polled once: it seals its body and hands it over without waiting.
        for _ in 0..CLIENTS {
            tokio::task::yield_now().await;
        }
        drop(held);
        for commit in commits {
            commit.await.unwrap().unwrap();
        }
    }
    let after = ground.store.durability();
    let (puts, syncs) = (CLIENTS * ROUNDS, after.syncs() - before.syncs());
    assert_eq!(after.changes - before.changes, puts);
    assert!(
        syncs * 10 <= puts,
        "{syncs} syncs for {puts} puts: {after:?}"
    );
    assert_eq!(after.bodies, 0);
}

/// The control of the count: alone, each put waits for its pack and for the metadata.
#[tokio::test]
async fn a_put_that_is_alone_needs_two_syncs() {
    let ground = Ground::new().await;
    ground.put("first", Holder::Server, b"makes the pack").await;
    let before = ground.store.durability();
    for _ in 0..5 {
        ground.put(OBJECT, Holder::Server, &body(4_096)).await;
    }
    let after = ground.store.durability();
    assert_eq!(after.changes - before.changes, 5);
    assert_eq!(
        (after.packs - before.packs, after.commits - before.commits),
        (5, 5)
    );
    assert_eq!(after.syncs() - before.syncs(), 10);
    ground.put(OBJECT, Holder::Server, &body(LARGE)).await;
    let large = ground.store.durability();
    assert_eq!(large.packs, after.packs);
    assert_eq!((large.bodies, large.commits - after.commits), (1, 1));
}

#[tokio::test]
async fn a_pack_is_not_written_to_after_a_restart_and_goes_when_nothing_in_it_lives() {
    let ground = Ground::new().await;
    ground.put("a", Holder::Server, b"a").await;
    ground.put("b", Holder::Server, b"bb").await;
    let [first] = ground.packs().try_into().unwrap();
    let length = fs::metadata(&first).unwrap().len();
    let ground = ground.reopened();
    ground.put("c", Holder::Server, b"ccc").await;
    assert_eq!(fs::metadata(&first).unwrap().len(), length);
    assert_eq!(ground.packs().len(), 2);
    // Replaced, then deleted: each way to go counts.
    ground.put("a", Holder::Server, b"aaaa").await;
    assert!(first.exists());
    ground.store.delete(BUCKET, "b", None).await.unwrap();
    reaped(&ground).await;
    assert!(!first.exists());
    assert_eq!(ground.counted(), [live(&[3, 4])]);
    assert_eq!(ground.get("a", Holder::Server).await.unwrap(), b"aaaa");
    // The pack that is appended to stays while it is empty, until the next start.
    for name in ["a", "c"] {
        ground.store.delete(BUCKET, name, None).await.unwrap();
    }
    reaped(&ground).await;
    assert_eq!(ground.packs().len(), 1);
    assert_eq!(ground.counted(), [live(&[])]);
    let ground = ground.reopened();
    assert_eq!(ground.packs(), Vec::<PathBuf>::new());
    assert_eq!(ground.counted(), Vec::new());
}

/// What a batch left to remove is gone when the next one is answered.
async fn reaped(ground: &Ground) {
    for _ in 0..2 {
        let gone = ground.store.delete(BUCKET, "nothing of this name", None);
        gone.await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_write_leaves_nothing_that_counts() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"kept").await;
    let new = NewObject {
        conditions: WriteConditions {
            if_match: None,
            if_none_match: Some(TagSet::Any),
        },
        ..new_object(OBJECT, Holder::Server)
    };
    let mut writer = ground.store.begin(new).await.unwrap();
    writer.write(Bytes::from_static(b"refused")).await.unwrap();
    assert_eq!(
        writer.commit(Finish::default()).await,
        Err(StoreError::PreconditionFailed(Condition::IfNoneMatch))
    );
    assert_eq!(ground.counted(), [live(&[4])]);
    assert_eq!(ground.get(OBJECT, Holder::Server).await.unwrap(), b"kept");
}

/// A look-up has the small body already: what happens to the pack afterwards is no matter.
#[tokio::test]
async fn a_reader_outlives_the_pack() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"before").await;
    let ground = ground.reopened();
    let [pack] = ground.packs().try_into().unwrap();
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(Holder::Server).unwrap();
    ground.put(OBJECT, Holder::Server, b"after").await;
    reaped(&ground).await;
    assert!(!pack.exists());
    assert_eq!(read(&stored, &access, 0..6).await.unwrap(), b"before");
    assert_eq!(read(&stored, &access, 2..4).await.unwrap(), b"fo");
}

#[tokio::test]
async fn packs_that_no_row_names_are_swept_and_other_files_are_not() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"kept").await;
    let [kept] = ground.packs().try_into().unwrap();
    let orphan = kept.with_file_name("0f".repeat(16));
    let note = kept.with_file_name("note.txt");
    fs::write(&orphan, b"orphan").unwrap();
    fs::write(&note, b"not ours").unwrap();
    let ground = ground.reopened();
    assert!(kept.exists() && note.exists() && !orphan.exists());
    assert_eq!(ground.get(OBJECT, Holder::Server).await.unwrap(), b"kept");
}

#[tokio::test]
async fn what_is_counted_of_packs_is_put_right_at_the_start() {
    let mut ground = Ground::new().await;
    ground.put("a", Holder::Server, b"a").await;
    ground.put("b", Holder::Server, b"bb").await;
    let key = fs::read(ground.directory.path().join("server.key")).unwrap();
    let mac = RowMac::new(&store_key(&key.try_into().unwrap(), b"row"));
    let wrong: [&dyn Fn(&mut PackRows); 4] = [
        &|rows| rows[0].1[3] ^= 1,
        &|rows| rows.clear(),
        &|rows| rows.push((7, rows[0].1.clone())),
        &|rows| rows[0].1 = live(&[1]).seal(&mac, rows[0].0),
    ];
    for change in wrong {
        ground = with_pack_rows(ground, change);
        assert_eq!(ground.counted(), [live(&[1, 2])]);
        assert_eq!(ground.packs().len(), 1);
        assert_eq!(ground.get("b", Holder::Server).await.unwrap(), b"bb");
    }
}

/// A pack whose row was lost while the store was open may hold more than is known: it stays.
#[tokio::test]
async fn a_pack_without_a_row_is_not_thrown_away() {
    let ground = Ground::new().await;
    ground.put("a", Holder::Server, b"a").await;
    ground.put("b", Holder::Server, b"bb").await;
    // Nothing is appended to it any more.
    let ground = ground.reopened();
    let without_rows = |database: &Database| {
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(PACKS).unwrap();
        table.retain(|_, _| false).unwrap();
        drop(table);
        transaction.commit().unwrap();
    };
    ground.store.shared().metadata.with(without_rows).unwrap();
    ground.store.delete(BUCKET, "a", None).await.unwrap();
    reaped(&ground).await;
    assert_eq!(ground.packs().len(), 1);
    assert_eq!(ground.get("b", Holder::Server).await.unwrap(), b"bb");
    let ground = ground.reopened();
    assert_eq!(ground.counted(), [live(&[2])]);
    // With its row it goes with the last of its bodies.
    ground.store.delete(BUCKET, "b", None).await.unwrap();
    reaped(&ground).await;
    assert_eq!(ground.packs(), Vec::<PathBuf>::new());
}

/// A pack that got nothing but what was refused has a row of its own: a scrub finds nothing wrong.
#[tokio::test]
async fn a_pack_of_refused_bodies_alone_is_known() {
    let ground = Ground::new().await;
    let new = NewObject {
        conditions: WriteConditions {
            if_match: Some(TagSet::Any),
            if_none_match: None,
        },
        ..new_object(OBJECT, Holder::Server)
    };
    let mut writer = ground.store.begin(new).await.unwrap();
    writer.write(Bytes::from_static(b"refused")).await.unwrap();
    let refused = writer.commit(Finish::default()).await;
    assert_eq!(refused, Err(StoreError::NoSuchObject));
    assert_eq!(
        (ground.packs().len(), ground.counted()),
        (1, vec![live(&[])])
    );
    let Ground { directory, store } = ground;
    drop(store);
    let mut found = Vec::new();
    let told = scrub(&settings(&directory), &mut |finding| found.push(finding)).unwrap();
    assert_eq!((found, told.bodies), (Vec::new(), 0));
}

/// Puts the row of an object there, and takes the table of the packs away.
fn name_in_file(directory: &TempDir, key: ObjectRowKey<'_>, sealed: &[u8]) {
    let database = Database::open(directory.path().join("meta.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(OBJECTS).unwrap();
    table.insert(key.in_table(), sealed).unwrap();
    drop(table);
    transaction.delete_table(PACKS).unwrap();
    transaction.commit().unwrap();
}

/// A store of a version that knew no packs: each body, also a small one, has a file.
#[tokio::test]
async fn small_bodies_in_files_of_their_own_stay_readable() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"old").await;
    let [pack] = ground.packs().try_into().unwrap();
    let stored = fs::read(&pack).unwrap();
    let shared = ground.store.shared();
    let row = ground.stored(OBJECT).await;
    let key = ObjectRowKey {
        bucket: 1,
        name: OBJECT.as_bytes(),
        seq: row.seq,
    };
    let mut object = row.row.clone();
    object.place = Place::File;
    let file = shared.directory.body_file(object.envelope.write_id());
    let sealed = VersionRow::Object(Box::new(object)).seal(&shared.mac, key);
    drop(row);
    let Ground { directory, store } = ground;
    drop(store);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, stored).unwrap();
    name_in_file(&directory, key, &sealed);
    fs::remove_dir_all(directory.path().join("packs")).unwrap();
    let store = open(&directory).unwrap();
    let ground = Ground { directory, store };
    assert_eq!(ground.get(OBJECT, Holder::Server).await.unwrap(), b"old");
    ground.put(OBJECT, Holder::Server, b"new").await;
    reaped(&ground).await;
    assert!(!file.exists());
    assert_eq!(ground.get(OBJECT, Holder::Server).await.unwrap(), b"new");
}

/// Where no pack can be made, small writes are refused and all else goes on; then they work again.
#[tokio::test]
async fn without_packs_the_rest_of_the_store_goes_on() {
    let ground = Ground::new().await;
    ground.put("large", Holder::Server, &body(LARGE)).await;
    let packs = ground.directory.path().join("packs");
    fs::remove_dir(&packs).unwrap();
    fs::write(&packs, b"in the way").unwrap();
    let mut writer = ground
        .store
        .begin(new_object(OBJECT, Holder::Server))
        .await
        .unwrap();
    writer.write(Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(
        writer.commit(Finish::default()).await,
        Err(StoreError::Unavailable)
    );
    ground.put("other", Holder::Server, &body(LARGE)).await;
    assert!(
        ground
            .store
            .look_up(BUCKET, OBJECT, None)
            .await
            .unwrap()
            .object()
            .is_none()
    );
    fs::remove_file(&packs).unwrap();
    fs::create_dir(&packs).unwrap();
    ground.put(OBJECT, Holder::Server, b"x").await;
    assert_eq!(ground.get(OBJECT, Holder::Server).await.unwrap(), b"x");
}
