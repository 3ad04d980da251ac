//! A client that writes requests byte by byte and signs them itself, for the wire tests.
//!
//! Support for the tests beside it; it uses nothing of the server but its configuration.

#![expect(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a test support module: what fails here fails the test; each binary uses its part"
)]

pub mod form;
mod signer;
pub mod upload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reference_server::ssec::dialect::Dialect;
use reference_server::{Config, Running, Server};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
pub const KEY: &str = "x-amz-server-side-encryption-customer-key";
pub const MD5: &str = "x-amz-server-side-encryption-customer-key-MD5";
pub const MANAGED: &str = "x-amz-server-side-encryption";

pub type Pair<'a> = (&'a str, &'a str);

/// Two keys of the contract's appendix C with their MD5s.
pub const K1: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
pub const M1: &str = "DWygnHRtgiJ77HCm+1rvHw==";
pub const K2: &str = "6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=";
pub const M2: &str = "arxBvwY2V4SiOne6yppVPQ==";
pub const T1: [Pair<'static>; 3] = [(ALGORITHM, "AES256"), (KEY, K1), (MD5, M1)];
pub const T2: [Pair<'static>; 3] = [(ALGORITHM, "AES256"), (KEY, K2), (MD5, M2)];

pub const SOURCE_ALGORITHM: &str = "x-amz-copy-source-server-side-encryption-customer-algorithm";
pub const SOURCE_KEY: &str = "x-amz-copy-source-server-side-encryption-customer-key";
pub const SOURCE_MD5: &str = "x-amz-copy-source-server-side-encryption-customer-key-MD5";
/// The triple of the first key, for the source of a copy.
pub const S1: [Pair<'static>; 3] = [
    (SOURCE_ALGORITHM, "AES256"),
    (SOURCE_KEY, K1),
    (SOURCE_MD5, M1),
];
/// That of the second.
pub const S2: [Pair<'static>; 3] = [
    (SOURCE_ALGORITHM, "AES256"),
    (SOURCE_KEY, K2),
    (SOURCE_MD5, M2),
];

/// A server with a bucket named `bucket`, and the directory that holds its data.
pub struct Served {
    pub server: Running,
    pub directory: TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Which headers a signature covers.
#[derive(Clone, Copy, Debug)]
pub enum Cover<'a> {
    /// All of them.
    All,
    /// `host` and these, in lower case.
    Only(&'a [&'a str]),
}

/// Where the signature goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Header,
    Query,
}

/// A request before it is signed. Names and values go out as they are.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub method: &'a str,
    /// The path, encoded, with its slash.
    pub path: &'a str,
    pub query: Vec<Pair<'a>>,
    pub headers: Vec<Pair<'a>>,
    pub body: &'a [u8],
    pub cover: Cover<'a>,
    pub place: Place,
    /// The path that is signed, where it is written otherwise than it is sent.
    pub canonical: Option<&'a str>,
    /// The host name, without the port; `localhost` by default.
    pub host: Option<&'a str>,
    /// What `x-amz-content-sha256` says, where it is not the hash of the body.
    pub payload: Option<&'a str>,
}

impl<'a> Ask<'a> {
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: b"",
            cover: Cover::All,
            place: Place::Header,
            canonical: None,
            host: None,
            payload: None,
        }
    }

    pub fn payload(mut self, kind: &'a str) -> Self {
        self.payload = Some(kind);
        self
    }

    pub fn canonical(mut self, path: &'a str) -> Self {
        self.canonical = Some(path);
        self
    }

    pub fn host(mut self, name: &'a str) -> Self {
        self.host = Some(name);
        self
    }

    pub fn query(mut self, pairs: &[Pair<'a>]) -> Self {
        self.query.extend_from_slice(pairs);
        self
    }

    pub fn with(mut self, headers: &[Pair<'a>]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    pub fn cover(mut self, names: &'a [&'a str]) -> Self {
        self.cover = Cover::Only(names);
        self
    }

    pub fn presigned(mut self) -> Self {
        self.place = Place::Query;
        self
    }
}

impl Served {
    pub async fn start(dialect: Dialect) -> Self {
        Self::start_with(dialect, |_| {}).await
    }

    pub async fn impostor(name: &str) -> Self {
        Self::start_with(Dialect::Aws, |config| {
            config.impostor = Some(name.to_owned())
        })
        .await
    }

    pub async fn start_with(dialect: Dialect, change: impl FnOnce(&mut Config)) -> Self {
        let directory = TempDir::new().unwrap();
        let mut config = Config::new(directory.path().join("data"));
        config.dialect = dialect;
        config.buckets = vec!["bucket".to_owned()];
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        Self { server, directory }
    }

    /// Sends a request over TLS.
    pub async fn send(&self, ask: &Ask<'_>) -> Reply {
        let text = self.signed(ask);
        self.send_bytes(&text).await
    }

    /// Tells the bucket called `bucket` to keep versions or not, and sees that it does.
    pub async fn keep_versions(&self, status: &str) {
        let body =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let versioning = [("versioning", "")];
        let ask = Ask::new("PUT", "/bucket").query(&versioning);
        self.send(&ask.body(body.as_bytes())).await.is(200);
        let ask = Ask::new("GET", "/bucket").query(&versioning);
        let shown = self.send(&ask).await;
        assert_eq!(shown.is(200).element("Status").as_deref(), Some(status));
    }

    /// Sends a request over the plain listener.
    pub async fn send_plain(&self, ask: &Ask<'_>) -> Reply {
        self.send_plain_bytes(&self.signed(ask)).await
    }

    /// Sends bytes as they are over the plain listener.
    pub async fn send_plain_bytes(&self, bytes: &[u8]) -> Reply {
        let address = self.server.http_address.unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        exchange(stream, bytes).await
    }

    /// Sends bytes as they are over TLS.
    pub async fn send_bytes(&self, bytes: &[u8]) -> Reply {
        exchange(self.connect().await, bytes).await
    }

    /// Sends bytes over TLS and ends the connection; returns when the server has ended it too.
    pub async fn cut(&self, bytes: &[u8]) {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let wait = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest));
        let _ = wait.await.expect("the server ends a broken connection");
    }

    async fn connect(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let pem = self.server.ca_pem.as_ref().unwrap();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }

    /// The bytes of a request with its signature.
    pub fn signed(&self, ask: &Ask<'_>) -> Vec<u8> {
        signer::Signer::new(&self.server).request(ask)
    }
}

/// The content of every file below a directory.
pub fn disk(directory: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(disk(&path));
        } else {
            match std::fs::read(&path) {
                Ok(bytes) => files.push(bytes),
                // A body that was given up goes after its answer.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }
    files
}

/// Whether any file holds these bytes.
pub fn holds(disk: &[Vec<u8>], needle: &[u8]) -> bool {
    disk.iter()
        .any(|file| file.windows(needle.len()).any(|window| window == needle))
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Reply {
    let mut answer = Vec::new();
    let talk = async {
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(Duration::from_secs(30), talk)
        .await
        .expect("the server answers in time");
    Reply::parse(&answer)
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a header section");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let reply = Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        };
        assert!(
            reply.header("transfer-encoding").is_none(),
            "answers have a Content-Length"
        );
        reply
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The content of the first element of that name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        self.is(status);
        assert_eq!(
            self.element("Code").as_deref(),
            Some(code),
            "{}",
            self.text()
        );
        self
    }
}

/// The MD5 of some bytes, in hexadecimal digits.
pub fn md5_hex(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(bytes))
}
