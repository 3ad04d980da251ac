//! The signers against AWS's published examples, and against each other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::s3::request::{Bucket, Style};
use crate::ssec::CustomerKey;
use crate::ssec::headers::SsecValue;
use crate::transport::Endpoint;

/// The account of the examples in the S3 API reference.
fn example() -> Credentials {
    Credentials::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    )
}

/// Friday, 24 May 2013, midnight in UTC.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn bucket() -> Bucket {
    Bucket {
        endpoint: Endpoint::parse("https://s3.amazonaws.com").unwrap(),
        style: Style::VirtualHost,
        name: "examplebucket".to_owned(),
        domain: None,
    }
}

fn signer(credentials: &Credentials) -> Signer<'_> {
    Signer {
        credentials,
        region: "us-east-1",
        now: then(),
    }
}

fn header(request: &SignedRequest, name: &str) -> String {
    let found = request
        .headers
        .iter()
        .find(|(given, _)| given.eq_ignore_ascii_case(name));
    String::from_utf8(found.unwrap().1.clone()).unwrap()
}

/// Both signers agree on the signature that the S3 API reference prints.
#[track_caller]
fn check_example(request: Request, signed_headers: &str, signature: &str) {
    let credentials = example();
    let signer = signer(&credentials);
    let mut headers = vec![("host".to_owned(), authority(&request))];
    headers.extend(request.headers.iter().cloned());
    let signable = Signable {
        method: request.method,
        url: &url(&request),
        path: &request.path,
        query: &request.query,
        headers: &headers,
        payload: Hash::Of(&request.body),
        at: then(),
    };
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}"
    );
    let own = bytewise::in_headers(&signer, &signable);
    assert_eq!(
        own.iter()
            .find(|(name, _)| name == "authorization")
            .unwrap()
            .1,
        expected
    );
    let signed = signer.sign(request, Payload::Signed).unwrap();
    assert_eq!(header(&signed, "authorization"), expected);
}

#[test]
fn the_published_get_object_is_signed_as_published() {
    check_example(
        Request::new("GET", &bucket(), "test.txt").with_header("Range", "bytes=0-9"),
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
}

#[test]
fn the_published_put_object_is_signed_as_published() {
    check_example(
        Request::new("PUT", &bucket(), "test$file.text")
            .with_header("Date", "Fri, 24 May 2013 00:00:00 GMT")
            .with_header("x-amz-storage-class", "REDUCED_REDUNDANCY")
            .with_body(Bytes::from_static(b"Welcome to Amazon S3.")),
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
}

#[test]
fn the_published_get_lifecycle_is_signed_as_published() {
    check_example(
        Request::new("GET", &bucket(), "").with_query("lifecycle", ""),
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    );
}

#[test]
fn the_published_list_is_signed_as_published() {
    check_example(
        Request::new("GET", &bucket(), "")
            .with_query("max-keys", "2")
            .with_query("prefix", "J"),
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    );
}

/// The request of "Transferring Payload in Multiple Chunks": head, chunks and lengths.
#[test]
fn the_published_chunks_are_signed_as_published() {
    let credentials = example();
    let path_style = Bucket {
        style: Style::Path,
        ..bucket()
    };
    let request = Request::new("PUT", &path_style, "chunkObject.txt")
        .with_header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .with_body(Bytes::from(vec![b'a'; 66_560]));
    let none = SsecHeaders::default();
    let signer = signer(&credentials);
    let signed = signer.sign_step(request, &none, None, Payload::Chunked);
    let signed = signed.unwrap();
    assert_eq!(header(&signed, "content-length"), "66824");
    assert_eq!(header(&signed, "x-amz-decoded-content-length"), "66560");
    assert_eq!(header(&signed, "content-encoding"), "aws-chunked");
    assert_eq!(signed.body.len(), 66_824);
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    assert!(header(&signed, "authorization").ends_with(&format!("Signature={seed}")));
    let a = |count: usize| "a".repeat(count);
    let chunks = format!(
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n\
         {}\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n\
         {}\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
        a(65_536),
        a(1024)
    );
    assert!(signed.body == chunks.as_bytes(), "other chunks");
}

/// The length that the head announces is that of the chunks, wherever the body ends.
#[test]
fn a_body_in_chunks_is_as_long_as_its_head_says() {
    let credentials = example();
    for length in [0, 1, 15, 16, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let request = Request::new("PUT", &bucket(), "doc")
            .with_header("Content-Encoding", "gzip")
            .with_body(Bytes::from(vec![b'a'; length]));
        let none = SsecHeaders::default();
        let signer = signer(&credentials);
        let signed = signer.sign_step(request, &none, None, Payload::Chunked);
        let signed = signed.unwrap();
        assert_eq!(
            header(&signed, "content-length"),
            signed.body.len().to_string()
        );
        assert_eq!(header(&signed, "content-encoding"), "aws-chunked,gzip");
    }
}

fn presign(sign: &[SsecHeader], query: &[SsecHeader]) -> Presign {
    Presign {
        sign: sign.iter().copied().collect(),
        query: query.iter().copied().collect(),
        signed_as: None,
        expires: 86_400,
        age: 0,
    }
}

#[test]
fn the_published_presigned_url_is_signed_as_published() {
    let credentials = example();
    let none = SsecHeaders::default();
    let request = Request::new("GET", &bucket(), "test.txt");
    let signed = signer(&credentials)
        .presign_step(request, &none, &none, &presign(&[], &[]))
        .unwrap();
    assert_eq!(
        signed.target,
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    assert_eq!(header(&signed, "host"), "examplebucket.s3.amazonaws.com");
}

fn alice() -> SsecHeaders {
    SsecHeaders::of_key(&CustomerKey::from_bytes([7; 32]))
}

#[test]
fn only_the_chosen_ssec_headers_are_covered() {
    let credentials = example();
    let covered = BTreeSet::from([SsecHeader::Algorithm]);
    let request = Request::new("GET", &bucket(), "o");
    let signed = signer(&credentials)
        .sign_step(request.clone(), &alice(), Some(&covered), Payload::Unsigned)
        .unwrap();
    assert!(header(&signed, "authorization").contains(
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;\
         x-amz-server-side-encryption-customer-algorithm, "
    ));
    assert_eq!(header(&signed, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    let names: Vec<&str> = signed
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(names.contains(&"x-amz-server-side-encryption-customer-key-MD5"));
    let all = signer(&credentials)
        .sign_step(request, &alice(), None, Payload::Unsigned)
        .unwrap();
    assert!(header(&all, "authorization").contains(
        ";x-amz-server-side-encryption-customer-algorithm;x-amz-server-side-encryption-customer-key;\
         x-amz-server-side-encryption-customer-key-md5, "
    ));
}

#[test]
fn a_presigned_step_signs_one_thing_and_may_send_another() {
    use SsecHeader as H;
    let credentials = example();
    let bob = SsecHeaders::of_key(&CustomerKey::from_bytes([9; 32]));
    let sign = |sent: &SsecHeaders, presign: &Presign| {
        let request = Request::new("GET", &bucket(), "o").with_header("Range", "bytes=0-1");
        signer(&credentials)
            .presign_step(request, sent, &bob, presign)
            .unwrap()
    };
    let with_key = sign(&alice(), &presign(&[H::Algorithm, H::Key], &[]));
    assert!(with_key.target.contains(
        "X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption-customer-algorithm\
         %3Bx-amz-server-side-encryption-customer-key&"
    ));
    assert!(!with_key.target.contains("range"));
    let key = H::Key.wire_name();
    assert_eq!(header(&with_key, key).as_bytes(), alice().values[1].value);
    // The signature is over Bob's values, whoever's are sent.
    let sent_by_bob = sign(&bob, &presign(&[H::Algorithm, H::Key], &[]));
    assert_eq!(sent_by_bob.target, with_key.target);

    let in_query = sign(&alice(), &presign(&[], &H::ALL));
    assert!(
        in_query
            .headers
            .iter()
            .all(|(name, _)| H::of_wire_name(name).is_none())
    );
    assert!(in_query.target.starts_with(
        "/o?x-amz-server-side-encryption-customer-algorithm=AES256\
         &x-amz-server-side-encryption-customer-key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc%3D\
         &x-amz-server-side-encryption-customer-key-MD5="
    ));
    let expired = Presign {
        age: 90_000,
        ..presign(&[], &[])
    };
    assert!(
        sign(&alice(), &expired)
            .target
            .contains("X-Amz-Date=20130522T230000Z")
    );
}

#[test]
fn what_is_no_text_cannot_stand_in_the_query() {
    let credentials = example();
    let raw = SsecHeaders {
        values: vec![SsecValue {
            header: SsecHeader::Key,
            value: vec![0xff],
        }],
    };
    let request = Request::new("GET", &bucket(), "o");
    let presign = presign(&[], &[SsecHeader::Key]);
    let result = signer(&credentials).presign_step(request, &raw, &alice(), &presign);
    assert!(matches!(result, Err(Error::Given(_))));
}

#[test]
fn a_doubled_header_and_bytes_that_are_no_text_are_signed_too() {
    let credentials = example();
    let value = |value: &[u8]| SsecValue {
        header: SsecHeader::Key,
        value: value.to_vec(),
    };
    for values in [vec![value(b"a"), value(b"b")], vec![value(&[0xff, 0xfe])]] {
        let ssec = SsecHeaders { values };
        let request = Request::new("GET", &bucket(), "o");
        let signed = signer(&credentials)
            .sign_step(request, &ssec, None, Payload::Unsigned)
            .unwrap();
        let count = signed
            .headers
            .iter()
            .filter(|(name, _)| name == SsecHeader::Key.wire_name());
        assert_eq!(count.count(), ssec.values.len());
        assert!(header(&signed, "authorization").contains("customer-key, "));
    }
    let doubled = bytewise_value(&[("A", b" x  y "), ("b", b"1"), ("a", b"z")]);
    assert_eq!(
        doubled,
        [("a", b"x y,z".to_vec()), ("b", b"1".to_vec())].map(owned)
    );
}

fn owned((name, value): (&str, Vec<u8>)) -> (String, Vec<u8>) {
    (name.to_owned(), value)
}

fn bytewise_value(headers: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| owned((name, value.to_vec())))
        .collect();
    bytewise::canonical_headers(&headers).into_iter().collect()
}

#[test]
fn lengths_are_sent_where_a_body_may_be() {
    let credentials = example();
    let signed = |method, body: &'static [u8]| {
        let request = Request::new(method, &bucket(), "o").with_body(Bytes::from_static(body));
        signer(&credentials)
            .sign(request, Payload::Unsigned)
            .unwrap()
    };
    assert_eq!(header(&signed("PUT", b""), "content-length"), "0");
    assert_eq!(header(&signed("PUT", b"abc"), "content-length"), "3");
    assert!(
        signed("GET", b"")
            .headers
            .iter()
            .all(|(name, _)| name != "Content-Length")
    );
}

/// Collects whatever is traced.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `aws-sigv4` traces the headers that it signs; a user who asks for every trace must not get them.
#[test]
fn signing_traces_nothing() {
    let credentials = example();
    let ear = Ear::default();
    let writer = ear.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::trace!("listening");
        let request = Request::new("GET", &bucket(), "o");
        signer(&credentials)
            .sign_step(request, &alice(), None, Payload::Unsigned)
            .unwrap();
    });
    let heard = String::from_utf8(ear.0.lock().unwrap().clone()).unwrap();
    assert!(heard.contains("listening"));
    assert_eq!(heard.lines().count(), 1, "{heard}");
}

fn texts() -> impl Strategy<Value = String> {
    // Inner tabs and other blanks than spaces are not trimmed alike by all servers: not sent.
    "[ -~]{0,30}"
}

/// Signs random requests with both signers; returns how many.
fn agree(cases: u32) -> u32 {
    let tried = std::cell::Cell::new(0);
    let config = ProptestConfig::with_cases(cases);
    proptest!(config, |(
        method in "GET|PUT|HEAD|DELETE",
        object in "\\PC{0,20}",
        query in proptest::collection::vec(("[a-zA-Z0-9 ~+/=&-]{1,10}", "\\PC{0,12}"), 0..4),
        headers in proptest::collection::btree_map("x-amz-[a-z0-9-]{1,10}", texts(), 0..5),
        body in proptest::collection::vec(any::<u8>(), 0..40),
        token in proptest::option::of("[a-zA-Z0-9/+=]{1,40}"),
        unsigned in any::<bool>(),
        seconds in 946_684_800_u64..4_000_000_000,
    )| {
        let credentials = Credentials::new("AKID", "secret/+", token.as_deref());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let signer = Signer { credentials: &credentials, region: "gra", now };
        let mut request = Request::new("GET", &bucket(), &object);
        request.query = query;
        let mut all = vec![("host".to_owned(), authority(&request))];
        all.extend(headers.into_iter().map(|(name, value)| (name, value.into_bytes())));
        let signable = Signable {
            method: &method,
            url: &url(&request),
            path: &request.path,
            query: &request.query,
            headers: &all,
            payload: if unsigned { Hash::Unsigned } else { Hash::Of(&body) },
            at: now,
        };
        prop_assert!(signable.suits_aws());
        let sorted = |mut pairs: Vec<(String, String)>| { pairs.sort(); pairs };
        let aws = sorted(aws::in_headers(&signer, &signable).unwrap());
        prop_assert_eq!(aws, sorted(bytewise::in_headers(&signer, &signable)));
        let expires = Duration::from_secs(300);
        let aws = sorted(aws::in_query(&signer, &signable, expires).unwrap());
        prop_assert_eq!(aws, sorted(bytewise::in_query(&signer, &signable, expires)));
        tried.set(tried.get() + 1);
    });
    tried.get()
}

#[test]
fn both_signers_agree() {
    let tried = agree(256);
    println!(
        "hardening | properties: requests signed as aws-sigv4 signs them | {tried} | – | – | 0 |"
    );
}

#[test]
#[ignore = "long form: minutes"]
fn both_signers_agree_for_long() {
    let tried = agree(20_000);
    println!(
        "hardening | properties: requests signed as aws-sigv4 signs them | {tried} | – | – | 0 |"
    );
}
