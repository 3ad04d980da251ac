//! Connections: TLS, keep-alive, limits, and the end of a server.

use std::time::Duration;

use reference_server::config::Listeners;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::probe::TestServer;
use super::raw_client::Connection;
use super::signed_request::{EMPTY_SHA256, Request};

fn get() -> Request {
    Request::new("GET", "/bucket/a").signed(EMPTY_SHA256)
}

#[tokio::test]
async fn tls_with_the_local_authority() {
    let server = TestServer::tls().await;
    assert_eq!(
        server.running.endpoint(),
        format!("https://localhost:{}", server.running.address.port())
    );
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "s3.localhost",
        "bucket.s3.localhost",
    ] {
        let mut connection = server
            .connect()
            .await
            .tls(&server.running, name)
            .await
            .unwrap();
        // The client offers h2 as well; only HTTP/1.1 is spoken here.
        assert_eq!(
            connection.stream.get_ref().1.alpn_protocol(),
            Some(&b"http/1.1"[..])
        );
        let answer = connection.exchange(&get()).await;
        answer.served();
        assert_eq!(answer.header("x-test-transport"), Some("Tls"));
    }
    assert!(
        server
            .connect()
            .await
            .tls(&server.running, "example.com")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let server = TestServer::tls().await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut connection = server
            .connect()
            .await
            .tls_of(&server.running, "localhost", &[version])
            .await
            .unwrap();
        let spoken = connection.stream.get_ref().1.protocol_version();
        assert_eq!(spoken, Some(version.version));
        connection.exchange(&get()).await.served();
    }
}

#[tokio::test]
async fn the_authority_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let start = || TestServer::with(|config| config.data_dir = directory.path().to_owned());
    let first = start().await;
    let pem = first.running.ca_pem.clone().unwrap();
    first.running.shutdown().await;
    let second = start().await;
    assert_eq!(second.running.ca_pem.as_deref(), Some(pem.as_str()));
    let file = std::fs::read_to_string(second.running.ca_file.as_ref().unwrap()).unwrap();
    assert_eq!(file, pem);
    let connection = second
        .connect()
        .await
        .tls(&second.running, "localhost")
        .await;
    connection.unwrap().exchange(&get()).await.served();
}

#[tokio::test]
async fn the_second_listener_is_known_to_be_plain() {
    let server = TestServer::tls().await;
    let address = server.running.http_address.unwrap();
    let mut connection = Connection {
        stream: TcpStream::connect(address).await.unwrap(),
    };
    let answer = connection.exchange(&get()).await;
    answer.served();
    assert_eq!(answer.header("x-test-transport"), Some("Plain"));
    let alone = TestServer::plain().await;
    assert_eq!(
        alone.send(&get()).await.header("x-test-transport"),
        Some("PlainAllowed")
    );
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let server = TestServer::plain().await;
    let mut connection = server.connect().await;
    for _ in 0..3 {
        connection.exchange(&get()).await.served();
        connection
            .exchange(&Request::put("/b/a", b"x").signed("UNSIGNED-PAYLOAD"))
            .await
            .served();
        // A refusal that leaves no body unread does not end the connection.
        connection
            .exchange(&Request::new("GET", "/bucket/a"))
            .await
            .refused(403, "AccessDenied");
    }
}

#[tokio::test]
async fn a_head_may_have_64_kibibytes() {
    let server = TestServer::plain().await;
    let padded = |length: usize| {
        Request::new("GET", "/bucket/a")
            .header("x-padding", &"a".repeat(length))
            .signed(EMPTY_SHA256)
    };
    server.send(&padded(60 * 1024)).await.served();
    let mut connection = server.connect().await;
    let answer = connection.exchange(&padded(80 * 1024)).await;
    assert_eq!(answer.status, 431);
    assert!(connection.is_closed().await);
    server.send(&get()).await.served();
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = TestServer::plain().await;
    let mut request = Request::new("GET", "/bucket/a");
    for number in 0..200 {
        request = request.header(&format!("x-padding-{number}"), "a");
    }
    assert_eq!(server.send(&request).await.status, 431);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = TestServer::plain().await;
    let mut connection = server.connect().await;
    connection.write(b"hello there\r\n\r\n").await;
    assert_eq!(connection.answer(false).await.status, 400);
    assert!(connection.is_closed().await);
}

fn impatient(config: &mut reference_server::Config) {
    config.listeners = Listeners::PlainHttp;
    config.limits.idle_timeout = Duration::from_millis(100);
    config.limits.header_timeout = Duration::from_millis(100);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = TestServer::with(impatient).await;
    let mut connection = server.connect().await;
    connection.exchange(&get()).await.served();
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let server = TestServer::with(impatient).await;
    let mut connection = server.connect().await;
    connection
        .write(b"GET /bucket/a HTTP/1.1\r\nHost: local")
        .await;
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let server = TestServer::with(|config| {
        config.limits.handshake_timeout = Duration::from_millis(50);
    })
    .await;
    assert!(server.connect().await.is_closed().await);
}

#[tokio::test]
async fn more_connections_than_the_limit_wait_their_turn() {
    let server = TestServer::with(|config| {
        config.listeners = Listeners::PlainHttp;
        config.limits.max_connections = 1;
    })
    .await;
    let mut first = server.connect().await;
    first.exchange(&get()).await.served();
    let mut second = server.connect().await;
    second.write(&get().head()).await;
    let early = timeout(Duration::from_millis(100), second.stream.readable()).await;
    assert!(
        early.is_err(),
        "the second connection was served beside the first"
    );
    drop(first);
    second.answer(false).await.served();
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_lets_requests_end() {
    let server = TestServer::plain().await;
    let mut idle = server.connect().await;
    idle.exchange(&get()).await.served();
    let mut fresh = server.connect().await;
    let mut busy = server.connect().await;
    let request = Request::put("/b/a", b"hello").header("Expect", "100-continue");
    let request = request.signed("UNSIGNED-PAYLOAD");
    busy.write(&request.head()).await;
    assert_eq!(busy.interim().await, 100);
    let address = server.running.address;
    let stopping = tokio::spawn(server.running.shutdown());
    assert!(idle.is_closed().await);
    assert!(fresh.is_closed().await);
    assert!(TcpStream::connect(address).await.is_err());
    busy.write(b"hello").await;
    busy.answer(false).await.served();
    assert!(busy.is_closed().await);
    timeout(Duration::from_secs(5), stopping)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn requests_that_do_not_end_are_cut_off() {
    let server = TestServer::with(|config| {
        config.listeners = Listeners::PlainHttp;
        config.limits.drain_timeout = Duration::from_millis(50);
    })
    .await;
    let mut busy = server.connect().await;
    let request = Request::put("/b/a", b"hello").header("Expect", "100-continue");
    busy.write(&request.signed("UNSIGNED-PAYLOAD").head()).await;
    assert_eq!(busy.interim().await, 100);
    timeout(Duration::from_secs(5), server.running.shutdown())
        .await
        .unwrap();
    assert!(busy.is_closed().await);
}
