//! SSE-C over TLS, in raw requests against a server in this process: what is served, what is refused,
//! and that a refusal changes and tells nothing.

mod client;

use client::{ALGORITHM, Ask, K1, K2, KEY, M1, M2, MANAGED, MD5, Served, T1, T2};
use reference_server::config::{CertificateSource, Listeners};
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
async fn a_round_trip_under_a_customer_key() {
    let served = Served::start(Dialect::Aws).await;
    let stored = served.send(&put(&T1)).await;
    stored.is(200);
    assert_eq!(stored.header(ALGORITHM), Some("AES256"));
    assert_eq!(stored.header(MD5), Some(M1));
    assert_eq!(stored.header(MANAGED), None);
    let etag = stored.header("etag").unwrap().to_owned();
    assert_eq!(etag.len(), 34);

    let read = served.send(&get(&T1)).await;
    read.is(200);
    assert_eq!(read.body, TEXT);
    assert_eq!(read.header(ALGORITHM), Some("AES256"));
    assert_eq!(read.header(MD5), Some(M1));
    assert_eq!(read.header(MANAGED), None);
    assert_eq!(read.header(KEY), None);
    assert_eq!(read.header("etag"), Some(etag.as_str()));
    assert_eq!(read.header("content-length"), Some("11"));
    assert_eq!(read.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(read.header("accept-ranges"), Some("bytes"));
    assert!(read.header("last-modified").is_some());
    assert_eq!(read.header("x-amz-checksum-crc64nvme"), None);

    let described = served.send(&head(&T1)).await;
    described.is(200);
    assert_eq!(described.header("content-length"), Some("11"));
    assert_eq!(described.header("etag"), Some(etag.as_str()));
    assert_eq!(described.header(MD5), Some(M1));
    assert!(described.body.is_empty());
}

#[tokio::test]
async fn a_round_trip_under_the_servers_key() {
    let served = Served::start(Dialect::Aws).await;
    let stored = served.send(&put(&[])).await;
    assert_eq!(stored.is(200).header(MANAGED), Some("AES256"));
    let read = served.send(&get(&[])).await;
    assert_eq!(read.is(200).body, TEXT);
    assert_eq!(read.header(MANAGED), Some("AES256"));
    assert_eq!(read.header(ALGORITHM), None);
    served.send(&get(&T1)).await.refused(400, "InvalidRequest");
    served.send(&head(&T1)).await.is(400);
    served.send(&put(&[(MANAGED, "AES256")])).await.is(200);
    served
        .send(&put(&[(MANAGED, "aws:kms")]))
        .await
        .refused(501, "NotImplemented");
    served
        .send(&put(&[(MANAGED, "AES512")]))
        .await
        .refused(400, "InvalidArgument");
}

#[tokio::test]
async fn reads_without_the_right_key_tell_nothing() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&T1)).await.is(200);
    let etag = served
        .send(&head(&T1))
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let condition = ("if-none-match", etag.as_str());
    for range in [
        None,
        Some(("range", "bytes=0-3")),
        Some(("range", "bytes=99-")),
        Some(condition),
    ] {
        let bare = get(range.as_slice());
        served.send(&bare).await.refused(400, "InvalidRequest");
        let wrong = get(&T2).with(range.as_slice());
        let reply = served.send(&wrong).await;
        reply.refused(403, "AccessDenied");
        assert_eq!(
            reply.element("Message").unwrap(),
            "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
        );
        assert_eq!(reply.header(MD5), None);
        assert_eq!(reply.header("etag"), None);
    }
    let bare = served.send(&head(&[])).await;
    bare.is(400);
    assert!(bare.body.is_empty());
    assert_eq!(bare.header("etag"), None);
    served.send(&head(&T2)).await.is(403);
    let forged = [(ALGORITHM, "AES256"), (KEY, K2), (MD5, M1)];
    served
        .send(&get(&forged))
        .await
        .refused(400, "InvalidArgument");
    served
        .send(&get(&[(ALGORITHM, "AES256"), (MD5, M1)]))
        .await
        .refused(400, "InvalidArgument");
    let swapped = [(ALGORITHM, "AES256"), (KEY, K1), (MD5, M2)];
    served
        .send(&get(&swapped))
        .await
        .refused(400, "InvalidArgument");
    assert_eq!(served.send(&get(&T1)).await.is(200).body, TEXT);
}

#[tokio::test]
async fn an_empty_object_has_a_key_too() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&T1).body(b"")).await.is(200);
    served.send(&get(&[])).await.refused(400, "InvalidRequest");
    served.send(&get(&T2)).await.refused(403, "AccessDenied");
    served.send(&head(&T2)).await.is(403);
    let read = served.send(&get(&T1)).await;
    assert_eq!(read.is(200).header("content-length"), Some("0"));
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    let served = Served::start(Dialect::Aws).await;
    let incomplete = [(KEY, K1), (MD5, M1)];
    served
        .send(&put(&incomplete))
        .await
        .refused(400, "InvalidArgument");
    served.send(&get(&[])).await.refused(404, "NoSuchKey");
    served.send(&put(&T1)).await.is(200);
    served
        .send(&put(&incomplete))
        .await
        .refused(400, "InvalidArgument");
    let mixed = put(&T1).with(&[(MANAGED, "AES256")]);
    let refused = served.send(&mixed).await;
    refused.refused(400, "InvalidArgument");
    assert_eq!(refused.element("ArgumentName").as_deref(), Some(MANAGED));
    assert_eq!(refused.element("ArgumentValue").as_deref(), Some("AES256"));
    let digest = put(&T1)
        .with(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")])
        .body(b"other");
    served.send(&digest).await.refused(400, "BadDigest");
    assert_eq!(served.send(&get(&T1)).await.is(200).body, TEXT);
    assert!(!refused.text().contains(K1));
}

#[tokio::test]
async fn an_overwrite_needs_no_old_key() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(&T1)).await.is(200);
    served.send(&put(&T2).body(b"second")).await.is(200);
    served.send(&get(&T1)).await.refused(403, "AccessDenied");
    assert_eq!(served.send(&get(&T2)).await.is(200).body, b"second");
    served.send(&put(&[]).body(b"third")).await.is(200);
    assert_eq!(served.send(&get(&[])).await.is(200).body, b"third");
}

#[tokio::test]
async fn signatures_must_cover_the_triple() {
    let served = Served::start(Dialect::Aws).await;
    let lower = [
        ALGORITHM,
        KEY,
        "x-amz-server-side-encryption-customer-key-md5",
    ];
    for ask in [put(&T1), put(&T1).presigned()] {
        let refused = served.send(&ask.clone().cover(&[])).await;
        refused.refused(403, "AccessDenied");
        assert_eq!(
            refused.element("HeadersNotSigned").unwrap(),
            lower.join(", ")
        );
        served.send(&ask.cover(&lower)).await.is(200);
    }
    served
        .send(&get(&T1).presigned().cover(&lower[..1]))
        .await
        .is(200);
    served
        .send(&head(&T1).presigned().cover(&lower[..1]))
        .await
        .is(200);
    served
        .send(&get(&T1).cover(&lower[..1]))
        .await
        .refused(403, "AccessDenied");
    served
        .send(&get(&[]).presigned())
        .await
        .refused(400, "InvalidRequest");
    let in_query = put(&[]).presigned().query(&T1);
    served.send(&in_query).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn a_customer_key_needs_tls() {
    let served = Served::start_with(Dialect::Aws, |config| {
        config.listeners = Listeners::Tls {
            certificate: CertificateSource::LocalAuthority { names: Vec::new() },
            also_http: Some("127.0.0.1:0".parse().unwrap()),
        };
    })
    .await;
    served.send_plain(&put(&[])).await.is(200);
    let spoofed = put(&T1).with(&[("x-forwarded-proto", "https")]);
    for ask in [
        put(&T1),
        get(&T1),
        head(&T1),
        spoofed,
        put(&[(ALGORITHM, "AES256")]),
    ] {
        let reply = served.send_plain(&ask).await;
        reply.is(400);
        if ask.method != "HEAD" {
            reply.refused(400, "InvalidRequest");
            assert!(
                reply
                    .text()
                    .contains("must be made over a secure connection.")
            );
        }
    }
    served.send(&put(&T1)).await.is(200);
}

#[tokio::test]
async fn a_bucket_that_blocks_ssec() {
    let served = Served::start_with(Dialect::Aws, |config| config.block_ssec = true).await;
    let refused = served.send(&put(&T1)).await;
    refused.refused(403, "AccessDenied");
    assert!(
        refused
            .text()
            .contains("because this bucket has blocked upload requests")
    );
    served.send(&put(&[])).await.is(200);
}

#[tokio::test]
async fn the_guide_works_against_ovh() {
    let served = Served::start(Dialect::Ovh).await;
    // The contract's appendix B: the key 00..1f and what the guide makes of its MD5.
    let guide = [
        (ALGORITHM, "AES256"),
        (KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        (MD5, "MDk3MjE1YWIyODYyYTFiYWUwNmEwOTU5OWE3YjM5ZDQK"),
    ];
    let stored = served.send(&put(&guide).body(b"test_data")).await;
    // MD5 of `test_data`, from the contract's appendix C.
    let md5 = "\"6af8307c2460f2d208ad254f04be4b0d\"";
    assert_eq!(stored.is(200).header("etag"), Some(md5));
    assert_eq!(stored.header(MD5), None);
    assert_eq!(served.send(&get(&guide)).await.is(200).body, b"test_data");
    let described = served.send(&head(&guide)).await;
    assert_eq!(described.is(200).header("etag"), Some(md5));
    assert_eq!(described.header(ALGORITHM), None);
    let version = described.header("x-amz-version-id").unwrap();
    assert!(
        version.len() == 16 && version.bytes().all(|b| b.is_ascii_digit()),
        "{version}"
    );
    served.send(&get(&[])).await.refused(400, "BadRequest");
    served.send(&head(&[])).await.is(400);
    served.send(&get(&T1)).await.refused(403, "AccessDenied");
    served
        .send(&put(&[(ALGORITHM, "AES256")]))
        .await
        .refused(400, "BadRequest");
    served.send(&Ask::new("DELETE", PATH)).await.is(204);
    let plain = served.send(&put(&[])).await;
    assert_eq!(plain.is(200).header(MANAGED), None);
    assert_eq!(served.send(&get(&T1)).await.is(200).body, TEXT);

    let strict = Served::start(Dialect::Aws).await;
    let refused = strict.send(&put(&guide)).await;
    refused.refused(400, "InvalidArgument");
    assert!(refused.text().contains("decodes to 33 bytes"));
}
