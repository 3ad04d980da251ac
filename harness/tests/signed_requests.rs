//! Requests as the harness signs and sends them, verified by a server that shares no code with it.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use harness::clock::Clock;
use harness::credentials::Credentials;
use harness::s3::error_document::error_document;
use harness::s3::{Bucket, Payload, Request, Signer, Style, operation};
use harness::scenario::definition::{KeySpec, Mutation, Presign, Ssec, SsecHeader};
use harness::ssec::{Keyring, SsecHeaders, TrialKeys, wire};
use harness::target::Target;
use harness::target::bundled::{Bundled, Wish};
use harness::transport::{Client, Exchange, Limits, SignedRequest};

struct World {
    bundled: Bundled,
    target: Target,
    client: Client,
    keys: TrialKeys,
    now: SystemTime,
}

impl World {
    async fn new() -> Self {
        let wish = Wish {
            dialect: "aws".to_owned(),
            style: Style::Path,
            impostor: None,
        };
        let (bundled, target) = Bundled::start(&wish).await.unwrap();
        let client = Client::new(target.endpoint.clone(), target.tls.clone());
        let specs = [("alice", KeySpec::default()), ("bob", KeySpec::default())];
        let keys = Keyring::new()
            .draw_named("signed requests", &specs)
            .unwrap();
        let world = Self {
            bundled,
            target,
            client,
            keys,
            now: Clock::system().now(),
        };
        let created = operation::create_bucket(&world.bucket(Style::Path), "us-east-1");
        world
            .check(
                world.signer().sign(created, Payload::Signed).unwrap(),
                200,
                None,
            )
            .await;
        world
    }

    fn bucket(&self, style: Style) -> Bucket {
        let domain = Some("s3.localhost".to_owned());
        Bucket {
            endpoint: self.target.endpoint.clone(),
            style,
            name: "bucket".to_owned(),
            domain,
        }
    }

    fn signer(&self) -> Signer<'_> {
        let (credentials, region) = (&self.target.credentials, self.target.region.as_str());
        Signer {
            credentials,
            region,
            now: self.now,
        }
    }

    fn right(&self, name: &str) -> SsecHeaders {
        SsecHeaders::right(name, &self.keys).unwrap()
    }

    async fn send(&self, request: &SignedRequest) -> Exchange {
        let limits = Limits::within(Duration::from_secs(30));
        self.client.send(request, &limits).await.unwrap()
    }

    async fn check(&self, request: SignedRequest, status: u16, code: Option<&str>) -> Exchange {
        let exchange = self.send(&request).await;
        let found = error_document(&exchange.body).and_then(|document| document.code);
        let text = String::from_utf8_lossy(&exchange.body);
        assert_eq!(exchange.status, status, "{text}");
        if code.is_some() {
            assert_eq!(found.as_deref(), code, "{text}");
        }
        exchange
    }

    async fn stop(self) {
        self.bundled.stop().await;
    }
}

fn put(bucket: &Bucket, object: &str) -> Request {
    operation::put_object(bucket, object, Bytes::from_static(b"hello"))
}

#[tokio::test]
async fn both_styles_all_payloads_and_any_name_are_served() {
    let world = World::new().await;
    let signer = world.signer();
    let alice = world.right("alice");
    for style in [Style::Path, Style::VirtualHost] {
        for payload in [Payload::Unsigned, Payload::Signed, Payload::Chunked] {
            for object in ["plain", "a b+c/../%7E~\u{fc}?&=#*'()", "//double"] {
                let bucket = world.bucket(style);
                let signed = signer
                    .sign_step(put(&bucket, object), &alice, None, payload)
                    .unwrap();
                world.check(signed, 200, None).await;
                let get = operation::get_object(&bucket, object);
                // Only what has a body goes in chunks.
                let payload = match payload {
                    Payload::Chunked => Payload::Signed,
                    Payload::Signed | Payload::Unsigned => payload,
                };
                let signed = signer.sign_step(get, &alice, None, payload).unwrap();
                let exchange = world.check(signed, 200, None).await;
                assert_eq!(&exchange.body[..], b"hello");
                assert!(exchange.is_whole());
            }
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn another_secret_or_a_changed_header_is_refused() {
    let world = World::new().await;
    let id = world.target.credentials.access_key_id.as_str();
    let wrong = Credentials::new(id, "not the secret", None);
    let signer = Signer {
        credentials: &wrong,
        ..world.signer()
    };
    let request = operation::list_objects(&world.bucket(Style::Path), "", None);
    let signed = signer.sign(request.clone(), Payload::Unsigned).unwrap();
    world
        .check(signed, 403, Some("SignatureDoesNotMatch"))
        .await;
    let mut signed = world.signer().sign(request, Payload::Unsigned).unwrap();
    signed.target.push('x');
    world
        .check(signed, 403, Some("SignatureDoesNotMatch"))
        .await;
    world.stop().await;
}

/// Only a signature that holds lets the server look at the headers at all.
#[tokio::test]
async fn what_aws_sigv4_cannot_carry_is_signed_rightly_all_the_same() {
    let world = World::new().await;
    let bucket = world.bucket(Style::Path);
    let spoilt = |mutate: &[(SsecHeader, Mutation)], raw: &[(SsecHeader, &[u8])]| Ssec {
        key: "alice".to_owned(),
        drop: BTreeSet::new(),
        mutate: mutate.iter().copied().collect(),
        raw: raw
            .iter()
            .map(|(header, bytes)| (*header, bytes.to_vec()))
            .collect::<BTreeMap<_, _>>(),
    };
    for ssec in [
        spoilt(&[(SsecHeader::Key, Mutation::Twice)], &[]),
        spoilt(&[(SsecHeader::KeyMd5, Mutation::TwiceOther)], &[]),
        spoilt(&[], &[(SsecHeader::Key, b"caf\xe9")]),
    ] {
        let headers = SsecHeaders::build(&ssec, &world.keys).unwrap();
        let signed = world
            .signer()
            .sign_step(put(&bucket, "o"), &headers, None, Payload::Unsigned)
            .unwrap();
        let exchange = world.check(signed, 400, Some("InvalidArgument")).await;
        let none = SsecHeaders::default();
        assert_eq!(wire::carries(&exchange.sent_head, &headers, &none), Ok(()));
    }
    world.stop().await;
}

#[tokio::test]
async fn a_presigned_url_covers_what_it_says() {
    use SsecHeader as H;
    let world = World::new().await;
    let bucket = world.bucket(Style::VirtualHost);
    let (alice, bob) = (world.right("alice"), world.right("bob"));
    let presign = |sign: &[H], age| Presign {
        sign: sign.iter().copied().collect(),
        query: BTreeSet::new(),
        signed_as: None,
        expires: 300,
        age,
    };
    let sign = |request, sent, signed_as, presign: Presign| {
        world
            .signer()
            .presign_step(request, sent, signed_as, &presign)
            .unwrap()
    };
    let signed = sign(put(&bucket, "o"), &alice, &alice, presign(&H::ALL, 0));
    world.check(signed, 200, None).await;
    let get = || operation::get_object(&bucket, "o");
    for covered in [H::ALL.as_slice(), &[H::Algorithm]] {
        let signed = sign(get(), &alice, &alice, presign(covered, 0));
        assert_eq!(&world.check(signed, 200, None).await.body[..], b"hello");
    }
    let other = sign(get(), &alice, &bob, presign(&H::ALL, 0));
    world.check(other, 403, Some("SignatureDoesNotMatch")).await;
    let expired = sign(get(), &alice, &alice, presign(&H::ALL, 600));
    world.check(expired, 403, Some("AccessDenied")).await;
    world.stop().await;
}
