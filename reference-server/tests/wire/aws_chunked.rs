//! aws-chunked bodies, unsigned and signed, in both framings of HTTP.

use super::probe::TestServer;
use super::raw_client::Answer;
use super::signed_request::{EMPTY_SHA256, Request, Scope, now, sha256};

const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

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
    server.stored_nothing();
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
    server.stored_nothing();
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
    server.stored_nothing();
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
    server.stored_nothing();
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
    server.stored_nothing();
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

#[tokio::test]
async fn signed_chunks_inside_a_content_length() {
    let server = TestServer::plain().await;
    let data = vec![b'a'; 20_000];
    // The length of the framing is known before any signature is.
    let chunk = |size: usize| format!("{size:x};chunk-signature=").len() + 64 + 2 + size + 2;
    for (last, code) in [(true, None), (false, Some("IncompleteBody"))] {
        let length = 2 * chunk(10_000) + if last { chunk(0) } else { 0 };
        let scope = Scope::at(now());
        let head = aws_chunked(SIGNED, data.len(), &vec![0; length], false);
        let head = head.signed_in(SIGNED, &scope);
        let authorization = &head.headers.last().unwrap().1;
        let seed = authorization.split("Signature=").nth(1).unwrap().to_owned();
        let mut chunks = Chunks {
            scope,
            previous: seed,
            framed: Vec::new(),
        };
        chunks.push(&data[..10_000], false);
        chunks.push(&data[10_000..], false);
        if last {
            chunks.push(b"", false);
            chunks.framed.extend_from_slice(b"\r\n");
        }
        assert_eq!(chunks.framed.len(), length);
        let answer = server.send(&head.body(&chunks.framed)).await;
        match code {
            None => answer.served(),
            Some(code) => answer.refused(400, code),
        }
    }
    assert_eq!(server.seen.bodies(), [data]);
}
