//! What is told of parts: lists, checksums, lists of uploads.

use super::uploads::{MIB, new_upload, number};
use super::*;
use crate::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum};

#[tokio::test]
async fn parts_are_listed_page_by_page_with_checksums_for_the_key_alone() {
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let id = ground.create(holder).await;
    let checksum = Checksum {
        algorithm: ChecksumAlgorithm::Crc32,
        value: "AAECAw==".to_owned(),
    };
    for part in [2, 5, 9] {
        let finish = Finish {
            md5: Some([9; 16]),
            checksum: Some(checksum.clone()),
        };
        let part = ground.part_with(&id, holder, part, b"abc", finish).await;
        assert_eq!(part.unwrap().etag.to_string(), "09".repeat(16));
    }
    let upload = ground.upload(&id).await.unwrap();
    let access = upload.prove(holder).unwrap();
    let page = upload.parts(Some(&access), 0, 2).await.unwrap();
    let numbers: Vec<_> = page.parts.iter().map(|part| part.number.get()).collect();
    assert_eq!((numbers, page.next), (vec![2, 5], Some(number(5))));
    assert!(page.parts.iter().all(|part| part.size == 3));
    assert!(
        page.parts
            .iter()
            .all(|part| part.checksum.as_ref() == Some(&checksum))
    );
    let rest = upload.parts(None, 5, 2).await.unwrap();
    assert_eq!((rest.parts.len(), rest.next), (1, None));
    assert_eq!(rest.parts[0].checksum, None);
    let none = upload.parts(None, u16::MAX, 2).await.unwrap();
    assert_eq!(none, PartListing::default());
}

/// Two parts under a declared checksum: the first 5 MiB, the second a few bytes.
async fn declared(
    ground: &Ground,
    holder: Holder<'_>,
    declared: DeclaredChecksum,
) -> (String, Completion) {
    let new = new_upload(holder, Some(declared));
    let id = ground.store.create_upload(new).await.unwrap();
    let mut completion = Completion::default();
    for (part, bytes) in [(1, body(5 * MIB)), (2, b"tail".to_vec())] {
        let mut running = RunningChecksum::new(declared.algorithm);
        running.update(&bytes);
        let checksum = Some(running.finish());
        let finish = Finish {
            md5: None,
            checksum: checksum.clone(),
        };
        let committed = ground.part_with(&id, holder, part, &bytes, finish).await;
        completion.parts.push(NamedPart {
            number: number(part),
            etag: committed.unwrap().etag.to_string(),
            checksum,
        });
    }
    (id, completion)
}

#[tokio::test]
async fn a_declared_crc_of_the_whole_is_that_of_the_bytes() {
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32c,
        ChecksumAlgorithm::Crc64Nvme,
    ] {
        let ground = Ground::new().await;
        let key = key(1);
        let holder = Holder::Customer(&key);
        let kind = ChecksumKind::FullObject;
        let (id, mut completion) =
            declared(&ground, holder, DeclaredChecksum { algorithm, kind }).await;
        let upload = ground.upload(&id).await.unwrap();
        let access = upload.prove(holder).unwrap();
        let mut running = RunningChecksum::new(algorithm);
        running.update(&body(5 * MIB));
        running.update(b"tail");
        let whole = running.finish();
        completion.checksum = completion.parts[0].checksum.clone();
        let wrong = upload.complete(Some(&access), completion.clone()).await;
        assert_eq!(wrong, Err(StoreError::ChecksumDiffers));
        completion.checksum = Some(whole.clone());
        let completed = upload.complete(Some(&access), completion).await.unwrap();
        assert_eq!(completed.checksum, Some(whole.clone()));
        let stored = ground.stored(OBJECT).await;
        let access = stored.prove(holder).unwrap();
        assert_eq!(stored.checksum(&access), Ok(Some(whole)));
    }
}

#[tokio::test]
async fn a_composite_checksum_is_that_of_the_parts_and_says_how_many() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let ground = Ground::new().await;
    let key = key(1);
    let holder = Holder::Customer(&key);
    let declaration = DeclaredChecksum {
        algorithm: ChecksumAlgorithm::Sha256,
        kind: ChecksumKind::Composite,
    };
    let (id, completion) = declared(&ground, holder, declaration).await;
    let mut running = RunningChecksum::new(ChecksumAlgorithm::Sha256);
    for part in &completion.parts {
        let value = &part.checksum.as_ref().unwrap().value;
        running.update(&STANDARD.decode(value).unwrap());
    }
    let mut whole = running.finish();
    whole.value.push_str("-2");
    let upload = ground.upload(&id).await.unwrap();
    assert_eq!(upload.checksum(), Some(declaration));
    let access = upload.prove(holder).unwrap();
    let mut other = completion.clone();
    other.parts[0].checksum = other.parts[1].checksum.clone();
    assert_eq!(
        upload.complete(Some(&access), other).await,
        Err(StoreError::InvalidPart(number(1)))
    );
    let completed = upload.complete(Some(&access), completion).await.unwrap();
    assert_eq!(completed.checksum, Some(whole.clone()));
    let stored = ground.stored(OBJECT).await;
    let access = stored.prove(holder).unwrap();
    assert_eq!(stored.checksum(&access), Ok(Some(whole)));
    let parts = stored.parts(&access, 0, 10).await.unwrap();
    assert_eq!(parts.parts.len(), 2);
    assert!(parts.parts.iter().all(|part| part.checksum.is_some()));
}

async fn listed(ground: &Ground, query: UploadsQuery<'_>) -> (Vec<String>, Option<UploadsAfter>) {
    let listing = ground.store.list_uploads(query).await.unwrap();
    let mut names: Vec<_> = listing
        .uploads
        .into_iter()
        .map(|upload| format!("{} {}", upload.name, upload.upload_id))
        .collect();
    names.extend(listing.common_prefixes);
    (names, listing.next)
}

#[tokio::test]
async fn uploads_are_listed_by_name_then_by_age_and_page_by_page() {
    let ground = Ground::new().await;
    let mut expected = Vec::new();
    for object in ["a", "b/1", "b/2", "a", "c"] {
        let new = NewUpload {
            object,
            ..new_upload(Holder::Server, None)
        };
        let id = ground.store.create_upload(new).await.unwrap();
        expected.push((object, id));
    }
    expected.sort_by_key(|(name, _)| *name);
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, id)| format!("{name} {id}"))
        .collect();
    let query = UploadsQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    };
    assert_eq!(listed(&ground, query).await, (expected.clone(), None));
    let mut paged = Vec::new();
    let mut after = None;
    for _ in 0..5 {
        let query = UploadsQuery {
            after: after.as_ref(),
            max: 1,
            ..query
        };
        let (page, next) = listed(&ground, query).await;
        paged.extend(page);
        after = next;
    }
    assert_eq!((paged, after), (expected.clone(), None));
    let delimited = UploadsQuery {
        delimiter: Some("/"),
        ..query
    };
    let (names, _) = listed(&ground, delimited).await;
    assert_eq!(names.last().map(String::as_str), Some("b/"));
    assert_eq!(names.len(), 4);
    let name = UploadsAfter::Name("a".to_owned());
    let after_a = UploadsQuery {
        after: Some(&name),
        prefix: "b",
        ..query
    };
    assert_eq!(listed(&ground, after_a).await.0, expected[2..4]);
}
