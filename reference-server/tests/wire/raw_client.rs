//! Connections that carry exactly the bytes of a test, and the answers that come back.

use std::sync::Arc;
use std::time::Duration;

use reference_server::Running;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::signed_request::Request;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The statuses of answers like `100 Continue` that came before.
    pub(crate) interim: Vec<u16>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The text of an element of the error document.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, after) = text.split_once(&format!("<{name}>"))?;
        Some(after.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    pub(crate) fn code(&self) -> String {
        self.element("Code").unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.text()
        );
        for (name, value) in [
            ("RequestId", self.header("x-amz-request-id")),
            ("HostId", self.header("x-amz-id-2")),
        ] {
            assert_eq!(self.element(name).as_deref(), value, "{name}");
        }
    }

    #[track_caller]
    pub(crate) fn served(&self) {
        assert_eq!(self.status, 200, "{}", self.text());
    }
}

/// One connection.
pub(crate) struct Connection<S> {
    pub(crate) stream: S,
}

impl Connection<TcpStream> {
    /// Speaks TLS from here on, trusting the server's own authority only.
    pub(crate) async fn tls(
        self,
        server: &Running,
        name: &str,
    ) -> std::io::Result<Connection<tokio_rustls::client::TlsStream<TcpStream>>> {
        self.tls_of(server, name, rustls::DEFAULT_VERSIONS).await
    }

    /// The same in one of these versions.
    pub(crate) async fn tls_of(
        self,
        server: &Running,
        name: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<Connection<tokio_rustls::client::TlsStream<TcpStream>>> {
        let mut roots = rustls::RootCertStore::empty();
        let pem = server.ca_pem.as_ref().unwrap();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        Ok(Connection {
            stream: connector.connect(name, self.stream).await?,
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap()
            .unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn exchange(&mut self, request: &Request) -> Answer {
        self.write(&request.head()).await;
        // A server that refuses early may have closed; its answer is there all the same.
        let _ = timeout(PATIENCE, self.stream.write_all(&request.body))
            .await
            .unwrap();
        let _ = self.stream.flush().await;
        self.answer(request.method == "HEAD").await
    }

    pub(crate) async fn answer(&mut self, of_head: bool) -> Answer {
        timeout(PATIENCE, self.read_answer(of_head)).await.unwrap()
    }

    /// The status of an answer that another one will follow.
    pub(crate) async fn interim(&mut self) -> u16 {
        timeout(PATIENCE, self.read_head()).await.unwrap().0
    }

    async fn read_answer(&mut self, of_head: bool) -> Answer {
        let mut interim = Vec::new();
        loop {
            let (status, headers) = self.read_head().await;
            if status < 200 {
                interim.push(status);
                continue;
            }
            let length = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            let mut body = vec![0; if of_head { 0 } else { length }];
            self.stream.read_exact(&mut body).await.unwrap();
            return Answer {
                status,
                headers,
                body,
                interim,
            };
        }
    }

    async fn read_head(&mut self) -> (u16, Vec<(String, String)>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(head.len() < 64 * 1024);
            head.push(self.stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (status, headers)
    }

    /// Whether the server closes, without saying anything more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await {
            Ok(Ok(_)) => rest.is_empty(),
            Ok(Err(_)) => true,
            Err(_) => false,
        }
    }
}
