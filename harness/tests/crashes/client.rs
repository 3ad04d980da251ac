//! One request at a time, with the one customer key of these tests.

use std::time::Duration;

use bytes::Bytes;
use harness::clock::Clock;
use harness::credentials::Credentials;
use harness::s3::{Bucket, Payload, Request, Signer, Style, operation};
use harness::ssec::{CustomerKey, SsecHeaders};
use harness::transport::{self, Endpoint, Exchange, Limits, TlsSettings};

use super::server::{ACCESS_KEY_ID, SECRET};

/// Keeps no versions.
pub(crate) const PLAIN: &str = "plain";
/// Keeps versions.
pub(crate) const KEPT: &str = "kept";

/// The server ended before it had answered.
#[derive(Debug)]
pub(crate) struct Unanswered;

pub(crate) struct Client {
    endpoint: Endpoint,
    client: transport::Client,
    credentials: Credentials,
    key: CustomerKey,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            client: transport::Client::new(endpoint.clone(), TlsSettings::insecure()),
            endpoint,
            credentials: Credentials::new(ACCESS_KEY_ID, SECRET, None),
            key: CustomerKey::from_bytes([0x4b; 32]),
        }
    }

    pub(crate) fn bucket(&self, name: &str) -> Bucket {
        Bucket {
            endpoint: self.endpoint.clone(),
            style: Style::Path,
            name: name.to_owned(),
            domain: None,
        }
    }

    /// Sends a request without the customer key.
    pub(crate) async fn send(&self, request: Request) -> Result<Exchange, Unanswered> {
        self.send_with(request, &SsecHeaders::default()).await
    }

    /// Sends a request with the customer key.
    pub(crate) async fn send_keyed(&self, request: Request) -> Result<Exchange, Unanswered> {
        self.send_with(request, &SsecHeaders::of_key(&self.key))
            .await
    }

    async fn send_with(
        &self,
        request: Request,
        ssec: &SsecHeaders,
    ) -> Result<Exchange, Unanswered> {
        let signer = Signer {
            credentials: &self.credentials,
            region: "us-east-1",
            now: Clock::system().now(),
        };
        let signed = signer
            .sign_step(request, ssec, None, Payload::Unsigned)
            .unwrap();
        let limits = Limits::within(Duration::from_secs(60)).for_body(16 << 20);
        let answered = self.client.send(&signed, &limits).await;
        let exchange = answered.map_err(|_| Unanswered)?;
        if exchange.cut.is_some() {
            return Err(Unanswered);
        }
        Ok(exchange)
    }

    /// The headers that open the source of a copy.
    pub(crate) fn opening_source(&self, request: Request) -> Request {
        let name = |rest| format!("x-amz-copy-source-server-side-encryption-customer-{rest}");
        request
            .with_header(&name("algorithm"), "AES256")
            .with_header(&name("key"), self.key.base64().as_str())
            .with_header(&name("key-MD5"), self.key.md5_base64())
    }

    pub(crate) async fn make_buckets(&self) {
        for name in [PLAIN, KEPT] {
            let bucket = self.bucket(name);
            let made = self
                .send(operation::create_bucket(&bucket, "us-east-1"))
                .await
                .unwrap();
            assert!(matches!(made.status, 200 | 409), "{}", text(&made));
        }
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let versions = Request::new("PUT", &self.bucket(KEPT), "")
            .with_query("versioning", "")
            .with_body(Bytes::from_static(enabled.as_bytes()));
        assert_eq!(self.send(versions).await.unwrap().status, 200);
    }

    /// The names in the bucket without versions.
    pub(crate) async fn names(&self) -> Vec<String> {
        let list = operation::list_objects(&self.bucket(PLAIN), "", None);
        let listed = self.send(list).await.unwrap();
        assert_eq!(listed.status, 200, "{}", text(&listed));
        elements(&text(&listed), "Key")
    }

    /// Names and ids of the uploads that go on.
    pub(crate) async fn uploads(&self) -> Vec<(String, String)> {
        let listed = self
            .send(operation::list_uploads(&self.bucket(PLAIN), ""))
            .await
            .unwrap();
        let text = text(&listed);
        assert_eq!(listed.status, 200, "{text}");
        let names = elements(&text, "Key");
        names.into_iter().zip(elements(&text, "UploadId")).collect()
    }

    pub(crate) async fn abort(&self, name: &str, id: &str) {
        let abort = operation::abort_upload(&self.bucket(PLAIN), name, id);
        assert_eq!(self.send(abort).await.unwrap().status, 204);
    }
}

pub(crate) fn text(exchange: &Exchange) -> String {
    String::from_utf8_lossy(&exchange.body).into_owned()
}

/// The contents of all elements of that name, in order; none of them is nested in another one.
pub(crate) fn elements(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = text.split(&open).skip(1);
    rest.map(|rest| rest.split(&close).next().unwrap().to_owned())
        .collect()
}
