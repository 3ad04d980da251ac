//! Damage to bodies and rows of objects: 500, never a wrong key.

use std::fs;

use redb::{Database, ReadableTable as _};

use super::super::row::{ObjectRowKey, RowMac, VersionRow};
use super::super::table::OBJECTS;
use super::*;
use crate::sealed::data_key::store_key;

/// What a reader with the right key gets.
async fn served(ground: &Ground, object: &str) -> Result<Vec<u8>, StoreError> {
    let Found::Object(stored) = ground.store.look_up(BUCKET, object, None).await? else {
        return Err(StoreError::NoSuchObject);
    };
    // A wrong key here would be damage called by another name.
    let access = stored
        .prove(Holder::Customer(&key(1)))
        .expect("damage is never a wrong key");
    read(&stored, &access, 0..stored.size()).await
}

fn flip(path: &std::path::Path, position: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[position] ^= 0x04;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn each_flipped_byte_of_a_body_is_damage() {
    let ground = Ground::new().await;
    let mut start = 0;
    for body in [b"".as_slice(), b"secret"] {
        ground.put(OBJECT, Holder::Customer(&key(1)), body).await;
        let [pack] = ground.packs().try_into().unwrap();
        let end = start + body.len() + 16;
        for position in start..end {
            flip(&pack, position);
            assert_eq!(served(&ground, OBJECT).await, Err(StoreError::Damaged));
            flip(&pack, position);
        }
        assert_eq!(served(&ground, OBJECT).await.as_deref(), Ok(body));
        start = end;
    }
    let large = body(65_537);
    ground.put(OBJECT, Holder::Customer(&key(1)), &large).await;
    let [file] = ground.bodies().try_into().unwrap();
    for position in (0..65_569).step_by(997).chain(65_536..65_569) {
        flip(&file, position);
        assert_eq!(served(&ground, OBJECT).await, Err(StoreError::Damaged));
        flip(&file, position);
    }
    assert!(served(&ground, OBJECT).await == Ok(large));
}

/// Damage to a small body is told to who asks for its bytes. HEAD and deletion need its row alone.
#[tokio::test]
async fn a_small_body_that_is_gone_cut_or_exchanged_is_damage() {
    let ground = Ground::new().await;
    for object in ["a", "b"] {
        let holder = Holder::Customer(&key(1));
        ground.put(object, holder, b"secret").await;
    }
    let [pack] = ground.packs().try_into().unwrap();
    let whole = fs::read(&pack).unwrap();
    assert_eq!(whole.len(), 44);
    let exchanged = [&whole[22..], &whole[..22]].concat();
    for (bytes, a, b) in [
        (&whole[..43], true, false),
        (&whole[..22], true, false),
        (&whole[..0], false, false),
        (&exchanged, false, false),
        (&whole, true, true),
    ] {
        fs::write(&pack, bytes).unwrap();
        for (object, right) in [("a", a), ("b", b)] {
            let expected = if right {
                Ok(b"secret".to_vec())
            } else {
                Err(StoreError::Damaged)
            };
            assert_eq!(served(&ground, object).await, expected, "{object}");
            assert_eq!(ground.stored(object).await.size(), 6);
        }
    }
    let ground = ground.reopened();
    let aside = pack.with_extension("aside");
    fs::rename(&pack, &aside).unwrap();
    assert_eq!(served(&ground, "a").await, Err(StoreError::Damaged));
    assert_eq!(ground.stored("a").await.size(), 6);
    fs::rename(&aside, &pack).unwrap();
    assert!(served(&ground, "a").await.is_ok());
    fs::remove_file(&pack).unwrap();
    let gone = ground.store.delete(BUCKET, "b", None).await.unwrap();
    assert!(gone.version_id.is_some());
}

#[tokio::test]
async fn a_body_that_is_gone_cut_or_extended_is_damage() {
    let ground = Ground::new().await;
    ground
        .put(OBJECT, Holder::Customer(&key(1)), &body(131_072))
        .await;
    let [file] = ground.bodies().try_into().unwrap();
    let whole = fs::read(&file).unwrap();
    for length in [0, 1, 65_552, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(
            served(&ground, OBJECT).await,
            Err(StoreError::Damaged),
            "{length}"
        );
    }
    fs::write(&file, [whole.as_slice(), &whole[..65_552]].concat()).unwrap();
    assert_eq!(served(&ground, OBJECT).await, Err(StoreError::Damaged));
    fs::remove_file(&file).unwrap();
    assert_eq!(served(&ground, OBJECT).await, Err(StoreError::Damaged));
    fs::write(&file, &whole).unwrap();
    assert!(served(&ground, OBJECT).await.is_ok());
}

#[tokio::test]
async fn damage_in_the_first_window_comes_before_anything_is_said() {
    let ground = Ground::new().await;
    ground
        .put(OBJECT, Holder::Customer(&key(1)), &body(600_000))
        .await;
    let [file] = ground.bodies().try_into().unwrap();
    flip(&file, 3 * 65_552);
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(Holder::Customer(&key(1))).unwrap();
    assert!(matches!(
        stored.read(&access, 0..600_000).await,
        Err(StoreError::Damaged)
    ));
    assert!(stored.read(&access, 300_000..600_000).await.is_ok());
}

#[tokio::test]
async fn later_damage_ends_the_stream_after_a_right_prefix() {
    let ground = Ground::new().await;
    let body = body(2_000_000);
    ground.put(OBJECT, Holder::Customer(&key(1)), &body).await;
    let [file] = ground.bodies().try_into().unwrap();
    for record in [4, 9, 30] {
        flip(&file, record * 65_552 + 7);
        let stored = ground.stored(OBJECT).await;
        let access = stored.prove(Holder::Customer(&key(1))).unwrap();
        let mut stream = stored.read(&access, 0..2_000_000).await.unwrap();
        let mut prefix = Vec::new();
        let error = loop {
            match stream
                .next()
                .await
                .expect("the stream does not end as if it were whole")
            {
                Ok(bytes) => prefix.extend_from_slice(&bytes),
                Err(error) => break error,
            }
        };
        assert_eq!(error, Damaged);
        assert!(prefix.len() <= record * 65_536 && body.starts_with(&prefix));
        assert!(matches!(stream.next().await, Some(Err(Damaged))));
        flip(&file, record * 65_552 + 7);
    }
    assert!(served(&ground, OBJECT).await == Ok(body));
}

/// Closes the store, changes the row of each object, and opens it again.
fn with_rows(ground: Ground, change: impl Fn(&mut Vec<(u64, Vec<u8>, u64, Vec<u8>)>)) -> Ground {
    let Ground { directory, store } = ground;
    drop(store);
    let database = Database::open(directory.path().join("meta.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(OBJECTS).unwrap();
        let mut rows: Vec<_> = table
            .iter()
            .unwrap()
            .map(|entry| {
                let (key, row) = entry.unwrap();
                let (bucket, name, seq) = key.value();
                (bucket, name.to_vec(), seq, row.value().to_vec())
            })
            .collect();
        table.retain(|_, _| false).unwrap();
        change(&mut rows);
        for (bucket, name, seq, row) in &rows {
            table
                .insert((*bucket, name.as_slice(), *seq), row.as_slice())
                .unwrap();
        }
    }
    transaction.commit().unwrap();
    drop(database);
    let store = open(&directory).unwrap();
    Ground { directory, store }
}

#[tokio::test]
async fn each_flipped_byte_of_a_row_is_damage_and_never_a_wrong_key() {
    let mut ground = Ground::new().await;
    ground
        .put(OBJECT, Holder::Customer(&key(1)), b"secret")
        .await;
    // Kind, flags, the whole envelope, size, place, pack, offset, CRC, tag, counts, MAC: a byte of
    // each.
    for position in [
        0, 1, 2, 3, 4, 5, 6, 7, 22, 23, 54, 55, 86, 87, 94, 95, 96, 111, 112, 115, 116, 124, 140,
        142, 144,
    ] {
        let flip = |rows: &mut Vec<(u64, Vec<u8>, u64, Vec<u8>)>| rows[0].3[position] ^= 1;
        ground = with_rows(ground, flip);
        assert_eq!(
            served(&ground, OBJECT).await,
            Err(StoreError::Damaged),
            "byte {position}"
        );
        let query = list_all();
        assert_eq!(
            ground.store.list(query).await,
            Err(StoreError::Damaged),
            "byte {position}"
        );
        ground = with_rows(ground, flip);
        assert_eq!(
            served(&ground, OBJECT).await.as_deref(),
            Ok(b"secret".as_slice())
        );
    }
}

fn list_all() -> ListQuery<'static> {
    ListQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    }
}

#[tokio::test]
async fn rows_that_were_exchanged_are_damage() {
    let ground = Ground::new().await;
    ground
        .put("a", Holder::Customer(&key(1)), b"secret a")
        .await;
    ground
        .put("b", Holder::Customer(&key(1)), b"secret b")
        .await;
    let ground = with_rows(ground, |rows| {
        let first = rows[0].3.clone();
        rows[0].3 = std::mem::replace(&mut rows[1].3, first);
    });
    assert_eq!(served(&ground, "a").await, Err(StoreError::Damaged));
    assert_eq!(served(&ground, "b").await, Err(StoreError::Damaged));
}

/// Who has the server key may forge a row. The body is bound to its name all the same, and a forged
/// row is never taken for a wrong key.
#[tokio::test]
async fn rows_forged_in_each_others_place_open_nothing() {
    let key = key(1);
    for size in [6, 65_537] {
        let ground = Ground::new().await;
        for object in ["a", "b"] {
            ground
                .put(object, Holder::Customer(&key), &body(size))
                .await;
        }
        let server_key = fs::read(ground.directory.path().join("server.key")).unwrap();
        let mac = RowMac::new(&store_key(&server_key.try_into().unwrap(), b"row"));
        let forged = |rows: &mut Vec<(u64, Vec<u8>, u64, Vec<u8>)>, swap: bool| {
            let keys = rows.clone();
            let keys: Vec<_> = keys
                .iter()
                .map(|(bucket, name, inverted, _)| ObjectRowKey {
                    bucket: *bucket,
                    name,
                    seq: !inverted,
                })
                .collect();
            let opened: Vec<_> = (0..2)
                .map(|index| VersionRow::open(&mac, keys[index], &rows[index].3).unwrap())
                .collect();
            for (index, row) in opened.iter().enumerate() {
                let place = if swap { 1 - index } else { index };
                rows[place].3 = row.seal(&mac, keys[place]);
            }
        };
        let ground = with_rows(ground, |rows| forged(rows, true));
        for object in ["a", "b"] {
            assert_eq!(served(&ground, object).await, Err(StoreError::Damaged));
        }
        // The same forger leaves a row that is in its place as it was.
        let ground = with_rows(ground, |rows| forged(rows, true));
        let ground = with_rows(ground, |rows| forged(rows, false));
        assert!(served(&ground, "a").await == Ok(body(size)));
    }
}

#[tokio::test]
async fn a_damaged_object_can_be_deleted_and_replaced_but_meets_no_condition() {
    let ground = Ground::new().await;
    for object in ["a", "b"] {
        let holder = Holder::Customer(&key(1));
        ground.put(object, holder, &body(65_537)).await;
    }
    let ground = with_rows(ground, |rows| {
        for row in rows {
            row.3[9] ^= 1;
        }
    });
    let conditions = WriteConditions {
        if_match: None,
        if_none_match: Some(TagSet::Any),
    };
    let new = NewObject {
        conditions,
        ..new_object("b", Holder::Server)
    };
    let writer = ground.store.begin(new).await.unwrap();
    assert_eq!(
        writer.commit(Finish::default()).await,
        Err(StoreError::Damaged)
    );
    assert!(
        ground
            .store
            .delete(BUCKET, "a", None)
            .await
            .unwrap()
            .version_id
            .is_some()
    );
    assert_eq!(served(&ground, "a").await, Err(StoreError::NoSuchObject));
    ground.put("b", Holder::Customer(&key(1)), b"y").await;
    assert_eq!(served(&ground, "b").await.as_deref(), Ok(b"y".as_slice()));
    // With every row whole again, the bodies that nothing names are swept.
    assert_eq!(ground.living(), 3);
    let ground = ground.reopened();
    assert_eq!(ground.living(), 1);
}

#[tokio::test]
async fn bodies_that_were_exchanged_are_damage() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    ground.put("a", holder, &body(65_537)).await;
    let [a] = ground.bodies().try_into().unwrap();
    ground.put("b", holder, &body(65_537)).await;
    let b = ground.bodies().into_iter().find(|file| *file != a).unwrap();
    let bytes = fs::read(&a).unwrap();
    fs::write(&a, fs::read(&b).unwrap()).unwrap();
    fs::write(&b, bytes).unwrap();
    assert_eq!(served(&ground, "a").await, Err(StoreError::Damaged));
    assert_eq!(served(&ground, "b").await, Err(StoreError::Damaged));
}

/// A pipe would be waited for, a link followed to wherever it leads: neither is opened.
#[tokio::test]
async fn a_pipe_or_a_link_in_place_of_a_body_is_damage() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    for size in [1_000, 70_000] {
        let mut ground = Ground::new().await;
        ground.put(OBJECT, Holder::Server, &body(size)).await;
        let file = ground
            .bodies()
            .into_iter()
            .chain(ground.packs())
            .next()
            .unwrap();
        let kept = ground.directory.path().join("kept");
        fs::rename(&file, &kept).unwrap();
        let pipe = || mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = || std::os::unix::fs::symlink(&kept, &file).unwrap();
        for put_there in [&pipe as &dyn Fn(), &link] {
            put_there();
            // No pack is open from before.
            ground = ground.reopened();
            let read = ground.get(OBJECT, Holder::Server);
            let read = tokio::time::timeout(std::time::Duration::from_secs(60), read).await;
            assert_eq!(
                read.expect("nothing is waited for"),
                Err(StoreError::Damaged)
            );
            fs::remove_file(&file).unwrap();
        }
        fs::rename(&kept, &file).unwrap();
        assert!(ground.get(OBJECT, Holder::Server).await == Ok(body(size)));
    }
}
