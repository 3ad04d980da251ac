//! Who is let in: each way to be refused beside what is served, in bytes over TCP.

use std::time::Duration;

use super::probe::TestServer;
use super::raw_client::Answer;
use super::signed_request::{EMPTY_SHA256, ID, Request, Scope, now};

const KEY: &str = "x-amz-server-side-encryption-customer-key";
const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

fn get(target: &str) -> Request {
    Request::new("GET", target)
}

/// A header that was added behind the signature's back.
fn altered(mut request: Request, name: &str, value: &str) -> Request {
    for header in &mut request.headers {
        if header.0.eq_ignore_ascii_case(name) {
            value.clone_into(&mut header.1);
        }
    }
    request
}

#[tokio::test]
async fn a_signed_request_is_served_and_carries_ids() {
    let server = TestServer::plain().await;
    let answer = server
        .send(&get("/bucket/dir/a%20b").signed(EMPTY_SHA256))
        .await;
    answer.served();
    assert_eq!(answer.header("x-test-bucket"), Some("bucket"));
    assert_eq!(answer.header("x-test-object"), Some("dir/a b"));
    assert_eq!(answer.header("server"), Some("ssec"));
    assert_eq!(answer.header("x-amz-request-id").unwrap().len(), 16);
    assert!(answer.header("x-amz-id-2").is_some());
    assert!(httpdate::parse_http_date(answer.header("date").unwrap()).is_ok());
}

#[tokio::test]
async fn nobody_is_let_in_without_credentials() {
    let server = TestServer::plain().await;
    let answer = server.send(&get("/bucket/a")).await;
    answer.refused(403, "AccessDenied");
    assert_eq!(answer.element("Resource").as_deref(), Some("/bucket/a"));
}

#[tokio::test]
async fn a_refused_head_has_no_body() {
    let server = TestServer::plain().await;
    let answer = server.send(&Request::new("HEAD", "/bucket/a")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.is_empty());
    assert!(answer.header("x-amz-request-id").is_some());
}

#[tokio::test]
async fn another_secret_is_refused_and_nothing_is_given_away() {
    let server = TestServer::plain().await;
    let scope = Scope {
        secret: "another".to_owned(),
        ..Scope::at(now())
    };
    let answer = server
        .send(&get("/bucket/a").signed_in(EMPTY_SHA256, &scope))
        .await;
    answer.refused(403, "SignatureDoesNotMatch");
    for telltale in ["CanonicalRequest", "StringToSign", "aws4_request", "host:"] {
        assert!(!answer.text().contains(telltale), "{}", answer.text());
    }
}

#[tokio::test]
async fn another_access_key_is_refused() {
    let server = TestServer::plain().await;
    let scope = Scope {
        id: "SOMEBODY".to_owned(),
        ..Scope::at(now())
    };
    let answer = server
        .send(&get("/bucket/a").signed_in(EMPTY_SHA256, &scope))
        .await;
    answer.refused(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn another_region_is_refused_with_the_right_one() {
    let server = TestServer::plain().await;
    let scope = Scope {
        region: "eu-west-1".to_owned(),
        ..Scope::at(now())
    };
    let answer = server
        .send(&get("/bucket/a").signed_in(EMPTY_SHA256, &scope))
        .await;
    answer.refused(400, "AuthorizationHeaderMalformed");
    assert_eq!(answer.element("Region").as_deref(), Some("us-east-1"));
}

#[tokio::test]
async fn a_clock_may_be_off_by_fifteen_minutes() {
    let server = TestServer::plain().await;
    for seconds in [14 * 60, 16 * 60] {
        let off = Duration::from_secs(seconds);
        for time in [now() - off, now() + off] {
            let answer = server
                .send(&get("/bucket/a").signed_at(EMPTY_SHA256, time))
                .await;
            if seconds < 15 * 60 {
                answer.served();
            } else {
                answer.refused(403, "RequestTimeTooSkewed");
                assert!(answer.element("ServerTime").is_some());
            }
        }
    }
}

#[tokio::test]
async fn version_2_is_refused_and_version_4_named() {
    let server = TestServer::plain().await;
    let in_header = get("/bucket/a").header("Authorization", &format!("AWS {ID}:c2lnbmF0dXJl"));
    let in_query = get(&format!(
        "/bucket/a?AWSAccessKeyId={ID}&Signature=c2ln&Expires=1"
    ));
    for request in [in_header, in_query] {
        let answer = server.send(&request).await;
        answer.refused(400, "InvalidRequest");
        let message = answer.element("Message").unwrap();
        assert!(
            message.contains("AWS4-HMAC-SHA256") && message.contains("s3v4"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_altered_or_absent_signed_header_is_refused() {
    let server = TestServer::plain().await;
    let request = get("/bucket/a")
        .header("x-amz-meta-note", "one")
        .signed(EMPTY_SHA256);
    server.send(&request).await.served();
    let changed = altered(request.clone(), "x-amz-meta-note", "two");
    server
        .send(&changed)
        .await
        .refused(403, "SignatureDoesNotMatch");
    let mut absent = request.clone();
    absent.headers.retain(|(name, _)| name != "x-amz-meta-note");
    server
        .send(&absent)
        .await
        .refused(403, "SignatureDoesNotMatch");
    let doubled = request.clone().header("x-amz-meta-note", "one");
    server
        .send(&doubled)
        .await
        .refused(403, "SignatureDoesNotMatch");
    let elsewhere = Request {
        target: "/bucket/b".to_owned(),
        ..request
    };
    server
        .send(&elsewhere)
        .await
        .refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_header_sent_twice_and_signed_so_is_let_in() {
    let server = TestServer::plain().await;
    let request = get("/bucket/a")
        .header(KEY, "one")
        .header(KEY, "two")
        .signed(EMPTY_SHA256);
    server.send(&request).await.served();
}

#[tokio::test]
async fn unsigned_headers_are_handed_on_by_name() {
    let server = TestServer::plain().await;
    let unsigned = |answer: &Answer| {
        answer.served();
        answer.header("x-test-unsigned").unwrap().to_owned()
    };
    let all = |request: Request| {
        request
            .header(ALGORITHM, "AES256")
            .header(KEY, "a2V5")
            .header(KEY_MD5, "bWQ1")
    };
    let triple = [ALGORITHM, KEY, KEY_MD5].join(",");
    let signed = all(get("/bucket/a")).signed(EMPTY_SHA256);
    assert_eq!(unsigned(&server.send(&signed).await), "");
    let after = all(get("/bucket/a").signed(EMPTY_SHA256));
    assert_eq!(unsigned(&server.send(&after).await), triple);
    let presigned = all(get("/bucket/a").presigned("60", &["host"]));
    assert_eq!(unsigned(&server.send(&presigned).await), triple);
    let pinned = get("/bucket/a")
        .header(ALGORITHM, "AES256")
        .presigned("60", &["host", ALGORITHM]);
    let pinned = pinned.header(KEY, "a2V5").header(KEY_MD5, "bWQ1");
    assert_eq!(unsigned(&server.send(&pinned).await), "");
    let more = pinned.header("x-amz-meta-note", "one");
    assert_eq!(unsigned(&server.send(&more).await), "x-amz-meta-note");
}

#[tokio::test]
async fn signed_headers_are_taken_in_the_order_listed() {
    // curl 7.88 lists and signs `…-key-md5` before `…-key`.
    let server = TestServer::plain().await;
    let scope = Scope::at(now());
    let request = get("/bucket/a")
        .header(KEY, "a2V5")
        .header(KEY_MD5, "bWQ1")
        .header("x-amz-content-sha256", EMPTY_SHA256)
        .header("x-amz-date", &scope.date);
    let names = ["host", "x-amz-content-sha256", "x-amz-date", KEY_MD5, KEY].map(str::to_owned);
    let signature = request.signature(&names, EMPTY_SHA256, &scope);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={ID}/{}, SignedHeaders={}, Signature={signature}",
        scope.text(),
        names.join(";"),
    );
    server
        .send(&request.header("Authorization", &value))
        .await
        .served();
}

#[tokio::test]
async fn the_host_must_be_signed() {
    let server = TestServer::plain().await;
    let answer = server
        .send(
            &get("/bucket/a")
                .header(ALGORITHM, "AES256")
                .presigned("60", &[ALGORITHM]),
        )
        .await;
    answer.refused(403, "AccessDenied");
    assert_eq!(answer.element("HeadersNotSigned").as_deref(), Some("host"));
}

#[tokio::test]
async fn the_payload_hash_is_required_and_must_be_one() {
    let server = TestServer::plain().await;
    let mut without = get("/bucket/a").signed(EMPTY_SHA256);
    without
        .headers
        .retain(|(name, _)| name != "x-amz-content-sha256");
    let answer = server.send(&without).await;
    answer.refused(400, "InvalidRequest");
    assert!(
        answer
            .element("Message")
            .unwrap()
            .contains("x-amz-content-sha256")
    );
    server
        .send(&get("/bucket/a").signed("nonsense"))
        .await
        .refused(400, "InvalidArgument");
}

#[tokio::test]
async fn session_tokens_are_refused_by_name() {
    let server = TestServer::plain().await;
    let request = get("/bucket/a")
        .header("x-amz-security-token", "token")
        .signed(EMPTY_SHA256);
    server.send(&request).await.refused(400, "InvalidToken");
}

#[tokio::test]
async fn two_signatures_are_one_too_many() {
    let server = TestServer::plain().await;
    let request = get("/bucket/a")
        .presigned("60", &["host"])
        .signed(EMPTY_SHA256);
    server.send(&request).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn a_presigned_url_lives_as_long_as_it_says() {
    let server = TestServer::plain().await;
    let url = |expires: &str, age: u64| {
        get("/bucket/a?versionId=1").presigned_at(
            expires,
            &["host"],
            now() - Duration::from_secs(age),
        )
    };
    server.send(&url("60", 0)).await.served();
    server.send(&url("604800", 3600)).await.served();
    let expired = server.send(&url("60", 120)).await;
    expired.refused(403, "AccessDenied");
    assert_eq!(
        expired.element("Message").as_deref(),
        Some("Request has expired")
    );
    for bad in ["604801", "691200", "0", "-60", "soon", ""] {
        server
            .send(&url(bad, 0))
            .await
            .refused(400, "AuthorizationQueryParametersError");
    }
    let early = get("/bucket/a").presigned_at("60", &["host"], now() + Duration::from_secs(1000));
    server.send(&early).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn a_presigned_url_cannot_be_altered() {
    let server = TestServer::plain().await;
    let url = get("/bucket/a").presigned("60", &["host"]);
    server.send(&url).await.served();
    let longer = Request {
        target: url.target.replace("Expires=60", "Expires=61"),
        ..url.clone()
    };
    server
        .send(&longer)
        .await
        .refused(403, "SignatureDoesNotMatch");
    let more = Request {
        target: format!("{}&x-id=GetObject", url.target),
        ..url.clone()
    };
    server
        .send(&more)
        .await
        .refused(403, "SignatureDoesNotMatch");
    let less = Request {
        target: url.target.replace("X-Amz-Expires=60&", ""),
        ..url.clone()
    };
    server
        .send(&less)
        .await
        .refused(400, "AuthorizationQueryParametersError");
    let put = Request {
        method: "PUT",
        ..url
    };
    server
        .send(&put)
        .await
        .refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_port_in_the_host_is_part_of_what_is_signed() {
    let server = TestServer::plain().await;
    let request = altered(get("/bucket/a"), "host", "localhost:4567").signed(EMPTY_SHA256);
    server.send(&request).await.served();
    let other = altered(request, "host", "localhost:4568");
    server
        .send(&other)
        .await
        .refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn buckets_are_found_in_the_host_name() {
    let server = TestServer::plain().await;
    let request = altered(get("/dir/a"), "host", "my.bucket.s3.localhost:9000");
    let answer = server.send(&request.signed(EMPTY_SHA256)).await;
    answer.served();
    assert_eq!(answer.header("x-test-bucket"), Some("my.bucket"));
    assert_eq!(answer.header("x-test-object"), Some("dir/a"));
}

#[tokio::test]
async fn names_are_what_they_say() {
    let server = TestServer::plain().await;
    let answer = server
        .send(&get("/bucket/../a/%2E/b").signed(EMPTY_SHA256))
        .await;
    // `%2E` is signed as `.`: the canonical path is decoded and encoded again.
    answer.refused(403, "SignatureDoesNotMatch");
    let answer = server
        .send(&get("/bucket/../a/./b").signed(EMPTY_SHA256))
        .await;
    answer.served();
    assert_eq!(answer.header("x-test-object"), Some("../a/./b"));
    server
        .send(&get("/bucket/%FF").signed(EMPTY_SHA256))
        .await
        .refused(400, "InvalidURI");
    let longest = format!("/bucket/{}", "a".repeat(1024));
    server
        .send(&get(&longest).signed(EMPTY_SHA256))
        .await
        .served();
    let beyond = format!("{longest}a");
    server
        .send(&get(&beyond).signed(EMPTY_SHA256))
        .await
        .refused(400, "KeyTooLongError");
}

#[tokio::test]
async fn errors_escape_what_they_repeat() {
    let server = TestServer::plain().await;
    let answer = server.send(&get("/bucket/%3Ca%26b%3E%0A")).await;
    answer.refused(403, "AccessDenied");
    assert_eq!(
        answer.element("Resource").as_deref(),
        Some("/bucket/&lt;a&amp;b&gt;&#10;")
    );
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = TestServer::plain().await;
    let two = get("/bucket/a").header("Host", "other");
    server.send(&two).await.refused(400, "BadRequest");
    let none = Request {
        headers: Vec::new(),
        ..get("/bucket/a")
    };
    server.send(&none).await.refused(400, "BadRequest");
}
