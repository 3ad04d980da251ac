//! A server with nothing behind its front but a handler that tells what it was handed.

use std::sync::{Arc, Mutex};

use reference_server::config::{CertificateSource, Config, CredentialSource, Listeners};
use reference_server::request::{Resource, S3Request};
use reference_server::response::ResponseBody;
use reference_server::s3_error::{Code, S3Error};
use reference_server::server::{Handler, HandlerFuture};
use reference_server::{Running, Server};
use tokio::net::TcpStream;

use super::raw_client::{Answer, Connection};
use super::signed_request::{ID, Request, SECRET};

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

    /// Asserts that no body came through whole.
    #[track_caller]
    pub(crate) fn stored_nothing(&self) {
        assert!(self.seen.bodies().is_empty(), "something was stored");
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.connect().await.exchange(request).await
    }
}
