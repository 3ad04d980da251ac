//! Damage to the file of the metadata: the store is refused, with a reason, or all of it is right.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use reference_server::ssec::customer_key::{CustomerKey, Holder};
use reference_server::ssec::dialect::Dialect;
use reference_server::store::{
    BucketSetting, Finish, Found, ListQuery, NewObject, OpenError, SsecUse, Store, StoreSettings,
    Versioning, WriteConditions,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::body;

const OBJECTS: [(&str, usize); 4] = [("a", 0), ("b/c", 10), ("d", 70_000), ("e", 200_000)];

/// Bytes that a disk writes at once.
const BLOCK: usize = 512;

/// A closed store, and the bytes of its metadata.
struct Closed {
    directory: TempDir,
    metadata: Vec<u8>,
}

/// What came of a store with one byte flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    AllRight,
}

fn settings(directory: &TempDir) -> StoreSettings {
    StoreSettings {
        data_dir: directory.path().to_owned(),
        dialect: Dialect::Aws,
        server_key_file: None,
    }
}

fn customer_key() -> CustomerKey {
    CustomerKey::new(Zeroizing::new([0x4b; 32]))
}

fn seed(object: &str) -> u64 {
    u64::from(object.as_bytes()[0])
}

async fn put(store: &Store, object: &str, size: usize) {
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("text/x-kept");
    headers.insert(http::header::CONTENT_TYPE, kind);
    let new = NewObject {
        bucket: "bucket",
        object,
        holder: Holder::Customer(&customer_key()),
        headers,
        tags: vec![("name".to_owned(), object.to_owned())],
        conditions: WriteConditions::default(),
    };
    let mut writer = store.begin(new).await.unwrap();
    let body = body(size, seed(object));
    writer.write(Bytes::from(body)).await.unwrap();
    writer.commit(Finish::default()).await.unwrap();
}

impl Closed {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&settings(&directory)).unwrap();
        store
            .create_bucket("bucket", SsecUse::Allowed)
            .await
            .unwrap();
        let versions = BucketSetting::Versioning(Versioning::Enabled);
        store.set_bucket("bucket", versions).await.unwrap();
        for (object, size) in OBJECTS {
            put(&store, object, 1).await;
            put(&store, object, size).await;
        }
        put(&store, "gone", 1).await;
        store.delete("bucket", "gone", None).await.unwrap();
        drop(store);
        let metadata = fs::read(directory.path().join("meta.redb")).unwrap();
        Self {
            directory,
            metadata,
        }
    }

    /// Starts the store with `metadata` and, if it starts, asks it for everything.
    async fn start(&self, metadata: &[u8], what: &str) -> Outcome {
        let path = self.directory.path().join("meta.redb");
        fs::write(&path, metadata).unwrap();
        let store = match Store::open(&settings(&self.directory)) {
            Ok(store) => store,
            Err(error) => {
                assert_says_why(&error, &path, what);
                return Outcome::Refused;
            }
        };
        for (object, size) in OBJECTS {
            let found = store.look_up("bucket", object, None).await;
            let found = found.unwrap_or_else(|error| panic!("{what}: {object}: {error}"));
            let stored = found
                .object()
                .unwrap_or_else(|| panic!("{what}: {object} is gone"));
            assert_eq!(stored.size(), size as u64, "{what}: {object}");
            assert_eq!(stored.tags()[0].1, object, "{what}");
            assert_eq!(stored.headers()["content-type"], "text/x-kept", "{what}");
            let access = stored
                .prove(Holder::Customer(&customer_key()))
                .unwrap_or_else(|_| panic!("{what}: {object}: called a wrong key"));
            let mut stream = stored.read(&access, 0..size as u64).await.unwrap();
            let mut bytes = Vec::new();
            while let Some(piece) = stream.next().await {
                bytes.extend(piece.unwrap());
            }
            assert!(bytes == body(size, seed(object)), "{what}: {object}");
        }
        let gone = store.look_up("bucket", "gone", None).await.unwrap();
        assert!(matches!(gone, Found::Marker(_)), "{what}");
        let listed = store
            .list(ListQuery {
                bucket: "bucket",
                prefix: "",
                delimiter: None,
                after: None,
                max: 1_000,
            })
            .await
            .unwrap();
        assert_eq!(listed.objects.len(), OBJECTS.len(), "{what}");
        Outcome::AllRight
    }

    async fn flip(&self, positions: impl Iterator<Item = usize>) -> (u64, u64) {
        let control = self.start(&self.metadata, "control").await;
        assert_eq!(control, Outcome::AllRight);
        let (mut refused, mut right) = (0, 0);
        for position in positions {
            let mut metadata = self.metadata.clone();
            metadata[position] ^= 1 << (position % 8);
            let what = format!("byte {position}");
            match self.start(&metadata, &what).await {
                Outcome::Refused => refused += 1,
                Outcome::AllRight => right += 1,
            }
        }
        let control = self.start(&self.metadata, "control").await;
        assert_eq!(control, Outcome::AllRight);
        (refused, right)
    }
}

#[track_caller]
fn assert_says_why(error: &OpenError, metadata: &Path, what: &str) {
    let text = error.to_string();
    assert!(
        matches!(error, OpenError::Damaged(_)) && text.contains(metadata.to_str().unwrap()),
        "{what}: {text}"
    );
}

#[tokio::test]
async fn flipped_bytes_of_the_metadata_are_refused_or_harmless() {
    let closed = Closed::new().await;
    // The header, every so many of the first pages, and a few of the rest.
    let length = closed.metadata.len();
    let positions = (0..320)
        .chain((320..length.min(120_000)).step_by(1_201))
        .chain((120_000..length).step_by(99_991));
    let (refused, right) = closed.flip(positions).await;
    assert!(refused > 20, "{refused} refused, {right} right");
    assert!(right > 20, "{refused} refused, {right} right");
    let tried = refused + right;
    println!(
        "hardening | damage: bytes of the metadata flipped, {refused} refused | {tried} | 0 | – | 0 |"
    );
}

#[tokio::test]
#[ignore = "long form: each byte of each block that was ever written, an hour and more"]
async fn each_flipped_byte_of_the_metadata_is_refused_or_harmless() {
    let closed = Closed::new().await;
    let written: Vec<bool> = closed
        .metadata
        .chunks(BLOCK)
        .map(|block| block.iter().any(|byte| *byte != 0))
        .collect();
    let positions = (0..closed.metadata.len())
        .filter(|position| written[position / BLOCK] || position % (4 * BLOCK) == 0);
    let (refused, right) = closed.flip(positions).await;
    let tried = refused + right;
    println!(
        "hardening | damage: bytes of the metadata flipped, {refused} refused | {tried} | 0 | – | 0 |"
    );
}
