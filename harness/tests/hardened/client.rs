//! One request at a time to one bucket, judged by nobody but the test.

use std::time::Duration;

use bytes::Bytes;
use harness::clock::Clock;
use harness::credentials::Credentials;
use harness::s3::{Bucket, Payload, Request, Signer, Style, operation};
use harness::ssec::{CustomerKey, SsecHeaders};
use harness::transport::{self, Endpoint, Exchange, Limits, SignedRequest, TlsSettings};

use super::served::{ACCESS_KEY_ID, SECRET};

pub(crate) struct Client {
    pub(crate) bucket: Bucket,
    credentials: Credentials,
    key: CustomerKey,
}

impl Client {
    pub(crate) fn new(endpoint: &str, bucket: &str) -> Self {
        Self {
            bucket: Bucket {
                endpoint: Endpoint::parse(endpoint).unwrap(),
                style: Style::Path,
                name: bucket.to_owned(),
                domain: None,
            },
            credentials: Credentials::new(ACCESS_KEY_ID, SECRET, None),
            key: CustomerKey::from_bytes([0x4b; 32]),
        }
    }

    /// A request as it is sent, with the client's customer key.
    pub(crate) fn signed(&self, request: Request) -> SignedRequest {
        let signer = Signer {
            credentials: &self.credentials,
            region: "us-east-1",
            now: Clock::system().now(),
        };
        let ssec = match request.method {
            "DELETE" => SsecHeaders::default(),
            _ => SsecHeaders::of_key(&self.key),
        };
        signer
            .sign_step(request, &ssec, None, Payload::Unsigned)
            .unwrap()
    }

    pub(crate) async fn send(&self, request: Request) -> Exchange {
        let limits = Limits::within(Duration::from_secs(120)).for_body(16 << 20);
        let endpoint = self.bucket.endpoint.clone();
        let client = transport::Client::new(endpoint, TlsSettings::insecure());
        client.send(&self.signed(request), &limits).await.unwrap()
    }

    pub(crate) async fn put(&self, name: &str, body: Bytes) -> Exchange {
        self.send(operation::put_object(&self.bucket, name, body))
            .await
    }

    pub(crate) async fn get(&self, name: &str) -> Exchange {
        self.send(operation::get_object(&self.bucket, name)).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Exchange {
        self.send(operation::delete_object(&self.bucket, name))
            .await
    }

    pub(crate) async fn create_upload(&self, name: &str) -> Exchange {
        self.send(operation::create_upload(&self.bucket, name))
            .await
    }

    pub(crate) fn putting(&self, name: &str, body: Bytes) -> SignedRequest {
        self.signed(operation::put_object(&self.bucket, name, body))
    }
}
