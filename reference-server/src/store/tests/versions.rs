//! Versions, delete markers, and lists of them.

use super::*;

impl Ground {
    async fn versioned() -> Self {
        let ground = Self::new().await;
        ground.keep(Versioning::Enabled).await;
        ground
    }

    async fn keep(&self, versioning: Versioning) {
        let setting = BucketSetting::Versioning(versioning);
        self.store.set_bucket(BUCKET, setting).await.unwrap();
    }

    async fn find(&self, version: Option<&str>) -> Found<StoredObject> {
        self.store.look_up(BUCKET, OBJECT, version).await.unwrap()
    }

    /// The body of a version under the server's key.
    async fn version(&self, version: &str) -> Vec<u8> {
        let stored = self.find(Some(version)).await.object().unwrap();
        let access = stored.prove(Holder::Server).unwrap();
        read(&stored, &access, 0..stored.size()).await.unwrap()
    }

    async fn delete(&self, version: Option<&str>) -> Deleted {
        self.store.delete(BUCKET, OBJECT, version).await.unwrap()
    }

    /// All versions, newest first: `name`, then `*` for the newest, then `x` for a marker.
    async fn versions(&self) -> Vec<String> {
        let listing = self.store.list_versions(all()).await.unwrap();
        listing.versions.iter().map(shown).collect()
    }
}

fn shown(version: &ListedVersion) -> String {
    let latest = if version.is_latest { "*" } else { "" };
    let marker = match version.kind {
        VersionKind::Object { .. } => "",
        VersionKind::Marker => "x",
    };
    format!("{}{latest}{marker}", version.name)
}

fn all() -> VersionsQuery<'static> {
    VersionsQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    }
}

#[tokio::test]
async fn each_version_keeps_its_own_key_and_is_read_by_its_id() {
    let ground = Ground::versioned().await;
    let (first, second) = (key(1), key(2));
    let one = ground.put(OBJECT, Holder::Customer(&first), b"one").await;
    let two = ground.put(OBJECT, Holder::Customer(&second), b"two").await;
    let three = ground.put(OBJECT, Holder::Server, b"three").await;
    assert_eq!(one.versioning, Versioning::Enabled);
    let ids = [&one.version_id, &two.version_id, &three.version_id];
    for id in ids {
        assert_eq!(id.len(), 32);
        assert!(ground.store.is_version_id(id));
    }
    assert_ne!(one.version_id, two.version_id);
    let ground = ground.reopened();
    assert_eq!(ground.version(&three.version_id).await, b"three");
    let stored = ground.find(Some(&one.version_id)).await.object().unwrap();
    assert_eq!(stored.version_id(), one.version_id);
    assert!(!stored.is_null_version());
    assert!(stored.prove(Holder::Customer(&second)).is_err());
    let access = stored.prove(Holder::Customer(&first)).unwrap();
    assert_eq!(
        read(&stored, &access, 0..3).await.as_deref(),
        Ok(b"one".as_slice())
    );
    let newest = ground.find(None).await.object().unwrap();
    assert_eq!(newest.version_id(), three.version_id);
    assert_eq!(newest.versioning(), Versioning::Enabled);
    assert!(matches!(ground.find(Some("null")).await, Found::Nothing));
    // Another random half under the same number is no version.
    let other = format!("{}{}", &one.version_id[..16], "0".repeat(16));
    assert!(matches!(ground.find(Some(&other)).await, Found::Nothing));
}

#[tokio::test]
async fn a_deletion_makes_a_marker_and_a_markers_deletion_brings_the_object_back() {
    let ground = Ground::versioned().await;
    let put = ground.put(OBJECT, Holder::Server, b"x").await;
    let deleted = ground.delete(None).await;
    assert!(deleted.marker);
    let marker = deleted.version_id.unwrap();
    let ground = ground.reopened();
    for version in [None, Some(marker.as_str())] {
        let Found::Marker(found) = ground.find(version).await else {
            panic!("no marker for {version:?}");
        };
        assert_eq!(found.version_id, marker);
    }
    assert_eq!(ground.version(&put.version_id).await, b"x");
    let listing = ground.store.list(list_query()).await.unwrap();
    assert_eq!(listing, Listing::default());
    let gone = ground.delete(Some(&marker)).await;
    assert_eq!((gone.marker, gone.version_id), (true, Some(marker)));
    assert_eq!(ground.stored(OBJECT).await.version_id(), put.version_id);
    let gone = ground.delete(Some(&put.version_id)).await;
    assert_eq!(
        (gone.marker, gone.version_id),
        (false, Some(put.version_id))
    );
    assert!(matches!(ground.find(None).await, Found::Nothing));
    let ground = ground.reopened();
    assert_eq!(ground.living(), 0);
}

fn list_query() -> ListQuery<'static> {
    ListQuery {
        bucket: BUCKET,
        prefix: "",
        delimiter: None,
        after: None,
        max: 1_000,
    }
}

#[tokio::test]
async fn a_marker_is_made_also_where_nothing_was() {
    let ground = Ground::versioned().await;
    assert!(ground.delete(None).await.marker);
    assert!(ground.delete(None).await.marker);
    assert_eq!(ground.versions().await, ["dir/ä*x", "dir/äx"]);
    let unknown = ground.delete(Some(&"0".repeat(32))).await;
    assert_eq!((unknown.version_id, unknown.marker), (None, false));
}

#[tokio::test]
async fn a_suspended_bucket_has_one_null_version_beside_the_kept_ones() {
    let ground = Ground::new().await;
    let old = ground.put(OBJECT, Holder::Server, b"unversioned").await;
    assert_eq!(old.versioning, Versioning::Unversioned);
    ground.keep(Versioning::Enabled).await;
    let kept = ground.put(OBJECT, Holder::Server, b"kept").await;
    assert_eq!(ground.version("null").await, b"unversioned");
    ground.keep(Versioning::Suspended).await;
    let null = ground.put(OBJECT, Holder::Server, b"suspended").await;
    assert_eq!(null.version_id, "null");
    assert_eq!(ground.version("null").await, b"suspended");
    assert_eq!(ground.version(&kept.version_id).await, b"kept");
    assert_eq!(ground.versions().await.len(), 2);
    let deleted = ground.delete(None).await;
    assert_eq!(
        (deleted.version_id.as_deref(), deleted.marker),
        (Some("null"), true)
    );
    assert!(matches!(ground.find(Some("null")).await, Found::Marker(_)));
    assert_eq!(ground.versions().await, ["dir/ä*x", "dir/ä"]);
    ground.put(OBJECT, Holder::Server, b"again").await;
    assert_eq!(ground.versions().await, ["dir/ä*", "dir/ä"]);
    let ground = ground.reopened();
    assert_eq!(ground.living(), 2);
    assert_eq!(
        ground.get(OBJECT, Holder::Server).await.as_deref(),
        Ok(b"again".as_slice())
    );
}

#[tokio::test]
async fn a_marker_is_no_object_to_a_condition() {
    let ground = Ground::versioned().await;
    ground.put(OBJECT, Holder::Server, b"x").await;
    ground.delete(None).await;
    let put = async |if_match, if_none_match| {
        let conditions = WriteConditions {
            if_match,
            if_none_match,
        };
        let new = NewObject {
            conditions,
            ..new_object(OBJECT, Holder::Server)
        };
        let writer = ground.store.begin(new).await.unwrap();
        writer.commit(Finish::default()).await.map(drop)
    };
    let any = || Some(TagSet::Any);
    assert_eq!(put(any(), None).await, Err(StoreError::NoSuchObject));
    assert_eq!(put(None, any()).await, Ok(()));
    assert_eq!(
        put(None, any()).await,
        Err(StoreError::PreconditionFailed(Condition::IfNoneMatch))
    );
}

#[tokio::test]
async fn tags_belong_to_a_version() {
    let ground = Ground::versioned().await;
    let first = ground.put(OBJECT, Holder::Server, b"1").await;
    ground.put(OBJECT, Holder::Server, b"2").await;
    let tags = vec![("a".to_owned(), "b".to_owned())];
    let set = async |version| {
        let store = &ground.store;
        store.set_tags(BUCKET, OBJECT, version, tags.clone()).await
    };
    assert_eq!(set(Some(&first.version_id)).await, Ok(()));
    let tagged = ground.find(Some(&first.version_id)).await.object().unwrap();
    assert_eq!(tagged.tags(), &tags);
    assert!(ground.stored(OBJECT).await.tags().is_empty());
    ground.delete(None).await;
    assert_eq!(set(None).await, Err(StoreError::NoSuchObject));
}

#[tokio::test]
async fn versions_of_parts_are_kept_and_deleted_like_others() {
    let ground = Ground::versioned().await;
    let new = NewUpload {
        bucket: BUCKET,
        object: OBJECT,
        holder: Holder::Server,
        headers: HeaderMap::new(),
        tags: ObjectTags::new(),
        checksum: None,
    };
    let id = ground.store.create_upload(new).await.unwrap();
    let upload = ground.store.look_up_upload(BUCKET, OBJECT, &id).await;
    let upload = upload.unwrap();
    let access = upload.prove(Holder::Server).unwrap();
    let number = PartNumber::new(1).unwrap();
    let mut writer = upload.begin_part(&access, number).await.unwrap();
    writer.write(Bytes::from_static(b"part")).await.unwrap();
    let etag = writer.commit(Finish::default()).await.unwrap().etag;
    let named = NamedPart {
        number,
        etag: etag.to_string(),
        checksum: None,
    };
    let completion = Completion {
        parts: vec![named],
        ..Completion::default()
    };
    let completed = upload.complete(None, completion).await.unwrap();
    drop((upload, access));
    ground.put(OBJECT, Holder::Server, b"newer").await;
    let id = completed.committed.version_id;
    assert_eq!(ground.version(&id).await, b"part");
    assert_eq!(ground.versions().await, ["dir/ä*", "dir/ä"]);
    assert_eq!(ground.delete(Some(&id)).await.version_id, Some(id));
    let ground = ground.reopened();
    assert_eq!(ground.living(), 1);
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_page_by_page() {
    let ground = Ground::new().await;
    ground.put("a", Holder::Server, b"null").await;
    ground.keep(Versioning::Enabled).await;
    for name in ["a", "b/1", "b/2", "c"] {
        ground.put(name, Holder::Server, b"x").await;
        ground.put(name, Holder::Server, b"y").await;
    }
    ground.store.delete(BUCKET, "c", None).await.unwrap();
    let expected = [
        "a*", "a", "a", "b/1*", "b/1", "b/2*", "b/2", "c*x", "c", "c",
    ];
    assert_eq!(ground.versions().await, expected);
    for max in [1, 2, 3, 7] {
        let mut paged = Vec::new();
        let mut after = None;
        for _ in 0..expected.len() {
            let query = VersionsQuery {
                after: after.as_ref(),
                max,
                ..all()
            };
            let page = ground.store.list_versions(query).await.unwrap();
            assert!(page.versions.len() <= max);
            paged.extend(page.versions.iter().map(shown));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(
            (paged.as_slice(), after),
            (&expected.map(String::from)[..], None)
        );
    }
    let delimited = VersionsQuery {
        delimiter: Some("/"),
        ..all()
    };
    let page = ground.store.list_versions(delimited).await.unwrap();
    assert_eq!(page.common_prefixes, ["b/"]);
    assert_eq!(page.versions.len(), 6);
}

async fn after(ground: &Ground, after: VersionsAfter) -> Vec<String> {
    let query = VersionsQuery {
        after: Some(&after),
        ..all()
    };
    let page = ground.store.list_versions(query).await.unwrap();
    page.versions.iter().map(shown).collect()
}

#[tokio::test]
async fn a_list_of_versions_goes_on_after_any_marker() {
    let ground = Ground::new().await;
    ground.put("a", Holder::Server, b"null").await;
    ground.keep(Versioning::Enabled).await;
    ground.put("a", Holder::Server, b"newer").await;
    ground.put("b", Holder::Server, b"x").await;
    let version = |version_id: &str| VersionsAfter::Version {
        name: "a".to_owned(),
        version_id: version_id.to_owned(),
    };
    assert_eq!(after(&ground, version("null")).await, ["b*"]);
    assert_eq!(after(&ground, version("unknown")).await, ["a*", "a", "b*"]);
    let name = |name: &str| VersionsAfter::Name(name.to_owned());
    assert_eq!(after(&ground, name("a")).await, ["b*"]);
    assert_eq!(after(&ground, name("")).await, ["a*", "a", "b*"]);
    assert_eq!(after(&ground, name("b")).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_common_prefix_of_deleted_objects_alone_is_not_listed() {
    let ground = Ground::versioned().await;
    for name in ["a/1", "b/1", "b/2"] {
        ground.put(name, Holder::Server, b"x").await;
    }
    for name in ["a/1", "b/1"] {
        ground.store.delete(BUCKET, name, None).await.unwrap();
    }
    let query = ListQuery {
        delimiter: Some("/"),
        ..list_query()
    };
    let listing = ground.store.list(query).await.unwrap();
    assert_eq!(listing.common_prefixes, ["b/"]);
    assert_eq!(
        ground.store.delete_bucket(BUCKET).await,
        Err(StoreError::BucketNotEmpty)
    );
}

#[tokio::test]
async fn ids_of_the_other_dialect_are_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        dialect: Dialect::Ovh,
        ..settings(&directory)
    };
    let store = Store::open(&settings).unwrap();
    store.create_bucket(BUCKET, SsecUse::Allowed).await.unwrap();
    let ground = Ground { directory, store };
    ground.keep(Versioning::Enabled).await;
    let first = ground.put(OBJECT, Holder::Server, b"1").await;
    let second = ground.put(OBJECT, Holder::Server, b"2").await;
    let number = |id: &str| id.parse::<u64>().unwrap();
    assert!(number(&first.version_id) < number(&second.version_id));
    assert_eq!(
        number(&first.version_id),
        u64::try_from(first.last_modified.as_microsecond()).unwrap()
    );
    assert_eq!(ground.version(&first.version_id).await, b"1");
    assert!(ground.store.is_version_id(&first.version_id));
    assert!(!ground.store.is_version_id("0x1"));
}

#[tokio::test]
async fn older_versions_are_not_listed_as_objects_however_many() {
    let ground = Ground::versioned().await;
    for name in ["a", "b", "c"] {
        for _ in 0..20 {
            ground.put(name, Holder::Server, b"x").await;
        }
    }
    ground.store.delete(BUCKET, "b", None).await.unwrap();
    ground.put("a\0", Holder::Server, b"x").await;
    let listing = ground.store.list(list_query()).await.unwrap();
    let names: Vec<_> = listing
        .objects
        .into_iter()
        .map(|object| object.name)
        .collect();
    assert_eq!(names, ["a", "a\0", "c"]);
}
