//! Connections that are kept over several exchanges.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{limits, request, serve};

/// Answers every request on one connection until it closes, and tells how many there were.
async fn answer_all(mut stream: TcpStream, answer: &'static [u8]) -> usize {
    let mut count = 0;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return count,
            }
        }
        count += 1;
        stream.write_all(answer).await.unwrap();
    }
}

#[tokio::test]
async fn a_line_carries_one_exchange_after_the_other() {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (client, server) = serve(move |stream| answer_all(stream, ok)).await;
    let mut line = client.open("localhost", &limits()).await.unwrap();
    for _ in 0..3 {
        assert!(line.is_usable());
        let request = request("GET", Bytes::new());
        let exchange = line.send(&request, &limits()).await.unwrap();
        assert_eq!((exchange.status, &exchange.body[..]), (200, &b"ok"[..]));
    }
    drop(line);
    assert_eq!(server.await.unwrap(), 3);
}

#[tokio::test]
async fn a_line_ends_with_an_answer_that_closes_or_has_no_end() {
    for last in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
    ] {
        let (client, server) = serve(move |stream| answer_all(stream, last)).await;
        let mut line = client.open("localhost", &limits()).await.unwrap();
        let request = request("GET", Bytes::new());
        line.send(&request, &limits()).await.unwrap();
        assert!(!line.is_usable(), "{}", last.escape_ascii());
        drop(line);
        server.await.unwrap();
    }
}
