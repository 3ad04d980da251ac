//! Objects stored by a form, over TLS: what it stores, what its policy forbids, what is no form.

mod client;

use client::form::{Form, form_bytes};
use client::{ALGORITHM, Ask, K1, KEY, M1, MANAGED, MD5, Pair, Served, T1, T2, md5_hex};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test data..";
const PATH: &str = "/bucket/dir/object";
const NAME: &str = "dir/object";

fn get<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", path).with(headers)
}

fn list() -> Ask<'static> {
    Ask::new("GET", "/bucket").query(&[("list-type", "2")])
}

/// Nothing is stored, and no upload is left.
async fn is_empty(served: &Served) {
    let reply = served.send(&list()).await;
    assert_eq!(reply.is(200).element("KeyCount").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_form_stores_an_object_under_a_customer_key() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        let body: Vec<u8> = (0..300_000_u32).map(|n| (n * 31 % 251) as u8).collect();
        let reply = served.post(&Form::new(NAME, &body).with(&T1)).await;
        assert!(reply.is(204).body.is_empty());
        let location = "https://localhost/bucket/dir%2Fobject";
        assert_eq!(reply.header("location"), Some(location));
        let aws = dialect == Dialect::Aws;
        assert_eq!(reply.header(MD5), aws.then_some(M1));
        let etag = reply.header("etag").unwrap();
        assert_eq!(etag == format!("\"{}\"", md5_hex(&body)), !aws);

        let read = served.send(&get(PATH, &T1)).await;
        assert_eq!(read.is(200).body, body);
        assert_eq!(read.header("etag"), Some(etag));
        assert_eq!(read.header("content-type"), Some("binary/octet-stream"));
        served.send(&get(PATH, &[])).await.is(400);
        served
            .send(&get(PATH, &T2))
            .await
            .refused(403, "AccessDenied");
        let disk = client::disk(served.directory.path());
        assert!(!client::holds(&disk, &body[..64]) && !client::holds(&disk, K1.as_bytes()));
    }
}

#[tokio::test]
async fn a_plain_form_has_the_headers_of_its_fields() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new("user/${filename}", TEXT)
        .uncovered("key")
        .condition("[\"starts-with\", \"$key\", \"user/\"]")
        .file_name("C:\\pictures\\é.png")
        .with(&[
            ("Content-Type", "image/png"),
            ("X-Amz-Meta-Colour", "red"),
            ("acl", "private"),
            ("x-ignore-this", "anything"),
            (
                "tagging",
                "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
            ),
        ]);
    let reply = served.post(&form).await;
    assert_eq!(reply.is(204).header(MANAGED), Some("AES256"));
    assert_eq!(reply.header("x-amz-checksum-type"), None);
    let path = "/bucket/user/%C3%A9.png";
    let read = served.send(&get(path, &[])).await;
    assert_eq!(read.is(200).body, TEXT);
    assert_eq!(read.header("content-type"), Some("image/png"));
    assert_eq!(read.header("x-amz-meta-colour"), Some("red"));
    let tags = served.send(&get(path, &[]).query(&[("tagging", "")])).await;
    assert_eq!(tags.is(200).element("Key").as_deref(), Some("a"));

    let mut on_its_host = form.clone();
    (on_its_host.target, on_its_host.host) = ("/", "bucket.s3.localhost");
    let reply = served.post(&on_its_host).await;
    let location = "https://bucket.s3.localhost/user%2F%C3%A9.png";
    assert_eq!(reply.is(204).header("location"), Some(location));
}

#[tokio::test]
async fn the_form_says_how_it_is_answered() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new(NAME, TEXT).with(&T1);
    for (asked, status) in [("200", 200), ("201", 201), ("204", 204), ("404", 204)] {
        let reply = served
            .post(&form.clone().with(&[("success_action_status", asked)]))
            .await;
        assert_eq!(reply.status, status, "{asked}");
        assert_eq!(reply.body.is_empty(), status != 201);
        if status == 201 {
            assert_eq!(reply.element("Bucket").as_deref(), Some("bucket"));
            assert_eq!(reply.element("Key").as_deref(), Some(NAME));
            assert_eq!(
                reply.element("Location").as_deref(),
                reply.header("location")
            );
            let etag = reply.element("ETag").unwrap().replace("&quot;", "\"");
            assert_eq!(reply.header("etag"), Some(etag.as_str()));
        }
    }
    let target = [("success_action_redirect", "http://page/done?x=1")];
    let reply = served.post(&form.clone().with(&target)).await;
    let location = reply.is(303).header("location").unwrap();
    let start = "http://page/done?x=1&bucket=bucket&key=dir%2Fobject&etag=%22";
    assert!(location.starts_with(start), "{location}");
    let relative = [("success_action_redirect", "/elsewhere")];
    served.post(&form.with(&relative)).await.is(204);
}

/// As in a URL: no list could show it, and no request could name it again.
#[tokio::test]
async fn no_form_makes_a_name_with_a_nul() {
    let served = Served::start(Dialect::Aws).await;
    let reply = served.post(&Form::new("a\0b", TEXT)).await;
    reply.refused(400, "InvalidURI");
    is_empty(&served).await;
    served.post(&Form::new("ab", TEXT)).await.is(204);
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_not_stored() {
    let served = Served::start(Dialect::Aws).await;
    let form = || Form::new(NAME, TEXT);
    let mut expired = form();
    expired.expiration = "2020-01-01T00:00:00Z";
    let mut elsewhere = form().condition("{\"bucket\": \"other\"}");
    elsewhere.fields.push(("bucket", "bucket"));
    let denied = [
        (expired, "Policy expired."),
        (
            form().with(&T1).uncovered(KEY),
            "Extra input fields: x-amz-server-side-encryption-customer-key",
        ),
        (
            form().with(&T1).uncovered(MD5),
            "Extra input fields: x-amz-server-side-encryption-customer-key-md5",
        ),
        (
            form().with(&[("acl", "private")]).uncovered("acl"),
            "Extra input fields: acl",
        ),
        (
            form().condition("[\"starts-with\", \"$key\", \"user/\"]"),
            "Policy Condition failed: [&quot;starts-with&quot;, &quot;$key&quot;, &quot;user/&quot;]",
        ),
        (
            elsewhere,
            "Policy Condition failed: [&quot;eq&quot;, &quot;$bucket&quot;, &quot;other&quot;]",
        ),
        (
            form().condition("[\"eq\", \"$x-amz-meta-a\", \"b\"]"),
            "Policy Condition failed: ",
        ),
        // A condition may hold a customer key, which no error tells.
        (
            form().with(&T1).condition(
                "{\"x-amz-server-side-encryption-customer-key\": \"a-customer-key-in-base64\"}",
            ),
            "Policy Condition failed: [&quot;eq&quot;, \
             &quot;$x-amz-server-side-encryption-customer-key&quot;, &quot;-&quot;]",
        ),
    ];
    for (form, reason) in denied {
        let reply = served.post(&form).await;
        reply.refused(403, "AccessDenied");
        let message = reply.element("Message").unwrap();
        let expected = format!("Invalid according to Policy: {reason}");
        assert!(message.starts_with(&expected), "{message}");
        is_empty(&served).await;
    }
    let odd = served
        .post(&form().condition("[\"matches\", \"$key\", \"x\"]"))
        .await;
    odd.refused(400, "InvalidPolicyDocument");
    is_empty(&served).await;
    served.post(&form()).await.is(204);
}

#[tokio::test]
async fn the_length_of_the_file_is_bounded() {
    let served = Served::start(Dialect::Aws).await;
    let range = "[\"content-length-range\", 5, 100000]";
    let file = vec![b'f'; 2_000_000];
    let form = |length: usize| Form::new(NAME, &file[..length]).condition(range).with(&T1);
    let long = served.post(&form(100_001)).await;
    long.refused(400, "EntityTooLarge");
    assert_eq!(long.element("MaxSizeAllowed").as_deref(), Some("100000"));
    served
        .post(&form(2_000_000))
        .await
        .refused(400, "EntityTooLarge");
    let short = served.post(&form(4)).await;
    short.refused(400, "EntityTooSmall");
    assert_eq!(short.element("ProposedSize").as_deref(), Some("4"));
    is_empty(&served).await;
    for length in [5, 100_000] {
        served.post(&form(length)).await.is(204);
    }
}

#[tokio::test]
async fn customer_keys_in_fields_are_judged_like_headers() {
    let served = Served::start_with(Dialect::Aws, |config| {
        config.buckets.push("strict".to_owned());
    })
    .await;
    let form = |fields: &[Pair<'static>]| Form::new(NAME, TEXT).with(fields);
    let cases = [
        (form(&T1[1..]), "InvalidArgument"),
        (form(&T1[..1]), "InvalidArgument"),
        (form(&[T1[0], T1[2]]), "InvalidArgument"),
        (form(&T1[..2]), "InvalidArgument"),
        (form(&[T1[0], T1[1], T2[2]]), "InvalidArgument"),
        (
            form(&[
                ("x-amz-server-side-encryption-customer-algorithm", "AES128"),
                T1[1],
                T1[2],
            ]),
            "InvalidEncryptionAlgorithmError",
        ),
        (form(&T1).with(&[(MANAGED, "AES256")]), "InvalidArgument"),
        (
            form(&[
                T1[0],
                T1[1],
                T1[2],
                ("x-amz-server-side-encryption-customer-key-sha256", "x"),
            ]),
            "InvalidArgument",
        ),
    ];
    for (form, code) in cases {
        let reply = served.post(&form).await;
        reply.refused(400, code);
        assert!(!reply.text().contains(K1));
        is_empty(&served).await;
    }
    let as_headers = form(&[]).header(T1[0]).header(T1[1]).header(T1[2]);
    let reply = served.post(&as_headers).await;
    reply.refused(403, "AccessDenied");
    assert!(
        reply
            .element("HeadersNotSigned")
            .unwrap()
            .contains(ALGORITHM)
    );
    let twice = Form::new(NAME, TEXT)
        .with(&T1)
        .with(&T1[1..2])
        .uncovered(KEY)
        .condition("[\"starts-with\", \"$x-amz-server-side-encryption-customer-key\", \"\"]");
    served.post(&twice).await.refused(400, "InvalidArgument");
    is_empty(&served).await;

    let block = "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>\
        SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
    let put = Ask::new("PUT", "/strict")
        .query(&[("encryption", "")])
        .body(block.as_bytes());
    served.send(&put).await.is(200);
    let mut blocked = form(&T1);
    blocked.target = "/strict";
    let reply = served.post(&blocked).await;
    reply.refused(403, "AccessDenied");
    assert!(
        reply
            .text()
            .contains("blocked upload requests that specify Server Side Encryption")
    );
    served.post(&form(&T1)).await.is(204);
}

#[tokio::test]
async fn over_the_plain_listener_a_form_takes_no_key() {
    let served = Served::start_with(Dialect::Aws, |config| {
        use reference_server::config::{CertificateSource, Listeners};
        config.listeners = Listeners::Tls {
            certificate: CertificateSource::LocalAuthority { names: Vec::new() },
            also_http: Some(([127, 0, 0, 1], 0).into()),
        };
    })
    .await;
    let form = Form::new(NAME, TEXT);
    let keyed = served.form_bytes(&form.clone().with(&T1));
    served
        .send_plain_bytes(&keyed)
        .await
        .refused(400, "InvalidRequest");
    is_empty(&served).await;
    let reply = served.send_plain_bytes(&served.form_bytes(&form)).await;
    assert_eq!(
        reply.is(204).header("location"),
        Some("http://localhost/bucket/dir%2Fobject")
    );
}

type Fields = Vec<(String, String)>;

/// The fields with another value for one of them, or without it.
fn changed(fields: &Fields, name: &str, value: Option<&str>) -> Fields {
    let others = fields.iter().filter(|(known, _)| known != name);
    let mut changed: Fields = others.cloned().collect();
    changed.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    changed
}

fn value_of<'a>(fields: &'a Fields, name: &str) -> &'a str {
    let found = fields.iter().find(|(known, _)| known == name);
    &found.expect("a field of the form").1
}

#[tokio::test]
async fn signatures_of_forms_are_verified() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new(NAME, TEXT).with(&T1);
    let fields = served.form_fields(&form);
    let policy = value_of(&fields, "policy");
    let (zeros, cut) = ("0".repeat(64), &policy[..policy.len() - 2]);
    let id = served.server.access_key_id.as_str();
    let credential = value_of(&fields, "x-amz-credential");
    let stranger = credential.replacen(id, "AKIASTRANGER", 1);
    let abroad = credential.replace("us-east-1", "eu-west-1");
    for (name, value, status, code) in [
        (
            "x-amz-signature",
            zeros.as_str(),
            403,
            "SignatureDoesNotMatch",
        ),
        ("x-amz-signature", "f", 403, "SignatureDoesNotMatch"),
        ("policy", cut, 403, "SignatureDoesNotMatch"),
        ("x-amz-credential", &stranger, 403, "InvalidAccessKeyId"),
        ("x-amz-credential", &abroad, 400, "InvalidArgument"),
        ("x-amz-credential", "nobody", 400, "InvalidArgument"),
        ("x-amz-date", "20200101T000000Z", 400, "InvalidArgument"),
        ("x-amz-date", "today", 400, "InvalidArgument"),
        ("x-amz-algorithm", "AWS4-HMAC-SHA1", 400, "InvalidArgument"),
        ("key", "other", 403, "AccessDenied"),
        (KEY, T2[1].1, 403, "AccessDenied"),
    ] {
        let bytes = form_bytes(&form, &changed(&fields, name, Some(value)));
        served.send_bytes(&bytes).await.refused(status, code);
        is_empty(&served).await;
    }
    served.post(&form).await.is(204);
}

#[tokio::test]
async fn a_form_is_signed_once_and_whole() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new(NAME, TEXT).with(&T1);
    let fields = served.form_fields(&form);
    for (name, shown) in [
        ("x-amz-algorithm", "X-Amz-Algorithm"),
        ("x-amz-credential", "X-Amz-Credential"),
        ("x-amz-date", "X-Amz-Date"),
        ("x-amz-signature", "X-Amz-Signature"),
        ("policy", "policy"),
        ("key", "key"),
    ] {
        let bytes = form_bytes(&form, &changed(&fields, name, None));
        let reply = served.send_bytes(&bytes).await;
        reply.refused(400, "InvalidArgument");
        assert_eq!(reply.element("ArgumentName").as_deref(), Some(shown));
    }
    let mut few: Fields = fields[..1].to_vec();
    let anonymous = served.send_bytes(&form_bytes(&form, &few)).await;
    anonymous.refused(403, "AccessDenied");
    few.push(("AWSAccessKeyId".to_owned(), "AK".to_owned()));
    let version_2 = served.send_bytes(&form_bytes(&form, &few)).await;
    version_2.refused(400, "InvalidRequest");
    assert!(version_2.text().contains("AWS4-HMAC-SHA256"));
    let both = form.clone().header(("Authorization", "AWS4-HMAC-SHA256 x"));
    served.post(&both).await.refused(400, "InvalidArgument");
    is_empty(&served).await;
    served.post(&form).await.is(204);
}

#[tokio::test]
async fn no_beginning_of_a_form_stores_anything() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new(NAME, TEXT).with(&T1);
    let bytes = served.form_bytes(&form);
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.len() - head;
    for missing in [1, 2, 4, 20, 30, 40, body / 2, body - 10, body] {
        // `Content-Length` and the form disagree: the form is cut, the request is whole.
        let whole = format!("Content-Length: {body}\r\n");
        let short = format!("Content-Length: {}\r\n", body - missing);
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let cut = [
            text.replace(&whole, &short).as_bytes(),
            &bytes[head..bytes.len() - missing],
        ]
        .concat();
        let reply = served.send_bytes(&cut).await;
        if missing <= 2 {
            // The line's end behind the last delimiter is not needed.
            reply.is(204);
            served.send(&Ask::new("DELETE", PATH)).await.is(204);
        } else {
            reply.refused(400, "MalformedPOSTRequest");
        }
        is_empty(&served).await;
    }
    for length in [head + 10, bytes.len() - 40, bytes.len() - 1] {
        served.cut(&bytes[..length]).await;
        is_empty(&served).await;
    }
    served.post(&form).await.is(204);
}

#[tokio::test]
async fn what_is_no_form_for_an_object_is_refused() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new(NAME, TEXT);
    let long = "m".repeat(20 << 10);
    let too_much = form.clone().with(&[("x-amz-meta-a", long.as_str())]);
    served
        .post(&too_much)
        .await
        .refused(400, "MaxPostPreDataLengthExceededError");
    let name = "n".repeat(1025);
    served
        .post(&Form::new(&name, TEXT))
        .await
        .refused(400, "KeyTooLongError");
    served
        .post(&Form::new("", TEXT))
        .await
        .refused(400, "InvalidArgument");
    for (name, value) in [
        ("acl", "public-read"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-website-redirect-location", "/x"),
    ] {
        served
            .post(&form.clone().with(&[(name, value)]))
            .await
            .refused(501, "NotImplemented");
    }
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    served
        .post(&form.clone().with(&wrong))
        .await
        .refused(400, "BadDigest");
    let tags = [("tagging", "not-xml")];
    served
        .post(&form.clone().with(&tags))
        .await
        .refused(400, "MalformedXML");
    served
        .post(&form.clone().header(("If-None-Match", "*")))
        .await
        .refused(501, "NotImplemented");
    let mut nowhere = form.clone();
    nowhere.target = "/none";
    served.post(&nowhere).await.refused(404, "NoSuchBucket");
    let text = "POST /bucket HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/html\r\n\
        Content-Length: 1\r\nConnection: close\r\n\r\nx";
    let other = served.send_bytes(text.as_bytes()).await;
    other.refused(412, "PreconditionFailed");
    let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
    assert_eq!(other.element("Condition").as_deref(), Some(condition));
    let bytes = served.form_bytes(&form);
    let text = String::from_utf8(bytes)
        .unwrap()
        .replace("name=\"file\"", "name=\"life\"");
    let without = served.send_bytes(text.as_bytes()).await;
    without.refused(400, "InvalidArgument");
    assert_eq!(without.element("ArgumentName").as_deref(), Some("file"));
    is_empty(&served).await;
    served.post(&form).await.is(204);
}
