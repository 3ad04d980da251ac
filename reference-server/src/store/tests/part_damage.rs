//! Damage to the rows and files of uploads and of what they became.

use redb::{Database, Key, TableDefinition};

use super::super::table::{MANIFESTS, PARTS, TAGS, UPLOADS};
use super::uploads::{MIB, completion};
use super::*;

/// Closes the store, changes one row of a table, and opens it again.
fn with_table<K: Key + 'static>(
    ground: Ground,
    table: TableDefinition<'static, K, &'static [u8]>,
    change: impl Fn(&mut redb::Table<'_, K, &'static [u8]>),
) -> Ground {
    let Ground { directory, store } = ground;
    drop(store);
    let database = Database::open(directory.path().join("meta.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&mut transaction.open_table(table).unwrap());
    transaction.commit().unwrap();
    drop(database);
    let store = open(&directory).unwrap();
    Ground { directory, store }
}

fn flipped(row: &[u8], position: usize) -> Vec<u8> {
    let mut row = row.to_vec();
    row[position] ^= 1;
    row
}

/// An object of two parts under `key(1)`, and its body.
async fn two_parts() -> (Ground, Vec<u8>) {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let whole = body(10 * MIB);
    let e1 = ground.part(&id, holder, 1, &whole[..5 * MIB]).await.etag;
    let e2 = ground.part(&id, holder, 2, &whole[5 * MIB..]).await.etag;
    ground.complete(&id, &[(1, e1), (2, e2)]).await.unwrap();
    (ground, whole)
}

async fn served(ground: &Ground) -> Result<Vec<u8>, StoreError> {
    let found = ground.store.look_up(BUCKET, OBJECT, None).await?;
    let stored = found.object().unwrap();
    let access = stored
        .prove(Holder::Customer(&key(1)))
        .expect("damage is never a wrong key");
    read(&stored, &access, 0..stored.size()).await
}

#[tokio::test]
async fn a_damaged_or_missing_manifest_is_damage() {
    use redb::ReadableTable as _;
    let (ground, whole) = two_parts().await;
    let manifest = std::cell::RefCell::new((0, Vec::new()));
    let ground = with_table(ground, MANIFESTS, |table| {
        let (key, row) = table.first().unwrap().unwrap();
        *manifest.borrow_mut() = (key.value(), row.value().to_vec());
    });
    let (upload, row) = manifest.into_inner();
    let mut ground = ground;
    for position in [0, 1, 2, 3, 10, row.len() - 1] {
        let changed = flipped(&row, position);
        ground = with_table(ground, MANIFESTS, |table| {
            table.insert(upload, changed.as_slice()).unwrap();
        });
        assert_eq!(served(&ground).await, Err(StoreError::Damaged));
    }
    ground = with_table(ground, MANIFESTS, |table| {
        table.remove(upload).unwrap();
    });
    assert_eq!(served(&ground).await, Err(StoreError::Damaged));
    ground = with_table(ground, MANIFESTS, |table| {
        table.insert(upload, row.as_slice()).unwrap();
    });
    assert!(served(&ground).await.unwrap() == whole);
}

#[tokio::test]
async fn parts_that_were_exchanged_are_damage() {
    use redb::ReadableTable as _;
    let (ground, _) = two_parts().await;
    let exchange = |table: &mut redb::Table<'_, (u128, u16), &'static [u8]>| {
        let rows: Vec<_> = table
            .iter()
            .unwrap()
            .map(|entry| {
                let (key, row) = entry.unwrap();
                (key.value(), row.value().to_vec())
            })
            .collect();
        table.insert(rows[0].0, rows[1].1.as_slice()).unwrap();
        table.insert(rows[1].0, rows[0].1.as_slice()).unwrap();
    };
    let ground = with_table(ground, PARTS, exchange);
    assert_eq!(served(&ground).await, Err(StoreError::Damaged));
    // Nothing was swept: what the rows name is not known.
    assert_eq!(ground.bodies().len(), 2);
    let ground = with_table(ground, PARTS, exchange);
    assert!(served(&ground).await.is_ok());
    let [a, b] = ground.bodies().try_into().unwrap();
    let (of_a, of_b) = (std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
    std::fs::write(&a, of_b).unwrap();
    std::fs::write(&b, of_a).unwrap();
    assert_eq!(served(&ground).await, Err(StoreError::Damaged));
}

#[tokio::test]
async fn a_damaged_upload_serves_nothing_and_can_be_aborted() {
    use redb::ReadableTable as _;
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let etag = ground.part(&id, Holder::Server, 1, b"x").await.etag;
    let ground = with_table(ground, UPLOADS, |table| {
        let (key, row) = {
            let (key, row) = table.first().unwrap().unwrap();
            let (bucket, name, upload) = key.value();
            ((bucket, name.to_vec(), upload), flipped(row.value(), 20))
        };
        let (bucket, name, upload) = key;
        table
            .insert((bucket, name.as_slice(), upload), row.as_slice())
            .unwrap();
    });
    let damaged = Err(StoreError::Damaged);
    assert_eq!(ground.upload(&id).await.map(drop), damaged);
    assert_eq!(ground.complete(&id, &[(1, etag)]).await.map(drop), damaged);
    assert_eq!(ground.store.abort_upload(BUCKET, OBJECT, &id).await, Ok(()));
    let ground = ground.reopened();
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn tags_of_another_object_are_damage() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"x").await;
    let tags = vec![("a".to_owned(), "b".to_owned())];
    let set = ground.store.set_tags(BUCKET, OBJECT, None, tags).await;
    assert_eq!(set, Ok(()));
    let ground = with_table(ground, TAGS, |table| {
        let (key, row) = {
            use redb::ReadableTable as _;
            let (key, row) = table.first().unwrap().unwrap();
            let (bucket, name, seq) = key.value();
            let last = row.value().len() - 1;
            ((bucket, name.to_vec(), seq), flipped(row.value(), last))
        };
        table
            .insert((key.0, key.1.as_slice(), key.2), row.as_slice())
            .unwrap();
    });
    let found = ground.store.look_up(BUCKET, OBJECT, None).await;
    assert_eq!(found.err(), Some(StoreError::Damaged));
    // Deletion looks at none of it.
    let deleted = ground.store.delete(BUCKET, OBJECT, None).await;
    assert!(deleted.unwrap().version_id.is_some());
}

#[tokio::test]
async fn what_was_still_leased_when_the_store_closed_goes_at_the_next_start() {
    let (ground, _) = two_parts().await;
    let stored = ground.stored(OBJECT).await;
    ground.put(OBJECT, Holder::Server, b"newer").await;
    assert_eq!(ground.living(), 3);
    let Ground { directory, store } = ground;
    drop(store);
    drop(stored);
    let store = open(&directory).unwrap();
    let ground = Ground { directory, store };
    assert_eq!(ground.living(), 1);
    let ground = ground.reopened();
    assert_eq!(
        ground.get(OBJECT, Holder::Server).await.as_deref(),
        Ok(b"newer".as_slice())
    );
}

#[tokio::test]
async fn a_completion_finds_the_part_that_was_sent_last() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let old = ground.part(&id, Holder::Server, 1, b"old").await.etag;
    let upload = ground.upload(&id).await.unwrap();
    let new = ground.part(&id, Holder::Server, 1, b"new").await.etag;
    let number = PartNumber::new(1).unwrap();
    assert_eq!(
        upload.complete(None, completion(&[(1, old)])).await,
        Err(StoreError::InvalidPart(number))
    );
    assert!(upload.complete(None, completion(&[(1, new)])).await.is_ok());
    assert_eq!(
        ground.get(OBJECT, Holder::Server).await.as_deref(),
        Ok(b"new".as_slice())
    );
}
