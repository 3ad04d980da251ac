//! What `s3s` 0.14.1, the newest release that this compiler can build, lets through or gives away:
//! each hole is a test of ours. Those that have one elsewhere are named here.
//!
//! | hole of s3s | test |
//! |---|---|
//! | chunk and trailer signatures compared byte by byte | [`signatures_are_compared_in_constant_time`] |
//! | `x-amz-decoded-content-length` not enforced, in either direction | `aws_chunked::a_wrong_decoded_length_is_refused` |
//! | unsigned `x-amz-*` headers accepted on a presigned URL | `contract`, rows U3, U4, U13; `auth::unsigned_headers_are_handed_on_by_name` |
//! | errors without `Resource`, `HostId`, `ArgumentName` | [`an_error_has_all_its_elements`] |
//! | `SignatureDoesNotMatch`, `InvalidBucketName` without a message | [`every_error_has_a_message`] |
//! | an empty customer key taken for none | `contract`, rows P9, P15 |
//! | a doubled SSE-C header | `policy_table`, `a_doubled_or_unknown_header_is_refused` |
//! | two `Authorization` headers taken for none | [`two_authorization_headers_are_no_anonymous_request`] |
//! | a presigned header missing, or changed | `contract`, rows U5, U6 |
//! | `X-Amz-Expires` of eight days accepted | `auth::a_presigned_url_lives_as_long_as_it_says` |
//! | a wrong or malformed `Content-MD5` accepted | `body::declared_digests_are_compared` |
//! | a wrong `x-amz-content-sha256` answered with 500 | `body::another_hash_is_refused` |
//! | bad framing of chunks answered with 500 | `aws_chunked::bad_framing_is_refused` |
//! | no final chunk: truncated bodies accepted | `aws_chunked::a_missing_final_chunk_is_refused` |
//! | a wrong checksum in the trailer accepted | `aws_chunked::a_wrong_trailer_is_refused` |
//! | a chunk collected whole, up to 4 GiB | the decoder's `a_chunk_is_handed_on_before_it_has_ended`; [`a_chunk_of_a_gibibyte_is_not_waited_for`] |
//! | SigV2 accepted | `auth::version_2_is_refused_and_version_4_named` |
//! | the customer key printed by `Debug`, and logged | [`what_is_printed_of_a_request_has_no_key`] |
//! | every 4xx logged as an error | [`a_refusal_is_no_error_of_the_server`] |

use std::sync::{Arc, Mutex};

use reference_server::Server;
use reference_server::config::{Config, CredentialSource, Listeners};
use reference_server::request::S3Request;
use reference_server::response::ResponseBody;
use reference_server::s3_error::{Code, S3Error};
use reference_server::server::{Handler, HandlerFuture};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::event_log::Log;
use super::probe::TestServer;
use super::raw_client::Connection;
use super::signed_request::{EMPTY_SHA256, ID, Request, SECRET, Scope, now};

const KEY: &str = "x-amz-server-side-encryption-customer-key";
const SOURCE_KEY: &str = "x-amz-copy-source-server-side-encryption-customer-key";

#[test]
fn signatures_are_compared_in_constant_time() {
    // Timing shows it to nobody in a test; the source does: aws-lc's `verify` is constant in time.
    for source in [
        include_str!("../../src/auth/verify.rs"),
        include_str!("../../src/auth/chunk_signature.rs"),
    ] {
        let code = source.split("#[cfg(test)]").next().unwrap();
        assert!(code.contains("use aws_lc_rs::hmac::{Key, verify};"));
        assert!(code.contains(" verify(&"), "nothing calls it");
        for plain in [
            "signature ==",
            "signature.0 ==",
            "claimed ==",
            "signature !=",
        ] {
            assert!(!code.contains(plain), "{plain}");
        }
    }
}

#[tokio::test]
async fn an_error_has_all_its_elements() {
    let server = TestServer::plain().await;
    let request = Request::new("GET", "/bucket/a%26b")
        .presigned("60", &["host"])
        .signed(EMPTY_SHA256);
    let answer = server.send(&request).await;
    answer.refused(400, "InvalidArgument");
    let element = |name: &str| answer.element(name).unwrap_or_default();
    assert_eq!(element("ArgumentName"), "Authorization");
    assert_eq!(element("Resource"), "/bucket/a&amp;b");
    let id = answer.header("x-amz-request-id");
    assert_eq!(Some(element("RequestId").as_str()), id);
    assert_eq!(
        Some(element("HostId").as_str()),
        answer.header("x-amz-id-2")
    );
}

#[tokio::test]
async fn every_error_has_a_message() {
    let server = TestServer::plain().await;
    let scope = Scope {
        secret: "another".to_owned(),
        ..Scope::at(now())
    };
    let request = Request::new("GET", "/bucket/a").signed_in(EMPTY_SHA256, &scope);
    let answer = server.send(&request).await;
    answer.refused(403, "SignatureDoesNotMatch");
    assert!(
        answer
            .element("Message")
            .is_some_and(|text| text.len() > 20)
    );
    for code in Code::ALL {
        assert!(!S3Error::new(*code).message().is_empty(), "{code:?}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_no_anonymous_request() {
    let server = TestServer::plain().await;
    let signed = Request::new("GET", "/bucket/a").signed(EMPTY_SHA256);
    server.send(&signed).await.served();
    let value = signed.headers.last().unwrap().1.clone();
    assert!(value.starts_with("AWS4-HMAC-SHA256"), "{value}");
    for second in [value.as_str(), "AWS4-HMAC-SHA256 nonsense", ""] {
        let doubled = signed.clone().header("Authorization", second);
        let answer = server.send(&doubled).await;
        answer.refused(400, "AuthorizationHeaderMalformed");
        assert!(answer.text().contains("it was sent more than once"));
    }
}

#[tokio::test]
async fn a_chunk_of_a_gibibyte_is_not_waited_for() {
    let trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let arrived = Arc::new(Mutex::new(0));
    let (counts, seen) = (Arc::clone(&arrived), Arc::new(tokio::sync::Notify::new()));
    let server = Told::start(Reads {
        arrived: counts,
        seen: Arc::clone(&seen),
    })
    .await;
    let head = Request::new("PUT", "/b/a")
        .header("Content-Encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "1073741824")
        .header("Transfer-Encoding", "chunked")
        .signed(trailer);
    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    stream.write_all(&head.head()).await.unwrap();
    // One aws-chunk of 1 GiB, of which ten bytes come.
    stream
        .write_all(b"14\r\n40000000\r\nthe first\n\r\n\r\n")
        .await
        .unwrap();
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, seen.notified())
        .await
        .unwrap();
    assert!(*arrived.lock().unwrap() > 0);
}

/// Tells of the first bytes of a body.
struct Reads {
    arrived: Arc<Mutex<usize>>,
    seen: Arc<tokio::sync::Notify>,
}

impl Handler for Reads {
    fn handle(&self, request: S3Request) -> HandlerFuture<'_> {
        Box::pin(async move {
            let mut body = request.body;
            while let Ok(Some(bytes)) = body.next().await {
                *self.arrived.lock().unwrap() += bytes.len();
                self.seen.notify_one();
            }
            http::Response::new(ResponseBody::empty())
        })
    }
}

/// Prints all that can be printed of a request.
struct Prints(Arc<Mutex<String>>);

impl Handler for Prints {
    fn handle(&self, request: S3Request) -> HandlerFuture<'_> {
        let text = format!(
            "{:?} {:#?} {:?} {:?} {:?} {:?}",
            request.headers,
            request.headers,
            request.resource,
            request.authenticated,
            request.facts,
            request.transport,
        );
        self.0.lock().unwrap().push_str(&text);
        Box::pin(async { http::Response::new(ResponseBody::empty()) })
    }
}

/// A server whose requests go to a handler of the test's own.
struct Told {
    running: reference_server::Running,
    _directory: tempfile::TempDir,
}

impl Told {
    async fn start(handler: impl Handler + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path().join("data"));
        config.listeners = Listeners::PlainHttp;
        config.credentials = CredentialSource::Given {
            access_key_id: ID.to_owned(),
            secret_access_key: SECRET.to_owned(),
        };
        let running = Server::start_with(config, Arc::new(handler)).await.unwrap();
        Self {
            running,
            _directory: directory,
        }
    }
}

#[tokio::test]
async fn what_is_printed_of_a_request_has_no_key() {
    let printed = Arc::new(Mutex::new(String::new()));
    let server = Told::start(Prints(Arc::clone(&printed))).await;
    let request = Request::new("PUT", "/bucket/a")
        .header(KEY, "TARGETSECRET")
        .header(&format!("{KEY}-md5"), "TARGETDIGEST")
        .header(SOURCE_KEY, "SOURCESECRET")
        .header("x-amz-meta-note", "told")
        .header("Content-Length", "0")
        .signed(EMPTY_SHA256);
    let stream = TcpStream::connect(server.running.address).await.unwrap();
    let mut connection = Connection { stream };
    assert_eq!(connection.exchange(&request).await.status, 200);
    let printed = printed.lock().unwrap();
    // What is no secret is there, so that the search is one that could find something.
    assert!(
        printed.contains("told") && printed.contains("bucket"),
        "{printed}"
    );
    for secret in ["TARGETSECRET", "SOURCESECRET", "TARGETDIGEST", "Signature="] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

#[tokio::test]
async fn a_refusal_is_no_error_of_the_server() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    // Why there is a second one is said in `start`.
    let _second = tracing::Dispatch::new(Log::default());
    let server = TestServer::plain().await;
    server
        .send(&Request::new("GET", "/bucket/a"))
        .await
        .refused(403, "AccessDenied");
    let bad = Request::put("/b/a", b"hello").signed(EMPTY_SHA256);
    server
        .send(&bad)
        .await
        .refused(400, "XAmzContentSHA256Mismatch");
    let text = log.text();
    assert!(
        text.contains("status=403") && text.contains("status=400"),
        "{text}"
    );
    for line in text.lines() {
        let loud = line.contains(" ERROR") || line.contains(" WARN");
        assert!(!loud, "{line}");
    }
}
