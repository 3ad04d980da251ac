//! What a deletion may be made to depend on, and that it never takes more than was named.

mod client;

use client::{Ask, Pair, Reply, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/dir/object";
const OTHER: &str = "\"00000000000000000000000000000000\"";

fn put<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", PATH).with(headers).body(b"test_data")
}

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", PATH).with(headers)
}

fn delete<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("DELETE", PATH).with(headers)
}

fn batch(list: &str) -> Ask<'_> {
    Ask::new("POST", "/bucket")
        .query(&[("delete", "")])
        .body(list.as_bytes())
}

fn header(reply: &Reply, name: &str) -> String {
    reply.is(200).header(name).expect(name).to_owned()
}

#[tokio::test]
async fn an_object_is_deleted_if_it_is_the_one_that_is_meant() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        let etag = header(&served.send(&put(&T1)).await, "etag");
        let refused = served.send(&delete(&[("if-match", OTHER)])).await;
        refused.refused(412, "PreconditionFailed");
        assert_eq!(refused.element("Condition").as_deref(), Some("If-Match"));
        served.send(&get(&T1)).await.is(200);
        served
            .send(&delete(&[("if-match", etag.as_str())]))
            .await
            .is(204);
        served.send(&get(&T1)).await.refused(404, "NoSuchKey");
        // Where nothing is, nothing matches; without a condition it is a success.
        for condition in ["*", etag.as_str()] {
            let gone = served.send(&delete(&[("if-match", condition)])).await;
            gone.refused(404, "NoSuchKey");
        }
        served.send(&delete(&[])).await.is(204);
        served.send(&put(&[])).await.is(200);
        served.send(&delete(&[("if-match", "*")])).await.is(204);
        served.send(&get(&[])).await.refused(404, "NoSuchKey");
    }
}

#[tokio::test]
async fn a_condition_that_is_not_evaluated_deletes_nothing() {
    let served = Served::start(Dialect::Aws).await;
    served.keep_versions("Enabled").await;
    let version = header(&served.send(&put(&T1)).await, "x-amz-version-id");
    let past = "Fri, 01 Jan 1999 22:04:48 GMT";
    for condition in [
        ("if-none-match", "*"),
        ("if-modified-since", past),
        ("if-unmodified-since", past),
        ("x-amz-if-match-size", "9"),
        ("x-amz-if-match-last-modified-time", past),
    ] {
        let refused = served.send(&delete(&[condition])).await;
        refused.refused(501, "NotImplemented");
        assert_eq!(refused.element("Header").as_deref(), Some(condition.0));
    }
    let of_a_version = delete(&[("if-match", "*")]).query(&[("versionId", version.as_str())]);
    served
        .send(&of_a_version)
        .await
        .refused(501, "NotImplemented");
    served.send(&get(&T1)).await.is(200);
}

#[tokio::test]
async fn a_delete_marker_is_no_object_that_could_match() {
    let served = Served::start(Dialect::Aws).await;
    served.keep_versions("Enabled").await;
    let etag = header(&served.send(&put(&T1)).await, "etag");
    let condition = [("if-match", etag.as_str())];
    let marked = served.send(&delete(&condition)).await;
    assert_eq!(marked.is(204).header("x-amz-delete-marker"), Some("true"));
    for condition in [condition, [("if-match", "*")]] {
        served
            .send(&delete(&condition))
            .await
            .refused(404, "NoSuchKey");
    }
    // The marker is alone: a refused deletion has made no other.
    let versions = Ask::new("GET", "/bucket").query(&[("versions", "")]);
    let versions = served.send(&versions).await;
    assert_eq!(versions.text().matches("<DeleteMarker>").count(), 1);
}

#[tokio::test]
async fn each_entry_of_a_batch_has_its_own_condition() {
    let served = Served::start(Dialect::Aws).await;
    let etag = header(&served.send(&put(&T1)).await, "etag");
    let etag = etag.trim_matches('"');
    let second = Ask::new("PUT", "/bucket/b").with(&T2).body(b"b");
    served.send(&second).await.is(200);
    let list = format!(
        "<Delete><Object><Key>dir/object</Key><ETag>\"{etag}\"</ETag></Object>\
         <Object><Key>b</Key><ETag>{etag}</ETag></Object>\
         <Object><Key>none</Key><ETag>*</ETag></Object></Delete>"
    );
    let reply = served.send(&batch(&list)).await;
    assert_eq!(reply.is(200).text().matches("<Deleted>").count(), 1);
    let errors: Vec<_> = reply.text().split("<Code>").skip(1).map(to_end).collect();
    assert_eq!(errors, ["PreconditionFailed", "NoSuchKey"]);
    served.send(&get(&T1)).await.refused(404, "NoSuchKey");
    let second = Ask::new("GET", "/bucket/b").with(&T2);
    served.send(&second).await.is(200);
    for condition in [
        "<Size>1</Size>",
        "<ETag>*</ETag><VersionId>null</VersionId>",
    ] {
        let list = format!("<Delete><Object><Key>b</Key>{condition}</Object></Delete>");
        served
            .send(&batch(&list))
            .await
            .refused(501, "NotImplemented");
    }
    served.send(&second).await.is(200);
}

fn to_end(rest: &str) -> String {
    rest.split('<').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_version_that_is_none_deletes_nothing() {
    let served = Served::start(Dialect::Aws).await;
    served.keep_versions("Enabled").await;
    let version = header(&served.send(&put(&T1)).await, "x-amz-version-id");
    for (wrong, message) in [
        ("", "Version id cannot be the empty string"),
        ("nonsense", "Invalid version id specified"),
        (&version[1..], "Invalid version id specified"),
    ] {
        let entry =
            |id: &str| format!("<Object><Key>dir/object</Key><VersionId>{id}</VersionId></Object>");
        let list = format!("<Delete>{}</Delete>", entry(wrong));
        let reply = served.send(&batch(&list)).await;
        assert_eq!(reply.is(200).text().matches("<Deleted>").count(), 0);
        assert_eq!(reply.element("Code").as_deref(), Some("InvalidArgument"));
        assert_eq!(reply.element("Message").as_deref(), Some(message));
        // The object is there: neither was it deleted nor did a marker hide it.
        served.send(&get(&T1)).await.is(200);
        let from = format!("/bucket/dir/object?versionId={wrong}");
        let copy = Ask::new("PUT", "/bucket/copy").with(&[("x-amz-copy-source", from.as_str())]);
        let refused = served.send(&copy).await;
        refused.refused(400, "InvalidArgument");
        assert_eq!(refused.element("Message").as_deref(), Some(message));
        let direct = delete(&[]).query(&[("versionId", wrong)]);
        served.send(&direct).await.refused(400, "InvalidArgument");
    }
    let list = format!(
        "<Delete><Object><Key>dir/object</Key><VersionId>{version}</VersionId></Object></Delete>"
    );
    let reply = served.send(&batch(&list)).await;
    assert_eq!(reply.is(200).text().matches("<Deleted>").count(), 1);
    served.send(&get(&T1)).await.refused(404, "NoSuchKey");
}
