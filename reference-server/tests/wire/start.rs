//! Starting a server: what stops it, what it keeps, and what it writes about requests.

use reference_server::config::{CertificateSource, Config, CredentialSource, Listeners};
use reference_server::server::StartError;
use reference_server::{Running, Server};

use super::event_log::Log;
use super::probe::TestServer;
use super::raw_client::Connection;
use super::signed_request::{EMPTY_SHA256, Request};

async fn failure(config: Config) -> String {
    match Server::start(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_data_directory_that_is_a_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "text").unwrap();
    let message = failure(Config::new(&path)).await;
    assert!(message.contains(path.to_str().unwrap()), "{message}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new(directory.path());
    config.listen = address;
    let message = failure(config).await;
    assert!(message.contains(&address.to_string()), "{message}");
}

#[tokio::test]
async fn credentials_are_kept_and_work() {
    let directory = tempfile::tempdir().unwrap();
    let start = || Server::start(Config::new(directory.path()));
    let first: Running = start().await.unwrap();
    let (id, secret) = (first.access_key_id.clone(), first.secret_access_key.clone());
    first.shutdown().await;
    let second = start().await.unwrap();
    assert_eq!(
        (&second.access_key_id, &second.secret_access_key),
        (&id, &secret)
    );
}

#[tokio::test]
async fn a_given_certificate_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["given.test".to_owned()]).unwrap();
    let certificate = directory.path().join("cert.pem");
    let key = directory.path().join("key.pem");
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files = |certificate, key| Listeners::Tls {
        certificate: CertificateSource::Files { certificate, key },
        also_http: None,
    };
    let mut server =
        TestServer::with(|config| config.listeners = files(certificate.clone(), key.clone())).await;
    assert!(server.running.ca_pem.is_none() && server.running.is_tls);
    server.running.ca_pem = Some(made.cert.pem());
    let connection = server
        .connect()
        .await
        .tls(&server.running, "given.test")
        .await
        .unwrap();
    answered(connection).await;
    let mut config = Config::new(directory.path().join("data"));
    config.listeners = files(key.clone(), certificate);
    let message = failure(config).await;
    assert!(message.contains(key.to_str().unwrap()), "{message}");
}

async fn answered<S>(mut connection: Connection<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = Request::new("GET", "/bucket/a").signed(EMPTY_SHA256);
    connection.exchange(&request).await.served();
}

#[tokio::test]
async fn more_names_can_be_in_the_certificate() {
    let server = TestServer::with(|config| {
        config.listeners = Listeners::Tls {
            certificate: CertificateSource::LocalAuthority {
                names: vec!["s3.test".to_owned(), "192.0.2.1".to_owned()],
            },
            also_http: None,
        };
        config.virtual_host_domains.push("buckets.test".to_owned());
    })
    .await;
    for name in ["s3.test", "192.0.2.1", "buckets.test", "a.buckets.test"] {
        let connection = server
            .connect()
            .await
            .tls(&server.running, name)
            .await
            .unwrap();
        answered(connection).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new(directory.path());
    config.listeners = Listeners::Tls {
        certificate: CertificateSource::LocalAuthority {
            names: vec!["no\u{e4}scii".to_owned()],
        },
        also_http: None,
    };
    assert!(matches!(
        Server::start(config).await,
        Err(StartError::Tls(_))
    ));
}

#[tokio::test]
async fn an_authority_whose_halves_do_not_belong_together_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["other".to_owned()]).unwrap();
    std::fs::create_dir(directory.path().join("tls")).unwrap();
    std::fs::write(directory.path().join("tls/ca.pem"), other.cert.pem()).unwrap();
    let mut config = Config::new(directory.path());
    config.credentials = CredentialSource::Kept;
    let message = failure(config).await;
    assert!(
        message.contains("ca.pem") && message.contains("ca.key"),
        "{message}"
    );
}

#[tokio::test]
async fn the_log_tells_the_object_and_neither_headers_nor_query() {
    let log = Log::default();
    // Tests run on one thread each, the server's tasks on it too.
    let _guard = tracing::subscriber::set_default(log.clone());
    // While there is but one subscriber, tracing asks the thread that first meets an event, which
    // may be another test's, and turns the event off for all. With a second one it asks both.
    let _second = tracing::Dispatch::new(Log::default());
    let server = TestServer::plain().await;
    let key = "x-amz-server-side-encryption-customer-key";
    let request = Request::new("PUT", "/bucket/dir/a?x-amz-meta-note=in-query")
        .header(key, "SECRETKEY")
        .header("x-amz-meta-note", "in-header")
        .header("Content-Length", "0")
        .presigned("60", &["host", key]);
    server.send(&request).await.served();
    server
        .send(&Request::new("GET", "/bucket/b").header(key, "SECRETKEY"))
        .await;
    let text = log.text();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ssec::access"))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    for part in [
        "method=PUT",
        "bucket=\"bucket\"",
        "object=\"dir/a\"",
        "status=200",
    ] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(
        lines[1].contains("status=403") && lines[1].contains("object=\"b\""),
        "{}",
        lines[1]
    );
    for secret in [
        "SECRETKEY",
        "in-query",
        "in-header",
        "X-Amz-Signature",
        "AKIDTEST",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
