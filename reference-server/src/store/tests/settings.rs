//! Settings of buckets, and tags.

use super::*;

async fn set(ground: &Ground, setting: BucketSetting) -> Result<(), StoreError> {
    ground.store.set_bucket(BUCKET, setting).await
}

#[tokio::test]
async fn each_setting_of_a_bucket_is_kept_and_leaves_the_others_alone() {
    let ground = Ground::new().await;
    let (policy, cors) = ("{\"a\":\"ä\"}".to_owned(), "<CORS/>".to_owned());
    for setting in [
        BucketSetting::Policy(Some(policy.clone())),
        BucketSetting::Cors(Some(cors.clone())),
        BucketSetting::Ssec(SsecUse::Blocked),
        BucketSetting::Versioning(Versioning::Suspended),
    ] {
        assert_eq!(set(&ground, setting).await, Ok(()));
    }
    let ground = ground.reopened();
    let bucket = ground.store.bucket(BUCKET).await.unwrap();
    assert_eq!((bucket.policy, bucket.cors), (Some(policy), Some(cors)));
    assert_eq!(
        (bucket.ssec, bucket.versioning),
        (SsecUse::Blocked, Versioning::Suspended)
    );
    assert_eq!(set(&ground, BucketSetting::Policy(None)).await, Ok(()));
    let bucket = ground.store.bucket(BUCKET).await.unwrap();
    assert_eq!(bucket.policy, None);
    assert!(bucket.cors.is_some());
    assert_eq!(ground.store.buckets().await, Ok(vec![bucket]));
}

#[tokio::test]
async fn a_bucket_never_goes_back_to_unversioned() {
    let ground = Ground::new().await;
    for (asked, expected) in [
        (Versioning::Unversioned, Versioning::Unversioned),
        (Versioning::Enabled, Versioning::Enabled),
        (Versioning::Unversioned, Versioning::Enabled),
        (Versioning::Suspended, Versioning::Suspended),
        (Versioning::Enabled, Versioning::Enabled),
    ] {
        set(&ground, BucketSetting::Versioning(asked))
            .await
            .unwrap();
        let bucket = ground.store.bucket(BUCKET).await.unwrap();
        assert_eq!(bucket.versioning, expected);
    }
}

#[tokio::test]
async fn a_setting_has_a_limit_and_a_bucket() {
    let ground = Ground::new().await;
    let text = |length| Some("x".repeat(length));
    let too_long = text(SETTING_LIMIT + 1);
    for setting in [
        BucketSetting::Policy(too_long.clone()),
        BucketSetting::Cors(too_long),
    ] {
        assert_eq!(set(&ground, setting).await, Err(StoreError::TooLarge));
    }
    let longest = BucketSetting::Policy(text(SETTING_LIMIT));
    assert_eq!(set(&ground, longest.clone()).await, Ok(()));
    let nowhere = ground.store.set_bucket("nowhere", longest).await;
    assert_eq!(nowhere, Err(StoreError::NoSuchBucket));
}

fn tags(value: &str) -> ObjectTags {
    vec![("name".to_owned(), value.to_owned())]
}

#[tokio::test]
async fn tags_come_with_the_object_are_replaced_and_go_with_it() {
    let ground = Ground::new().await;
    let key = key(1);
    let new = NewObject {
        tags: tags("first"),
        ..new_object(OBJECT, Holder::Customer(&key))
    };
    let writer = ground.store.begin(new).await.unwrap();
    writer.commit(Finish::default()).await.unwrap();
    assert_eq!(ground.stored(OBJECT).await.tags(), &tags("first"));
    let set = async |tags| ground.store.set_tags(BUCKET, OBJECT, None, tags).await;
    assert_eq!(set(tags("second")).await, Ok(()));
    let ground = ground.reopened();
    assert_eq!(ground.stored(OBJECT).await.tags(), &tags("second"));
    ground.put(OBJECT, Holder::Server, b"").await;
    assert_eq!(ground.stored(OBJECT).await.tags(), &ObjectTags::new());
    let set = async |object, version, tags| {
        let store = &ground.store;
        store.set_tags(BUCKET, object, version, tags).await
    };
    assert_eq!(set(OBJECT, None, tags("third")).await, Ok(()));
    assert_eq!(set(OBJECT, Some("null"), ObjectTags::new()).await, Ok(()));
    assert_eq!(ground.stored(OBJECT).await.tags(), &ObjectTags::new());
    assert_eq!(
        set("other", None, tags("x")).await,
        Err(StoreError::NoSuchObject)
    );
    assert_eq!(
        set(OBJECT, Some("x"), tags("x")).await,
        Err(StoreError::NoSuchVersion)
    );
    let endless = vec![("a".to_owned(), "x".repeat(1 << 16))];
    assert_eq!(set(OBJECT, None, endless).await, Err(StoreError::TooLarge));
}
