//! Bucket policies over TLS: what they deny, on every way to an object, and what is not stored.

mod client;

use client::form::Form;
use client::upload::{complete, create, etag, list, part};
use client::{ALGORITHM, Ask, Pair, S1, Served, T1};
use reference_server::Server;
use reference_server::config::{CertificateSource, Config, Listeners};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test data..";
const PATH: &str = "/bucket/object";
const KEY_OF_CONDITION: &str = "s3:x-amz-server-side-encryption-customer-algorithm";
const SOURCE: Pair<'static> = ("x-amz-copy-source", "/bucket/source");

fn policy<'a>(method: &'a str, text: &'a str) -> Ask<'a> {
    let ask = Ask::new(method, "/bucket").query(&[("policy", "")]);
    ask.body(text.as_bytes())
}

/// A policy that denies an action, given as JSON, on a resource under a condition.
fn deny(action: &str, resource: &str, condition: &str) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Principal\":\"*\",\
         \"Action\":{action},\"Resource\":\"arn:aws:s3:::bucket{resource}\"\
         {condition}}}]}}"
    )
}

fn if_null(absent: bool) -> String {
    let condition = format!(",\"Condition\":{{\"Null\":{{\"{KEY_OF_CONDITION}\":\"{absent}\"}}}}");
    deny("\"s3:PutObject\"", "/*", &condition)
}

fn put<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", path).with(headers).body(TEXT)
}

fn get<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", path).with(headers)
}

/// Asks for an object in every way there is, with a triple or without, and demands a refusal by
/// the policy. `upload` was created before the policy was put.
async fn every_write_is_denied(served: &Served, triple: &[Pair<'static>], upload: &str) {
    let copied = [SOURCE];
    let list = list(&[(1, "0123456789abcdef0123456789abcdef")]);
    let asks = [
        put(PATH, triple),
        Ask::new("POST", PATH)
            .query(&[("uploads", "")])
            .with(triple),
        part(PATH, (upload, "1"), triple, TEXT),
        Ask::new("PUT", PATH).with(&copied).with(&S1).with(triple),
        part(PATH, (upload, "1"), triple, b"")
            .with(&copied)
            .with(&S1),
        complete(PATH, upload, &list, triple),
        put(PATH, triple).presigned(),
    ];
    for ask in asks {
        let reply = served.send(&ask).await;
        reply.refused(403, "AccessDenied");
        let message = reply.element("Message").expect("a message");
        let id = &served.server.access_key_id;
        let expected = format!(
            "User: {id} is not authorized to perform: s3:PutObject on resource: \
             &quot;arn:aws:s3:::bucket/object&quot; with an explicit deny in a resource-based policy"
        );
        assert_eq!(message, expected, "{ask:?}");
    }
    let form = Form::new("object", TEXT).with(triple);
    served.post(&form).await.refused(403, "AccessDenied");
    served.send(&get(PATH, &T1)).await.refused(404, "NoSuchKey");
}

/// Writes in the same ways, with a triple or without.
async fn every_write_is_served(served: &Served, triple: &[Pair<'static>]) {
    served.send(&put(PATH, triple)).await.is(200);
    served
        .post(&Form::new("object", TEXT).with(triple))
        .await
        .is(204);
    let copy = Ask::new("PUT", PATH).with(&[SOURCE]).with(&S1);
    served.send(&copy.with(triple)).await.is(200);
    let upload = create(served, PATH, triple).await;
    let sent = served.send(&part(PATH, (&upload, "1"), triple, TEXT)).await;
    let list = list(&[(1, &etag(&sent))]);
    served
        .send(&complete(PATH, &upload, &list, triple))
        .await
        .is(200);
    assert_eq!(served.send(&get(PATH, triple)).await.is(200).body, TEXT);
}

#[tokio::test]
async fn a_bucket_may_demand_customer_keys() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.send(&put("/bucket/source", &T1)).await.is(200);
        let upload = create(&served, PATH, &[]).await;
        served.send(&policy("PUT", &if_null(true))).await.is(204);
        every_write_is_denied(&served, &[], &upload).await;
        every_write_is_served(&served, &T1).await;
    }
}

#[tokio::test]
async fn a_bucket_may_forbid_customer_keys() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        served.send(&put("/bucket/source", &T1)).await.is(200);
        let upload = create(&served, PATH, &T1).await;
        served.send(&policy("PUT", &if_null(false))).await.is(204);
        every_write_is_denied(&served, &T1, &upload).await;
        every_write_is_served(&served, &[]).await;
        let read = served.send(&get("/bucket/source", &T1)).await;
        assert_eq!(read.is(200).body, TEXT);
    }
}

#[tokio::test]
async fn the_policy_is_asked_before_the_headers_are_judged() {
    let served = Served::start(Dialect::Aws).await;
    let odd = [(ALGORITHM, "AES192")];
    let before = served.send(&put(PATH, &odd)).await;
    before.refused(400, "InvalidArgument");
    let condition =
        format!(",\"Condition\":{{\"StringNotEquals\":{{\"{KEY_OF_CONDITION}\":\"AES256\"}}}}");
    let only_aes = deny("\"s3:PutObject\"", "/*", &condition);
    served.send(&policy("PUT", &only_aes)).await.is(204);
    served
        .send(&put(PATH, &odd))
        .await
        .refused(403, "AccessDenied");
    served
        .send(&put(PATH, &[]))
        .await
        .refused(403, "AccessDenied");
    served
        .send(&put(PATH, &T1[..1]))
        .await
        .refused(400, "InvalidArgument");
    served.send(&put(PATH, &T1)).await.is(200);
}

#[tokio::test]
async fn reads_lists_and_deletions_are_denied_too() {
    let served = Served::start(Dialect::Aws).await;
    for path in ["/bucket/secret/a", "/bucket/public/a"] {
        served.send(&put(path, &T1)).await.is(200);
    }
    let text = deny("[\"s3:GetObject\",\"s3:DeleteObject\"]", "/secret/*", "");
    served.send(&policy("PUT", &text)).await.is(204);
    let copy = [("x-amz-copy-source", "/bucket/secret/a")];
    for ask in [
        get("/bucket/secret/a", &T1),
        get("/bucket/secret/a", &T1).query(&[("attributes", "")]),
        Ask::new("PUT", PATH).with(&copy).with(&S1),
        Ask::new("DELETE", "/bucket/secret/a"),
    ] {
        served.send(&ask).await.refused(403, "AccessDenied");
    }
    served
        .send(&Ask::new("HEAD", "/bucket/secret/a").with(&T1))
        .await
        .is(403);
    served.send(&get("/bucket/public/a", &T1)).await.is(200);
    let batch = "<Delete><Object><Key>secret/a</Key></Object><Object><Key>public/a</Key></Object>\
        </Delete>";
    let batch = Ask::new("POST", "/bucket")
        .query(&[("delete", "")])
        .body(batch.as_bytes());
    let reply = served.send(&batch).await;
    assert_eq!(
        reply.is(200).element("Code").as_deref(),
        Some("AccessDenied")
    );
    assert!(
        reply
            .text()
            .contains("<Deleted><Key>public/a</Key></Deleted>")
    );
    let keys = Ask::new("GET", "/bucket").query(&[("list-type", "2")]);
    let listed = served.send(&keys).await;
    assert_eq!(listed.is(200).element("Key").as_deref(), Some("secret/a"));

    let everything = deny("\"s3:*\"", "*", "");
    served.send(&policy("PUT", &everything)).await.is(204);
    served.send(&keys).await.refused(403, "AccessDenied");
    served
        .send(&put(PATH, &T1))
        .await
        .refused(403, "AccessDenied");
    // The owner is not locked out of the policy.
    served.send(&policy("GET", "")).await.is(200);
    served.send(&policy("DELETE", "")).await.is(204);
    served.send(&keys).await.is(200);
    served.send(&get("/bucket/secret/a", &T1)).await.is(200);
}

#[tokio::test]
async fn a_policy_is_kept_as_it_came_and_outlives_the_server() {
    let served = Served::start(Dialect::Aws).await;
    let none = served.send(&policy("GET", "")).await;
    none.refused(404, "NoSuchBucketPolicy");
    assert_eq!(none.element("BucketName").as_deref(), Some("bucket"));
    served.send(&policy("DELETE", "")).await.is(204);
    let text = if_null(true);
    served.send(&policy("PUT", &text)).await.is(204);
    let Served { server, directory } = served;
    let config = Config::new(server.data_dir.clone());
    server.shutdown().await;
    let server = Server::start(config)
        .await
        .expect("the server starts again");
    let served = Served { server, directory };
    served
        .send(&put(PATH, &[]))
        .await
        .refused(403, "AccessDenied");
    let kept = served.send(&policy("GET", "")).await;
    assert_eq!(kept.is(200).text(), text);
    assert_eq!(kept.header("content-type"), Some("application/json"));
    for method in ["GET", "PUT", "DELETE"] {
        let elsewhere = Ask::new(method, "/none").query(&[("policy", "")]);
        let reply = served.send(&elsewhere.body(text.as_bytes())).await;
        reply.refused(404, "NoSuchBucket");
    }
    let status = Ask::new("GET", "/bucket").query(&[("policyStatus", "")]);
    served.send(&status).await.refused(501, "NotImplemented");

    // Another bucket of the same name has no policy.
    served.send(&Ask::new("DELETE", "/bucket")).await.is(204);
    served.send(&Ask::new("PUT", "/bucket")).await.is(200);
    served.send(&put(PATH, &[])).await.is(200);
}

#[tokio::test]
async fn what_would_not_be_heeded_is_not_stored() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&policy("PUT", &if_null(true))).await.is(204);
    let good = if_null(false);
    let long = format!("{good}{}", " ".repeat(20 << 10));
    for (text, status, code) in [
        (good.replace("Deny", "Allow"), 501, "NotImplemented"),
        (good.replace("Null", "IpAddress"), 501, "NotImplemented"),
        (
            good.replace("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":\"1\"}"),
            501,
            "NotImplemented",
        ),
        (good.replace("bucket/", "other/"), 400, "MalformedPolicy"),
        (good.replace("Effect", "Affect"), 400, "MalformedPolicy"),
        (String::new(), 400, "MalformedPolicy"),
        (long, 400, "MaxMessageLengthExceeded"),
    ] {
        let reply = served.send(&policy("PUT", &text)).await;
        reply.refused(status, code);
        let kept = served.send(&policy("GET", "")).await;
        assert_eq!(kept.is(200).text(), if_null(true));
    }
    served
        .send(&put(PATH, &[]))
        .await
        .refused(403, "AccessDenied");
    served.send(&policy("PUT", &good)).await.is(204);
    served.send(&put(PATH, &[])).await.is(200);
}

#[tokio::test]
async fn a_bucket_may_demand_tls() {
    let served = Served::start_with(Dialect::Aws, |config| {
        config.listeners = Listeners::Tls {
            certificate: CertificateSource::LocalAuthority { names: Vec::new() },
            also_http: Some(([127, 0, 0, 1], 0).into()),
        };
    })
    .await;
    served.send_plain(&put(PATH, &[])).await.is(200);
    let condition = ",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":false}}";
    served
        .send(&policy("PUT", &deny("\"s3:*\"", "*", condition)))
        .await
        .is(204);
    served
        .send_plain(&get(PATH, &[]))
        .await
        .refused(403, "AccessDenied");
    served.send(&get(PATH, &[])).await.is(200);
}
