//! Certificates that are trusted, and those that are not.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{limits, request, serve};
use crate::error::TargetError;
use crate::transport::{Client, Endpoint, Exchange, SignedRequest, TlsSettings};

/// A server with a certificate for `localhost` and names below, and the PEM of its authority.
async fn serve_tls() -> (Endpoint, String, JoinHandle<()>) {
    let names = ["localhost", "*.s3.localhost"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let pem = made.cert.pem();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let tcp = listener.accept().await.unwrap().0;
        let Ok(mut stream) = acceptor.accept(tcp).await else {
            return;
        };
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\n\r\nover TLS")
            .await
            .unwrap();
        stream.shutdown().await.unwrap();
    });
    let mut endpoint = Endpoint::parse(&format!("https://localhost:{}", address.port())).unwrap();
    endpoint.address = Some(address);
    (endpoint, pem, task)
}

async fn over_tls(
    host: &str,
    trust: impl FnOnce(&str) -> TlsSettings,
) -> Result<Exchange, TargetError> {
    let (endpoint, pem, server) = serve_tls().await;
    let client = Client::new(endpoint, trust(&pem));
    let request = SignedRequest {
        host: host.to_owned(),
        ..request("GET", Bytes::new())
    };
    let result = client.send(&request, &limits()).await;
    server.await.unwrap();
    result
}

#[tokio::test]
async fn a_trusted_certificate_is_enough_and_needed() {
    let own = |pem: &str| TlsSettings::pem(pem.as_bytes(), "ca.pem").unwrap();
    let exchange = over_tls("localhost", own).await.unwrap();
    assert_eq!(&exchange.body[..], b"over TLS");
    assert!(exchange.is_whole());
    // Virtual-host style without DNS: the address is the endpoint's, the name the bucket's.
    assert!(over_tls("bucket.s3.localhost", own).await.is_ok());
    let other = over_tls("elsewhere.example", own).await.err().unwrap();
    assert!(matches!(other, TargetError::TlsUntrusted { .. }), "{other}");
    let unknown = over_tls("localhost", |_| TlsSettings::native())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(unknown, TargetError::TlsUntrusted { .. }),
        "{unknown}"
    );
    assert!(unknown.hint().unwrap().contains("--ca"));
    assert!(
        over_tls("elsewhere.example", |_| TlsSettings::insecure())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_port_without_tls_fails_the_handshake() {
    let (client, server) = serve(|mut stream| async move {
        let _ = stream.read_u8().await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let endpoint = Endpoint {
        tls: true,
        ..client.endpoint().clone()
    };
    let client = Client::new(endpoint, TlsSettings::insecure());
    let error = client
        .send(&request("GET", Bytes::new()), &limits())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, TargetError::TlsHandshake { .. }), "{error}");
    server.await.unwrap();
}

#[test]
fn a_file_without_certificates_is_refused() {
    let error = TlsSettings::pem(b"nothing here", "ca.pem").err().unwrap();
    assert_eq!(error.to_string(), "ca.pem holds no certificate in PEM form");
    assert!(TlsSettings::ca_file(std::path::Path::new("no/such/file")).is_err());
}
