//! Bodies: what is stored only when it is whole, in each framing, beside each way to spoil it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::probe::TestServer;
use super::signed_request::{EMPTY_SHA256, Request, sha256};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

#[tokio::test]
async fn a_body_with_its_hash_is_stored() {
    let server = TestServer::plain().await;
    let answer = server
        .send(&Request::put("/b/a", b"hello").signed(&sha256(b"hello")))
        .await;
    answer.served();
    assert_eq!(answer.body, b"hello");
    server
        .send(&Request::put("/b/a", b"").signed(EMPTY_SHA256))
        .await
        .served();
    server
        .send(&Request::put("/b/a", b"hello").signed(UNSIGNED))
        .await
        .served();
    assert_eq!(server.seen.bodies(), [&b"hello"[..], b"", b"hello"]);
}

#[tokio::test]
async fn a_request_without_a_body_has_the_hash_of_nothing() {
    let server = TestServer::plain().await;
    let get = |hash: &str| Request::new("GET", "/b/early").signed(hash);
    server
        .send(&get(&sha256(b"other")))
        .await
        .refused(400, "XAmzContentSHA256Mismatch");
    server
        .send(&get(EMPTY_SHA256))
        .await
        .refused(412, "PreconditionFailed");
    server
        .send(&get(UNSIGNED))
        .await
        .refused(412, "PreconditionFailed");
}

#[tokio::test]
async fn another_hash_is_refused() {
    let server = TestServer::plain().await;
    let request = Request::put("/b/a", b"hello").signed(&sha256(b"other"));
    server
        .send(&request)
        .await
        .refused(400, "XAmzContentSHA256Mismatch");
    server.stored_nothing();
}

// MD5 and checksums of `hello`, from md5sum, cksum's tables and sha256sum; CRC-32 is 0x3610a686.
#[tokio::test]
async fn declared_digests_are_compared() {
    let server = TestServer::plain().await;
    for (name, right, wrong, code) in [
        (
            "Content-MD5",
            "XUFAKrxLKna5cZ2REBfFkg==",
            "1B2M2Y8AsgTpgAmY7PhCfg==",
            "BadDigest",
        ),
        (
            "Content-MD5",
            "XUFAKrxLKna5cZ2REBfFkg==",
            "not base64",
            "InvalidDigest",
        ),
        ("x-amz-checksum-crc32", "NhCmhg==", "NhCmhw==", "BadDigest"),
        ("x-amz-checksum-crc32", "NhCmhg==", "NhCm", "InvalidRequest"),
        (
            "x-amz-checksum-sha256",
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "BadDigest",
        ),
        (
            "x-amz-checksum-sha1",
            "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "BadDigest",
        ),
    ] {
        let request = Request::put("/b/a", b"hello")
            .header(name, right)
            .signed(UNSIGNED);
        server.send(&request).await.served();
        let stored = server.seen.bodies().len();
        let request = Request::put("/b/a", b"hello")
            .header(name, wrong)
            .signed(UNSIGNED);
        server.send(&request).await.refused(400, code);
        assert_eq!(server.seen.bodies().len(), stored, "{name}: {wrong}");
    }
}

#[tokio::test]
async fn a_checksum_in_the_query_is_ignored() {
    // The JavaScript SDK puts the checksum of an empty body there when it presigns.
    let server = TestServer::plain().await;
    let request = Request::put("/b/a?x-amz-checksum-crc32=AAAAAA%3D%3D", b"hello");
    server
        .send(&request.presigned("60", &["host"]))
        .await
        .served();
}

#[tokio::test]
async fn a_length_is_needed() {
    let server = TestServer::plain().await;
    let chunked = |target: &str| {
        Request::new("PUT", target)
            .header("Transfer-Encoding", "chunked")
            .body(b"5\r\nhello\r\n0\r\n\r\n")
            .signed(UNSIGNED)
    };
    server
        .send(&chunked("/b/a"))
        .await
        .refused(411, "MissingContentLength");
    server.stored_nothing();
    server.send(&chunked("/b/length-unknown")).await.served();
}

#[tokio::test]
async fn more_than_five_gibibytes_are_refused_unread() {
    let server = TestServer::plain().await;
    let huge = Request::new("PUT", "/b/a")
        .header("Content-Length", "5368709121")
        .signed(UNSIGNED);
    let answer = server.send(&huge).await;
    answer.refused(400, "EntityTooLarge");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_not_stored() {
    let server = TestServer::plain().await;
    let request = Request::new("PUT", "/b/a")
        .header("Content-Length", "10")
        .signed(UNSIGNED);
    let mut connection = server.connect().await;
    connection.write(&request.head()).await;
    connection.write(b"hello").await;
    connection.stream.shutdown().await.unwrap();
    connection
        .answer(false)
        .await
        .refused(400, "IncompleteBody");
    drop(server.connect().await);
    server.stored_nothing();
}

#[tokio::test]
async fn a_connection_that_dies_leaves_nothing_and_the_server_goes_on() {
    let server = TestServer::plain().await;
    let request = Request::new("PUT", "/b/a")
        .header("Content-Length", "1000000")
        .signed(UNSIGNED);
    let mut connection = server.connect().await;
    connection.write(&request.head()).await;
    connection.write(&[b'a'; 5000]).await;
    drop(connection);
    server
        .send(&Request::put("/b/a", b"next").signed(UNSIGNED))
        .await
        .served();
    assert_eq!(server.seen.bodies(), [b"next"]);
}

#[tokio::test]
async fn what_follows_a_body_is_the_next_request() {
    let server = TestServer::plain().await;
    let mut first = Request::put("/b/a", b"hello").signed(UNSIGNED);
    first.body = b"hello and more".to_vec();
    let mut connection = server.connect().await;
    connection.exchange(&first).await.served();
    assert_eq!(connection.answer(false).await.status, 400);
    assert_eq!(server.seen.bodies(), [b"hello"]);
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let server = TestServer::with(|config| {
        config.listeners = reference_server::config::Listeners::PlainHttp;
        config.limits.body_stall_timeout = Duration::from_millis(50);
    })
    .await;
    let request = Request::new("PUT", "/b/a")
        .header("Content-Length", "10")
        .signed(UNSIGNED);
    let mut connection = server.connect().await;
    connection.write(&request.head()).await;
    connection.write(b"hello").await;
    let answer = connection.answer(false).await;
    answer.refused(400, "RequestTimeout");
    assert!(connection.is_closed().await);
    server.stored_nothing();
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let server = TestServer::with(|config| {
        config.listeners = reference_server::config::Listeners::PlainHttp;
        config.limits.rate_grace = Duration::from_millis(20);
    })
    .await;
    let request = Request::new("PUT", "/b/a")
        .header("Content-Length", "1000000")
        .signed(UNSIGNED);
    let mut connection = server.connect().await;
    connection.write(&request.head()).await;
    let (mut read, mut write) = connection.stream.into_split();
    // Each byte comes in time, and all of them would take for ever.
    let trickle = async {
        loop {
            let _ = write.write_all(b"a").await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut answer = Vec::new();
    let answered = async {
        let reading = read.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(30), reading).await;
    };
    tokio::select! {
        () = answered => {}
        () = trickle => {}
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("<Code>RequestTimeout</Code>"), "{answer}");
    server.stored_nothing();
    // The same server waits gladly for whoever sends.
    let body = vec![b'a'; 1_000_000];
    server
        .send(&Request::put("/b/a", &body).signed(UNSIGNED))
        .await
        .served();
}

// ---- 100-continue ----

fn expecting(target: &str, spelling: &str) -> Request {
    Request::new("PUT", target)
        .header("Content-Length", "5")
        .header("Expect", spelling)
        .signed(UNSIGNED)
}

#[tokio::test]
async fn the_body_is_asked_for_when_it_is_wanted() {
    let server = TestServer::plain().await;
    for spelling in ["100-continue", "100-Continue"] {
        let mut connection = server.connect().await;
        connection.write(&expecting("/b/a", spelling).head()).await;
        assert_eq!(connection.interim().await, 100);
        connection.write(b"hello").await;
        connection.answer(false).await.served();
    }
}

#[tokio::test]
async fn the_body_is_not_asked_for_when_it_is_refused() {
    let server = TestServer::plain().await;
    let unsigned = Request::new("PUT", "/b/a")
        .header("Content-Length", "5")
        .header("Expect", "100-continue");
    for (request, status) in [
        (unsigned, 403),
        (expecting("/b/early", "100-continue"), 412),
    ] {
        let mut connection = server.connect().await;
        connection.write(&request.head()).await;
        let answer = connection.answer(false).await;
        assert_eq!((answer.status, answer.interim.len()), (status, 0));
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(connection.is_closed().await);
    }
    server.stored_nothing();
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = TestServer::plain().await;
    let request = Request::put("/b/early", &vec![b'a'; 4 * 1024 * 1024]).signed(UNSIGNED);
    let answer = server.send(&request).await;
    answer.refused(412, "PreconditionFailed");
    assert_eq!(answer.header("connection"), Some("close"));
}
