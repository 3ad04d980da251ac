//! Bodies: what is stored only when it is whole, in each framing, beside each way to spoil it.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::AsyncWriteExt;

use super::raw_client::{Answer, EMPTY_SHA256, Request, Scope, TestServer, now};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

fn sha256(data: &[u8]) -> String {
    hex::encode(digest(&SHA256, data))
}

/// Sends, and says whether exactly these bodies came to be stored.
#[track_caller]
fn nothing_stored(server: &TestServer) {
    assert!(server.seen.bodies().is_empty(), "something was stored");
}

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
async fn another_hash_is_refused() {
    let server = TestServer::plain().await;
    let request = Request::put("/b/a", b"hello").signed(&sha256(b"other"));
    server
        .send(&request)
        .await
        .refused(400, "XAmzContentSHA256Mismatch");
    nothing_stored(&server);
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
    nothing_stored(&server);
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
    nothing_stored(&server);
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
    nothing_stored(&server);
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
    nothing_stored(&server);
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = TestServer::plain().await;
    let request = Request::put("/b/early", &vec![b'a'; 4 * 1024 * 1024]).signed(UNSIGNED);
    let answer = server.send(&request).await;
    answer.refused(412, "PreconditionFailed");
    assert_eq!(answer.header("connection"), Some("close"));
}

// ---- aws-chunked ----

/// A PUT of an aws-chunked body, inside `Content-Length` or HTTP's own chunks.
fn aws_chunked(hash: &str, length: usize, framed: &[u8], in_chunks: bool) -> Request {
    let request = Request::new("PUT", "/b/a")
        .header("Content-Encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &length.to_string());
    let request = if in_chunks {
        let mut body = Vec::new();
        for piece in framed.chunks(1000) {
            body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            body.extend_from_slice(piece);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        request.header("Transfer-Encoding", "chunked").body(&body)
    } else {
        request
            .header("Content-Length", &framed.len().to_string())
            .body(framed)
    };
    if hash.ends_with("TRAILER") {
        request.header("x-amz-trailer", "x-amz-checksum-crc32")
    } else {
        request
    }
}

async fn send_hello(server: &TestServer, framed: &[u8]) -> Answer {
    server
        .send(&aws_chunked(TRAILER, 5, framed, false).signed(TRAILER))
        .await
}

const GOOD: &[u8] = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

#[tokio::test]
async fn unsigned_chunks_with_a_trailer_are_stored() {
    let server = TestServer::plain().await;
    for in_chunks in [false, true] {
        let answer = server
            .send(&aws_chunked(TRAILER, 5, GOOD, in_chunks).signed(TRAILER))
            .await;
        answer.served();
        assert_eq!(answer.body, b"hello");
    }
}

#[tokio::test]
async fn a_wrong_trailer_is_refused() {
    let server = TestServer::plain().await;
    let trailer = |line: &str| format!("5\r\nhello\r\n0\r\n{line}\r\n").into_bytes();
    let wrong = trailer("x-amz-checksum-crc32:NhCmhw==\r\n");
    send_hello(&server, &wrong).await.refused(400, "BadDigest");
    let other = trailer("x-amz-checksum-crc32c:NhCmhg==\r\n");
    send_hello(&server, &other)
        .await
        .refused(400, "MalformedTrailerError");
    send_hello(&server, &trailer(""))
        .await
        .refused(400, "MalformedTrailerError");
    nothing_stored(&server);
    send_hello(&server, GOOD).await.served();
}

#[tokio::test]
async fn a_missing_final_chunk_is_refused() {
    let server = TestServer::plain().await;
    send_hello(&server, b"5\r\nhello\r\n")
        .await
        .refused(400, "IncompleteBody");
    send_hello(&server, b"5\r\nhello\r\n0\r\n")
        .await
        .refused(400, "IncompleteBody");
    nothing_stored(&server);
}

#[tokio::test]
async fn a_wrong_decoded_length_is_refused() {
    let server = TestServer::plain().await;
    for length in [4, 6, 0] {
        let request = aws_chunked(TRAILER, length, GOOD, false).signed(TRAILER);
        server.send(&request).await.refused(400, "IncompleteBody");
    }
    let mut without = aws_chunked(TRAILER, 5, GOOD, false);
    without
        .headers
        .retain(|(name, _)| name != "x-amz-decoded-content-length");
    server
        .send(&without.signed(TRAILER))
        .await
        .refused(411, "MissingContentLength");
    nothing_stored(&server);
}

#[tokio::test]
async fn bad_framing_is_refused() {
    let server = TestServer::plain().await;
    for framed in [
        &b"hello"[..],
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
    ] {
        let answer = send_hello(&server, framed).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    nothing_stored(&server);
}

#[tokio::test]
async fn small_chunks_in_the_middle_are_refused() {
    let server = TestServer::plain().await;
    let framed = b"2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let answer = send_hello(&server, framed).await;
    answer.refused(403, "InvalidChunkSizeError");
    assert_eq!(answer.element("BadChunkSize").as_deref(), Some("2"));
}

/// Signs chunks one after the other, starting from the signature of the request.
struct Chunks {
    scope: Scope,
    previous: String,
    framed: Vec<u8>,
}

impl Chunks {
    fn push(&mut self, data: &[u8], corrupt: bool) {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY_SHA256}\n{}",
            self.scope.date,
            self.scope.text(),
            self.previous,
            sha256(data),
        );
        self.previous = self.scope.sign(&text);
        let line = format!("{:x};chunk-signature={}\r\n", data.len(), self.previous);
        self.framed.extend_from_slice(line.as_bytes());
        self.framed.extend_from_slice(data);
        if corrupt {
            *self.framed.last_mut().unwrap() ^= 1;
        }
        if !data.is_empty() {
            self.framed.extend_from_slice(b"\r\n");
        }
    }

    fn trailer(&mut self, line: &str) {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.scope.date,
            self.scope.text(),
            self.previous,
            sha256(format!("{line}\n").as_bytes()),
        );
        let signature = self.scope.sign(&text);
        let lines = format!("{line}\r\nx-amz-trailer-signature:{signature}\r\n");
        self.framed.extend_from_slice(lines.as_bytes());
    }
}

async fn send_signed(
    server: &TestServer,
    data: &[u8],
    hash: &str,
    fill: impl Fn(&mut Chunks),
) -> Answer {
    let scope = Scope::at(now());
    // Without a Content-Length the head does not depend on the chunks, whose signatures need it.
    let head = aws_chunked(hash, data.len(), b"", true).signed_in(hash, &scope);
    let authorization = &head.headers.last().unwrap().1;
    let seed = authorization.split("Signature=").nth(1).unwrap().to_owned();
    let mut chunks = Chunks {
        scope,
        previous: seed,
        framed: Vec::new(),
    };
    fill(&mut chunks);
    chunks.framed.extend_from_slice(b"\r\n");
    let body = aws_chunked(hash, data.len(), &chunks.framed, true).body;
    server.send(&head.body(&body)).await
}

#[tokio::test]
async fn signed_chunks_are_stored() {
    let server = TestServer::plain().await;
    let data = vec![b'a'; 66560];
    let answer = send_signed(&server, &data, SIGNED, |chunks| {
        chunks.push(&data[..65536], false);
        chunks.push(&data[65536..], false);
        chunks.push(b"", false);
    })
    .await;
    answer.served();
    assert_eq!(server.seen.bodies(), [data]);
}

#[tokio::test]
async fn a_signed_chunk_that_was_altered_or_left_out_is_refused() {
    let server = TestServer::plain().await;
    let data = vec![b'a'; 20000];
    send_signed(&server, &data, SIGNED, |chunks| {
        chunks.push(&data[..10000], true);
        chunks.push(&data[10000..], false);
        chunks.push(b"", false);
    })
    .await
    .refused(403, "SignatureDoesNotMatch");
    send_signed(&server, &data[..10000], SIGNED, |chunks| {
        let start = chunks.framed.len();
        chunks.push(&data[..10000], false);
        chunks.framed.truncate(start);
        chunks.push(&data[10000..], false);
        chunks.push(b"", false);
    })
    .await
    .refused(403, "SignatureDoesNotMatch");
    nothing_stored(&server);
}

#[tokio::test]
async fn signed_trailers_are_verified() {
    let server = TestServer::plain().await;
    let right = "x-amz-checksum-crc32:NhCmhg==";
    let wrong = "x-amz-checksum-crc32:NhCmhw==";
    for (line, forged, code) in [
        (right, None, None),
        (wrong, None, Some((400, "BadDigest"))),
        (wrong, Some(right), Some((403, "SignatureDoesNotMatch"))),
    ] {
        let answer = send_signed(&server, b"hello", SIGNED_TRAILER, |chunks| {
            chunks.push(b"hello", false);
            chunks.push(b"", false);
            chunks.trailer(line);
            if let Some(forged) = forged {
                let text = String::from_utf8(chunks.framed.clone()).unwrap();
                chunks.framed = text.replace(line, forged).into_bytes();
            }
        })
        .await;
        match code {
            None => answer.served(),
            Some((status, code)) => answer.refused(status, code),
        }
    }
    assert_eq!(server.seen.bodies(), [b"hello"]);
}
