//! Uploads: parts, completion, abort.

use http::HeaderValue;
use md5::Digest as _;

use super::*;

pub(super) const MIB: usize = 1 << 20;

pub(super) fn number(number: u16) -> PartNumber {
    PartNumber::new(number).unwrap()
}

pub(super) fn new_upload<'a>(
    holder: Holder<'a>,
    checksum: Option<DeclaredChecksum>,
) -> NewUpload<'a> {
    NewUpload {
        bucket: BUCKET,
        object: OBJECT,
        holder,
        headers: HeaderMap::new(),
        tags: ObjectTags::new(),
        checksum,
    }
}

impl Ground {
    pub(super) async fn create(&self, holder: Holder<'_>) -> String {
        let new = new_upload(holder, None);
        self.store.create_upload(new).await.unwrap()
    }

    pub(super) async fn upload(&self, id: &str) -> Result<Upload, StoreError> {
        self.store.look_up_upload(BUCKET, OBJECT, id).await
    }

    pub(super) async fn part(
        &self,
        id: &str,
        holder: Holder<'_>,
        part: u16,
        body: &[u8],
    ) -> CommittedPart {
        self.part_with(id, holder, part, body, Finish::default())
            .await
            .unwrap()
    }

    pub(super) async fn part_with(
        &self,
        id: &str,
        holder: Holder<'_>,
        part: u16,
        body: &[u8],
        finish: Finish,
    ) -> Result<CommittedPart, StoreError> {
        let upload = self.upload(id).await?;
        let access = upload.prove(holder).unwrap();
        let mut writer = upload.begin_part(&access, number(part)).await?;
        writer.write(Bytes::copy_from_slice(body)).await?;
        writer.commit(finish).await
    }

    pub(super) async fn complete(
        &self,
        id: &str,
        parts: &[(u16, ETag)],
    ) -> Result<Completed, StoreError> {
        let upload = self.upload(id).await?;
        upload.complete(None, completion(parts)).await
    }
}

pub(super) fn completion(parts: &[(u16, ETag)]) -> Completion {
    let named = |(part, etag): &(u16, ETag)| NamedPart {
        number: number(*part),
        etag: etag.to_string(),
        checksum: None,
    };
    Completion {
        parts: parts.iter().map(named).collect(),
        ..Completion::default()
    }
}

/// The `ETag` that the contract asks for: the MD5 of the parts' binary tags, and their number.
fn multipart_etag(parts: &[(u16, ETag)]) -> String {
    let mut md5 = md5::Md5::new();
    for (_, etag) in parts {
        md5.update(etag.bytes);
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}

#[test]
fn part_numbers_go_from_1_to_10000() {
    for bad in [0, 10_001, u16::MAX] {
        assert_eq!(PartNumber::new(bad), None);
    }
    for good in [1, 10_000] {
        assert_eq!(PartNumber::new(good).map(PartNumber::get), Some(good));
    }
}

#[tokio::test]
async fn parts_in_any_order_one_sent_again_become_the_object_without_a_key() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let whole = body(12 * MIB + 3);
    let (first, second, third) = (
        &whole[..5 * MIB],
        &whole[5 * MIB..11 * MIB + 1],
        &whole[11 * MIB + 1..],
    );
    let e7 = ground.part(&id, holder, 7, third).await.etag;
    let old = ground.part(&id, holder, 1, b"not this one").await.etag;
    let e3 = ground.part(&id, holder, 3, second).await.etag;
    ground.part(&id, holder, 9, b"not listed").await;
    let e1 = ground.part(&id, holder, 1, first).await.etag;
    assert_ne!(old, e1);
    let parts = [(1, e1), (3, e3), (7, e7)];
    let ground = ground.reopened();
    let completed = ground.complete(&id, &parts).await.unwrap();
    assert_eq!(completed.committed.etag.to_string(), multipart_etag(&parts));
    let again = ground.complete(&id, &parts).await;
    assert_eq!(again, Err(StoreError::NoSuchUpload));
    let ground = ground.reopened();
    assert_eq!(ground.bodies().len(), 3);
    let stored = ground.stored(OBJECT).await;
    assert_eq!(stored.size(), whole.len() as u64);
    assert_eq!(stored.etag(), completed.committed.etag);
    assert!(ground.get(OBJECT, holder).await.unwrap() == whole);
    assert!(stored.prove(Holder::Server).is_err());
    let part = |part| stored.part(number(part));
    assert_eq!(part(1), Some(0..5 * MIB as u64));
    assert_eq!(part(3), Some(5 * MIB as u64..11 * MIB as u64 + 1));
    assert_eq!(part(7), Some(11 * MIB as u64 + 1..whole.len() as u64));
    assert_eq!((part(2), part(9)), (None, None));
}

#[tokio::test]
async fn ranges_across_the_seams_of_parts_are_the_slice() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let whole = body(11 * MIB + 70_000);
    let seams = [0, 5 * MIB + 1, 10 * MIB + 65_537, whole.len()];
    let mut parts = Vec::new();
    for (index, ends) in seams.windows(2).enumerate() {
        let part = u16::try_from(index + 1).unwrap();
        let bytes = &whole[ends[0]..ends[1]];
        let committed = ground.part(&id, Holder::Server, part, bytes).await;
        parts.push((part, committed.etag));
    }
    ground.complete(&id, &parts).await.unwrap();
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(Holder::Server).unwrap();
    let near = |seam: usize| [seam.saturating_sub(1), seam, seam + 1];
    let positions: Vec<_> = seams
        .iter()
        .flat_map(|seam| near(*seam))
        .chain([MIB, 7 * MIB])
        .filter(|position| *position <= whole.len())
        .collect();
    for start in &positions {
        for end in positions.iter().filter(|end| *end >= start) {
            let read = read(&stored, &access, *start as u64..*end as u64).await;
            assert!(read.unwrap() == whole[*start..*end], "{start}..{end}");
        }
    }
}

#[tokio::test]
async fn an_empty_part_is_an_object_and_is_still_under_its_key() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let etag = ground.part(&id, holder, 5, b"").await.etag;
    ground.complete(&id, &[(5, etag)]).await.unwrap();
    assert_eq!(ground.get(OBJECT, holder).await, Ok(Vec::new()));
    assert!(ground.stored(OBJECT).await.prove(Holder::Server).is_err());
    let [file] = ground.bodies().try_into().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(ground.get(OBJECT, holder).await, Err(StoreError::Damaged));
}

#[tokio::test]
async fn another_key_is_refused_for_parts_also_the_servers() {
    let ground = Ground::new().await;
    let (right, wrong) = (key(1), key(2));
    let upload = ground.create(Holder::Customer(&right)).await;
    let upload = ground.upload(&upload).await.unwrap();
    assert_eq!(upload.holder(), HolderKind::Customer);
    assert!(upload.prove(Holder::Customer(&right)).is_ok());
    assert_eq!(upload.prove(Holder::Customer(&wrong)).err(), Some(WrongKey));
    assert_eq!(upload.prove(Holder::Server).err(), Some(WrongKey));
    let plain = ground.create(Holder::Server).await;
    let plain = ground.upload(&plain).await.unwrap();
    assert_eq!(plain.holder(), HolderKind::Server);
    assert!(plain.prove(Holder::Server).is_ok());
    assert_eq!(plain.prove(Holder::Customer(&right)).err(), Some(WrongKey));
}

#[tokio::test]
async fn a_list_of_parts_that_is_not_right_is_refused_and_the_upload_goes_on() {
    let ground = Ground::new().await;
    let holder = Holder::Server;
    let id = ground.create(holder).await;
    let e1 = ground.part(&id, holder, 1, &body(5 * MIB)).await.etag;
    let e2 = ground.part(&id, holder, 2, &body(5 * MIB - 1)).await.etag;
    let e3 = ground.part(&id, holder, 3, b"x").await.etag;
    let complete = async |parts: &[(u16, ETag)]| ground.complete(&id, parts).await.map(drop);
    let order = Err(StoreError::InvalidPartOrder);
    assert_eq!(complete(&[]).await, order);
    assert_eq!(complete(&[(2, e2), (1, e1)]).await, order);
    assert_eq!(complete(&[(1, e1), (1, e1)]).await, order);
    let other = Err(StoreError::InvalidPart(number(2)));
    assert_eq!(complete(&[(1, e1), (2, e1)]).await, other);
    let missing = Err(StoreError::InvalidPart(number(4)));
    assert_eq!(complete(&[(1, e1), (4, e1)]).await, missing);
    let small = Err(StoreError::PartTooSmall {
        number: number(2),
        size: 5 * MIB as u64 - 1,
    });
    assert_eq!(complete(&[(1, e1), (2, e2), (3, e3)]).await, small);
    assert!(ground.upload(&id).await.is_ok());
    assert_eq!(complete(&[(1, e1), (2, e2)]).await, Ok(()));
}

#[tokio::test]
async fn an_upload_is_found_under_its_bucket_and_name_alone() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let find = async |bucket, object, id| {
        let found = ground.store.look_up_upload(bucket, object, id).await;
        found.map(drop)
    };
    assert_eq!(find(BUCKET, OBJECT, &id).await, Ok(()));
    let none = Err(StoreError::NoSuchUpload);
    assert_eq!(find(BUCKET, "other", &id).await, none);
    assert_eq!(
        find("nowhere", OBJECT, &id).await,
        Err(StoreError::NoSuchBucket)
    );
    for bad in ["", "x", &id[1..], &"0".repeat(32), "ä"] {
        assert_eq!(find(BUCKET, OBJECT, bad).await, none, "{bad:?}");
        let aborted = ground.store.abort_upload(BUCKET, OBJECT, bad).await;
        assert_eq!(aborted, none, "{bad:?}");
    }
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing_also_of_a_part_on_its_way() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    ground.part(&id, Holder::Server, 1, &body(300_000)).await;
    let upload = ground.upload(&id).await.unwrap();
    let access = upload.prove(Holder::Server).unwrap();
    let mut late = upload.begin_part(&access, number(2)).await.unwrap();
    late.write(body(300_000).into()).await.unwrap();
    assert_eq!(ground.store.abort_upload(BUCKET, OBJECT, &id).await, Ok(()));
    let none = Err(StoreError::NoSuchUpload);
    assert_eq!(late.commit(Finish::default()).await, none);
    assert_eq!(
        upload.begin_part(&access, number(3)).await.err(),
        Some(StoreError::NoSuchUpload)
    );
    assert_eq!(upload.parts(None, 0, 10).await.map(drop), none.map(drop));
    assert_eq!(
        ground.store.abort_upload(BUCKET, OBJECT, &id).await,
        Err(StoreError::NoSuchUpload)
    );
    drop(upload);
    let ground = ground.reopened();
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
    assert!(ground.upload(&id).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_race_an_abort_leave_no_row_and_no_file() {
    let ground = Arc::new(Ground::new().await);
    let id = ground.create(Holder::Server).await;
    let senders: Vec<_> = (1..=32)
        .map(|part| {
            let (ground, id) = (Arc::clone(&ground), id.clone());
            tokio::spawn(async move {
                let finish = Finish::default();
                ground
                    .part_with(&id, Holder::Server, part, b"x", finish)
                    .await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    ground
        .store
        .abort_upload(BUCKET, OBJECT, &id)
        .await
        .unwrap();
    for sender in senders {
        match sender.await.unwrap() {
            Ok(_) | Err(StoreError::NoSuchUpload) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let ground = Arc::into_inner(ground).unwrap().reopened();
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_was_declared_at_the_start_is_the_objects_at_the_end() {
    let ground = Ground::new().await;
    let key = key(1);
    let mut new = new_upload(Holder::Customer(&key), None);
    new.headers
        .insert("content-type", HeaderValue::from_static("text/plain"));
    new.tags.push(("team".to_owned(), "a".to_owned()));
    let (headers, tags) = (new.headers.clone(), new.tags.clone());
    let id = ground.store.create_upload(new).await.unwrap();
    let ground = ground.reopened();
    assert_eq!(ground.upload(&id).await.unwrap().headers(), &headers);
    let part = ground.part(&id, Holder::Customer(&key), 1, b"x").await;
    ground.complete(&id, &[(1, part.etag)]).await.unwrap();
    let stored = ground.stored(OBJECT).await;
    assert_eq!(stored.headers(), &headers);
    assert_eq!(stored.tags(), &tags);
}

#[tokio::test]
async fn a_reader_of_parts_is_not_cut_off_by_an_overwrite() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let whole = body(11 * MIB);
    let mut parts = Vec::new();
    for (part, bytes) in (1..).zip(whole.chunks(5 * MIB)) {
        parts.push((
            part,
            ground.part(&id, Holder::Server, part, bytes).await.etag,
        ));
    }
    ground.complete(&id, &parts).await.unwrap();
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(Holder::Server).unwrap();
    let mut stream = stored.read(&access, 0..stored.size()).await.unwrap();
    drop((stored, access));
    ground.put(OBJECT, Holder::Server, b"new").await;
    ground
        .put("other", Holder::Server, b"to let the reaper look again")
        .await;
    let mut read = Vec::new();
    while let Some(bytes) = stream.next().await {
        read.extend(bytes.unwrap());
    }
    assert!(read == whole);
    drop(stream);
    let ground = ground.reopened();
    assert_eq!(ground.living(), 2);
}

#[tokio::test]
async fn conditions_of_a_completion_are_kept() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    let part = ground.part(&id, Holder::Server, 1, b"x").await;
    ground.put(OBJECT, Holder::Server, b"there").await;
    let mut completion = completion(&[(1, part.etag)]);
    completion.conditions.if_none_match = Some(TagSet::Any);
    let upload = ground.upload(&id).await.unwrap();
    assert_eq!(
        upload.complete(None, completion.clone()).await,
        Err(StoreError::PreconditionFailed(Condition::IfNoneMatch))
    );
    ground.store.delete(BUCKET, OBJECT, None).await.unwrap();
    assert!(upload.complete(None, completion).await.is_ok());
}

#[tokio::test]
async fn a_damaged_part_is_damage_after_a_right_prefix() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let whole = body(5 * MIB + 10);
    let e1 = ground.part(&id, holder, 1, &whole[..5 * MIB]).await.etag;
    let e2 = ground.part(&id, holder, 2, &whole[5 * MIB..]).await.etag;
    ground.complete(&id, &[(1, e1), (2, e2)]).await.unwrap();
    let small = ground
        .bodies()
        .into_iter()
        .find(|file| file.metadata().unwrap().len() == 26);
    let small = small.unwrap();
    let mut bytes = std::fs::read(&small).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&small, bytes).unwrap();
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(holder).unwrap();
    let mut stream = stored.read(&access, 0..stored.size()).await.unwrap();
    let mut prefix = Vec::new();
    let ended = loop {
        match stream.next().await.unwrap() {
            Ok(bytes) => prefix.extend(bytes),
            Err(error) => break error,
        }
    };
    assert_eq!(ended, Damaged);
    assert!(prefix == whole[..5 * MIB]);
    // Of the damaged part alone nothing is said at all.
    let part = stored.part(number(2)).unwrap();
    assert_eq!(read(&stored, &access, part).await, Err(StoreError::Damaged));
}

#[tokio::test]
async fn the_same_part_sent_twice_is_never_stored_the_same() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let bytes = body(100_000);
    let mut seen = std::collections::HashSet::new();
    for part in [1, 1, 2] {
        ground.part(&id, holder, part, &bytes).await;
        for file in ground.bodies() {
            let stored = match std::fs::read(file) {
                // The replaced part goes meanwhile; it was seen when it had been sent.
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => continue,
                read => read.unwrap(),
            };
            seen.extend(stored.chunks_exact(16).map(<[u8]>::to_vec));
        }
    }
    // Three sendings, 6,252 whole blocks each: 100,032 bytes.
    assert_eq!(seen.len(), 3 * 6_252);
}

#[tokio::test]
async fn a_bucket_goes_with_its_unfinished_uploads() {
    let ground = Ground::new().await;
    let id = ground.create(Holder::Server).await;
    ground.part(&id, Holder::Server, 1, b"x").await;
    assert_eq!(ground.store.delete_bucket(BUCKET).await, Ok(()));
    let ground = ground.reopened();
    assert_eq!(ground.bodies(), Vec::<PathBuf>::new());
}
