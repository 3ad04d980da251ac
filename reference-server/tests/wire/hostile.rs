//! Clients that mean harm: requests whose end two readers would see in two places, crowds that say
//! nothing, bodies that do not come. Each is refused or bounded, and others are served meanwhile.

use std::time::Duration;

use reference_server::config::Listeners;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::probe::TestServer;
use super::signed_request::{EMPTY_SHA256, Request};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// No answer takes longer, on a machine that is busy with all of it.
const PATIENCE: Duration = Duration::from_secs(60);

fn get() -> Request {
    Request::new("GET", "/bucket/a").signed(EMPTY_SHA256)
}

/// A signed PUT of `hello` as text, with what a test makes of it.
fn head(change: impl Fn(&str) -> String) -> Vec<u8> {
    let head = Request::put("/bucket/a", b"hello").signed(UNSIGNED).head();
    let head = String::from_utf8(head).unwrap();
    let changed = change(&head);
    assert_ne!(changed, head, "the change must change something");
    changed.into_bytes()
}

/// Everything that comes back until the server closes.
async fn all_of(server: &TestServer, bytes: &[u8]) -> String {
    let mut connection = server.connect().await;
    connection.write(bytes).await;
    let mut answers = Vec::new();
    let read = connection.stream.read_to_end(&mut answers);
    // A reset after the answer is an end too.
    let _ = timeout(PATIENCE, read).await.expect("the connection ends");
    String::from_utf8(answers).unwrap()
}

fn with(header: &'static str) -> impl Fn(&str) -> String {
    move |head| head.replacen("\r\n\r\n", &format!("\r\n{header}\r\n\r\n"), 1)
}

fn length(value: &'static str) -> impl Fn(&str) -> String {
    move |head| {
        let lines = head.split("\r\n").map(|line| {
            if line.to_ascii_lowercase().starts_with("content-length:") {
                format!("Content-Length: {value}")
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\r\n")
    }
}

/// What stands behind an ambiguous head, as the smuggler sees it.
enum Behind {
    /// A body of five bytes, and a request.
    Request,
    /// An empty body in chunks, and the same.
    Chunks,
}

/// Heads that two readers could take for messages of two lengths.
fn ambiguous() -> Vec<(&'static str, Vec<u8>, Behind)> {
    vec![
        (
            "two lengths",
            head(with("Content-Length: 6")),
            Behind::Request,
        ),
        ("a list of lengths", head(length("5, 6")), Behind::Request),
        ("a signed length", head(length("+5")), Behind::Request),
        ("a negative length", head(length("-1")), Behind::Request),
        (
            "a length in hexadecimal",
            head(length("0x5")),
            Behind::Request,
        ),
        (
            "a length of 2^64 + 5",
            head(length("18446744073709551621")),
            Behind::Request,
        ),
        (
            "a length and chunks",
            head(with("Transfer-Encoding: chunked")),
            Behind::Chunks,
        ),
        (
            "an unknown coding",
            head(with("Transfer-Encoding: xchunked")),
            Behind::Chunks,
        ),
        (
            "a coding behind chunks",
            head(with("Transfer-Encoding: chunked, identity")),
            Behind::Chunks,
        ),
        (
            "a name with a blank",
            head(with("Transfer-Encoding : chunked")),
            Behind::Chunks,
        ),
        (
            "a folded header",
            head(with("X-A: b\r\n Transfer-Encoding: chunked")),
            Behind::Chunks,
        ),
        (
            "a NUL in a header",
            head(with("X-A: b\0c")),
            Behind::Request,
        ),
        (
            "a carriage return alone",
            head(with("X-A: b\rTransfer-Encoding: chunked")),
            Behind::Chunks,
        ),
    ]
}

/// RFC 9112 section 6.3 and 11.2: a message whose length can be read in two ways is refused, and
/// nothing behind it on the connection is taken for a request.
#[tokio::test]
async fn a_request_that_could_end_in_two_places_smuggles_nothing() {
    let server = TestServer::plain().await;
    let smuggled = [
        &b"hello"[..],
        &Request::put("/bucket/smuggled", b"x")
            .signed(UNSIGNED)
            .head(),
        b"x",
    ]
    .concat();
    let chunked = [&b"0\r\n\r\n"[..], &smuggled].concat();
    let ambiguous = ambiguous();
    let tried = ambiguous.len();
    for (what, head, behind) in ambiguous {
        let body = match behind {
            Behind::Request => &smuggled,
            Behind::Chunks => &chunked,
        };
        let answers = all_of(&server, &[&head[..], body].concat()).await;
        let statuses: Vec<&str> = answers
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| &answer[..3])
            .collect();
        assert_eq!(statuses.len(), 1, "{what}: {answers}");
        assert!(
            statuses[0].starts_with('4') || statuses[0] == "501",
            "{what}: {answers}"
        );
        server.stored_nothing();
    }
    // Control: two requests, each with its one length.
    let mut connection = server.connect().await;
    let both = [
        &Request::put("/bucket/a", b"hello").signed(UNSIGNED).head()[..],
        &smuggled,
    ]
    .concat();
    connection.write(&both).await;
    connection.answer(false).await.served();
    connection.answer(false).await.served();
    assert_eq!(server.seen.bodies(), [&b"hello"[..], b"x"]);
    println!("hardening | hostile clients: requests with two ends | {tried} | – | – | 0 |");
}

#[tokio::test]
async fn lines_that_end_with_a_line_feed_alone_smuggle_nothing() {
    let server = TestServer::plain().await;
    let smuggled = Request::put("/bucket/smuggled", b"x")
        .signed(UNSIGNED)
        .head();
    let bare = head(|head| head.replace("\r\n", "\n"));
    let answers = all_of(&server, &[&bare[..], b"hell", &smuggled].concat()).await;
    // RFC 9112 section 2.2 lets a recipient take a line feed for a line's end; then its length holds.
    for body in server.seen.bodies() {
        assert_eq!(body.len(), 5, "{answers}");
    }
    assert!(!answers.contains("x-test-object: smuggled"), "{answers}");
}

/// `MAX_CONNECTIONS` is 4096 a listener: a thousand are held without a word.
#[tokio::test]
async fn a_thousand_silent_connections_keep_nobody_out() {
    let wanted = 1000;
    if descriptors() < 2 * wanted + 200 {
        // Both ends are in this process.
        return;
    }
    let server = TestServer::plain().await;
    let mut silent = Vec::new();
    for _ in 0..wanted {
        silent.push(server.connect().await);
    }
    for connection in silent.iter_mut().take(100) {
        connection.write(b"G").await;
    }
    timeout(PATIENCE, server.send(&get()))
        .await
        .unwrap()
        .served();
    drop(silent);
    server.send(&get()).await.served();
    println!("hardening | hostile clients: silent connections | {wanted} | – | – | 0 |");
}

/// How many files this process may open, raised as far as the system lets it.
fn descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Without it there are as many as there were.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[tokio::test]
async fn abandoned_handshakes_keep_nobody_out() {
    let server = TestServer::tls().await;
    // The beginning of a ClientHello, and then nothing.
    let mut abandoned = Vec::new();
    for _ in 0..200 {
        let mut connection = server.connect().await;
        connection.write(&[22, 3, 1, 2, 0, 1, 0]).await;
        abandoned.push(connection);
    }
    let connection = server.connect().await.tls(&server.running, "localhost");
    let mut connection = timeout(PATIENCE, connection).await.unwrap().unwrap();
    connection.exchange(&get()).await.served();
    // One that is no TLS at all is told so, or closed, and nothing else.
    let plain = all_of(&server, &get().head()).await;
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
    println!("hardening | hostile clients: TLS handshakes abandoned | 200 | – | – | 0 |");
}

/// `BODY_STALL_TIMEOUT`, shortened.
#[tokio::test]
async fn uploads_that_stand_still_keep_nobody_out_and_store_nothing() {
    let server = TestServer::with(|config| {
        config.listeners = Listeners::PlainHttp;
        config.limits.body_stall_timeout = Duration::from_secs(2);
    })
    .await;
    let mut stalled = Vec::new();
    for number in 0..200 {
        // 5 GiB are declared, a few bytes come.
        let put = Request::new("PUT", &format!("/bucket/{number}"))
            .header("Content-Length", "5368709120")
            .signed(UNSIGNED);
        let mut connection = server.connect().await;
        connection.write(&put.head()).await;
        connection.write(b"some").await;
        stalled.push(connection);
    }
    timeout(PATIENCE, server.send(&get()))
        .await
        .unwrap()
        .served();
    for connection in &mut stalled {
        let answer = timeout(PATIENCE, connection.answer(false)).await.unwrap();
        answer.refused(400, "RequestTimeout");
    }
    // The GET alone.
    assert_eq!(server.seen.bodies(), [b""]);
    println!("hardening | hostile clients: bodies of 5 GiB that do not come | 200 | – | – | 0 |");
}

#[tokio::test]
async fn a_chunk_of_impossible_size_is_refused_at_once() {
    let server = TestServer::plain().await;
    let sizes = [
        "8000000000000000",
        "ffffffffffffffff",
        "10000000000000000",
        "-1",
        "0x5",
        " 5",
        "",
    ];
    for size in sizes {
        let body = format!("{size}\r\nhello\r\n0\r\n\r\n");
        let request = Request::put("/bucket/a", body.as_bytes())
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "5")
            .signed("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let answer = timeout(PATIENCE, server.send(&request)).await.unwrap();
        assert_eq!(answer.status, 400, "{size}: {}", answer.text());
        // The same of HTTP's own chunks.
        let chunked = head(|head| {
            let kept = head
                .split("\r\n")
                .filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
            kept.collect::<Vec<_>>().join("\r\n").replacen(
                "\r\n\r\n",
                "\r\nTransfer-Encoding: chunked\r\n\r\n",
                1,
            )
        });
        let answers = all_of(&server, &[&chunked[..], body.as_bytes()].concat()).await;
        assert!(!answers.contains("HTTP/1.1 200"), "{size}: {answers}");
    }
    server.stored_nothing();
    let tried = 2 * sizes.len();
    println!("hardening | hostile clients: chunks of impossible size | {tried} | – | – | 0 |");
}
