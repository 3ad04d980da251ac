//! Versions, delete markers, tags and the bucket's settings, over TLS.

mod client;

use client::{Ask, MD5, Pair, Reply, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/object";
const VERSION: &str = "x-amz-version-id";
const MARKER: &str = "x-amz-delete-marker";

fn put<'a>(headers: &[Pair<'a>], body: &'a [u8]) -> Ask<'a> {
    Ask::new("PUT", PATH).with(headers).body(body)
}

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", PATH).with(headers)
}

fn version(reply: &Reply) -> String {
    reply.header(VERSION).expect("a version").to_owned()
}

#[tokio::test]
async fn each_version_has_its_own_key() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.keep_versions("Enabled").await;
        let first = version(served.send(&put(&T1, b"first")).await.is(200));
        let second = version(served.send(&put(&T2, b"second")).await.is(200));
        assert_ne!(first, second);
        let of = |id, headers: &[Pair<'static>]| get(headers).query(&[("versionId", id)]);
        let old = served.send(&of(&first, &T1)).await;
        assert_eq!(old.is(200).body, b"first");
        assert_eq!(old.header(VERSION), Some(first.as_str()));
        assert_eq!(served.send(&of(&second, &T2)).await.is(200).body, b"second");
        assert_eq!(served.send(&get(&T2)).await.is(200).body, b"second");
        served.send(&get(&T1)).await.refused(403, "AccessDenied");
        served
            .send(&of(&first, &T2))
            .await
            .refused(403, "AccessDenied");
        served
            .send(&of(&second, &T1))
            .await
            .refused(403, "AccessDenied");
        served.send(&of(&first, &[])).await.is(400);

        // An old version comes back by a copy, under a new key.
        let source = format!("/bucket/object?versionId={first}");
        let prefix = "x-amz-copy-source-server-side-encryption-customer-";
        let names = ["algorithm", "key", "key-md5"].map(|end| format!("{prefix}{end}"));
        let triple = [0, 1, 2].map(|n| (names[n].as_str(), T1[n].1));
        let copy = Ask::new("PUT", PATH)
            .with(&[("x-amz-copy-source", source.as_str())])
            .with(&triple)
            .with(&T2);
        let copied = served.send(&copy).await;
        let copied_from = copied.is(200).header("x-amz-copy-source-version-id");
        assert_eq!(copied_from, Some(first.as_str()));
        assert_eq!(served.send(&get(&T2)).await.is(200).body, b"first");

        let list = Ask::new("GET", "/bucket").query(&[("versions", "")]);
        let listed = served.send(&list).await;
        assert_eq!(listed.is(200).text().matches("<Version>").count(), 3);
        assert_eq!(
            listed.text().matches("<IsLatest>true</IsLatest>").count(),
            1
        );
        assert!(
            listed
                .text()
                .contains(&format!("<VersionId>{first}</VersionId>"))
        );
    }
}

#[tokio::test]
async fn a_version_id_has_a_form() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.keep_versions("Enabled").await;
        let kept = version(served.send(&put(&[], b"kept")).await.is(200));
        for method in ["GET", "HEAD", "DELETE"] {
            for id in ["", "../kept", "no version", "null\0"] {
                let ask = Ask::new(method, PATH).query(&[("versionId", id)]);
                served.send(&ask).await.is(400);
            }
        }
        let ask = Ask::new("GET", PATH).query(&[("versionId", "<no>")]);
        let refused = served.send(&ask).await;
        refused.refused(400, "InvalidArgument");
        assert_eq!(
            refused.element("ArgumentName").as_deref(),
            Some("versionId")
        );
        assert!(refused.text().contains("&lt;no&gt;"), "{}", refused.text());
        let of = |id| Ask::new("GET", PATH).query(&[("versionId", id)]);
        assert_eq!(served.send(&of(&kept)).await.is(200).body, b"kept");
        served.send(&of("null")).await.is(404);
    }
}

/// A batch names versions one by one.
#[tokio::test]
async fn a_batch_deletes_the_versions_that_it_names() {
    let served = Served::start(Dialect::Aws).await;
    served.keep_versions("Enabled").await;
    let first = version(served.send(&put(&T1, b"first")).await.is(200));
    let second = version(served.send(&put(&T2, b"second")).await.is(200));
    let body = format!(
        "<Delete><Object><Key>object</Key><VersionId>{second}</VersionId></Object></Delete>"
    );
    let batch = Ask::new("POST", "/bucket")
        .query(&[("delete", "")])
        .body(body.as_bytes());
    let answer = served.send(&batch).await;
    assert_eq!(answer.is(200).element("VersionId"), Some(second));
    assert_eq!(served.send(&get(&T1)).await.is(200).body, b"first");
    assert_eq!(version(&served.send(&get(&T1)).await), first);
}

#[tokio::test]
async fn delete_markers() {
    let served = Served::start(Dialect::Aws).await;
    served.keep_versions("Enabled").await;
    let kept = version(served.send(&put(&T1, b"kept")).await.is(200));
    let deleted = served.send(&Ask::new("DELETE", PATH)).await;
    assert_eq!(deleted.is(204).header(MARKER), Some("true"));
    let marker = version(&deleted);
    let gone = served.send(&get(&T1)).await;
    gone.refused(404, "NoSuchKey");
    assert_eq!(gone.header(MARKER), Some("true"));
    let of = |method, id| Ask::new(method, PATH).query(&[("versionId", id)]);
    let asked = served.send(&of("GET", &marker)).await;
    asked.refused(405, "MethodNotAllowed");
    assert_eq!(asked.header(MARKER), Some("true"));
    assert_eq!(asked.header("allow"), Some("DELETE"));
    assert_eq!(
        served.send(&of("GET", &kept).with(&T1)).await.is(200).body,
        b"kept"
    );
    let list = Ask::new("GET", "/bucket").query(&[("versions", "")]);
    let listed = served.send(&list).await;
    assert_eq!(listed.is(200).text().matches("<DeleteMarker>").count(), 1);
    let undone = served.send(&of("DELETE", &marker)).await;
    assert_eq!(undone.is(204).header(MARKER), Some("true"));
    assert_eq!(served.send(&get(&T1)).await.is(200).body, b"kept");
    served.send(&of("DELETE", &kept)).await.is(204);
    let gone = served.send(&get(&T1)).await;
    gone.refused(404, "NoSuchKey");
    assert_eq!(gone.header(MARKER), None);
    served
        .send(&of("GET", &kept).with(&T1))
        .await
        .refused(404, "NoSuchVersion");
    served.keep_versions("Suspended").await;
    assert_eq!(version(served.send(&put(&T1, b"x")).await.is(200)), "null");
    let bad = Ask::new("PUT", "/bucket")
        .query(&[("versioning", "")])
        .body(b"<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>");
    served.send(&bad).await.refused(400, "MalformedXML");
}

#[tokio::test]
async fn tags_need_no_key() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&T1, b"x")).await.is(200);
    let tags = |method| Ask::new(method, PATH).query(&[("tagging", "")]);
    let set = b"<Tagging><TagSet><Tag><Key>colour</Key><Value>red</Value></Tag></TagSet></Tagging>";
    served.send(&tags("PUT").body(set)).await.is(200);
    let shown = served.send(&tags("GET")).await;
    assert_eq!(shown.is(200).element("Value").as_deref(), Some("red"));
    let read = served.send(&get(&T1)).await;
    assert_eq!(read.is(200).header("x-amz-tagging-count"), Some("1"));
    served
        .send(&tags("PUT").body(b"<Tagging/>"))
        .await
        .refused(400, "MalformedXML");
    let shown = served.send(&tags("GET")).await;
    assert_eq!(shown.is(200).element("Key").as_deref(), Some("colour"));
    served.send(&tags("DELETE")).await.is(204);
    let shown = served.send(&tags("GET")).await;
    assert_eq!(shown.is(200).element("Tag"), None);
    let none = Ask::new("GET", "/bucket/none").query(&[("tagging", "")]);
    served.send(&none).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn a_bucket_is_told_to_block_ssec() {
    let served = Served::start(Dialect::Aws).await;
    let ask = |method| Ask::new(method, "/bucket").query(&[("encryption", "")]);
    let rule = |kind: &str| {
        format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>{kind}</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"
        )
    };
    let before = served.send(&ask("GET")).await;
    assert_eq!(
        before.is(200).element("SSEAlgorithm").as_deref(),
        Some("AES256")
    );
    assert_eq!(before.element("EncryptionType"), None);
    served.send(&put(&T1, b"x")).await.is(200);
    let block = rule("SSE-C");
    served
        .send(&ask("PUT").body(block.as_bytes()))
        .await
        .is(200);
    let after = served.send(&ask("GET")).await;
    assert_eq!(after.element("EncryptionType").as_deref(), Some("SSE-C"));
    served
        .send(&put(&T1, b"y"))
        .await
        .refused(403, "AccessDenied");
    served.send(&put(&[], b"y")).await.is(200);
    let allow = rule("NONE");
    served
        .send(&ask("PUT").body(allow.as_bytes()))
        .await
        .is(200);
    let stored = served.send(&put(&T1, b"z")).await;
    assert!(stored.is(200).header(MD5).is_some());
    served
        .send(&ask("PUT").body(b"<x/>"))
        .await
        .refused(400, "MalformedXML");
    served.send(&ask("DELETE")).await.is(204);
}
