//! CORS over TLS: the configuration of a bucket, preflights, and the headers of real answers.

mod client;

use client::{ALGORITHM, Ask, K1, KEY, M1, MD5, Pair, Reply, Served, T1};
use reference_server::Server;
use reference_server::config::Config;
use reference_server::ssec::dialect::Dialect;

const PAGE: &str = "https://page.example";
const PATH: &str = "/bucket/dir/object";
const TEXT: &[u8] = b"test data..";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// A page that may read and write under customer keys, and may see the `ETag`.
const RULES: &str = "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule>\
    <AllowedHeader>X-Amz-Server-Side-Encryption-Customer-*</AllowedHeader>\
    <AllowedHeader>content-type</AllowedHeader>\
    <AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>\
    <AllowedOrigin>https://page.example</AllowedOrigin>\
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds>\
    </CORSRule></CORSConfiguration>";

fn cors<'a>(method: &'a str, body: &'a str) -> Ask<'a> {
    let ask = Ask::new(method, "/bucket").query(&[("cors", "")]);
    ask.body(body.as_bytes())
}

/// A preflight, which nobody signs.
async fn preflight(served: &Served, target: &str, headers: &[Pair<'_>]) -> Reply {
    let host = [("Host", "localhost")];
    let named = headers.iter().any(|(name, _)| *name == "Host");
    let lines: String = host[usize::from(named)..]
        .iter()
        .chain(headers)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let text = format!("OPTIONS {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
    served.send_bytes(text.as_bytes()).await
}

const ORIGIN: Pair<'static> = ("Origin", PAGE);

fn method(name: &str) -> Pair<'_> {
    ("Access-Control-Request-Method", name)
}

fn names(names: &str) -> Pair<'_> {
    ("Access-Control-Request-Headers", names)
}

#[track_caller]
fn shows_nothing(reply: &Reply) {
    let shown = reply.headers.iter();
    let shown: Vec<_> = shown
        .filter(|(name, _)| name.starts_with("access-control-") || name == "vary")
        .collect();
    assert!(shown.is_empty(), "{shown:?}");
}

#[tokio::test]
async fn a_configuration_is_kept_given_back_and_removed() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        let none = served.send(&cors("GET", "")).await;
        none.refused(404, "NoSuchCORSConfiguration");
        assert_eq!(none.element("BucketName").as_deref(), Some("bucket"));
        served.send(&cors("DELETE", "")).await.is(204);
        served.send(&cors("PUT", RULES)).await.is(200);
        let kept = served.send(&cors("GET", "")).await;
        let rule = |text: &str| text.split_once("<CORSRule>").unwrap().1.to_owned();
        assert_eq!(rule(&kept.is(200).text()), rule(RULES));
        served.send(&cors("DELETE", "")).await.is(204);
        served
            .send(&cors("GET", ""))
            .await
            .refused(404, "NoSuchCORSConfiguration");
        for verb in ["GET", "PUT", "DELETE"] {
            let elsewhere = Ask::new(verb, "/none").query(&[("cors", "")]);
            served
                .send(&elsewhere.body(RULES.as_bytes()))
                .await
                .refused(404, "NoSuchBucket");
        }
    }
}

#[tokio::test]
async fn a_bad_configuration_leaves_the_old_one() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&cors("PUT", RULES)).await.is(200);
    let (head, rest) = RULES.split_once("<CORSRule>").unwrap();
    let (rule, tail) = rest.split_once("</CORSConfiguration>").unwrap();
    let rules = |count: usize| {
        let rules = format!("<CORSRule>{rule}").repeat(count);
        format!("{head}{rules}</CORSConfiguration>{tail}")
    };
    let nested = "<a>".repeat(20_000);
    let large = format!("{RULES}{}", " ".repeat(64 << 10));
    let odd = RULES.replace("<AllowedMethod>GET", "<AllowedMethod>PATCH");
    for (document, code) in [
        ("<CORSConfiguration/>", "MalformedXML"),
        (&rules(101), "MalformedXML"),
        (&nested, "MalformedXML"),
        ("", "MissingRequestBodyError"),
        (&odd, "InvalidRequest"),
        (&large, "MaxMessageLengthExceeded"),
    ] {
        served.send(&cors("PUT", document)).await.refused(400, code);
    }
    let kept = served.send(&cors("GET", "")).await;
    assert_eq!(kept.is(200).text().matches("<CORSRule>").count(), 1);
    served.send(&cors("PUT", &rules(100))).await.is(200);
}

#[tokio::test]
async fn a_configuration_outlives_the_server() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&cors("PUT", RULES)).await.is(200);
    let Served { server, directory } = served;
    let mut config = Config::new(server.data_dir.clone());
    server.shutdown().await;
    config.dialect = Dialect::Aws;
    let server = Server::start(config).await.unwrap();
    let served = Served { server, directory };
    let reply = preflight(&served, PATH, &[ORIGIN, method("PUT")]).await;
    assert_eq!(reply.is(200).header(ALLOW_ORIGIN), Some(PAGE));
}

#[tokio::test]
async fn a_preflight_without_a_rule_is_refused() {
    let served = Served::start(Dialect::Aws).await;
    let ask = [ORIGIN, method("PUT")];
    let off = preflight(&served, PATH, &ask).await;
    off.refused(403, "AccessForbidden");
    let message = off.element("Message").unwrap();
    assert_eq!(
        message,
        "CORSResponse: CORS is not enabled for this bucket."
    );
    assert_eq!(off.element("Method").as_deref(), Some("PUT"));
    assert_eq!(off.element("ResourceType").as_deref(), Some("BUCKET"));
    let nowhere = preflight(&served, "/none/object", &ask).await;
    nowhere.refused(403, "AccessForbidden");
    assert!(nowhere.text().contains("CORSResponse: Bucket not found"));

    served.send(&cors("PUT", RULES)).await.is(200);
    preflight(&served, PATH, &ask).await.is(200);
    preflight(&served, "/bucket", &ask).await.is(200);
    for (headers, status, code) in [
        (vec![], 400, "BadRequest"),
        (vec![method("PUT")], 400, "BadRequest"),
        (vec![ORIGIN], 400, "BadRequest"),
        (vec![ORIGIN, ORIGIN, method("PUT")], 400, "BadRequest"),
        (
            vec![("Origin", "http://page.example"), method("PUT")],
            403,
            "AccessForbidden",
        ),
        (vec![ORIGIN, method("DELETE")], 403, "AccessForbidden"),
        (
            vec![ORIGIN, method("PUT"), names("x-amz-acl")],
            403,
            "AccessForbidden",
        ),
    ] {
        let reply = preflight(&served, PATH, &headers).await;
        reply.refused(status, code);
        shows_nothing(&reply);
    }
    let other = preflight(&served, PATH, &[ORIGIN, method("DELETE")]).await;
    assert!(
        other
            .text()
            .contains("CORSResponse: This CORS request is not allowed. ")
    );
    assert_eq!(other.element("ResourceType").as_deref(), Some("OBJECT"));
    assert_eq!(other.element("Method").as_deref(), Some("DELETE"));
    preflight(&served, "/", &ask)
        .await
        .refused(403, "AccessDenied");
}

#[tokio::test]
async fn a_page_may_send_a_customer_key_to_a_presigned_url() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.send(&cors("PUT", RULES)).await.is(200);
        let md5 = MD5.to_ascii_lowercase();
        let triple = [ALGORITHM, KEY, md5.as_str()];
        let asked = triple.join(",");
        let signed = |method: &'static str| {
            let ask = Ask::new(method, PATH).with(&T1).with(&[("origin", PAGE)]);
            ask.cover(&triple).presigned()
        };
        let put = signed("PUT").body(TEXT);
        let text = served.signed(&put);
        let line = std::str::from_utf8(&text)
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap();
        for (host, target) in [
            ("localhost", line.to_owned()),
            ("bucket.s3.localhost:9", line.replacen("/bucket", "", 1)),
        ] {
            let ask = [("Host", host), ORIGIN, method("PUT"), names(&asked)];
            let reply = preflight(&served, &target, &ask).await;
            assert!(reply.is(200).body.is_empty());
            for (name, value) in [
                (ALLOW_ORIGIN, PAGE),
                ("access-control-allow-methods", "GET, PUT"),
                ("access-control-allow-headers", &triple.join(", ")),
                ("access-control-allow-credentials", "true"),
                ("access-control-expose-headers", "ETag"),
                ("access-control-max-age", "600"),
                ("vary", VARY),
            ] {
                assert_eq!(reply.header(name), Some(value), "{name}");
            }
        }
        let stored = served.send_bytes(&text).await;
        assert_eq!(stored.is(200).header(ALLOW_ORIGIN), Some(PAGE));
        assert_eq!(stored.header("access-control-expose-headers"), Some("ETag"));
        let read = served.send(&signed("GET")).await;
        assert_eq!(read.is(200).body, TEXT);
        assert_eq!(read.header("vary"), Some(VARY));
        let all = format!("{:?}{:?}", stored.headers, read.headers);
        assert!(!all.contains(K1), "{M1}");
    }
}

#[tokio::test]
async fn refusals_show_the_page_what_is_wrong() {
    let served = Served::start(Dialect::Aws).await;
    served
        .send(&Ask::new("PUT", PATH).with(&T1).body(TEXT))
        .await
        .is(200);
    let get = Ask::new("GET", PATH).with(&[("origin", PAGE)]);
    let without_rules = served.send(&get).await;
    shows_nothing(without_rules.refused(400, "InvalidRequest"));

    served.send(&cors("PUT", RULES)).await.is(200);
    let keyless = served.send(&get).await;
    keyless.refused(400, "InvalidRequest");
    assert_eq!(keyless.header(ALLOW_ORIGIN), Some(PAGE));
    let nobody = format!(
        "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nOrigin: {PAGE}\r\nConnection: close\r\n\r\n"
    );
    let unsigned = served.send_bytes(nobody.as_bytes()).await;
    unsigned.refused(403, "AccessDenied");
    assert_eq!(unsigned.header(ALLOW_ORIGIN), Some(PAGE));

    for headers in [
        [("origin", "https://elsewhere.example"), ("accept", "*/*")],
        [
            ("origin", PAGE),
            ("access-control-request-method", "DELETE"),
        ],
        [
            ("origin", PAGE),
            ("access-control-request-headers", "range"),
        ],
        [("x-not-an-origin", PAGE), ("accept", "*/*")],
    ] {
        let reply = served
            .send(&Ask::new("GET", PATH).with(&T1).with(&headers))
            .await;
        shows_nothing(reply.is(200));
    }
    let deleted = Ask::new("DELETE", PATH).with(&[("origin", PAGE)]);
    shows_nothing(served.send(&deleted).await.is(204));
}
