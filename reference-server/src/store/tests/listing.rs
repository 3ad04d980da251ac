//! Lists of objects.

use super::*;

async fn ground(names: &[&str]) -> Ground {
    let ground = Ground::new().await;
    for name in names {
        ground.put(name, Holder::Server, b"12345").await;
    }
    ground
}

fn query<'a>(prefix: &'a str, delimiter: Option<&'a str>) -> ListQuery<'a> {
    ListQuery {
        bucket: BUCKET,
        prefix,
        delimiter,
        after: None,
        max: 1_000,
    }
}

async fn page(ground: &Ground, query: ListQuery<'_>) -> (String, Option<After>) {
    let listing = ground.store.list(query).await.unwrap();
    let names: Vec<_> = listing
        .objects
        .into_iter()
        .map(|object| object.name)
        .collect();
    (
        format!(
            "{} | {}",
            names.join(" "),
            listing.common_prefixes.join(" ")
        ),
        listing.next,
    )
}

#[track_caller]
fn check(page: &(String, Option<After>), expected: &str) {
    assert_eq!(page, &(expected.to_owned(), None));
}

#[tokio::test]
async fn names_are_listed_in_the_order_of_their_bytes() {
    let ground = ground(&["b", "a", "ä", "a/", "a\0", "Z", "a b"]).await;
    check(
        &page(&ground, query("", None)).await,
        "Z a a\0 a b a/ b ä | ",
    );
    check(&page(&ground, query("a", None)).await, "a a\0 a b a/ | ");
    check(&page(&ground, query("c", None)).await, " | ");
}

#[tokio::test]
async fn an_entry_tells_what_the_row_does() {
    let ground = Ground::new().await;
    let committed = ground
        .put("a", Holder::Customer(&key(1)), &body(70_000))
        .await;
    ground
        .put("a", Holder::Customer(&key(1)), &body(70_001))
        .await;
    let listing = ground.store.list(query("", None)).await.unwrap();
    let [object] = listing.objects.try_into().unwrap();
    assert_eq!((object.size, object.holder), (70_001, HolderKind::Customer));
    assert_ne!(object.etag, committed.etag);
}

#[tokio::test]
async fn names_below_a_delimiter_are_rolled_up() {
    let ground = ground(&["a/1", "a/2", "a0", "b", "c/d/e", "c/f", "photos//x"]).await;
    check(
        &page(&ground, query("", Some("/"))).await,
        "a0 b | a/ c/ photos/",
    );
    check(&page(&ground, query("c/", Some("/"))).await, "c/f | c/d/");
    check(&page(&ground, query("c/", Some("d/"))).await, "c/f | c/d/");
    check(&page(&ground, query("a/1", Some("/"))).await, "a/1 | ");
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap() {
    let names = [
        "a/1",
        "a/2",
        "b",
        "b\0",
        "c/1",
        "d",
        "é/1",
        "é/2",
        "\u{10ffff}/1",
    ];
    let ground = ground(&names).await;
    for delimiter in [None, Some("/")] {
        let whole = ground.store.list(query("", delimiter)).await.unwrap();
        for max in 1..=10 {
            let mut joined = Listing::default();
            let mut after = None;
            for _ in 0..=names.len() {
                let query = ListQuery {
                    after: after.as_ref(),
                    max,
                    ..query("", delimiter)
                };
                let page = ground.store.list(query).await.unwrap();
                assert!(page.objects.len() + page.common_prefixes.len() <= max);
                joined.objects.extend(page.objects);
                joined.common_prefixes.extend(page.common_prefixes);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(joined, whole, "{delimiter:?}, {max} a page");
        }
    }
}

#[tokio::test]
async fn a_list_starts_after_a_name_that_need_not_exist() {
    let ground = ground(&["a", "b", "c/1", "c/2", "d"]).await;
    let after = async |name: &str, delimiter| {
        let after = After::Name(name.to_owned());
        page(
            &ground,
            ListQuery {
                after: Some(&after),
                ..query("", delimiter)
            },
        )
        .await
    };
    check(&after("a", None).await, "b c/1 c/2 d | ");
    check(&after("aa", None).await, "b c/1 c/2 d | ");
    check(&after("c/1", Some("/")).await, "d | c/");
    check(&after("d", None).await, " | ");
}

#[tokio::test]
async fn a_full_last_page_says_that_it_is_the_last() {
    let ground = ground(&["a", "b"]).await;
    let max = |max| ListQuery {
        max,
        ..query("", None)
    };
    check(&page(&ground, max(2)).await, "a b | ");
    check(&page(&ground, max(0)).await, " | ");
    let first = page(&ground, max(1)).await;
    assert_eq!(
        first,
        ("a | ".to_owned(), Some(After::Name("a".to_owned())))
    );
}

#[tokio::test]
async fn a_bucket_lists_its_own_objects_alone() {
    let ground = ground(&["a"]).await;
    ground
        .store
        .create_bucket("bucket2", SsecUse::Blocked)
        .await
        .unwrap();
    let other = ListQuery {
        bucket: "bucket2",
        ..query("", None)
    };
    check(&page(&ground, other).await, " | ");
    let nowhere = ListQuery {
        bucket: "nowhere",
        ..query("", None)
    };
    assert_eq!(
        ground.store.list(nowhere).await,
        Err(StoreError::NoSuchBucket)
    );
}

#[tokio::test]
async fn buckets_come_and_go() {
    let ground = ground(&["a"]).await;
    let store = &ground.store;
    assert_eq!(
        store.create_bucket(BUCKET, SsecUse::Blocked).await,
        Ok(CreateBucket::AlreadyYours)
    );
    assert_eq!(store.bucket(BUCKET).await.unwrap().ssec, SsecUse::Allowed);
    store
        .create_bucket("another", SsecUse::Blocked)
        .await
        .unwrap();
    let names: Vec<_> = store
        .buckets()
        .await
        .unwrap()
        .into_iter()
        .map(|bucket| bucket.name)
        .collect();
    assert_eq!(names, ["another", BUCKET]);
    assert_eq!(
        store.bucket("another").await.unwrap().ssec,
        SsecUse::Blocked
    );
    assert_eq!(
        store.delete_bucket(BUCKET).await,
        Err(StoreError::BucketNotEmpty)
    );
    store.delete(BUCKET, "a", None).await.unwrap();
    assert_eq!(store.delete_bucket(BUCKET).await, Ok(()));
    assert_eq!(
        store.delete_bucket(BUCKET).await,
        Err(StoreError::NoSuchBucket)
    );
    assert_eq!(store.bucket(BUCKET).await, Err(StoreError::NoSuchBucket));
    assert!(matches!(
        store.begin(new_object("a", Holder::Server)).await,
        Err(StoreError::NoSuchBucket)
    ));
    assert!(matches!(
        store.look_up(BUCKET, "a", None).await,
        Err(StoreError::NoSuchBucket)
    ));
    assert_eq!(
        store.delete(BUCKET, "a", None).await,
        Err(StoreError::NoSuchBucket)
    );
}
