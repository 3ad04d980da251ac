//! A client that says exactly what a test wants said, and a server with nothing behind its front.
//!
//! It signs by itself, with code that shares nothing with the server's but the hash functions.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use reference_server::config::{CertificateSource, Config, CredentialSource, Listeners};
use reference_server::request::{Resource, S3Request};
use reference_server::response::ResponseBody;
use reference_server::s3_error::{Code, S3Error};
use reference_server::server::{Handler, HandlerFuture};
use reference_server::{Running, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const ID: &str = "AKIDTEST";
pub(crate) const SECRET: &str = "secret-for-tests";
pub(crate) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(
    clippy::disallowed_methods,
    reason = "signatures are made at the time of the test"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// What the handler saw of bodies that were whole.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Vec<u8>>>>);

impl Seen {
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

/// Reads the body and tells what it is; refuses objects named `early` without reading.
struct Probe {
    seen: Seen,
}

impl Handler for Probe {
    fn handle(&self, request: S3Request) -> HandlerFuture<'_> {
        Box::pin(async move {
            let facts = request.facts.clone();
            match self.answer(request).await {
                Ok(response) => response,
                Err(error) => error.into_response(&facts),
            }
        })
    }
}

impl Probe {
    async fn answer(&self, request: S3Request) -> Result<http::Response<ResponseBody>, S3Error> {
        if request.resource.object() == Some("early") {
            return Err(Code::PreconditionFailed.into());
        }
        let unsigned = reference_server::auth::unsigned_amz_headers(&request).join(",");
        let (bucket, object) = match &request.resource {
            Resource::Service => (String::new(), String::new()),
            Resource::Bucket(bucket) => (bucket.clone(), String::new()),
            Resource::Object { bucket, name } => (bucket.clone(), name.clone()),
        };
        let transport = format!("{:?}", request.transport);
        let mut body = request.body;
        if object != "length-unknown" {
            body.expect_length()?;
        }
        let mut whole = Vec::new();
        while let Some(bytes) = body.next().await? {
            whole.extend_from_slice(&bytes);
        }
        let verified = body.finish().await?;
        self.seen.0.lock().unwrap().push(whole.clone());
        Ok(http::Response::builder()
            .header("x-test-bucket", bucket)
            .header("x-test-object", object)
            .header("x-test-unsigned", unsigned)
            .header("x-test-transport", transport)
            .header("x-test-length", verified.length)
            .body(ResponseBody::full(whole))
            .unwrap())
    }
}

/// A running server and what it saw.
pub(crate) struct TestServer {
    pub(crate) running: Running,
    pub(crate) seen: Seen,
    _directory: tempfile::TempDir,
}

impl TestServer {
    /// Plain HTTP for everything: the tests of requests need no TLS.
    pub(crate) async fn plain() -> Self {
        Self::with(|config| config.listeners = Listeners::PlainHttp).await
    }

    /// TLS, and a plain listener beside it.
    pub(crate) async fn tls() -> Self {
        Self::with(|config| {
            config.listeners = Listeners::Tls {
                certificate: CertificateSource::LocalAuthority { names: Vec::new() },
                also_http: Some("127.0.0.1:0".parse().unwrap()),
            };
        })
        .await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let seen = Seen::default();
        let mut config = Config::new(directory.path().join("data"));
        config.credentials = CredentialSource::Given {
            access_key_id: ID.to_owned(),
            secret_access_key: SECRET.to_owned(),
        };
        change(&mut config);
        let handler = Arc::new(Probe { seen: seen.clone() });
        let running = Server::start_with(config, handler).await.unwrap();
        Self {
            running,
            seen,
            _directory: directory,
        }
    }

    pub(crate) async fn connect(&self) -> Connection<TcpStream> {
        Connection {
            stream: TcpStream::connect(self.running.address).await.unwrap(),
        }
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.connect().await.exchange(request).await
    }
}

/// A request in the making. Nothing is added to it but what its methods say.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Path and query as they go over the wire; the query sorted and encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, target: &str) -> Self {
        let headers = vec![("Host".to_owned(), "localhost".to_owned())];
        Self {
            method,
            target: target.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    /// A PUT of these bytes, with their length.
    pub(crate) fn put(target: &str, body: &[u8]) -> Self {
        let mut request =
            Self::new("PUT", target).header("Content-Length", &body.len().to_string());
        request.body = body.to_vec();
        request
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Signs all headers that are there, now, over this payload hash.
    pub(crate) fn signed(self, payload_hash: &str) -> Self {
        self.signed_at(payload_hash, now())
    }

    pub(crate) fn signed_at(self, payload_hash: &str, time: SystemTime) -> Self {
        let scope = Scope::at(time);
        self.signed_in(payload_hash, &scope)
    }

    pub(crate) fn signed_in(mut self, payload_hash: &str, scope: &Scope) -> Self {
        self = self
            .header("x-amz-content-sha256", payload_hash)
            .header("x-amz-date", &scope.date);
        let mut names: Vec<String> = self
            .headers
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        names.sort();
        names.dedup();
        let signature = self.signature(&names, payload_hash, scope);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
            scope.id,
            scope.text(),
            names.join(";"),
        );
        self.header("Authorization", &value)
    }

    /// Puts the signature into the query, over the host and these headers.
    pub(crate) fn presigned(self, expires: &str, names: &[&str]) -> Self {
        self.presigned_at(expires, names, now())
    }

    pub(crate) fn presigned_at(mut self, expires: &str, names: &[&str], time: SystemTime) -> Self {
        let scope = Scope::at(time);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let separator = if self.target.contains('?') { '&' } else { '?' };
        self.target.push_str(&format!(
            "{separator}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={}\
             &X-Amz-Expires={expires}&X-Amz-SignedHeaders={}",
            scope.id,
            scope.text().replace('/', "%2F"),
            scope.date,
            names.join("%3B"),
        ));
        let signature = self.signature(&names, "UNSIGNED-PAYLOAD", &scope);
        self.target
            .push_str(&format!("&X-Amz-Signature={signature}"));
        self
    }

    /// The signature over the headers named, in the order named.
    pub(crate) fn signature(&self, names: &[String], payload_hash: &str, scope: &Scope) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut query: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        query.sort();
        let mut lines = String::new();
        for name in names {
            let values: Vec<&str> = self
                .headers
                .iter()
                .filter(|(header, _)| header.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
                .collect();
            lines.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{}\n{payload_hash}",
            self.method,
            query.join("&"),
            names.join(";"),
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            scope.date,
            scope.text(),
            hex::encode(digest(&SHA256, canonical.as_bytes())),
        );
        scope.sign(&to_sign)
    }

    /// What goes over the wire before the body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// When, where and by whom a signature is made.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) date: String,
    pub(crate) region: String,
}

impl Scope {
    pub(crate) fn at(time: SystemTime) -> Self {
        let moment = jiff::Timestamp::try_from(time).unwrap();
        Self {
            id: ID.to_owned(),
            secret: SECRET.to_owned(),
            date: moment.strftime("%Y%m%dT%H%M%SZ").to_string(),
            region: "us-east-1".to_owned(),
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}/{}/s3/aws4_request", &self.date[..8], self.region)
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for step in [&self.date[..8], &self.region, "s3", "aws4_request", text] {
            key = sign(&Key::new(HMAC_SHA256, &key), step.as_bytes())
                .as_ref()
                .to_vec();
        }
        hex::encode(key)
    }
}

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
        let mut roots = rustls::RootCertStore::empty();
        let pem = server.ca_pem.as_ref().unwrap();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
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
