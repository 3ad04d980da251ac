//! Tags in the headers of writes, over TLS: they are kept, copied or replaced, and need no key.

mod client;

use client::form::Form;
use client::upload::{complete, create, etag, list, part};
use client::{Ask, Pair, S1, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test data..";
const SOURCE: &str = "/bucket/source";
const TARGET: &str = "/bucket/target";
const TAGGING: &str = "x-amz-tagging";
const DIRECTIVE: &str = "x-amz-tagging-directive";

fn put<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", path).with(headers).body(TEXT)
}

/// The tags of an object, as `name=value`.
async fn tags(served: &Served, path: &str) -> Vec<String> {
    let ask = Ask::new("GET", path).query(&[("tagging", "")]);
    let text = served.send(&ask).await.is(200).text();
    let between = |text: &str, start: &str, end: &str| {
        let (_, rest) = text.split_once(start).expect("an element");
        rest.split_once(end).expect("its end").0.to_owned()
    };
    let tags = text.split("<Tag>").skip(1);
    tags.map(|tag| {
        let (name, value) = (
            between(tag, "<Key>", "</Key>"),
            between(tag, "<Value>", "</Value>"),
        );
        format!("{name}={value}")
    })
    .collect()
}

#[tokio::test]
async fn an_object_is_written_with_its_tags() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        let tagged = (TAGGING, "colour=red&a+b=%C3%A4%26");
        served.send(&put(SOURCE, &T1).with(&[tagged])).await.is(200);
        assert_eq!(tags(&served, SOURCE).await, ["colour=red", "a b=ä&amp;"]);
        let read = served.send(&Ask::new("GET", SOURCE).with(&T1)).await;
        assert_eq!(read.is(200).header("x-amz-tagging-count"), Some("2"));
        assert_eq!(read.header(TAGGING), None);
        assert_eq!(read.body, TEXT);
        // The next write of the object has its own.
        served.send(&put(SOURCE, &T1)).await.is(200);
        assert!(tags(&served, SOURCE).await.is_empty());
        let read = served.send(&Ask::new("GET", SOURCE).with(&T1)).await;
        assert_eq!(read.is(200).header("x-amz-tagging-count"), None);
    }
}

#[tokio::test]
async fn an_upload_has_the_tags_of_its_creation() {
    let served = Served::start(Dialect::Aws).await;
    let mut headers = T1.to_vec();
    headers.push((TAGGING, "a=1"));
    let upload = create(&served, TARGET, &headers).await;
    let sent = served.send(&part(TARGET, (&upload, "1"), &T1, TEXT)).await;
    let list = list(&[(1, &etag(&sent))]);
    served
        .send(&complete(TARGET, &upload, &list, &T1))
        .await
        .is(200);
    assert_eq!(tags(&served, TARGET).await, ["a=1"]);
    let late = part(TARGET, ("u", "1"), &T1, TEXT).with(&[(TAGGING, "a=1")]);
    served.send(&late).await.is(404);
    let upload = create(&served, TARGET, &T1).await;
    let late = part(TARGET, (&upload, "1"), &T1, TEXT).with(&[(TAGGING, "a=1")]);
    served.send(&late).await.refused(501, "NotImplemented");
}

#[tokio::test]
async fn a_copy_takes_the_tags_of_its_source_or_its_own() {
    let served = Served::start(Dialect::Aws).await;
    served
        .send(&put(SOURCE, &T1).with(&[(TAGGING, "of=source")]))
        .await
        .is(200);
    let copy = |headers: &[Pair<'static>]| {
        let ask = Ask::new("PUT", TARGET).with(&[("x-amz-copy-source", SOURCE)]);
        ask.with(&S1).with(&T2).with(headers)
    };
    let own = (TAGGING, "of=copy");
    for (headers, expected) in [
        (vec![], vec!["of=source"]),
        (vec![(DIRECTIVE, "COPY")], vec!["of=source"]),
        (vec![own], vec!["of=source"]),
        (vec![own, (DIRECTIVE, "COPY")], vec!["of=source"]),
        (vec![own, (DIRECTIVE, "REPLACE")], vec!["of=copy"]),
        (vec![(DIRECTIVE, "REPLACE")], vec![]),
    ] {
        served.send(&copy(&headers)).await.is(200);
        assert_eq!(tags(&served, TARGET).await, expected, "{headers:?}");
        let read = served.send(&Ask::new("GET", TARGET).with(&T2)).await;
        assert_eq!(read.is(200).body, TEXT);
    }
    let odd = served.send(&copy(&[own, (DIRECTIVE, "MERGE")])).await;
    odd.refused(400, "InvalidArgument");
    assert_eq!(odd.element("ArgumentName").as_deref(), Some(DIRECTIVE));

    let policy = "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\
        \"Action\":\"s3:GetObjectTagging\",\"Resource\":\"arn:aws:s3:::bucket/source\"}}";
    let put_policy = Ask::new("PUT", "/bucket").query(&[("policy", "")]);
    served
        .send(&put_policy.clone().body(policy.as_bytes()))
        .await
        .is(204);
    served.send(&copy(&[])).await.refused(403, "AccessDenied");
    served
        .send(&copy(&[own, (DIRECTIVE, "REPLACE")]))
        .await
        .is(200);
    // Whoever may not tag the target copies no tags to it.
    let policy = policy
        .replace("GetObjectTagging", "PutObjectTagging")
        .replace("/source", "/*");
    served
        .send(&put_policy.body(policy.as_bytes()))
        .await
        .is(204);
    served.send(&copy(&[])).await.refused(403, "AccessDenied");
    served
        .send(&copy(&[own, (DIRECTIVE, "REPLACE")]))
        .await
        .refused(403, "AccessDenied");
    served.send(&copy(&[(DIRECTIVE, "REPLACE")])).await.is(200);
}

#[tokio::test]
async fn bad_tags_store_nothing() {
    let served = Served::start(Dialect::Aws).await;
    let many = "0=&1=&2=&3=&4=&5=&6=&7=&8=&9=&10=";
    let long = format!("{}=v", "n".repeat(129));
    for (value, code) in [
        ("a=1&a=2", "InvalidArgument"),
        ("a=%FF", "InvalidArgument"),
        ("=v", "InvalidTag"),
        (&long, "InvalidTag"),
        (many, "BadRequest"),
    ] {
        let tagged = [(TAGGING, value)];
        served
            .send(&put(TARGET, &T1).with(&tagged))
            .await
            .refused(400, code);
        let create = Ask::new("POST", TARGET).query(&[("uploads", "")]);
        served.send(&create.with(&tagged)).await.refused(400, code);
        let read = Ask::new("GET", TARGET).with(&T1);
        served.send(&read).await.refused(404, "NoSuchKey");
    }
    served
        .send(&put(TARGET, &T1).with(&[(TAGGING, "a=1")]))
        .await
        .is(200);
}

/// A form has its tags in one of two fields: of two sets, one would be dropped.
#[tokio::test]
async fn a_form_gives_its_tags_once() {
    let served = Served::start(Dialect::Aws).await;
    let form = Form::new("target", TEXT).with(&T1);
    let document = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let both = [("tagging", document), (TAGGING, "a=1")];
    let reply = served.post(&form.clone().with(&both)).await;
    reply.refused(400, "InvalidArgument");
    assert_eq!(reply.element("ArgumentName").as_deref(), Some(TAGGING));
    let read = Ask::new("GET", TARGET).with(&T1);
    served.send(&read).await.refused(404, "NoSuchKey");
    for one in both {
        served.post(&form.clone().with(&[one])).await.is(204);
        assert_eq!(tags(&served, TARGET).await, ["a=1"]);
    }
}
