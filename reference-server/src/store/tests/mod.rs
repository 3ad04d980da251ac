//! The store as operations use it. Each test has a data directory of its own.

mod at_once;
mod broken_disk;
mod damage;
mod drive;
mod listing;
mod objects;
mod opening;
mod packs;
mod part_damage;
mod part_facts;
mod power_loss;
mod row_damage;
mod scrub;
mod settings;
mod uploads;
mod versions;

use bytes::Bytes;
use http::HeaderMap;
use redb::ReadableTable as _;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::row::PackRow;
use super::table::PACKS;
use super::*;
use crate::ssec::customer_key::{CustomerKey, Holder};

const BUCKET: &str = "bucket";
const OBJECT: &str = "dir/ä";

/// A data directory and a store in it that has one bucket.
struct Ground {
    directory: TempDir,
    store: Store,
}

impl Ground {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory).unwrap();
        let created = store.create_bucket(BUCKET, SsecUse::Allowed).await;
        assert_eq!(created, Ok(CreateBucket::Created));
        Self { directory, store }
    }

    fn reopened(self) -> Self {
        let Self { directory, store } = self;
        drop(store);
        let store = open(&directory).unwrap();
        Self { directory, store }
    }

    async fn put(&self, object: &str, holder: Holder<'_>, body: &[u8]) -> Committed {
        let mut writer = self.store.begin(new_object(object, holder)).await.unwrap();
        for piece in body.chunks(100_003) {
            writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        writer.commit(Finish::default()).await.unwrap()
    }

    async fn stored(&self, object: &str) -> StoredObject {
        self.store
            .look_up(BUCKET, object, None)
            .await
            .unwrap()
            .object()
            .unwrap()
    }

    async fn get(&self, object: &str, holder: Holder<'_>) -> Result<Vec<u8>, StoreError> {
        let stored = self
            .store
            .look_up(BUCKET, object, None)
            .await?
            .object()
            .unwrap();
        let access = stored.prove(holder).unwrap();
        read(&stored, &access, 0..stored.size()).await
    }

    /// Every pack.
    fn packs(&self) -> Vec<PathBuf> {
        let packs = std::fs::read_dir(self.directory.path().join("packs")).unwrap();
        packs.map(|file| file.unwrap().path()).collect()
    }

    /// What the metadata counts of each pack.
    fn counted(&self) -> Vec<PackRow> {
        let shared = self.store.shared();
        let rows = shared.read(|transaction| {
            let table = transaction.open_table(PACKS).unwrap();
            let rows = table.iter().unwrap().map(|entry| {
                let (key, row) = entry.unwrap();
                PackRow::open(&shared.mac, key.value(), row.value()).unwrap()
            });
            Ok(rows.collect())
        });
        rows.unwrap()
    }

    /// How many bodies there are: in files of their own, and living in packs.
    fn living(&self) -> u64 {
        let packed: u64 = self.counted().iter().map(|pack| pack.count).sum();
        self.bodies().len() as u64 + packed
    }

    /// Every file of a body.
    fn bodies(&self) -> Vec<PathBuf> {
        let mut bodies = Vec::new();
        for directory in std::fs::read_dir(self.directory.path().join("data")).unwrap() {
            for file in std::fs::read_dir(directory.unwrap().path()).unwrap() {
                bodies.push(file.unwrap().path());
            }
        }
        bodies
    }
}

fn settings(directory: &TempDir) -> StoreSettings {
    StoreSettings {
        data_dir: directory.path().to_owned(),
        dialect: Dialect::Aws,
        server_key_file: None,
    }
}

fn open(directory: &TempDir) -> Result<Store, OpenError> {
    Store::open(&settings(directory))
}

fn new_object<'a>(object: &'a str, holder: Holder<'a>) -> NewObject<'a> {
    NewObject {
        bucket: BUCKET,
        object,
        holder,
        headers: HeaderMap::new(),
        tags: ObjectTags::new(),
        conditions: WriteConditions::default(),
    }
}

fn key(fill: u8) -> CustomerKey {
    CustomerKey::new(Zeroizing::new([fill; 32]))
}

/// A body in which no 16 bytes repeat soon.
fn body(size: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|word| (word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes())
        .take(size)
        .collect()
}

/// What a reader gets: all of the range, or the error that ended it.
async fn read(
    stored: &StoredObject,
    access: &Access,
    range: std::ops::Range<u64>,
) -> Result<Vec<u8>, StoreError> {
    let mut stream = stored.read(access, range).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend(piece?);
    }
    Ok(bytes)
}
