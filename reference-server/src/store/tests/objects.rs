//! Objects written, read, replaced and deleted.

use super::*;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::sealed::record::stored_length;

#[tokio::test]
async fn bodies_near_record_borders_come_back_and_take_their_length() {
    let ground = Ground::new().await;
    let key = key(1);
    for size in [
        0, 1, 65_535, 65_536, 65_537, 131_072, 262_143, 262_144, 262_145, 1_310_721,
    ] {
        let body = body(size);
        ground.put(OBJECT, Holder::Customer(&key), &body).await;
        assert_eq!(ground.stored(OBJECT).await.size(), size as u64);
        assert!(
            ground.get(OBJECT, Holder::Customer(&key)).await == Ok(body),
            "{size} bytes"
        );
        let expected = stored_length(size as u64);
        let files = ground.bodies().into_iter();
        let lengths: Vec<_> = files
            .filter_map(|file| file.metadata().ok())
            .map(|data| data.len())
            .chain(ground.counted().iter().map(|pack| pack.bytes))
            .collect();
        assert!(lengths.contains(&expected), "{size} bytes: {lengths:?}");
    }
}

#[tokio::test]
async fn every_range_near_record_borders_is_the_slice() {
    let ground = Ground::new().await;
    let key = key(1);
    for size in [5_usize, 65_536, 65_537, 196_608, 2_200_000] {
        let body = body(size);
        ground.put(OBJECT, Holder::Customer(&key), &body).await;
        let stored = ground.stored(OBJECT).await;
        let access = stored.prove(Holder::Customer(&key)).unwrap();
        let borders = [
            0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 262_144, 1_400_000,
        ];
        let ends = [size - 1, size];
        let positions: Vec<_> = borders
            .into_iter()
            .chain(ends)
            .filter(|position| *position <= size)
            .collect();
        for start in &positions {
            for end in positions.iter().filter(|end| *end >= start) {
                let read = read(&stored, &access, *start as u64..*end as u64)
                    .await
                    .unwrap();
                assert!(read == body[*start..*end], "{start}..{end} of {size}");
            }
        }
    }
}

#[tokio::test]
async fn an_end_beyond_the_size_is_cut() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"12345").await;
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(Holder::Server).unwrap();
    assert_eq!(
        read(&stored, &access, 3..u64::MAX).await.as_deref(),
        Ok(b"45".as_slice())
    );
    assert_eq!(
        read(&stored, &access, 9..12).await.as_deref(),
        Ok(b"".as_slice())
    );
}

#[tokio::test]
async fn another_key_is_refused_also_for_no_bytes() {
    let ground = Ground::new().await;
    for body in [b"".as_slice(), b"x"] {
        ground.put(OBJECT, Holder::Customer(&key(1)), body).await;
        let stored = ground.stored(OBJECT).await;
        assert_eq!(stored.holder(), HolderKind::Customer);
        assert_eq!(
            stored.prove(Holder::Customer(&key(2))).err(),
            Some(WrongKey)
        );
        assert_eq!(stored.prove(Holder::Server).err(), Some(WrongKey));
        assert!(stored.prove(Holder::Customer(&key(1))).is_ok());
        ground.put(OBJECT, Holder::Server, body).await;
        let stored = ground.stored(OBJECT).await;
        assert_eq!(stored.holder(), HolderKind::Server);
        assert_eq!(
            stored.prove(Holder::Customer(&key(1))).err(),
            Some(WrongKey)
        );
        assert!(stored.prove(Holder::Server).is_ok());
    }
}

#[tokio::test]
async fn what_was_given_with_an_object_comes_back() {
    let ground = Ground::new().await;
    let key = key(1);
    let mut new = new_object(OBJECT, Holder::Customer(&key));
    new.headers
        .insert("content-type", http::HeaderValue::from_static("text/plain"));
    let headers = new.headers.clone();
    let checksum = Checksum {
        algorithm: ChecksumAlgorithm::Crc32,
        value: "AAECAw==".to_owned(),
    };
    let writer = ground.store.begin(new).await.unwrap();
    let finish = Finish {
        md5: Some([0xab; 16]),
        checksum: Some(checksum.clone()),
    };
    let committed = writer.commit(finish).await.unwrap();
    let stored = ground.stored(OBJECT).await;
    assert_eq!(stored.headers(), &headers);
    assert_eq!(stored.etag(), committed.etag);
    assert_eq!(stored.etag().to_string(), "ab".repeat(16));
    assert_eq!(stored.last_modified(), committed.last_modified);
    assert_eq!(
        (stored.version_id().as_str(), stored.is_null_version()),
        ("null", true)
    );
    let access = stored.prove(Holder::Customer(&key)).unwrap();
    assert_eq!(stored.checksum(&access), Ok(Some(checksum)));
}

#[tokio::test]
async fn an_etag_is_random_unless_it_is_given() {
    let ground = Ground::new().await;
    let first = ground.put("a", Holder::Server, b"x").await;
    let second = ground.put("a", Holder::Server, b"x").await;
    assert_ne!(first.etag, second.etag);
    assert!(second.last_modified > first.last_modified);
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let ground = Ground::new().await;
    for size in [10, 70_000, 600_000] {
        let mut writer = ground
            .store
            .begin(new_object(OBJECT, Holder::Server))
            .await
            .unwrap();
        writer.write(body(size).into()).await.unwrap();
        drop(writer);
        assert!(
            ground
                .store
                .look_up(BUCKET, OBJECT, None)
                .await
                .unwrap()
                .object()
                .is_none()
        );
    }
    let Ground { directory, store } = ground;
    drop(store);
    // A window may still be on its way to the disk, and keeps the store open until it is there.
    let reopened = async {
        loop {
            match open(&directory) {
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        }
    };
    let store = tokio::time::timeout(std::time::Duration::from_secs(30), reopened)
        .await
        .unwrap();
    let ground = Ground { directory, store };
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn an_overwritten_or_deleted_body_goes_once_nobody_reads_it() {
    let ground = Ground::new().await;
    let old = body(3_000_000);
    ground.put(OBJECT, Holder::Server, &old).await;
    let reader = ground.stored(OBJECT).await;
    ground.put(OBJECT, Holder::Server, b"new").await;
    assert_eq!(
        ground.get(OBJECT, Holder::Server).await.as_deref(),
        Ok(b"new".as_slice())
    );
    let access = reader.prove(Holder::Server).unwrap();
    assert!(read(&reader, &access, 0..reader.size()).await == Ok(old));
    drop(reader);
    let deleted = ground.store.delete(BUCKET, OBJECT, None).await.unwrap();
    assert_eq!(deleted.version_id.as_deref(), Some("null"));
    let again = ground.store.delete(BUCKET, OBJECT, None).await.unwrap();
    assert_eq!(again.version_id, None);
    assert!(
        ground
            .store
            .look_up(BUCKET, OBJECT, None)
            .await
            .unwrap()
            .object()
            .is_none()
    );
    let ground = ground.reopened();
    assert_eq!(ground.living(), 0);
}

#[tokio::test]
async fn a_version_is_found_by_its_id_alone() {
    let ground = Ground::new().await;
    ground.put(OBJECT, Holder::Server, b"x").await;
    let find = async |id| {
        ground
            .store
            .look_up(BUCKET, OBJECT, Some(id))
            .await
            .unwrap()
            .object()
            .is_some()
    };
    assert!(find("null").await);
    assert!(!find("").await);
    assert!(!find("00000000000000000000000000000000").await);
    let none = ground
        .store
        .delete(BUCKET, OBJECT, Some("other"))
        .await
        .unwrap();
    assert_eq!(none.version_id, None);
    assert!(find("null").await);
}

fn conditions(if_match: Option<TagSet>, if_none_match: Option<TagSet>) -> WriteConditions {
    WriteConditions {
        if_match,
        if_none_match,
    }
}

async fn try_put(ground: &Ground, conditions: WriteConditions) -> Result<Committed, StoreError> {
    let new = NewObject {
        conditions,
        ..new_object(OBJECT, Holder::Server)
    };
    let mut writer = ground.store.begin(new).await?;
    writer.write(Bytes::from_static(b"x")).await?;
    writer.commit(Finish::default()).await
}

#[tokio::test]
async fn conditions_of_a_write_are_kept() {
    let ground = Ground::new().await;
    let these = |etag: &str| Some(TagSet::These(vec![etag.to_owned()]));
    let none_match = Err(StoreError::PreconditionFailed(Condition::IfNoneMatch));
    let no_match = Err(StoreError::PreconditionFailed(Condition::IfMatch));
    let put =
        async |if_match, if_none_match| try_put(&ground, conditions(if_match, if_none_match)).await;
    assert_eq!(put(these("a"), None).await, Err(StoreError::NoSuchObject));
    assert_eq!(
        put(Some(TagSet::Any), None).await,
        Err(StoreError::NoSuchObject)
    );
    let first = put(None, Some(TagSet::Any)).await.unwrap().etag.to_string();
    assert_eq!(put(None, Some(TagSet::Any)).await, none_match);
    assert_eq!(put(None, these(&first)).await, none_match);
    assert_eq!(put(these("a"), None).await, no_match);
    let second = put(these(&first), these("a"))
        .await
        .unwrap()
        .etag
        .to_string();
    assert_eq!(put(these(&first), None).await, no_match);
    assert!(put(Some(TagSet::Any), None).await.is_ok());
    assert_ne!(first, second);
    let ground = ground.reopened();
    assert_eq!(ground.living(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_first_writers_one_wins() {
    let ground = Arc::new(Ground::new().await);
    let writers: Vec<_> = (0..64)
        .map(|_| {
            let ground = Arc::clone(&ground);
            let first = conditions(None, Some(TagSet::Any));
            tokio::spawn(async move { try_put(&ground, first).await })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => {
                assert_eq!(
                    error,
                    StoreError::PreconditionFailed(Condition::IfNoneMatch)
                );
            }
        }
    }
    assert_eq!(won, 1);
    assert_eq!(ground.living(), 1);
}

#[tokio::test]
async fn the_same_body_under_the_same_key_is_never_stored_the_same() {
    let ground = Ground::new().await;
    let (key, large, small) = (key(1), body(150_000), body(50_000));
    // Written again under one name too: no write shares anything with another.
    for (name, body) in [("a", &large), ("b", &large), ("c", &small), ("c", &small)] {
        ground.put(name, Holder::Customer(&key), body).await;
    }
    let [first, second] = ground.bodies().try_into().unwrap();
    let [pack] = ground.packs().try_into().unwrap();
    let [first, second, pack] = [first, second, pack].map(|file| std::fs::read(file).unwrap());
    let (third, fourth) = pack.split_at(pack.len() / 2);
    for (one, other) in [(&first[..], &second[..]), (third, fourth)] {
        let blocks: std::collections::HashSet<_> = one.windows(16).collect();
        assert!(other.windows(16).all(|block| !blocks.contains(block)));
    }
}

#[tokio::test]
async fn nothing_of_a_body_or_its_key_is_in_the_data_directory() {
    use md5::Digest as _;
    let ground = Ground::new().await;
    let key = CustomerKey::new(Zeroizing::new(std::array::from_fn(|index| {
        b'A' + u8::try_from(index).unwrap()
    })));
    let bodies = [body(100), body(300_000)];
    for (number, body) in bodies.iter().enumerate() {
        let md5: [u8; 16] = md5::Md5::digest(body).into();
        let name = format!("object-{number}");
        ground.put(&name, Holder::Customer(&key), body).await;
        let mut needles: Vec<Vec<u8>> = body.chunks_exact(16).map(<[u8]>::to_vec).collect();
        needles.extend(digest_forms(&md5));
        needles.extend(digest_forms(key.bytes()));
        needles.extend(digest_forms(&key.md5()));
        assert_absent(ground.directory.path(), &needles);
    }
}

fn digest_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
    vec![
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        base64.into_bytes(),
    ]
}

/// Looks for any needle at any offset of any file, by its first 16 bytes.
#[track_caller]
fn assert_absent(directory: &std::path::Path, needles: &[Vec<u8>]) {
    let starts: std::collections::HashSet<&[u8]> =
        needles.iter().map(|needle| &needle[..16]).collect();
    let mut directories = vec![directory.to_owned()];
    let mut scanned = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            scanned += bytes.len();
            let found = bytes.windows(16).any(|window| starts.contains(window));
            assert!(!found, "found in {}", path.display());
        }
    }
    assert!(scanned > 100);
}
