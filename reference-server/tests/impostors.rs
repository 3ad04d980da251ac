//! Each impostor leaves the ordinary round trip alone, and one request shows its lie; the honest
//! server answers the same request otherwise.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

mod client;

use client::{ALGORITHM, Ask, K1, K2, KEY, M1, M2, MANAGED, MD5, Pair, Reply, Served, T1, T2};
use reference_server::config::{CertificateSource, Listeners};
use reference_server::impostor;
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/object";
const TEXT: &[u8] = b"a text that is long enough to be found again on a disk";

fn put<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", PATH).with(headers).body(TEXT)
}

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", PATH).with(headers)
}

fn head<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("HEAD", PATH).with(headers)
}

/// Put, get and head with the whole right triple.
async fn round_trip(served: &Served) {
    served.send(&put(&T1)).await.is(200);
    assert_eq!(served.send(&get(&T1)).await.is(200).body, TEXT);
    served.send(&head(&T1)).await.is(200);
}

/// Sends a request to an impostor and to an honest server, after `before` to each. Returns the
/// answers, the lie first.
async fn both(name: &str, before: &[Ask<'_>], ask: &Ask<'_>) -> (Reply, Reply) {
    let lying = Served::impostor(name).await;
    let honest = Served::start(Dialect::Aws).await;
    round_trip(&lying).await;
    let mut replies = Vec::new();
    for served in [&lying, &honest] {
        for ask in before {
            served.send(ask).await.is(200);
        }
        replies.push(served.send(ask).await);
    }
    let honest = replies.pop().unwrap();
    (replies.pop().unwrap(), honest)
}

/// The statuses of the lie and of the honest answer.
async fn check(name: &str, before: &[Ask<'_>], ask: Ask<'_>, lie: u16, honest: u16) {
    let replies = both(name, before, &ask).await;
    assert_eq!(
        (replies.0.status, replies.1.status),
        (lie, honest),
        "{name}"
    );
}

#[tokio::test]
async fn every_impostor_keeps_the_round_trip() {
    for impostor in impostor::ALL {
        let served = Served::impostor(impostor.name).await;
        round_trip(&served).await;
        let plain = Ask::new("PUT", "/bucket/plain").body(TEXT);
        served.send(&plain).await.is(200);
        assert_eq!(
            served
                .send(&Ask::new("GET", "/bucket/plain"))
                .await
                .is(200)
                .body,
            TEXT
        );
    }
}

#[tokio::test]
async fn lies_about_what_was_asked() {
    check("store-plaintext", &[put(&T1)], get(&[]), 200, 400).await;
    check(
        "partial-triple",
        &[],
        put(&[(KEY, K1), (MD5, M1)]),
        200,
        400,
    )
    .await;
    check(
        "md5-not-compared",
        &[],
        put(&[(ALGORITHM, "AES256"), (KEY, K1), (MD5, M2)]),
        200,
        400,
    )
    .await;
    // 16 bytes 00..0f with their MD5.
    let short = [
        (ALGORITHM, "AES256"),
        (KEY, "AAECAwQFBgcICQoLDA0ODw=="),
        (MD5, "GsHvAelsrxvg0ykzGk/CqA=="),
    ];
    check("short-key-accepted", &[], put(&short), 200, 400).await;
    check(
        "two-methods",
        &[],
        put(&T1).with(&[(MANAGED, "AES256")]),
        200,
        400,
    )
    .await;
    check(
        "managed-on-read-accepted",
        &[put(&T1)],
        get(&T1).with(&[(MANAGED, "AES256")]),
        200,
        400,
    )
    .await;
    check(
        "unsigned-headers",
        &[],
        put(&T1).presigned().cover(&[]),
        200,
        403,
    )
    .await;
    let md5_only = get(&[(MD5, M1)]);
    check("md5-is-password", &[put(&T1)], md5_only, 200, 400).await;
    let forged = get(&[(ALGORITHM, "AES256"), (KEY, K2), (MD5, M1)]);
    check("md5-is-password", &[put(&T1)], forged, 200, 400).await;
}

#[tokio::test]
async fn lies_about_the_right_key() {
    check("head-any-key", &[put(&T1)], head(&T2), 200, 403).await;
    check("head-any-key", &[put(&T1)], get(&T2), 403, 403).await;
    check("head-needs-no-key", &[put(&T1)], head(&[]), 200, 400).await;
    let empty = put(&T1).body(b"");
    check(
        "zero-byte-any-key",
        std::slice::from_ref(&empty),
        get(&T2),
        200,
        403,
    )
    .await;
    check("zero-byte-any-key", &[put(&T1)], get(&T2), 403, 403).await;
    check("key-ignored-on-plain", &[put(&[])], get(&T1), 200, 400).await;
    check("wrong-key-status-500", &[put(&T1)], get(&T2), 500, 403).await;
    check(
        "key-demanded-on-delete",
        &[put(&T1)],
        Ask::new("DELETE", PATH),
        400,
        204,
    )
    .await;
    let (lie, honest) = both("false-echo", &[put(&[])], &get(&T1)).await;
    assert_eq!(lie.is(200).header(MD5), Some(M1));
    honest.is(400);
}

#[tokio::test]
async fn lies_of_a_careless_reader_of_headers() {
    let doubled = put(&T1).with(&[(KEY, K2)]);
    check("first-of-two", &[], doubled, 200, 400).await;
    let empty = put(&[(ALGORITHM, ""), (KEY, ""), (MD5, "")]);
    check("empty-is-absent", &[], empty, 200, 400).await;
    let other = put(&[(ALGORITHM, "AES128"), (KEY, K1), (MD5, M1)]);
    check("any-algorithm", &[], other, 200, 400).await;
    let without = put(&[(ALGORITHM, "AES256"), (KEY, K1)]);
    check("md5-optional", &[], without, 200, 400).await;
    let range = get(&T1).with(&[("range", "bytes=5-9")]);
    check("range-ignored", &[put(&T1)], range, 200, 206).await;
    let condition = get(&T1).with(&[("if-match", "\"another\"")]);
    check("conditions-ignored", &[put(&T1)], condition, 200, 412).await;
    let described = put(&T1).with(&[("x-amz-meta-a", "b")]);
    let (lie, honest) = both("metadata-lost", &[described], &head(&T1)).await;
    let metadata = |reply: &Reply| reply.header("x-amz-meta-a").map(str::to_owned);
    assert_eq!(
        (metadata(&lie), metadata(&honest)),
        (None, Some("b".into()))
    );
}

#[tokio::test]
async fn lies_in_refusals() {
    check("wrong-key-status-404", &[put(&T1)], get(&T2), 404, 403).await;
    let (lie, honest) = both("refusal-echo", &[put(&T1)], &get(&T2)).await;
    let shown = "x-amz-refused-key";
    assert_eq!((lie.header(shown), honest.header(shown)), (Some(K2), None));
    let (lie, honest) = both("echo-of-another", &[put(&T1)], &head(&T1)).await;
    assert_ne!(lie.header(MD5), Some(M1));
    assert_eq!(honest.header(MD5), Some(M1));
}

#[tokio::test]
async fn refusals_of_what_must_be_served() {
    let presigned = put(&[]).presigned();
    check("presigned-needs-key", &[], presigned, 403, 200).await;
    let missing = Ask::new("GET", "/bucket/missing");
    check("missing-needs-key", &[], missing, 400, 404).await;
    let missing = Ask::new("DELETE", "/bucket/missing");
    check("delete-again-404", &[], missing, 404, 204).await;
}

#[tokio::test]
async fn lies_about_lengths_and_places() {
    let range = get(&T1).with(&[("range", "bytes=5-9")]);
    let (lie, honest) = both("mid-record-offset", &[put(&T1)], &range).await;
    assert_eq!(lie.is(206).body, &TEXT[..5]);
    assert_eq!(honest.is(206).body, &TEXT[5..10]);
    let (lie, honest) = both("ciphertext-length", &[put(&T1)], &head(&T1)).await;
    assert_eq!(lie.header("content-length"), Some("70"));
    assert_eq!(honest.header("content-length"), Some("54"));
    let list = Ask::new("GET", "/bucket").query(&[("list-type", "2")]);
    let (lie, honest) = both("ciphertext-length-in-list", &[put(&T1)], &list).await;
    assert_eq!(lie.element("Size").as_deref(), Some("70"));
    assert_eq!(honest.element("Size").as_deref(), Some("54"));
}

#[tokio::test]
async fn a_lie_about_the_framing_of_a_body() {
    // The signatures are wrong, and whoever takes the framing for bytes does not look at them.
    let (text, signature) = (String::from_utf8_lossy(TEXT), "0".repeat(64));
    let (length, framed_length) = (TEXT.len().to_string(), TEXT.len());
    let framed = format!(
        "{framed_length:x};chunk-signature={signature}\r\n{text}\r\n0;chunk-signature={signature}\r\n\r\n"
    );
    let in_chunks = |ask: Ask<'static>| {
        ask.with(&[("content-encoding", "aws-chunked")])
            .payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    };
    let declared = [("x-amz-decoded-content-length", length.as_str())];
    let sealed = || in_chunks(put(&T1)).with(&declared).body(framed.as_bytes());
    let plain = in_chunks(put(&[])).with(&declared).body(framed.as_bytes());
    check("chunk-framing-stored", &[], sealed(), 200, 403).await;
    check("chunk-framing-stored", &[], plain, 403, 403).await;
    let lying = Served::impostor("chunk-framing-stored").await;
    lying.send(&sealed()).await.is(200);
    let kept = lying.send(&get(&T1)).await;
    assert_eq!(kept.is(200).body, framed.as_bytes());
}

#[tokio::test]
async fn lies_about_versions() {
    let of = |ask: Ask<'static>, id| ask.query(&[("versionId", id)]);
    const NONE: &str = "0123456789abcdef0123456789abcdef";
    let stored = [put(&T1)];
    check("version-ignored", &stored, of(get(&T1), NONE), 200, 404).await;
    check("version-any-key", &stored, of(head(&T2), "null"), 200, 403).await;
    check("version-any-key", &stored, head(&T2), 403, 403).await;
    let delete = of(Ask::new("DELETE", PATH), "null");
    check("version-delete-needs-key", &stored, delete, 403, 204).await;
    let source = format!("/bucket/object?versionId={NONE}");
    let copy = Ask::new("PUT", "/bucket/copy").with(&[("x-amz-copy-source", source.as_str())]);
    check("source-version-ignored", &[put(&[])], copy, 200, 404).await;
    let list = Ask::new("GET", "/bucket").query(&[("versions", "")]);
    let (lie, honest) = both("ciphertext-length-in-versions", &stored, &list).await;
    assert_eq!(lie.element("Size").as_deref(), Some("70"));
    assert_eq!(honest.element("Size").as_deref(), Some("54"));
}

#[tokio::test]
async fn lies_about_attributes_tags_and_batches() {
    let about = |method, what| Ask::new(method, PATH).query(&[(what, "")]);
    let attributes = about("GET", "attributes").with(&[("x-amz-object-attributes", "ObjectSize")]);
    let stored = [put(&T1)];
    check("attributes-unproved", &stored, attributes, 200, 400).await;
    check("tags-need-key", &stored, about("GET", "tagging"), 403, 200).await;
    let batch = Ask::new("POST", "/bucket")
        .query(&[("delete", "")])
        .body(b"<Delete><Object><Key>object</Key></Object></Delete>");
    check("batch-needs-key", &stored, batch, 403, 200).await;
    let part = get(&T1).query(&[("partNumber", "2")]);
    check("part-number-ignored", &stored, part, 200, 416).await;
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    let (lie, honest) = both("checksum-of-another", &stored, &head(&T1).with(&mode)).await;
    let shown = |reply: &Reply| reply.header("x-amz-checksum-crc64nvme").map(str::to_owned);
    assert!(shown(&honest).is_some());
    assert_ne!(shown(&lie), shown(&honest));
}

#[tokio::test]
async fn lies_about_blocked_buckets() {
    let block = Ask::new("PUT", "/bucket")
        .query(&[("encryption", "")])
        .body(
            b"<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes>\
          <EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>\
          </ServerSideEncryptionConfiguration>",
        );
    let blocked = [put(&T1), block];
    check("block-ignored", &blocked, put(&T2), 200, 403).await;
    check("block-stops-reads", &blocked, get(&T1), 403, 200).await;
}

#[tokio::test]
async fn lies_in_the_headers_of_answers() {
    let (lie, honest) = both("key-echo", &[put(&T1)], &get(&T1)).await;
    assert_eq!((lie.header(KEY), honest.header(KEY)), (Some(K1), None));
    let (lie, honest) = both("echo-missing", &[], &put(&T1)).await;
    assert_eq!((lie.header(MD5), honest.header(MD5)), (None, Some(M1)));
    let (lie, honest) = both("ssec-reported-as-managed", &[put(&T1)], &get(&T1)).await;
    assert_eq!(
        (lie.header(MANAGED), honest.header(MANAGED)),
        (Some("AES256"), None)
    );
    let lying = Served::impostor("etag-changes").await;
    let stored = lying.send(&put(&T1)).await;
    assert_ne!(
        stored.header("etag"),
        lying.send(&head(&T1)).await.header("etag")
    );
    assert_eq!(
        stored.header("etag"),
        lying.send(&get(&T1)).await.header("etag")
    );
}

#[tokio::test]
async fn a_lie_about_the_transport() {
    let lies = [(Some("plain-http"), 200), (None, 400)];
    for (name, expected) in lies {
        let served = Served::start_with(Dialect::Aws, |config| {
            config.impostor = name.map(str::to_owned);
            config.listeners = Listeners::Tls {
                certificate: CertificateSource::LocalAuthority { names: Vec::new() },
                also_http: Some("127.0.0.1:0".parse().unwrap()),
            };
        })
        .await;
        served.send_plain(&put(&T1)).await.is(expected);
        served.send_plain(&put(&[])).await.is(200);
    }
}

#[tokio::test]
async fn lies_on_the_disk() {
    let lies = [
        (Some("encrypt-skipped"), true, false),
        (Some("key-persisted"), false, true),
        (None, false, false),
    ];
    for (name, text_found, key_found) in lies {
        let change = |config: &mut reference_server::Config| {
            config.impostor = name.map(str::to_owned);
        };
        let served = Served::start_with(Dialect::Aws, change).await;
        round_trip(&served).await;
        let disk = client::disk(&served.server.data_dir);
        assert_eq!(client::holds(&disk, TEXT), text_found, "{name:?}");
        assert_eq!(client::holds(&disk, K1.as_bytes()), key_found, "{name:?}");
    }
}

#[tokio::test]
async fn an_unknown_impostor_does_not_start() {
    let directory = tempfile::TempDir::new().unwrap();
    let mut config = reference_server::Config::new(directory.path().join("data"));
    config.impostor = Some("nobody".to_owned());
    let error = reference_server::Server::start(config).await.err().unwrap();
    assert!(error.to_string().contains("there is no impostor `nobody`"));
}
