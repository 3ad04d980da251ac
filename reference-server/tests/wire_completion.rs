//! What a completion verifies of the whole object, and what a bucket that blocks SSE-C does with
//! uploads that are under way.

mod client;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::upload::{self, etag, list};
use client::{Ask, MD5, Pair, Reply, Served, T1};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/dir/large";

/// CRC-32 and CRC64NVME of `123456789`: the check values of their catalogue entries.
const DIGITS: &[u8] = b"123456789";
const CRC32: &str = "y/Q5Jg==";
const CRC64: &str = "rosUhgp5mIg=";

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    Ask::new("GET", PATH).with(headers).with(&mode)
}

async fn create(served: &Served, headers: &[Pair<'_>]) -> Reply {
    let ask = Ask::new("POST", PATH).query(&[("uploads", "")]);
    served.send(&ask.with(headers)).await
}

fn id(created: &Reply) -> String {
    created.is(200).element("UploadId").expect("an upload id")
}

/// One part of `DIGITS`, its tag.
async fn one_part(served: &Served, id: &str, headers: &[Pair<'_>]) -> String {
    let part = upload::part(PATH, (id, "1"), headers, DIGITS);
    etag(&served.send(&part).await)
}

#[test]
fn the_check_values_are_those_of_the_catalogue() {
    for (sum, hex) in [(CRC32, "cbf43926"), (CRC64, "ae8b14860a799888")] {
        assert_eq!(hex::encode(STANDARD.decode(sum).unwrap()), hex);
    }
}

#[tokio::test]
async fn the_checksum_of_the_whole_is_compared() {
    let served = Served::start(Dialect::Aws).await;
    for key in [&T1[..], &[]] {
        let declared = [
            ("x-amz-checksum-algorithm", "CRC32"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ];
        let created = create(&served, &[key, &declared].concat()).await;
        assert_eq!(created.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        let id = id(&created);
        let tag = one_part(&served, &id, key).await;
        let parts = list(&[(1, &tag)]);
        let complete = |headers: &[Pair<'static>]| {
            upload::complete(PATH, &id, &parts, &[key, headers].concat())
        };
        let right = ("x-amz-checksum-crc32", CRC32);
        let sha = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for (headers, code) in [
            (&[("x-amz-checksum-crc32", "AAAAAA==")][..], "BadDigest"),
            (&[("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
            (&[("x-amz-checksum-sha256", sha)], "InvalidRequest"),
            (&[("x-amz-checksum-type", "COMPOSITE")], "InvalidRequest"),
            (&[right, ("x-amz-checksum-sha256", sha)], "InvalidRequest"),
            (&[right, ("x-amz-mp-object-size", "10")], "InvalidRequest"),
            (&[right, ("x-amz-mp-object-size", "ten")], "InvalidRequest"),
        ] {
            let refused = served.send(&complete(headers)).await;
            refused.refused(400, code);
            served.send(&get(key)).await.refused(404, "NoSuchKey");
        }
        let agreed = [
            right,
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-mp-object-size", "9"),
        ];
        let completed = served.send(&complete(&agreed)).await;
        assert_eq!(
            completed.is(200).element("ChecksumCRC32").as_deref(),
            Some(CRC32)
        );
        let read = served.send(&get(key)).await;
        assert_eq!(read.is(200).body, DIGITS);
        assert_eq!(read.header("x-amz-checksum-crc32"), Some(CRC32));
        assert_eq!(read.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        served.send(&Ask::new("DELETE", PATH)).await.is(204);
    }
}

#[tokio::test]
async fn words_for_a_whole_that_differs() {
    let served = Served::start(Dialect::Aws).await;
    let declared = [("x-amz-checksum-algorithm", "CRC32")];
    let id = id(&create(&served, &declared).await);
    let tag = one_part(&served, &id, &[]).await;
    let entry = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag>\
         <ChecksumCRC32>{CRC32}</ChecksumCRC32></Part></CompleteMultipartUpload>"
    );
    for (header, message) in [
        (
            ("x-amz-checksum-type", "FULL_OBJECT"),
            "The upload was created using the COMPOSITE checksum mode. The complete request must \
             use the same checksum mode.",
        ),
        (
            ("x-amz-checksum-crc64nvme", CRC64),
            "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum \
             Type: crc64nvme",
        ),
        (
            ("x-amz-mp-object-size", "8"),
            "The provided 'x-amz-mp-object-size' header value 8 does not match what was \
             computed: 9",
        ),
    ] {
        let refused = served
            .send(&upload::complete(PATH, &id, &entry, &[header]))
            .await;
        refused.refused(400, "InvalidRequest");
        let shown = refused.element("Message").unwrap().replace("&apos;", "'");
        assert_eq!(shown, message);
    }
    let wrong = [("x-amz-checksum-crc32", CRC32)];
    // The composite checksum is of the parts' checksums, and not that of the bytes.
    let refused = served
        .send(&upload::complete(PATH, &id, &entry, &wrong))
        .await;
    refused.refused(400, "BadDigest");
    served
        .send(&upload::complete(PATH, &id, &entry, &[]))
        .await
        .is(200);
}

#[tokio::test]
async fn a_plain_upload_gets_a_checksum_that_nobody_declared() {
    let served = Served::start(Dialect::Aws).await;
    // The client's own checksums of parts are verified, and not kept.
    for shown in [&[][..], &[("x-amz-checksum-crc32", CRC32)]] {
        let created = create(&served, &[]).await;
        assert_eq!(created.header("x-amz-checksum-algorithm"), None);
        let id = id(&created);
        let tag = one_part(&served, &id, shown).await;
        let listed = Ask::new("GET", PATH).query(&[("uploadId", id.as_str())]);
        let listed = served.send(&listed).await;
        assert!(!listed.is(200).text().contains("Checksum"));
        let parts = list(&[(1, &tag)]);
        let complete = |headers: &[Pair<'static>]| upload::complete(PATH, &id, &parts, headers);
        let wrong = [("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")];
        served
            .send(&complete(&wrong))
            .await
            .refused(400, "BadDigest");
        let completed = served.send(&complete(&[])).await;
        assert_eq!(
            completed.is(200).element("ChecksumCRC64NVME").as_deref(),
            Some(CRC64)
        );
        assert_eq!(
            completed.element("ChecksumType").as_deref(),
            Some("FULL_OBJECT")
        );
        let read = served.send(&get(&[])).await;
        assert_eq!(read.header("x-amz-checksum-crc64nvme"), Some(CRC64));
        served.send(&Ask::new("DELETE", PATH)).await.is(204);
    }
}

#[tokio::test]
async fn an_upload_under_a_customer_key_gets_none() {
    let served = Served::start(Dialect::Aws).await;
    let id = id(&create(&served, &T1).await);
    let shown = [&T1[..], &[("x-amz-checksum-crc32", CRC32)]].concat();
    let part = upload::part(PATH, (&id, "1"), &shown, DIGITS);
    let stored = served.send(&part).await;
    assert_eq!(stored.header("x-amz-checksum-crc32"), Some(CRC32));
    let parts = list(&[(1, &etag(&stored))]);
    let with = upload::complete(PATH, &id, &parts, &[("x-amz-checksum-crc32", CRC32)]);
    served.send(&with).await.refused(400, "InvalidRequest");
    let completed = served.send(&upload::complete(PATH, &id, &parts, &T1)).await;
    assert!(!completed.is(200).text().contains("Checksum"));
    let read = served.send(&get(&T1)).await;
    assert_eq!(read.is(200).body, DIGITS);
    assert_eq!(read.header("x-amz-checksum-crc64nvme"), None);
}

#[tokio::test]
async fn dialect_ovh_adds_none() {
    let served = Served::start(Dialect::Ovh).await;
    let id = id(&create(&served, &[]).await);
    let tag = one_part(&served, &id, &[]).await;
    let parts = list(&[(1, &tag)]);
    let completed = served.send(&upload::complete(PATH, &id, &parts, &[])).await;
    assert!(!completed.is(200).text().contains("Checksum"));
}

#[tokio::test]
async fn a_block_of_ssec_stops_the_parts_that_are_still_to_come() {
    let served = Served::start(Dialect::Aws).await;
    let id = id(&create(&served, &T1).await);
    let plain = upload::create(&served, "/bucket/plain", &[]).await;
    let tag = one_part(&served, &id, &T1).await;
    let block = "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes>\
        <EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>\
        </ServerSideEncryptionConfiguration>";
    let block = Ask::new("PUT", "/bucket")
        .query(&[("encryption", "")])
        .body(block.as_bytes());
    served.send(&block).await.is(200);
    let part = upload::part(PATH, (&id, "2"), &T1, DIGITS);
    let copied = Ask::new("PUT", PATH)
        .query(&[("partNumber", "2"), ("uploadId", id.as_str())])
        .with(&[("x-amz-copy-source", "/bucket/any")])
        .with(&T1);
    for ask in [part, copied] {
        let refused = served.send(&ask).await;
        refused.refused(403, "AccessDenied");
        let message = refused.element("Message").unwrap();
        assert!(
            message.contains("has blocked upload requests that specify Server Side Encryption"),
            "{message}"
        );
        assert_eq!(refused.header(MD5), None);
    }
    let of_plain = upload::part("/bucket/plain", (&plain, "1"), &[], DIGITS);
    served.send(&of_plain).await.is(200);
    let listed = Ask::new("GET", PATH).query(&[("uploadId", id.as_str())]);
    let listed = served.send(&listed).await;
    assert_eq!(listed.is(200).text().matches("<Part>").count(), 1);
    // What was sent before can still become an object, for whoever has its key.
    let parts = list(&[(1, &tag)]);
    served
        .send(&upload::complete(PATH, &id, &parts, &[]))
        .await
        .is(200);
    assert_eq!(served.send(&get(&T1)).await.is(200).body, DIGITS);
}
