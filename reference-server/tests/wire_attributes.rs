//! Batch deletion, the first version of lists, attributes and numbered parts, over TLS.

mod client;

use client::{ALGORITHM, Ask, MD5, Pair, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test_data";
const PATH: &str = "/bucket/dir/object";
const ATTRIBUTES: &str = "x-amz-object-attributes";
const ALL: Pair<'static> = (
    ATTRIBUTES,
    "ETag,Checksum,ObjectParts,StorageClass,ObjectSize",
);

fn put<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", path).with(headers).body(TEXT)
}

fn get<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", path).with(headers)
}

fn delete(list: &str) -> Ask<'_> {
    Ask::new("POST", "/bucket")
        .query(&[("delete", "")])
        .body(list.as_bytes())
}

#[tokio::test]
async fn objects_are_deleted_in_batches_without_keys() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.send(&put(PATH, &T1)).await.is(200);
        served.send(&put("/bucket/b", &[])).await.is(200);
        served.send(&put("/bucket/c", &T2)).await.is(200);
        let list = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Object><Key>dir/object</Key></Object><Object><Key>b</Key></Object>\
            <Object><Key>never&amp;there</Key></Object></Delete>";
        let reply = served.send(&delete(list)).await;
        reply.is(200);
        let names: Vec<_> = reply
            .text()
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split_once("</Key>").map(|(name, _)| name.to_owned()))
            .collect();
        assert_eq!(names, ["dir/object", "b", "never&amp;there"]);
        assert_eq!(reply.text().matches("<Deleted>").count(), 3);
        served.send(&get(PATH, &T1)).await.refused(404, "NoSuchKey");
        served
            .send(&get("/bucket/b", &[]))
            .await
            .refused(404, "NoSuchKey");
        served.send(&get("/bucket/c", &T2)).await.is(200);

        let long = format!(
            "<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object><Object><Key>{}</Key></Object></Delete>",
            "n".repeat(1025)
        );
        let reply = served.send(&delete(&long)).await;
        assert_eq!(reply.is(200).text().matches("<Deleted>").count(), 0);
        assert_eq!(reply.element("Code").as_deref(), Some("KeyTooLongError"));
        served
            .send(&get("/bucket/c", &T2))
            .await
            .refused(404, "NoSuchKey");
    }
}

#[tokio::test]
async fn a_bad_list_deletes_nothing() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put("/bucket/a", &[])).await.is(200);
    let good = "<Object><Key>a</Key></Object>";
    let nested = "<a>".repeat(1 << 18);
    let entity = format!(
        "<!DOCTYPE Delete [<!ENTITY x \"a\">]><Delete><Object><Key>&x;</Key></Object>{good}</Delete>"
    );
    let many = format!("<Delete>{}</Delete>", good.repeat(1001));
    for list in ["<Delete></Delete>", "<Delete>", &nested, &entity, &many] {
        served
            .send(&delete(list))
            .await
            .refused(400, "MalformedXML");
    }
    served
        .send(&delete(""))
        .await
        .refused(400, "MissingRequestBodyError");
    let large = format!("<Delete>{good}{}</Delete>", " ".repeat(2 << 20));
    served
        .send(&delete(&large))
        .await
        .refused(400, "MaxMessageLengthExceeded");
    let list = format!("<Delete>{good}</Delete>");
    let digest = delete(&list).with(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]);
    served.send(&digest).await.refused(400, "BadDigest");
    served.send(&get("/bucket/a", &[])).await.is(200);
    let elsewhere = Ask::new("POST", "/none")
        .query(&[("delete", "")])
        .body(list.as_bytes());
    served.send(&elsewhere).await.refused(404, "NoSuchBucket");
    served.send(&delete(&list)).await.is(200);
    served
        .send(&get("/bucket/a", &[]))
        .await
        .refused(404, "NoSuchKey");
}

#[tokio::test]
async fn the_first_version_of_lists() {
    let served = Served::start(Dialect::Aws).await;
    for (path, key) in [
        ("/bucket/a/1", true),
        ("/bucket/a/2", false),
        ("/bucket/b", true),
    ] {
        let headers = if key { &T1[..] } else { &[] };
        served.send(&put(path, headers)).await.is(200);
    }
    let list = |query: &[Pair<'static>]| Ask::new("GET", "/bucket").query(query);
    let all = served.send(&list(&[])).await;
    assert_eq!(all.is(200).text().matches("<Contents>").count(), 3);
    assert_eq!(all.element("Size").as_deref(), Some("9"));
    assert!(all.text().contains("<Marker></Marker>"));
    assert_eq!(all.element("KeyCount"), None);
    assert_eq!(all.element("NextMarker"), None);

    let folders = [("delimiter", "/"), ("max-keys", "1")];
    let first = served.send(&list(&folders)).await;
    assert_eq!(first.is(200).element("NextMarker").as_deref(), Some("a/"));
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    assert!(
        first
            .text()
            .contains("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>")
    );
    let second = served
        .send(&list(&folders).query(&[("marker", "a/")]))
        .await;
    assert_eq!(second.is(200).element("Key").as_deref(), Some("b"));
    assert_eq!(second.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(second.text().matches("<CommonPrefixes>").count(), 0);
    let behind = served.send(&list(&[("marker", "a/1")])).await;
    assert_eq!(behind.is(200).element("Key").as_deref(), Some("a/2"));
    served
        .send(&list(&[("list-type", "3")]))
        .await
        .refused(501, "NotImplemented");
}

#[tokio::test]
async fn attributes_need_the_key() {
    let served = Served::start(Dialect::Aws).await;
    let stored = served.send(&put(PATH, &T1)).await;
    let etag = stored.header("etag").unwrap().trim_matches('"').to_owned();
    let ask = |headers: &[Pair<'static>]| get(PATH, headers).query(&[("attributes", "")]);
    let reply = served.send(&ask(&T1).with(&[ALL])).await;
    assert_eq!(reply.is(200).element("ETag"), Some(etag));
    assert_eq!(reply.element("ObjectSize").as_deref(), Some("9"));
    assert_eq!(reply.element("StorageClass").as_deref(), Some("STANDARD"));
    assert!(reply.element("ChecksumCRC64NVME").is_some());
    assert_eq!(reply.element("ObjectParts"), None);
    assert!(reply.header("last-modified").is_some());
    assert_eq!(reply.header(ALGORITHM), None);
    assert_eq!(reply.header(MD5), None);
    let size = served
        .send(&ask(&T1).with(&[(ATTRIBUTES, "ObjectSize")]))
        .await;
    assert_eq!(size.is(200).element("ETag"), None);

    served
        .send(&ask(&[ALL]))
        .await
        .refused(400, "InvalidRequest");
    served
        .send(&ask(&T2).with(&[ALL]))
        .await
        .refused(403, "AccessDenied");
    let kms = [(ALGORITHM, "KMS"), T1[1], T1[2], ALL];
    served
        .send(&ask(&kms))
        .await
        .refused(400, "InvalidEncryptionAlgorithmError");
    served.send(&ask(&T1)).await.refused(400, "InvalidArgument");
    let unknown = ask(&T1).with(&[(ATTRIBUTES, "Colour")]);
    served.send(&unknown).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn the_one_part_of_an_object() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(PATH, &T1)).await.is(200);
    let part =
        |number, headers: &[Pair<'static>]| get(PATH, headers).query(&[("partNumber", number)]);
    let first = served.send(&part("1", &T1)).await;
    assert_eq!(first.is(206).body, TEXT);
    assert_eq!(first.header("content-range"), Some("bytes 0-8/9"));
    assert_eq!(first.header("x-amz-mp-parts-count"), None);
    served
        .send(&part("2", &T1))
        .await
        .refused(416, "InvalidPartNumber");
    for number in ["0", "10001", "x", ""] {
        served
            .send(&part(number, &T1))
            .await
            .refused(400, "InvalidArgument");
    }
    let ranged = part("1", &T1).with(&[("range", "bytes=0-1")]);
    served.send(&ranged).await.refused(400, "InvalidRequest");
    served
        .send(&part("1", &[]))
        .await
        .refused(400, "InvalidRequest");
    served
        .send(&part("2", &T2))
        .await
        .refused(403, "AccessDenied");
    let head = Ask::new("HEAD", PATH)
        .with(&T1)
        .query(&[("partNumber", "1")]);
    assert_eq!(
        served.send(&head).await.is(206).header("content-length"),
        Some("9")
    );
    served.send(&put(PATH, &T1).body(b"")).await.is(200);
    assert!(served.send(&part("1", &T1)).await.is(200).body.is_empty());
}
