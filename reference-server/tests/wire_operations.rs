//! The operations over TLS, in raw requests against a server in this process.

mod client;

use client::{Ask, KEY, M1, MD5, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test data..";
const PATH: &str = "/bucket/dir/object";

fn put<'a>(headers: &[client::Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", PATH).with(headers).body(TEXT)
}

fn get<'a>(headers: &[client::Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", PATH).with(headers)
}

fn head<'a>(headers: &[client::Pair<'a>]) -> Ask<'a> {
    Ask::new("HEAD", PATH).with(headers)
}

#[tokio::test]
async fn ranges_are_of_the_plaintext() {
    let served = Served::start(Dialect::Aws).await;
    let body: Vec<u8> = (0..200_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    served.send(&put(&T1).body(&body)).await.is(200);
    let ranges = [
        (0, 0),
        (5, 100),
        (65_535, 65_536),
        (65_536, 131_071),
        (70_000, 199_999),
    ];
    for (first, last) in ranges {
        let range = format!("bytes={first}-{last}");
        let read = served
            .send(&get(&T1).with(&[("range", range.as_str())]))
            .await;
        read.is(206);
        assert_eq!(read.body, &body[first..=last]);
        let content_range = format!("bytes {first}-{last}/200000");
        assert_eq!(read.header("content-range"), Some(content_range.as_str()));
        assert_eq!(read.header(MD5), Some(M1));
    }
    let suffix = served.send(&get(&T1).with(&[("range", "bytes=-10")])).await;
    assert_eq!(suffix.is(206).body, &body[199_990..]);
    let open = served
        .send(&get(&T1).with(&[("range", "bytes=199990-")]))
        .await;
    assert_eq!(open.is(206).body, &body[199_990..]);
    let beyond = served
        .send(&get(&T1).with(&[("range", "bytes=200000-")]))
        .await;
    beyond.refused(416, "InvalidRange");
    assert_eq!(beyond.header("content-range"), Some("bytes */200000"));
    let described = served
        .send(&head(&T1).with(&[("range", "bytes=5-9")]))
        .await;
    assert_eq!(described.is(206).header("content-length"), Some("5"));
    assert_eq!(served.send(&get(&T1)).await.is(200).body, body);
}

#[tokio::test]
async fn conditions_of_reads_and_writes() {
    let served = Served::start(Dialect::Aws).await;
    let etag = served
        .send(&put(&T1))
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let other = "\"00000000000000000000000000000000\"";
    let same = served
        .send(&get(&T1).with(&[("if-none-match", etag.as_str())]))
        .await;
    same.is(304);
    assert_eq!(same.header("etag"), Some(etag.as_str()));
    assert!(same.body.is_empty());
    served
        .send(&get(&T1).with(&[("if-none-match", other)]))
        .await
        .is(200);
    served
        .send(&get(&T1).with(&[("if-match", etag.as_str())]))
        .await
        .is(200);
    let failed = served.send(&get(&T1).with(&[("if-match", other)])).await;
    failed.refused(412, "PreconditionFailed");
    served
        .send(&head(&T1).with(&[("if-match", other)]))
        .await
        .is(412);
    let absent = put(&T1).with(&[("if-none-match", "*")]);
    served
        .send(&absent)
        .await
        .refused(412, "PreconditionFailed");
    served
        .send(&put(&T1).with(&[("if-match", other)]))
        .await
        .refused(412, "PreconditionFailed");
    served
        .send(&put(&T1).with(&[("if-match", etag.as_str())]))
        .await
        .is(200);
}

#[tokio::test]
async fn metadata_and_headers_come_back() {
    let served = Served::start(Dialect::Aws).await;
    let kept = [
        ("Content-Type", "text/plain"),
        ("Cache-Control", "no-cache"),
        ("Content-Encoding", "gzip"),
        ("x-amz-meta-Colour", "red"),
    ];
    served.send(&put(&T1).with(&kept)).await.is(200);
    let read = served.send(&head(&T1)).await;
    for (name, value) in kept {
        assert_eq!(read.header(name), Some(value), "{name}");
    }
    let overrides = [
        ("response-content-type", "text/html"),
        ("x-id", "GetObject"),
    ];
    let read = served.send(&get(&T1).query(&overrides)).await;
    assert_eq!(read.is(200).header("content-type"), Some("text/html"));
    let large = "v".repeat(2048);
    let reply = served
        .send(&put(&T1).with(&[("x-amz-meta-a", large.as_str())]))
        .await;
    reply.refused(400, "MetadataTooLarge");
}

#[tokio::test]
async fn checksums_are_of_the_plaintext() {
    let served = Served::start(Dialect::Aws).await;
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    served.send(&put(&T1)).await.is(200);
    // Recorded from AWS: CRC64NVME of `test data..` (contract section 3.2).
    let read = served.send(&head(&T1).with(&mode)).await;
    assert_eq!(
        read.header("x-amz-checksum-crc64nvme"),
        Some("qUVrWYOrIAM=")
    );
    assert_eq!(read.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert_eq!(
        served
            .send(&head(&T1))
            .await
            .header("x-amz-checksum-crc64nvme"),
        None
    );
    // CRC-32 of `123456789` is CBF43926, the check value of its catalogue entry.
    let declared = put(&T1)
        .with(&[("x-amz-checksum-crc32", "y/Q5Jg==")])
        .body(b"123456789");
    let stored = served.send(&declared).await;
    assert_eq!(
        stored.is(200).header("x-amz-checksum-crc32"),
        Some("y/Q5Jg==")
    );
    let read = served.send(&get(&T1).with(&mode)).await;
    assert_eq!(read.header("x-amz-checksum-crc32"), Some("y/Q5Jg=="));
    let ranged = get(&T1).with(&mode).with(&[("range", "bytes=0-1")]);
    assert_eq!(
        served
            .send(&ranged)
            .await
            .is(206)
            .header("x-amz-checksum-crc32"),
        None
    );
    let wrong = put(&T1)
        .with(&[("x-amz-checksum-crc32", "AAAAAA==")])
        .body(b"123456789");
    served.send(&wrong).await.refused(400, "BadDigest");
}

#[tokio::test]
async fn a_delete_needs_no_key() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&T1)).await.is(200);
    served.send(&Ask::new("DELETE", PATH)).await.is(204);
    served.send(&get(&T1)).await.refused(404, "NoSuchKey");
    served.send(&Ask::new("DELETE", PATH)).await.is(204);
    served.send(&put(&T1)).await.is(200);
    served
        .send(&Ask::new("DELETE", PATH).with(&T2))
        .await
        .is(204);
    served
        .send(&Ask::new("DELETE", "/nobucket/x"))
        .await
        .refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_missing_object_is_missing_whatever_is_shown() {
    let served = Served::start(Dialect::Aws).await;
    for headers in [&T1[..], &[(KEY, "****")], &[]] {
        served.send(&get(headers)).await.refused(404, "NoSuchKey");
        served.send(&head(headers)).await.is(404);
    }
    served
        .send(&Ask::new("GET", "/nobucket/x").with(&T1))
        .await
        .refused(404, "NoSuchBucket");
    served
        .send(&Ask::new("PUT", "/nobucket/x").with(&T1))
        .await
        .refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn lists_show_sizes_of_the_plaintext() {
    let served = Served::start(Dialect::Aws).await;
    for name in [
        "/bucket/a",
        "/bucket/dir/b%20c",
        "/bucket/dir/d",
        "/bucket/z",
    ] {
        served
            .send(&Ask::new("PUT", name).with(&T1).body(TEXT))
            .await
            .is(200);
    }
    let list = Ask::new("GET", "/bucket").query(&[("list-type", "2")]);
    let all = served.send(&list).await;
    all.is(200);
    assert_eq!(all.element("KeyCount").as_deref(), Some("4"));
    assert_eq!(all.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(all.text().matches("<Size>11</Size>").count(), 4);
    assert!(all.text().contains("<Key>dir/b c</Key>"));
    let folders = served
        .send(
            &list
                .clone()
                .query(&[("delimiter", "/"), ("encoding-type", "url")]),
        )
        .await;
    assert_eq!(folders.element("KeyCount").as_deref(), Some("3"));
    let prefixes = "<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes>";
    assert!(folders.text().contains(prefixes), "{}", folders.text());
    let inside = served
        .send(
            &list
                .clone()
                .query(&[("prefix", "dir/"), ("encoding-type", "url")]),
        )
        .await;
    assert!(inside.text().contains("<Key>dir/b%20c</Key>"));
    let first = served.send(&list.clone().query(&[("max-keys", "3")])).await;
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    let token = first.element("NextContinuationToken").unwrap();
    let second = served
        .send(
            &list
                .clone()
                .query(&[("continuation-token", token.as_str())]),
        )
        .await;
    assert_eq!(second.element("KeyCount").as_deref(), Some("1"));
    assert_eq!(second.element("Key").as_deref(), Some("z"));
    let after = served
        .send(
            &list
                .clone()
                .query(&[("start-after", "dir/d"), ("fetch-owner", "true")]),
        )
        .await;
    assert_eq!(after.element("Key").as_deref(), Some("z"));
    assert!(after.element("Owner").is_some());
    let none = served.send(&list.clone().query(&[("max-keys", "0")])).await;
    assert_eq!(none.element("KeyCount").as_deref(), Some("0"));
    served
        .send(&list.query(&[("max-keys", "x")]))
        .await
        .refused(400, "InvalidArgument");
}

#[tokio::test]
async fn buckets_come_and_go() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&Ask::new("PUT", "/second")).await.is(200);
    served.send(&Ask::new("PUT", "/second")).await.is(200);
    served.send(&Ask::new("HEAD", "/second")).await.is(200);
    served.send(&Ask::new("HEAD", "/third")).await.is(404);
    served
        .send(&Ask::new("PUT", "/Bad_Name"))
        .await
        .refused(400, "InvalidBucketName");
    let buckets = served.send(&Ask::new("GET", "/")).await;
    assert!(buckets.is(200).text().contains("<Name>second</Name>"));
    let location = served
        .send(&Ask::new("GET", "/second").query(&[("location", "")]))
        .await;
    assert!(location.is(200).text().contains("LocationConstraint"));
    served.send(&put(&[])).await.is(200);
    served
        .send(&Ask::new("DELETE", "/bucket"))
        .await
        .refused(409, "BucketNotEmpty");
    served.send(&Ask::new("DELETE", "/second")).await.is(204);
    served.send(&Ask::new("HEAD", "/second")).await.is(404);
    served
        .send(&Ask::new("DELETE", "/second"))
        .await
        .refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&[])).await.is(200);
    for name in ["acl", "torrent", "legal-hold", "retention", "uploads"] {
        served
            .send(&get(&[]).query(&[(name, "")]))
            .await
            .refused(501, "NotImplemented");
    }
    served
        .send(&Ask::new("POST", PATH))
        .await
        .refused(501, "NotImplemented");
    for header in [
        ("x-amz-website-redirect-location", "/x"),
        ("x-amz-acl", "public-read"),
    ] {
        served
            .send(&put(&[header]))
            .await
            .refused(501, "NotImplemented");
    }
    served.send(&put(&[("x-amz-acl", "private")])).await.is(200);
}
