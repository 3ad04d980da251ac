//! Every byte of every row flipped through the database itself, whose own checks then hold: each
//! answer is damage, or what it was before. Never a wrong key, never a wrong byte.

use std::collections::BTreeMap;

use redb::{Database, Key, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use super::super::table::{BUCKETS, MANIFESTS, META, OBJECTS, PARTS, TAGS, UPLOADS};
use super::uploads::MIB;
use super::*;

type Rows<K> = TableDefinition<'static, K, &'static [u8]>;

/// What a store answers to everything that may be asked, under the question.
type World = BTreeMap<&'static str, Result<String, StoreError>>;

/// A bucket with a setting and versions; an object with tags and an older version, one that is
/// deleted, one in parts, and an upload that goes on.
pub(super) async fn filled() -> (Ground, String) {
    let ground = Ground::new().await;
    let customer = key(1);
    let holder = Holder::Customer(&customer);
    let policy = BucketSetting::Policy(Some("a policy".to_owned()));
    ground.store.set_bucket(BUCKET, policy).await.unwrap();
    let versions = BucketSetting::Versioning(Versioning::Enabled);
    ground.store.set_bucket(BUCKET, versions).await.unwrap();
    ground.put("a", holder, b"x").await;
    ground.put("a", holder, &body(70_000)).await;
    let tags = vec![("kind".to_owned(), "kept".to_owned())];
    ground
        .store
        .set_tags(BUCKET, "a", None, tags)
        .await
        .unwrap();
    ground.put("gone", holder, b"x").await;
    ground.store.delete(BUCKET, "gone", None).await.unwrap();
    let id = ground.create(holder).await;
    let whole = body(5 * MIB + 9);
    let first = ground.part(&id, holder, 1, &whole[..5 * MIB]).await.etag;
    let last = ground.part(&id, holder, 2, &whole[5 * MIB..]).await.etag;
    ground
        .complete(&id, &[(1, first), (2, last)])
        .await
        .unwrap();
    let going_on = ground.create(holder).await;
    ground.part(&going_on, holder, 7, b"a part").await;
    (ground, going_on)
}

async fn object(store: &Store, name: &str, from: u64) -> Result<String, StoreError> {
    let stored = match store.look_up(BUCKET, name, None).await? {
        Found::Object(stored) => stored,
        Found::Marker(marker) => return Ok(format!("{marker:?}")),
        Found::Nothing => return Ok("nothing".to_owned()),
    };
    let access = stored
        .prove(Holder::Customer(&key(1)))
        .expect("damage is never a wrong key");
    let facts = format!(
        "{} {} {} {:?} {:?}",
        stored.etag(),
        stored.version_id(),
        stored.last_modified(),
        stored.headers(),
        stored.tags()
    );
    let parts = stored.parts(&access, 0, 1_000).await?;
    let bytes = read(&stored, &access, from..stored.size()).await?;
    assert!(
        body(usize::try_from(stored.size()).unwrap()).ends_with(&bytes),
        "wrong bytes of {name}"
    );
    Ok(format!("{facts} {parts:?} {} bytes", bytes.len()))
}

async fn world(store: &Store, upload: &str) -> World {
    let query = ListQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    };
    let versions = VersionsQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    };
    let uploads = UploadsQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    };
    let parts = async {
        let upload = store.look_up_upload(BUCKET, OBJECT, upload).await?;
        let access = upload
            .prove(Holder::Customer(&key(1)))
            .expect("damage is never a wrong key");
        let parts = upload.parts(Some(&access), 0, 1_000).await?;
        Ok(format!("{:?} {parts:?}", upload.headers()))
    };
    BTreeMap::from([
        ("bucket", store.bucket(BUCKET).await.map(debug)),
        ("list", store.list(query).await.map(debug)),
        ("versions", store.list_versions(versions).await.map(debug)),
        ("uploads", store.list_uploads(uploads).await.map(debug)),
        ("upload", parts.await),
        ("object", object(store, "a", 0).await),
        ("marker", object(store, "gone", 0).await),
        ("parts", object(store, OBJECT, 5 * MIB as u64 - 9).await),
    ])
}

fn debug(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// The rows of a table.
pub(super) fn rows<K: Key + 'static>(database: &Database, table: Rows<K>) -> Vec<Vec<u8>> {
    let transaction = database.begin_read().unwrap();
    let table = transaction.open_table(table).unwrap();
    let rows = table.iter().unwrap();
    rows.map(|row| row.unwrap().1.value().to_vec()).collect()
}

/// Flips a bit of one row of a table.
pub(super) fn flip<K: Key + 'static>(database: &Database, table: Rows<K>, row: usize, byte: usize) {
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(table).unwrap();
        let (key, mut value) = {
            let (key, value) = table.iter().unwrap().nth(row).unwrap().unwrap();
            let key = K::as_bytes(&key.value()).as_ref().to_vec();
            (key, value.value().to_vec())
        };
        value[byte] ^= 1 << (byte % 8);
        table.insert(K::from_bytes(&key), value.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

/// What came of the flips of one table.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    flips: usize,
    refused: usize,
    damaged: usize,
}

struct Flipper {
    directory: TempDir,
    upload: String,
    right: World,
    step: usize,
}

impl Flipper {
    fn database(&self) -> Database {
        Database::open(self.directory.path().join("meta.redb")).unwrap()
    }

    async fn judge(&self, what: &str, told: &mut Told) {
        told.flips += 1;
        let store = match open(&self.directory) {
            Ok(store) => store,
            Err(OpenError::Damaged(_)) => {
                told.refused += 1;
                return;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        let seen = world(&store, &self.upload).await;
        let mut differs = false;
        for (question, answer) in &seen {
            if *answer != self.right[question] {
                assert_eq!(*answer, Err(StoreError::Damaged), "{what}: {question}");
                differs = true;
            }
        }
        assert!(differs, "{what}: nobody noticed");
        told.damaged += 1;
    }

    async fn table<K: Key + 'static>(&self, table: Rows<K>, name: &str) -> Told {
        let mut told = Told::default();
        let all = rows(&self.database(), table);
        for (row, bytes) in all.iter().enumerate() {
            for byte in (row % self.step..bytes.len()).step_by(self.step) {
                flip(&self.database(), table, row, byte);
                self.judge(&format!("{name} {row}, byte {byte}"), &mut told)
                    .await;
                flip(&self.database(), table, row, byte);
            }
        }
        let store = open(&self.directory).unwrap();
        assert_eq!(world(&store, &self.upload).await, self.right, "the control");
        told
    }
}

async fn flip_all(step: usize) -> usize {
    let (ground, upload) = filled().await;
    let Ground { directory, store } = ground;
    let right = world(&store, &upload).await;
    assert!(right.values().all(Result::is_ok), "{right:?}");
    drop(store);
    let flipper = Flipper {
        directory,
        upload,
        right,
        step,
    };
    let meta = flipper.table(META, "meta").await;
    assert!(meta.flips > 0 && meta.refused == meta.flips, "{meta:?}");
    let told = [
        flipper.table(BUCKETS, "bucket").await,
        flipper.table(OBJECTS, "object").await,
        flipper.table(TAGS, "tags").await,
        flipper.table(UPLOADS, "upload").await,
        flipper.table(PARTS, "part").await,
        flipper.table(MANIFESTS, "manifest").await,
    ];
    for told in &told {
        assert!(told.flips > 0 && told.damaged == told.flips, "{told:?}");
    }
    meta.flips + told.iter().map(|told| told.flips).sum::<usize>()
}

#[tokio::test]
async fn flipped_bytes_of_rows_are_damage_to_who_asks_for_them() {
    let flips = flip_all(17).await;
    println!("hardening | damage: bytes of rows flipped | {flips} | 0 | – | 0 |");
}

#[tokio::test]
#[ignore = "long form: each byte of each row, some minutes"]
async fn each_flipped_byte_of_each_row_is_damage_to_who_asks_for_it() {
    let flips = flip_all(1).await;
    println!("hardening | damage: bytes of rows flipped, each | {flips} | 0 | – | 0 |");
}

/// Counting anew would give the ids of buckets a second time, and with them the rows below them.
#[tokio::test]
async fn a_store_whose_counters_are_gone_is_refused() {
    let (ground, _) = filled().await;
    let Ground { directory, store } = ground;
    drop(store);
    let database = Database::open(directory.path().join("meta.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(META)
        .unwrap()
        .retain(|_, _| false)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(open(&directory), Err(OpenError::Damaged(_))));
}
