//! Bad input, over TLS: each is answered with the S3 error, changes nothing that lists show, leaves
//! no body in the data directory, and has a served control beside it.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod client;

use std::path::{Path, PathBuf};

use client::form::Form;
use client::upload::{self, etag, list};
use client::{Ask, Pair, Reply, S1, Served, T1};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/o";
const TEXT: &[u8] = b"test_data";
const FROM: Pair<'static> = ("x-amz-copy-source", "/bucket/o");

/// All that the server has: what its lists show, and the files of its bodies with their lengths.
async fn kept(served: &Served) -> (Vec<String>, Vec<(PathBuf, u64)>) {
    let mut lists = vec![served.send(&Ask::new("GET", "/")).await.text()];
    for query in ["versions", "uploads"] {
        let list = Ask::new("GET", "/bucket").query(&[(query, ""), ("encoding-type", "url")]);
        lists.push(served.send(&list).await.is(200).text());
    }
    (lists, bodies(served.directory.path()))
}

/// The files below a directory, but for the metadata, which may grow for reasons of its own.
fn bodies(directory: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        if path.is_dir() {
            found.extend(bodies(&path));
        } else if path.extension().is_none_or(|extension| extension != "redb") {
            found.push((path, entry.metadata().unwrap().len()));
        }
    }
    found.sort();
    found
}

/// Sends what must be refused, and sees that nothing has changed.
async fn refused(served: &Served, ask: &Ask<'_>, status: u16, code: &str) -> Reply {
    let before = kept(served).await;
    let reply = served.send(ask).await;
    reply.refused(status, code);
    assert_eq!(kept(served).await, before, "{} {}", ask.method, ask.path);
    reply
}

fn put<'a>(path: &'a str) -> Ask<'a> {
    Ask::new("PUT", path).with(&T1).body(TEXT)
}

fn get<'a>(path: &'a str) -> Ask<'a> {
    Ask::new("GET", path).with(&T1)
}

#[tokio::test]
async fn part_numbers() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(PATH)).await.is(200);
    let id = upload::create(&served, "/bucket/large", &T1).await;
    for number in ["0", "10001", "-1", "1.5", "", "one", "99999999999999999999"] {
        let part = upload::part("/bucket/large", (&id, number), &T1, TEXT);
        let answer = refused(&served, &part, 400, "InvalidArgument").await;
        let message = answer.element("Message").unwrap();
        assert!(message.contains("between 1 and 10000"), "{message}");
        let copied = Ask::new("PUT", "/bucket/large")
            .query(&[("partNumber", number), ("uploadId", id.as_str())])
            .with(&[FROM])
            .with(&S1)
            .with(&T1);
        refused(&served, &copied, 400, "InvalidArgument").await;
        let read = get(PATH).query(&[("partNumber", number)]);
        refused(&served, &read, 400, "InvalidArgument").await;
    }
    for number in ["1", "10000"] {
        let part = upload::part("/bucket/large", (&id, number), &T1, TEXT);
        served.send(&part).await.is(200);
    }
    let beyond = get(PATH).query(&[("partNumber", "10000")]);
    refused(&served, &beyond, 416, "InvalidPartNumber").await;
    served
        .send(&get(PATH).query(&[("partNumber", "1")]))
        .await
        .is(206);
}

#[tokio::test]
async fn lists_of_parts() {
    let served = Served::start(Dialect::Aws).await;
    let path = "/bucket/large";
    let id = upload::create(&served, path, &T1).await;
    let mut tags = Vec::new();
    for number in ["1", "2"] {
        let part = upload::part(path, (&id, number), &T1, TEXT);
        tags.push(etag(&served.send(&part).await));
    }
    let other = "0".repeat(32);
    let (first, second) = (tags[0].as_str(), tags[1].as_str());
    for (parts, code) in [
        (list(&[]), "MalformedXML"),
        (String::new(), "MissingRequestBodyError"),
        ("no document".to_owned(), "MalformedXML"),
        (list(&[(1, first), (2, second)]), "EntityTooSmall"),
        (list(&[(1, &other)]), "InvalidPart"),
        (list(&[(1, second)]), "InvalidPart"),
        (list(&[(1, "")]), "InvalidPart"),
        (list(&[(3, first)]), "InvalidPart"),
        (list(&[(0, first)]), "InvalidArgument"),
        (list(&[(10_001, first)]), "InvalidArgument"),
        (list(&[(2, second), (1, first)]), "InvalidPartOrder"),
        (list(&[(1, first), (1, first)]), "InvalidPartOrder"),
    ] {
        let complete = upload::complete(path, &id, &parts, &T1);
        refused(&served, &complete, 400, code).await;
        let read = get(path);
        served.send(&read).await.refused(404, "NoSuchKey");
    }
    let nobodys = upload::complete(path, "nonsense", "<CompleteMultipartUpload/>", &T1);
    refused(&served, &nobodys, 404, "NoSuchUpload").await;
    let only = list(&[(1, first)]);
    served
        .send(&upload::complete(path, &id, &only, &T1))
        .await
        .is(200);
    assert_eq!(served.send(&get(path)).await.is(200).body, TEXT);
}

#[tokio::test]
async fn copies_and_ranges() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(PATH)).await.is(200);
    let copy = |path| Ask::new("PUT", path).with(&[FROM]).with(&S1);
    let onto_itself = copy(PATH).with(&T1);
    let answer = refused(&served, &onto_itself, 400, "InvalidRequest").await;
    assert!(answer.text().contains("copy an object to itself without"));
    for range in ["bytes=9-", "bytes=9-20", "bytes=-0"] {
        let read = get(PATH).with(&[("range", range)]);
        let answer = refused(&served, &read, 416, "InvalidRange").await;
        assert_eq!(answer.header("content-range"), Some("bytes */9"));
    }
    let both = get(PATH)
        .query(&[("partNumber", "1")])
        .with(&[("range", "bytes=0-1")]);
    refused(&served, &both, 400, "InvalidRequest").await;
    let id = upload::create(&served, "/bucket/large", &[]).await;
    for range in ["bytes=0-9", "bytes=9-9", "bytes=3-", "bytes=4-3", "0-3", ""] {
        let part = copy("/bucket/large")
            .query(&[("partNumber", "1"), ("uploadId", id.as_str())])
            .with(&[("x-amz-copy-source-range", range)]);
        refused(&served, &part, 400, "InvalidArgument").await;
    }
    let inside = get(PATH).with(&[("range", "bytes=8-20")]);
    assert_eq!(served.send(&inside).await.is(206).body, b"a");
    served.send(&copy("/bucket/copy")).await.is(200);
}

/// Documents that no reader may follow, for a root of that name.
fn hostile_documents(root: &str) -> Vec<String> {
    let laughs: String = (1..20)
        .map(|n| format!("<!ENTITY l{n} \"&l{0};&l{0};&l{0};\">", n - 1))
        .collect();
    vec![
        format!("<!DOCTYPE {root} [<!ENTITY x \"y\">]><{root}>&x;</{root}>"),
        format!(
            "<!DOCTYPE {root} [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><{root}>&x;</{root}>"
        ),
        format!("<!DOCTYPE {root} [<!ENTITY l0 \"lol\">{laughs}]><{root}>&l19;</{root}>"),
        format!("<!DOCTYPE {root} SYSTEM \"http://127.0.0.1:1/x.dtd\"><{root}/>"),
        format!("<{root}>{}", "<a>".repeat((1 << 20) / 3)),
        format!("<{root}>{}", "<a b='c'>".repeat(5000)),
        format!("<{root}>&undefined;</{root}>"),
        format!("<{root}>"),
        format!("<{root}/><{root}/>"),
        format!("<Other{root}/>"),
        "\u{0}".to_owned(),
    ]
}

#[tokio::test]
async fn documents_with_entities_or_without_end() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(PATH)).await.is(200);
    let id = upload::create(&served, "/bucket/large", &T1).await;
    let tag = etag(
        &served
            .send(&upload::part("/bucket/large", (&id, "1"), &T1, TEXT))
            .await,
    );
    let upload_id = [("uploadId", id.as_str())];
    let operations: [(&str, &str, &[Pair<'_>], &str); 7] = [
        ("POST", "/bucket", &[("delete", "")], "Delete"),
        (
            "PUT",
            "/bucket",
            &[("versioning", "")],
            "VersioningConfiguration",
        ),
        (
            "PUT",
            "/bucket",
            &[("encryption", "")],
            "ServerSideEncryptionConfiguration",
        ),
        ("PUT", "/bucket", &[("cors", "")], "CORSConfiguration"),
        ("PUT", PATH, &[("tagging", "")], "Tagging"),
        ("PUT", "/second", &[], "CreateBucketConfiguration"),
        (
            "POST",
            "/bucket/large",
            &upload_id,
            "CompleteMultipartUpload",
        ),
    ];
    for (method, path, query, root) in operations {
        for document in hostile_documents(root) {
            let ask = Ask::new(method, path)
                .query(query)
                .body(document.as_bytes());
            let before = kept(&served).await;
            let reply = served.send(&ask).await;
            let code = reply.element("Code").unwrap_or_default();
            let start: String = document.chars().take(60).collect();
            assert!(
                matches!(code.as_str(), "MalformedXML" | "MaxMessageLengthExceeded"),
                "{root} {start}: {}",
                reply.text()
            );
            assert_eq!(reply.status, 400);
            assert!(!reply.text().contains("root:"), "{}", reply.text());
            assert_eq!(kept(&served).await, before, "{root} {start}");
        }
    }
    let whole = list(&[(1, &tag)]);
    served
        .send(&upload::complete("/bucket/large", &id, &whole, &T1))
        .await
        .is(200);
    assert_eq!(served.send(&get(PATH)).await.is(200).body, TEXT);
}

#[tokio::test]
async fn names_of_buckets() {
    let served = Served::start(Dialect::Aws).await;
    let longest = "b".repeat(63);
    for name in ["abc", longest.as_str(), "a.b-c"] {
        let path = format!("/{name}");
        served.send(&Ask::new("PUT", &path)).await.is(200);
    }
    let beyond = "b".repeat(64);
    for name in [
        "ab",
        &beyond,
        "Bucket",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        "10.0.0.1",
        "..",
        ".",
        "%20ab",
        "b%C3%BCcket",
    ] {
        let path = format!("/{name}");
        refused(&served, &Ask::new("PUT", &path), 400, "InvalidBucketName").await;
        let object = format!("/{name}/o");
        refused(&served, &put(&object), 404, "NoSuchBucket").await;
    }
    for name in ["a%00b", "%FFabc", "abc%C3", "abc%", "abc%zz"] {
        let path = format!("/{name}");
        refused(&served, &Ask::new("PUT", &path), 400, "InvalidURI").await;
        let object = format!("/{name}/o");
        refused(&served, &put(&object), 400, "InvalidURI").await;
    }
    // `%2F` is a slash of the name, and no bucket has one.
    let slash = Ask::new("PUT", "/buc%2Fket").canonical("/buc/ket");
    refused(&served, &slash, 400, "InvalidBucketName").await;
    let outside = put("/..%2F..%2Fetc/o").canonical("/../../etc/o");
    refused(&served, &outside, 404, "NoSuchBucket").await;
}

#[tokio::test]
async fn names_of_objects_beyond_the_limits() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(PATH)).await.is(200);
    // 1024 bytes, of one and of two bytes a character.
    let (ascii, wide) = ("n".repeat(1024), "%C3%A4".repeat(512));
    for name in [&ascii, &wide] {
        let path = format!("/bucket/{name}");
        served.send(&put(&path)).await.is(200);
        assert_eq!(served.send(&get(&path)).await.is(200).body, TEXT);
        let more = format!("{path}n");
        let from = format!("bucket/{name}n");
        let copy = Ask::new("PUT", "/bucket/copy").with(&[("x-amz-copy-source", from.as_str())]);
        let create = Ask::new("POST", &more).query(&[("uploads", "")]).with(&T1);
        for ask in [
            put(&more),
            get(&more),
            Ask::new("DELETE", &more),
            create,
            copy,
        ] {
            refused(&served, &ask, 400, "KeyTooLongError").await;
        }
    }
    for name in [
        "a%00b",
        "%00",
        "%FF",
        "%C3",
        "%ED%A0%80",
        "a%",
        "a%4",
        "a%GG",
    ] {
        let path = format!("/bucket/{name}");
        let from = format!("bucket/{name}");
        for ask in [put(&path), get(&path), Ask::new("DELETE", &path)] {
            refused(&served, &ask, 400, "InvalidURI").await;
        }
        let copy = Ask::new("PUT", "/bucket/copy").with(&[("x-amz-copy-source", from.as_str())]);
        refused(&served, &copy, 400, "InvalidArgument").await;
    }
    let list = Ask::new("GET", "/bucket?prefix=%FF").canonical("/bucket");
    refused(&served, &list, 400, "InvalidURI").await;
}

#[tokio::test]
async fn names_that_look_like_paths_are_names() {
    let served = Served::start(Dialect::Aws).await;
    let outside = served.directory.path().parent().unwrap().to_owned();
    let around = || {
        let entries = std::fs::read_dir(&outside).unwrap();
        entries
            .filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name() == "escaped"))
            .count()
    };
    let names = [
        ("/bucket/.", "/bucket/."),
        ("/bucket/..", "/bucket/.."),
        ("/bucket/../../escaped", "/bucket/../../escaped"),
        ("/bucket/a/../b", "/bucket/a/../b"),
        ("/bucket/%2E%2E/c", "/bucket/../c"),
        ("/bucket//d", "/bucket//d"),
        ("/bucket/e%2Ff", "/bucket/e/f"),
        ("/bucket/%252F", "/bucket/%252F"),
        ("/bucket/%5C..%5Cg", "/bucket/%5C..%5Cg"),
    ];
    for (number, (path, canonical)) in names.iter().enumerate() {
        let body = number.to_string();
        let ask = put(path).canonical(canonical).body(body.as_bytes());
        served.send(&ask).await.is(200);
    }
    // Each is an object of its own: none was taken for another, or for a file.
    for (number, (path, canonical)) in names.iter().enumerate() {
        let read = served.send(&get(path).canonical(canonical)).await;
        assert_eq!(read.is(200).body, number.to_string().as_bytes(), "{path}");
    }
    let list = Ask::new("GET", "/bucket").query(&[("list-type", "2")]);
    let listed = served.send(&list).await;
    assert_eq!(listed.text().matches("<Contents>").count(), names.len());
    for name in ["../../escaped", "a/../b", "/d", "e/f", "%2F"] {
        let element = format!("<Key>{name}</Key>");
        assert!(listed.text().contains(&element), "{name}");
    }
    assert_eq!(around(), 0, "a name has left the data directory");
    let decoded = served.send(&get("/bucket/e/f")).await;
    assert_eq!(decoded.is(200).body, b"6");
    served
        .send(&get("/bucket/../../../../../../etc/passwd"))
        .await
        .refused(404, "NoSuchKey");
}

#[tokio::test]
async fn a_bucket_in_the_host_name() {
    let served = Served::start(Dialect::Aws).await;
    let host = "bucket.s3.localhost";
    served.send(&put("/dir/o").host(host)).await.is(200);
    assert_eq!(
        served.send(&get("/bucket/dir/o")).await.is(200).body,
        TEXT,
        "path style finds what virtual-host style has stored"
    );
    let url = get("/dir/o").host(host).presigned();
    assert_eq!(served.send(&url).await.is(200).body, TEXT);
    let list = Ask::new("GET", "/").query(&[("list-type", "2")]).host(host);
    let listed = served.send(&list).await;
    assert!(listed.is(200).text().contains("<Key>dir/o</Key>"));
    let other = get("/dir/o").host("none.s3.localhost");
    refused(&served, &other, 404, "NoSuchBucket").await;
}

/// Ten kilobytes of variables and a name of a few more would be megabytes of fields.
#[tokio::test]
async fn names_of_files_that_blow_the_fields_up() {
    let served = Served::start(Dialect::Aws).await;
    let (many, name) = ("${filename}".repeat(900), "n".repeat(7000));
    let form = Form::new("o", TEXT)
        .with(&[("x-amz-meta-a", many.as_str())])
        .condition("[\"starts-with\", \"$x-amz-meta-a\", \"\"]")
        .uncovered("x-amz-meta-a");
    let before = kept(&served).await;
    let reply = served.post(&form.clone().file_name(&name)).await;
    reply.refused(400, "MaxPostPreDataLengthExceededError");
    assert_eq!(kept(&served).await, before);
    served.post(&form.file_name("n")).await.is(204);
}
