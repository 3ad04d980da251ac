//! The health path and the access log.

use super::probe::TestServer;
use super::raw_client::Connection;
use super::signed_request::{EMPTY_SHA256, Request};

fn health(method: &'static str) -> Request {
    Request::new(method, "/-/health")
}

#[tokio::test]
async fn health_is_answered_without_a_signature_on_every_listener() {
    let server = TestServer::tls().await;
    let mut secure = server
        .connect()
        .await
        .tls(&server.running, "localhost")
        .await
        .unwrap();
    let plain = server.running.http_address.unwrap();
    let mut plain = Connection {
        stream: tokio::net::TcpStream::connect(plain).await.unwrap(),
    };
    for answer in [
        secure.exchange(&health("GET")).await,
        plain.exchange(&health("GET")).await,
    ] {
        answer.served();
        assert_eq!(answer.text(), "ok\n");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    // The connection goes on.
    secure.exchange(&health("GET")).await.served();
}

#[tokio::test]
async fn nothing_but_health_is_open() {
    let server = TestServer::plain().await;
    for (method, target) in [
        ("PUT", "/-/health"),
        ("DELETE", "/-/health"),
        ("GET", "/-/"),
        ("GET", "/-/health/more"),
        ("GET", "/-/Health"),
        ("GET", "/bucket/-/health"),
        ("GET", "/health"),
    ] {
        let answer = server.send(&Request::new(method, target)).await;
        answer.refused(403, "AccessDenied");
    }
    server.stored_nothing();
    // Below a virtual-host domain the path is an object's.
    let mut request = health("GET");
    request.headers[0].1 = "bucket.s3.localhost".to_owned();
    server.send(&request).await.refused(403, "AccessDenied");
    let signed = server.send(&request.signed(EMPTY_SHA256)).await;
    signed.served();
    assert_eq!(signed.header("x-test-object"), Some("-/health"));
}

#[tokio::test]
async fn the_access_log_has_a_line_a_request_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    std::fs::write(&path, "an older line\n").unwrap();
    let server = TestServer::with(|config| {
        config.listeners = reference_server::config::Listeners::PlainHttp;
        config.access_log = Some(path.clone());
    })
    .await;
    let key = "x-amz-server-side-encryption-customer-key";
    let request = Request::new(
        "PUT",
        "/bucket/dir/a%20b?x-amz-meta-note=SECRETNOTE&partNumber=1",
    )
    .header(key, "SECRETKEY")
    .header("Content-Length", "0")
    .presigned("60", &["host", key]);
    let served = server.send(&request).await;
    served.served();
    let in_query = format!("/bucket/b?{key}=SECRETKEY&X-Amz-Signature=SECRETSIGNATURE");
    server.send(&Request::new("GET", &in_query)).await;
    server.send(&health("GET")).await.served();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "health is not logged: {text}");
    assert_eq!(lines[0], "an older line");
    let words: Vec<&str> = lines[1].split(' ').collect();
    let [time, peer, "PUT", target, "200", elapsed, id] = words[..] else {
        panic!("{text}");
    };
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    assert!(target.starts_with("/bucket/dir/a%20b?"), "{target}");
    assert!(
        target.contains("partNumber=1") && target.contains("X-Amz-Signature=-"),
        "{target}"
    );
    assert!(elapsed.ends_with("ms"), "{elapsed}");
    assert_eq!(Some(id), served.header("x-amz-request-id"));
    assert!(lines[2].contains(" GET /bucket/b?"), "{text}");
    for secret in ["SECRET", "AKIDTEST"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = reference_server::config::Config::new(directory.path().join("data"));
    config.access_log = Some(directory.path().join("nowhere/access.log"));
    match reference_server::Server::start(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => assert!(error.to_string().contains("nowhere/access.log"), "{error}"),
    }
}
