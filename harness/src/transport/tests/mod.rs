//! The client against small servers that speak bytes, right and wrong.

mod line;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::error::{Stage, TargetError, Wait};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(60);

fn limits() -> Limits {
    Limits::within(20 * SECOND)
}

fn request(method: &'static str, body: Bytes) -> SignedRequest {
    let length = body.len().to_string().into_bytes();
    SignedRequest {
        method,
        host: "localhost".to_owned(),
        target: "/b/o?x=%20".to_owned(),
        headers: vec![
            ("Host".to_owned(), "localhost".into()),
            (
                "x-amz-server-side-encryption-customer-key-MD5".to_owned(),
                b" \xff\x01".to_vec(),
            ),
            ("X-Twice".to_owned(), "1".into()),
            ("x-twice".to_owned(), Vec::new()),
            ("Content-Length".to_owned(), length),
        ],
        fields: 0,
        body,
    }
}

/// A server for one connection, and a client for it. The task gives back what the script does.
async fn serve<T, F>(
    script: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (Client, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let task = tokio::spawn(async move { script(listener.accept().await.unwrap().0).await });
    (Client::new(endpoint, TlsSettings::insecure()), task)
}

/// Reads up to the end of a head.
async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    read
}

/// What a GET gets from a server that reads the head, answers these bytes and closes.
async fn answer(bytes: &'static [u8]) -> Result<Exchange, TargetError> {
    get(bytes, "GET", limits()).await
}

async fn get(
    bytes: &'static [u8],
    method: &'static str,
    limits: Limits,
) -> Result<Exchange, TargetError> {
    let (client, server) = serve(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
    })
    .await;
    let exchange = client.send(&request(method, Bytes::new()), &limits).await;
    server.await.unwrap();
    exchange
}

#[tokio::test]
async fn what_is_sent_is_what_was_asked_to_the_byte() {
    let (client, server) = serve(|mut stream| async move {
        let head = read_head(&mut stream).await;
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Case: a\r\n\r\nok")
            .await
            .unwrap();
        (head, body)
    })
    .await;
    let exchange = client
        .send(&request("PUT", Bytes::from_static(b"hello")), &limits())
        .await
        .unwrap();
    let (head, body) = server.await.unwrap();
    assert_eq!(
        head,
        b"PUT /b/o?x=%20 HTTP/1.1\r\nHost: localhost\r\n\
          x-amz-server-side-encryption-customer-key-MD5:  \xff\x01\r\n\
          X-Twice: 1\r\nx-twice: \r\nContent-Length: 5\r\n\r\n"
    );
    assert_eq!(&body, b"hello");
    assert_eq!(exchange.sent_head, head);
    assert_eq!((exchange.request_body, exchange.sent_body), (5, 5));
    assert_eq!(
        (exchange.status, &exchange.body[..]),
        (200, b"ok".as_slice())
    );
    assert_eq!(
        exchange.received_head,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Case: a\r\n\r\n"
    );
    assert_eq!(exchange.headers[1], ("X-Case".to_owned(), b"a".to_vec()));
    assert_eq!(exchange.header("x-case"), Some(b"a".as_slice()));
    assert!(exchange.is_whole());
}

#[tokio::test]
async fn an_early_refusal_is_read_while_the_body_still_goes_out() {
    let (client, server) = serve(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")
            .await
            .unwrap();
        stream.shutdown().await.unwrap();
        // Held open, unread, until the client is done: closing now would reset the answer away.
        stream
    })
    .await;
    let body = Bytes::from(vec![7; 64 * 1024 * 1024]);
    let exchange = client.send(&request("PUT", body), &limits()).await.unwrap();
    assert_eq!(
        (exchange.status, &exchange.body[..]),
        (400, b"bad".as_slice())
    );
    assert!(exchange.sent_body < exchange.request_body);
    assert!(exchange.is_whole());
    drop(server.await.unwrap());
}

#[tokio::test]
async fn interim_answers_are_kept_apart() {
    let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let exchange = answer(bytes).await.unwrap();
    assert_eq!(exchange.interim, [100, 103]);
    assert_eq!(
        exchange.received_head,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    );
    let endless: &'static [u8] = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20).leak();
    assert!(matches!(
        answer(endless).await,
        Err(TargetError::Malformed { .. })
    ));
    let switch = answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await;
    assert!(matches!(switch, Err(TargetError::Malformed { .. })));
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let exchange = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
          5;ext=\"1\"\r\nhello\r\n00A \r\n, and more!\r\n0\r\nX-Sum: 1\r\n\r\n",
    )
    .await;
    // The second chunk says 10 bytes and has 11.
    assert!(matches!(
        exchange.unwrap().cut,
        Some(TargetError::Malformed { .. })
    ));
    let exchange = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
          5;ext=\"1\"\r\nhello\r\n00B \r\n, and more!\r\n0\r\nX-Sum: 1\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(&exchange.body[..], b"hello, and more!");
    assert_eq!(exchange.trailers, [("X-Sum".to_owned(), b"1".to_vec())]);
    assert!(exchange.is_whole());
}

#[track_caller]
fn check_cut(exchange: &Exchange, body: &[u8], expected: &TargetError) {
    assert_eq!(exchange.status, 200);
    assert_eq!(&exchange.body[..], body);
    assert_eq!(exchange.cut.as_ref(), Some(expected));
    assert!(!exchange.is_whole());
}

#[tokio::test]
async fn a_body_that_ends_early_is_kept_and_said_to_be_cut() {
    let early = TargetError::ClosedEarly { at: Stage::InBody };
    let exchange = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
        .await
        .unwrap();
    check_cut(&exchange, b"hel", &early);
    let exchange = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel")
        .await
        .unwrap();
    check_cut(&exchange, b"hel", &early);
    let exchange = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n")
        .await
        .unwrap();
    check_cut(&exchange, b"hel", &early);
    let exchange = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        .await
        .unwrap();
    assert!(matches!(exchange.cut, Some(TargetError::Malformed { .. })));
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let exchange = answer(b"HTTP/1.1 200 OK\r\n\r\nall of it").await.unwrap();
    assert_eq!(&exchange.body[..], b"all of it");
    assert!(exchange.is_whole());
}

#[tokio::test]
async fn what_comes_behind_the_answer_is_kept_apart() {
    let exchange = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore")
        .await
        .unwrap();
    assert_eq!(
        (&exchange.body[..], &exchange.surplus[..]),
        (b"ok".as_slice(), b"more".as_slice())
    );
    let head = get(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HEAD",
        limits(),
    )
    .await
    .unwrap();
    assert_eq!(
        (&head.body[..], &head.surplus[..]),
        (b"".as_slice(), b"ok".as_slice())
    );
}

#[tokio::test]
async fn an_endless_head_is_given_up() {
    let (client, server) = serve(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while stream
            .write_all(b"X-More: and more and more and more\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let result = client.send(&request("GET", Bytes::new()), &limits()).await;
    assert_eq!(
        result.err(),
        Some(TargetError::TooLarge {
            what: "head",
            limit: 64 * 1024
        })
    );
    server.await.unwrap();
}

#[tokio::test]
async fn an_endless_body_is_cut_at_its_limit() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
    ] {
        let (client, server) = serve(move |mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
        })
        .await;
        let limits = Limits {
            body: 100_000,
            ..limits()
        };
        let exchange = client
            .send(&request("GET", Bytes::new()), &limits)
            .await
            .unwrap();
        check_cut(
            &exchange,
            &[b'x'; 100_000],
            &TargetError::TooLarge {
                what: "body",
                limit: 100_000,
            },
        );
        server.await.unwrap();
    }
}

/// What comes of a server that answers `bytes` and then stands still.
async fn stand_still(bytes: &'static [u8], limits: Limits) -> Result<Exchange, TargetError> {
    let (client, server) = serve(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
        // Ends when the client gives up.
        let _ = stream.read_u8().await;
    })
    .await;
    let result = client.send(&request("GET", Bytes::new()), &limits).await;
    server.await.unwrap();
    result
}

#[tokio::test]
async fn every_wait_has_an_end() {
    let first = Limits {
        first_byte: MOMENT,
        ..limits()
    };
    let error = stand_still(b"", first).await.err();
    assert_eq!(
        error,
        Some(TargetError::TimedOut {
            wait: Wait::FirstByte,
            limit: MOMENT
        })
    );
    let idle = Limits {
        idle: MOMENT,
        ..limits()
    };
    let still = TargetError::TimedOut {
        wait: Wait::NextByte,
        limit: MOMENT,
    };
    assert_eq!(
        stand_still(b"HTTP/1.1 2", idle).await.err(),
        Some(still.clone())
    );
    let exchange = stand_still(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", idle).await;
    check_cut(&exchange.unwrap(), b"hel", &still);
    let whole = Limits {
        exchange: MOMENT,
        ..limits()
    };
    let late = TargetError::TimedOut {
        wait: Wait::Exchange,
        limit: MOMENT,
    };
    assert_eq!(stand_still(b"", whole).await.err(), Some(late));
}

#[tokio::test]
async fn a_server_that_takes_nothing_is_given_up() {
    let (client, server) = serve(|stream| async move { stream }).await;
    let body = Bytes::from(vec![7; 64 * 1024 * 1024]);
    let limits = Limits {
        idle: 2 * MOMENT,
        ..limits()
    };
    let result = client.send(&request("PUT", body), &limits).await;
    let expected = TargetError::TimedOut {
        wait: Wait::Sending,
        limit: 2 * MOMENT,
    };
    assert_eq!(result.err(), Some(expected));
    drop(server.await.unwrap());
}

#[tokio::test]
async fn no_answer_and_a_broken_one_say_so() {
    let early = |at| Some(TargetError::ClosedEarly { at });
    assert_eq!(answer(b"").await.err(), early(Stage::BeforeAnswer));
    assert_eq!(
        answer(b"HTTP/1.1 200 OK\r\nA: b").await.err(),
        early(Stage::InHead)
    );
    assert!(matches!(
        answer(b"SSH-2.0-x\r\n\r\n").await,
        Err(TargetError::Malformed { .. })
    ));
    let (client, server) = serve(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
            .await
            .unwrap();
        stream
    })
    .await;
    let body = Bytes::from(vec![7; 64 * 1024]);
    let (request, limits) = (request("PUT", body), limits());
    let sending = client.send(&request, &limits);
    let reset = async {
        // Closed with the request's body unread: the kernel resets the connection.
        drop(server.await.unwrap());
    };
    let (result, ()) = tokio::join!(sending, reset);
    match result {
        Ok(exchange) => assert!(matches!(
            exchange.cut,
            Some(
                TargetError::Broken {
                    at: Stage::InBody,
                    ..
                } | TargetError::ClosedEarly { .. }
            )
        )),
        Err(error) => assert!(matches!(error, TargetError::Broken { .. }), "{error}"),
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{port}")).unwrap();
    let client = Client::new(endpoint, TlsSettings::insecure());
    let error = client
        .send(&request("GET", Bytes::new()), &limits())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, TargetError::Unreachable { .. }), "{error}");
    let endpoint = Endpoint::parse("https://no-such-host.invalid").unwrap();
    let client = Client::new(endpoint, TlsSettings::insecure());
    let error = client
        .send(&request("GET", Bytes::new()), &limits())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, TargetError::NoAddress { .. }), "{error}");
}

#[test]
fn what_cannot_travel_is_refused() {
    let mut wrong = request("GET", Bytes::new());
    assert!(wrong.check().is_ok());
    wrong
        .headers
        .push(("X-Captured".to_owned(), b"a\r\nHost: evil".to_vec()));
    let error = wrong.check().unwrap_err().to_string();
    assert!(
        error.contains("X-Captured") && !error.contains("evil"),
        "{error}"
    );
    let spaced = SignedRequest {
        target: "/a b".to_owned(),
        ..request("GET", Bytes::new())
    };
    assert!(spaced.check().is_err());
    let mut unnamed = request("GET", Bytes::new());
    unnamed.headers.push(("a:b".to_owned(), Vec::new()));
    assert!(unnamed.check().is_err());
}
