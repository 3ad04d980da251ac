//! Damaged scenarios and answers: each is read or refused with its place, within bounds, and nothing
//! panics or hangs. The same mutants in every run; the long form is `--ignored`.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::s3::error_document::{
    error_document, list_page, part_list, upload_list, value_at, version_page,
};
use harness::scenario::catalog::Catalog;
use harness::scenario::layout;
use harness::transport::{Client, Endpoint, Exchange, Limits, SignedRequest, TlsSettings};
use harness::yaml::format::{Unformatted, format};
use harness::yaml::{SourceFile, parse};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

mod catalogue_folder;
// Without code of its own crate, so that both crates' tests can have it.
#[path = "../../reports/tests/mutation/mod.rs"]
mod mutation;

use mutation::Mutator;

/// An exchange that takes longer than this hangs: its server closes after its last byte.
const HANGS: Duration = Duration::from_secs(60);

fn yaml_files(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A catalogue's folder: `outcomes.yaml` and the dialect of AWS from `around`, room for one suite.
fn catalogue(around: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    catalogue_folder::lay_out(around, folder.path());
    folder
}

/// Whether the catalogue is read. Each mistake lies within its file, on characters' boundaries, and
/// can be drawn.
fn reads(folder: &Path) -> bool {
    match Catalog::read(folder) {
        Ok(catalog) => {
            let names: BTreeSet<&str> = catalog.trials().iter().map(|t| t.name.as_str()).collect();
            assert_eq!(names.len(), catalog.trials().len(), "each trial has a name");
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes.iter() {
                if let Some((file, span)) = &mistake.at {
                    assert!(file.text.get(span.range()).is_some(), "{mistake}");
                }
            }
            assert!(!mistakes.to_string().is_empty());
            false
        }
    }
}

fn damaged_scenarios(rounds: usize) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let own = tests.join("../../scenarios");
    let bad = tests.join("bad");
    let mut mutator = Mutator::new(4);
    let mut read = 0;
    for (around, seeds) in [
        (own.clone(), yaml_files(&own.join("suites"))),
        (bad.join("around"), yaml_files(&bad.join("suites"))),
    ] {
        assert!(seeds.len() > 20, "{}", around.display());
        let folder = catalogue(&around);
        let file = folder.path().join("suites/mutant.yaml");
        for _ in 0..rounds / 2 {
            fs::write(&file, mutator.mutant(&seeds)).unwrap();
            read += usize::from(reads(folder.path()));
        }
    }
    assert!(read > 0 && read < rounds, "{read} of {rounds} were read");
    format!("suites of scenarios, {read} valid | {rounds} | – | – | 0 |")
}

/// Whatever is read of a damaged file has a form that says the same, and stays as it is.
fn forms(rounds: usize) -> String {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let seeds = [
        yaml_files(&own.join("suites")),
        yaml_files(&own.join("dialects")),
    ]
    .concat();
    let mut mutator = Mutator::new(6);
    let form_of = |text: String| {
        let (path, name) = ("mutant.yaml".to_owned(), "mutant.yaml".to_owned());
        let file = Arc::new(SourceFile { path, name, text });
        let root = parse(&file).ok()?;
        match format(&file, &root, layout::of(&file, &root)) {
            Ok(form) => Some(form),
            Err(Unformatted::Mistakes(_)) => None,
            Err(Unformatted::Altered) => panic!("another meaning of\n{}", file.text),
        }
    };
    let mut formed = 0;
    for _ in 0..rounds {
        let Ok(text) = String::from_utf8(mutator.mutant(&seeds)) else {
            continue;
        };
        if let Some(form) = form_of(text) {
            assert_eq!(form_of(form.clone()), Some(form));
            formed += 1;
        }
    }
    assert!(
        formed > rounds / 50 && formed < rounds,
        "{formed} of {rounds}"
    );
    format!("forms of YAML, {formed} written | {rounds} | – | – | 0 |")
}

/// A matrix of any shape gives each of its cells one trial, the last axis fastest.
fn matrices(rounds: usize) -> String {
    let around = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad/around");
    let folder = catalogue(&around);
    let file = folder.path().join("suites/matrix.yaml");
    let mut mutator = Mutator::new(5);
    for _ in 0..rounds {
        let sizes = [(); 3].map(|()| 1 + mutator.below(4));
        let mut expected = Vec::new();
        let name = |axis: usize, point: usize| {
            let axis_name = ["first", "second", "third"][axis];
            (axis_name.to_owned(), format!("p{point}"))
        };
        for a in 0..sizes[0] {
            for b in 0..sizes[1] {
                for c in 0..sizes[2] {
                    expected.push(vec![name(0, a), name(1, b), name(2, c)]);
                }
            }
        }
        fs::write(&file, suite(sizes)).unwrap();
        let catalog = Catalog::read(folder.path()).unwrap_or_else(|why| panic!("{why}"));
        let cells: Vec<_> = catalog.trials().iter().map(|t| t.cells.clone()).collect();
        assert_eq!(cells, expected, "{sizes:?}");
    }
    format!("shapes of a matrix | {rounds} | – | – | 0 |")
}

/// A suite of one case with three axes of so many points; every point changes a request.
fn suite(sizes: [usize; 3]) -> String {
    let points = |field: &str, size: usize| {
        let point = |n| format!("        p{n}: {{{field}: 0-{n}}}\n");
        (0..size).map(point).collect::<String>()
    };
    let [first, second, third] = sizes.map(|size| points("range", size));
    format!(
        "suite: matrix\nkeys: [alice, mallory]\nbodies:\n  small: {{size: 1 KiB, seed: 1}}\n\
         cases:\n  - id: one\n    title: A title\n    level: must\n    source: [{{contract: P1}}]\n    \
         needs: [sse-c]\n    matrix:\n      first:\n{first}      second:\n{second}      third:\n{third}    \
         steps:\n      - {{put: doc, body: small, ssec: alice, expect: ok}}\n      \
         - {{get: doc, ssec: mallory, expect: wrong-key}}\n      \
         - {{do: $first, get: doc, ssec: alice, expect: ok}}\n      \
         - {{do: $second, get: doc, ssec: alice, expect: ok}}\n      \
         - {{do: $third, get: doc, ssec: alice, expect: ok}}\n"
    )
}

const DOCUMENTS: [&str; 5] = [
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>InvalidArgument</Code><Message>The \
     MD5 is not &lt;x&#43;&#x2F;&gt;.</Message><ArgumentName>k</ArgumentName></Error>",
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true\
     </IsTruncated><NextContinuationToken>t=</NextContinuationToken><Contents><Key>a &amp; b</Key>\
     <Size>65537</Size></Contents><Contents><Key><![CDATA[<c>]]></Key></Contents></ListBucketResult>",
    "<ListVersionsResult><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>\
     <Version><Key>a</Key><VersionId>1</VersionId><Size>7</Size></Version></ListVersionsResult>",
    "<ListPartsResult><Part><PartNumber>1</PartNumber><Size>5</Size></Part></ListPartsResult>",
    "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><Error><Code>&b;</Code></Error>",
];

/// Every reader of a target's XML. No text is longer than the document: nothing was expanded.
fn read_document(body: &[u8]) -> bool {
    let found = error_document(body);
    for text in found.iter().flat_map(|error| [&error.code, &error.message]) {
        assert!(text.as_ref().is_none_or(|text| text.len() <= body.len()));
    }
    let lists = (list_page(body), version_page(body));
    let uploads = (part_list(body), upload_list(body));
    let value = value_at(body, "Contents.Key");
    drop((lists, uploads, value));
    found.is_some()
}

fn damaged_documents(rounds: usize) -> String {
    let seeds: Vec<Vec<u8>> = DOCUMENTS
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    let bomb = seeds.last().unwrap();
    assert!(!read_document(bomb), "a document with entities is refused");
    let mut mutator = Mutator::new(6);
    let read = (0..rounds)
        .filter(|_| read_document(&mutator.mutant(&seeds)))
        .count();
    assert!(read > rounds / 20, "{read} of {rounds} were read");
    format!("XML of targets, {read} read | {rounds} | – | – | 0 |")
}

fn request(method: &'static str) -> SignedRequest {
    SignedRequest {
        method,
        host: "localhost".to_owned(),
        target: "/b/o".to_owned(),
        headers: vec![
            ("Host".to_owned(), "localhost".into()),
            (
                "x-amz-server-side-encryption-customer-key".to_owned(),
                "a-key-for-this-target-alone".into(),
            ),
        ],
        fields: 0,
        body: Bytes::new(),
    }
}

fn limits() -> Limits {
    Limits {
        head: 4096,
        body: 8192,
        ..Limits::within(HANGS / 2)
    }
}

fn endpoint(listener: &TcpListener) -> Endpoint {
    let address = listener.local_addr().unwrap();
    Endpoint::parse(&format!("http://{address}")).unwrap()
}

/// One exchange with a server that answers these bytes and closes.
async fn exchange(listener: &TcpListener, answer: &[u8], method: &'static str) -> Option<Exchange> {
    let client = Client::new(endpoint(listener), TlsSettings::insecure());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        // The client may have given up and closed: what it did not take is no matter.
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    };
    let request = request(method);
    let limits = limits();
    let both = async { tokio::join!(client.send(&request, &limits), server).0 };
    let answered = tokio::time::timeout(HANGS, both).await;
    answered
        .unwrap_or_else(|_| panic!("it hangs: {}", answer.escape_ascii()))
        .ok()
}

/// Answers as they should be, and hostile ones. `elsewhere` is where redirects point to.
fn answers(elsewhere: &Endpoint) -> Vec<Vec<u8>> {
    let error = DOCUMENTS[0];
    let length = error.len();
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere}/b/o\r\nContent-Length: 0\r\n\r\n"
    );
    let refused = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n{error}");
    let endless_head = format!(
        "HTTP/1.1 200 OK\r\n{}",
        "X-Again: and again\r\n".repeat(1000)
    );
    let endless_body = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(20_000));
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"0\"\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello",
        &redirect,
        &refused,
        &endless_head,
        &endless_body,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn damaged_answers(rounds: usize) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seeds = answers(&endpoint(&elsewhere));
        let mut mutator = Mutator::new(7);
        let (mut heard, mut redirects) = (0, 0);
        // The seeds as they are come first.
        let mutants = (0..rounds).map(|_| mutator.mutant(&seeds));
        for answer in seeds.clone().into_iter().chain(mutants.collect::<Vec<_>>()) {
            for method in ["GET", "HEAD"] {
                let Some(exchange) = exchange(&listener, &answer, method).await else {
                    continue;
                };
                heard += 1;
                redirects += usize::from(exchange.status == 307);
                assert!(exchange.body.len() <= limits().body);
                assert!(exchange.received_head.len() <= limits().head);
                read_document(&exchange.body);
            }
        }
        assert!(heard > rounds / 20 && redirects > 0, "{heard}, {redirects}");
        // Nobody came to where the redirects point: the key went to its target alone.
        let visit = tokio::time::timeout(Duration::from_millis(100), elsewhere.accept()).await;
        assert!(visit.is_err(), "a redirect was followed");
        format!(
            "answers of targets, {heard} heard, {redirects} redirects not followed | {} | – | – | 0 |",
            2 * (rounds + seeds.len())
        )
    })
}

#[test]
fn a_damaged_suite_is_read_or_refused_with_its_place() {
    println!("hardening | fuzz: {}", damaged_scenarios(400));
}

#[test]
fn a_damaged_file_that_is_read_has_a_form() {
    println!("hardening | fuzz: {}", forms(1000));
}

#[test]
fn a_matrix_has_one_trial_for_each_cell() {
    println!("hardening | properties: {}", matrices(10));
}

#[test]
fn a_damaged_document_is_read_or_refused() {
    println!("hardening | fuzz: {}", damaged_documents(20_000));
}

#[test]
fn a_damaged_answer_is_heard_or_refused() {
    println!("hardening | fuzz: {}", damaged_answers(1500));
}

#[test]
#[ignore = "the long form: minutes"]
fn many_damaged_inputs_are_read_or_refused() {
    println!("hardening | fuzz: {}", damaged_scenarios(10_000));
    println!("hardening | fuzz: {}", forms(30_000));
    println!("hardening | properties: {}", matrices(200));
    println!("hardening | fuzz: {}", damaged_documents(2_000_000));
    println!("hardening | fuzz: {}", damaged_answers(100_000));
}
