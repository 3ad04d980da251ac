//! The examples that Amazon publishes for Signature Version 4 of S3, typed from its API reference:
//! "Signature Calculations for the Authorization Header" (single chunk, multiple chunks, trailing
//! headers) and "Authenticating Requests: Using Query Parameters". Each is verified as printed, and
//! refused with one thing changed.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reference_server::auth::credentials::Credentials;
use reference_server::auth::payload::Payload;
use reference_server::auth::{Authenticator, Proof, RequestHead, SignatureKind};
use reference_server::body::IncomingBody;
use reference_server::s3_error::Code;

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST: &str = "examplebucket.s3.amazonaws.com";

/// One example: what is sent, without the `Authorization` header.
struct Example {
    method: Method,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    headers: &'static [(&'static str, &'static str)],
    signed_headers: &'static str,
    signature: &'static str,
}

fn midnight() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn authenticator() -> Authenticator {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned().into(),
    };
    Authenticator::new(&credentials, "us-east-1")
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn header_map(pairs: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    headers
}

impl Example {
    fn verify(&self, change: impl Fn(&mut Vec<(String, String)>)) -> Result<Proof, Code> {
        let mut pairs = owned(self.headers);
        pairs.push((
            "authorization".to_owned(),
            format!(
                "AWS4-HMAC-SHA256 \
                 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders={},Signature={}",
                self.signed_headers, self.signature
            ),
        ));
        change(&mut pairs);
        let head = RequestHead {
            method: &self.method,
            path: self.path.as_bytes(),
            query: &owned(self.query),
            headers: &header_map(&pairs),
        };
        authenticator()
            .authenticate(&head, midnight())
            .map_err(|error| error.code())
    }

    #[track_caller]
    fn check(&self) {
        let proof = self.verify(|_| ()).unwrap();
        assert_eq!(proof.authenticated.identity, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(proof.authenticated.kind, SignatureKind::Header);
        for (name, _) in self.headers {
            assert!(proof.authenticated.signed.covers(name), "{name}");
        }
        for position in 0..self.headers.len() {
            let altered = self.verify(|pairs| pairs[position].1.push('x'));
            assert!(altered.is_err(), "{} altered", self.headers[position].0);
            let absent = self.verify(|pairs| drop(pairs.remove(position)));
            assert!(absent.is_err(), "{} left out", self.headers[position].0);
        }
    }
}

impl Example {
    /// Reads the body as printed, and with one byte changed wherever that could go unnoticed.
    #[track_caller]
    fn check_body(&self, body: &[u8]) {
        let read = |body: Vec<u8>| {
            let proof = self.verify(|_| ()).unwrap();
            let headers = header_map(&owned(self.headers));
            let body = IncomingBody::from_memory(body, &headers, proof.payload).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime
                .block_on(body.collect(100_000))
                .map_err(|error| error.code())
        };
        assert_eq!(read(body.to_vec()).unwrap(), vec![b'a'; 66560]);
        for position in [
            0,
            30,
            200,
            65_000,
            65_700,
            66_600,
            body.len() - 40,
            body.len() - 1,
        ] {
            let mut changed = body.to_vec();
            changed[position] ^= 1;
            assert!(read(changed).is_err(), "byte {position} changed");
        }
    }
}

#[test]
fn get_object() {
    Example {
        method: Method::GET,
        path: "/test.txt",
        query: &[],
        headers: &[
            ("host", HOST),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", "20130524T000000Z"),
        ],
        signed_headers: "host;range;x-amz-content-sha256;x-amz-date",
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }
    .check();
}

#[test]
fn put_object() {
    Example {
        method: Method::PUT,
        path: "/test$file.text",
        query: &[],
        headers: &[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("host", HOST),
            (
                "x-amz-content-sha256",
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            ),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        signed_headers: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    }
    .check();
}

#[test]
fn get_bucket_lifecycle() {
    Example {
        method: Method::GET,
        path: "/",
        query: &[("lifecycle", "")],
        headers: &[
            ("host", HOST),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", "20130524T000000Z"),
        ],
        signed_headers: "host;x-amz-content-sha256;x-amz-date",
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    }
    .check();
}

#[test]
fn list_objects() {
    Example {
        method: Method::GET,
        path: "/",
        query: &[("prefix", "J"), ("max-keys", "2")],
        headers: &[
            ("host", HOST),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", "20130524T000000Z"),
        ],
        signed_headers: "host;x-amz-content-sha256;x-amz-date",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    }
    .check();
}

#[test]
fn put_object_in_signed_chunks() {
    let example = Example {
        method: Method::PUT,
        path: "/examplebucket/chunkObject.txt",
        query: &[],
        headers: &[
            ("content-encoding", "aws-chunked"),
            ("content-length", "66824"),
            ("host", "s3.amazonaws.com"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        signed_headers: "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
             x-amz-decoded-content-length;x-amz-storage-class",
        signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    };
    example.check();
    let proof = example.verify(|_| ()).unwrap();
    let Payload::ChunkedSigned {
        mut signer,
        trailer: false,
    } = proof.payload
    else {
        panic!("expected signed chunks without a trailer");
    };
    let first = b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    signer.verify_chunk(first, &sha256(&[b'a'; 65536])).unwrap();
    let body = framed(
        &[
            (
                65536,
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            ),
            (
                1024,
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            ),
            (
                0,
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ),
        ],
        "",
    );
    // The page gives this length.
    assert_eq!(body.len(), 66824);
    example.check_body(&body);
}

/// The chunks of an example: lengths in bytes of `a`, signatures; and the lines of a trailer.
fn framed(chunks: &[(usize, &str)], trailer: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (length, signature) in chunks {
        body.extend_from_slice(format!("{length:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend_from_slice(&vec![b'a'; *length]);
        if *length > 0 {
            body.extend_from_slice(b"\r\n");
        }
    }
    body.extend_from_slice(trailer.as_bytes());
    body.extend_from_slice(b"\r\n");
    body
}

#[test]
fn put_object_in_signed_chunks_with_a_trailer() {
    let example = Example {
        method: Method::PUT,
        path: "/examplebucket/chunkObject.txt",
        query: &[],
        headers: &[
            ("content-encoding", "aws-chunked"),
            ("host", "s3.amazonaws.com"),
            (
                "x-amz-content-sha256",
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            ),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-trailer", "x-amz-checksum-crc32c"),
        ],
        signed_headers: "content-encoding;host;x-amz-content-sha256;x-amz-date;\
             x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    };
    example.check();
    let proof = example.verify(|_| ()).unwrap();
    let Payload::ChunkedSigned {
        mut signer,
        trailer: true,
    } = proof.payload
    else {
        panic!("expected signed chunks with a trailer");
    };
    let first = b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2";
    signer.verify_chunk(first, &sha256(&[b'a'; 65536])).unwrap();
    let body = framed(
        &[
            (
                65536,
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            ),
            (
                1024,
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            ),
            (
                0,
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            ),
        ],
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:\
         d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
    );
    example.check_body(&body);
}

fn sha256(data: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data)
        .as_ref()
        .to_vec()
}

const PRESIGNED: [(&str, &str); 6] = [
    ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
    (
        "X-Amz-Credential",
        "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
    ),
    ("X-Amz-Date", "20130524T000000Z"),
    ("X-Amz-Expires", "86400"),
    ("X-Amz-SignedHeaders", "host"),
    (
        "X-Amz-Signature",
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    ),
];

fn presigned(
    method: &Method,
    query: &[(&str, &str)],
    host: &str,
    after: u64,
) -> Result<Proof, Code> {
    let headers = owned(&[("host", host)]);
    let head = RequestHead {
        method,
        path: b"/test.txt",
        query: &owned(query),
        headers: &header_map(&headers),
    };
    authenticator()
        .authenticate(&head, midnight() + Duration::from_secs(after))
        .map_err(|error| error.code())
}

#[test]
fn presigned_get_object() {
    let proof = presigned(&Method::GET, &PRESIGNED, HOST, 3600).unwrap();
    assert_eq!(proof.authenticated.kind, SignatureKind::Presigned);
    assert!(matches!(proof.payload, Payload::Unsigned));
    assert!(proof.authenticated.signed.covers("host"));
}

#[test]
fn presigned_get_object_lives_for_a_day() {
    assert!(presigned(&Method::GET, &PRESIGNED, HOST, 86400).is_ok());
    assert_eq!(
        presigned(&Method::GET, &PRESIGNED, HOST, 86401).unwrap_err(),
        Code::AccessDenied
    );
}

#[test]
fn presigned_get_object_is_for_that_request_only() {
    let refused = Code::SignatureDoesNotMatch;
    assert_eq!(
        presigned(&Method::HEAD, &PRESIGNED, HOST, 0).unwrap_err(),
        refused
    );
    let other = "other.s3.amazonaws.com";
    assert_eq!(
        presigned(&Method::GET, &PRESIGNED, other, 0).unwrap_err(),
        refused
    );
    let mut longer = PRESIGNED;
    longer[3].1 = "86401";
    assert_eq!(
        presigned(&Method::GET, &longer, HOST, 0).unwrap_err(),
        refused
    );
    let more: Vec<_> = PRESIGNED
        .iter()
        .copied()
        .chain([("versionId", "1")])
        .collect();
    assert_eq!(
        presigned(&Method::GET, &more, HOST, 0).unwrap_err(),
        refused
    );
}
