//! `ssec test` and `ssec bench` against targets that mean ill: each ends by itself, in bounded time
//! and memory, with a verdict that is no success and no bug of ours, and follows no redirect.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::patience::PATIENCE;
use super::process::{Ended, watch};
use super::proxy::{Hostile, Proxy, Spoilt};
use super::served::{ACCESS_KEY_ID, SECRET, Served};

/// Most resident memory of a run, in bytes. An answer that had no end were far beyond.
const MOST_MEMORY: u64 = 256 << 20;

const ENTITIES: &str = "<?xml version=\"1.0\"?><!DOCTYPE b [<!ENTITY a0 'aaaaaaaaaa'>\
    <!ENTITY a1 '&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;'>\
    <!ENTITY a2 '&a1;&a1;&a1;&a1;&a1;&a1;&a1;&a1;&a1;&a1;'>\
    <!ENTITY a3 '&a2;&a2;&a2;&a2;&a2;&a2;&a2;&a2;&a2;&a2;'>\
    <!ENTITY a4 '&a3;&a3;&a3;&a3;&a3;&a3;&a3;&a3;&a3;&a3;'>\
    <!ENTITY a5 '&a4;&a4;&a4;&a4;&a4;&a4;&a4;&a4;&a4;&a4;'>\
    <!ENTITY a6 '&a5;&a5;&a5;&a5;&a5;&a5;&a5;&a5;&a5;&a5;'>\
    <!ENTITY a7 '&a6;&a6;&a6;&a6;&a6;&a6;&a6;&a6;&a6;&a6;'>\
    <!ENTITY a8 '&a7;&a7;&a7;&a7;&a7;&a7;&a7;&a7;&a7;&a7;'>\
    <!ENTITY a9 '&a8;&a8;&a8;&a8;&a8;&a8;&a8;&a8;&a8;&a8;'>]>\
    <Error><Code>&a9;</Code><Message>&a9;</Message></Error>";

fn refusal(body: &[u8]) -> Hostile {
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Hostile::Once([head.as_bytes(), body].concat())
}

fn endless(first: &str, again: &str) -> Hostile {
    let many = again.repeat(1 + (16 << 10) / again.len());
    Hostile::Forever(first.into(), many.into(), Duration::ZERO)
}

fn once(text: &str) -> Hostile {
    Hostile::Once(text.into())
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn chunked() -> String {
    format!("{OK}Transfer-Encoding: chunked\r\n\r\n")
}

/// What does not end, or does not come.
fn endless_answers() -> Vec<(&'static str, Hostile)> {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let trailers = format!("{}0\r\n", chunked());
    let slowly = Hostile::Forever(
        format!("{OK}Content-Length: 1000000\r\n\r\n").into(),
        b"x".to_vec(),
        Duration::from_millis(100),
    );
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    vec![
        ("a head without end", endless(OK, "X-Again: and again\r\n")),
        ("a line without end", endless("HTTP/1.1 200 ", "OK")),
        ("interim answers without end", endless("", interim)),
        ("a body without end", endless(&format!("{OK}\r\n"), "body")),
        ("chunks without end", endless(&chunked(), &chunk)),
        (
            "trailers without end",
            endless(&trailers, "X-Again: and again\r\n"),
        ),
        ("a body byte by byte", slowly),
        ("an answer that never comes", Hostile::Silence),
        ("no answer", once("")),
    ]
}

/// What says one thing and is another.
fn lying_answers() -> Vec<(&'static str, Hostile)> {
    let of_lengths = |lengths: &str, body: &str| once(&format!("{OK}{lengths}\r\n\r\n{body}"));
    let two = "Content-Length: 2\r\nContent-Length: 3";
    vec![
        ("no HTTP", once("\u{0}\u{1}SSH-2.0-x\r\n\r\n")),
        ("too short a body", of_lengths("Content-Length: 500", "few")),
        ("too long a body", of_lengths("Content-Length: 2", "many")),
        ("two lengths", of_lengths(two, "ok!")),
        (
            "a length of 2^64 - 1",
            of_lengths("Content-Length: 18446744073709551615", "ok"),
        ),
        (
            "a chunk of 2^64 - 1",
            once(&format!("{}ffffffffffffffff\r\nhello", chunked())),
        ),
    ]
}

/// What is hard to read.
fn unreadable_answers() -> Vec<(&'static str, Hostile)> {
    vec![
        ("entities of entities", refusal(ENTITIES.as_bytes())),
        (
            "elements in elements",
            refusal("<Error>".repeat(100_000).as_bytes()),
        ),
        (
            "no UTF-8",
            refusal(b"<Error><Code>\xff\xfe\xc0</Code><Message>\xf0\x28</Message></Error>"),
        ),
        (
            "headers that are no UTF-8",
            Hostile::Once(
                b"HTTP/1.1 200 \xff\xfe\r\nETag: \"\xff\"\r\nServer: \xc0\x1b[2J\r\n\
                  x-amz-request-id: \xf0\r\nContent-Length: 0\r\n\r\n"
                    .to_vec(),
            ),
        ),
    ]
}

/// Redirects to where nobody must come.
fn redirects(elsewhere: SocketAddr) -> Vec<(&'static str, Hostile)> {
    let moved = |status| {
        once(&format!(
            "HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/b/o\r\nContent-Length: 0\r\n\r\n"
        ))
    };
    vec![
        ("a redirect, 307", moved("307 Temporary Redirect")),
        ("a redirect, 301", moved("301 Moved Permanently")),
    ]
}

/// What a target that means ill answers.
fn answers(elsewhere: SocketAddr) -> Vec<(&'static str, Hostile)> {
    let mut all = endless_answers();
    all.extend(lying_answers());
    all.extend(unreadable_answers());
    all.extend(redirects(elsewhere));
    all
}

/// An honest server, and the place where nobody must come.
struct Ground {
    honest: Served,
    elsewhere: TcpListener,
}

impl Ground {
    fn new() -> Self {
        let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        Self {
            honest: Served::start(&["--plain-http"]),
            elsewhere,
        }
    }

    fn upstream(&self) -> SocketAddr {
        let address = self.honest.endpoint().strip_prefix("http://").unwrap();
        address.replace("localhost", "127.0.0.1").parse().unwrap()
    }

    /// Runs `ssec` against a target with each of the answers, and judges how it ends; returns how many
    /// runs there were. A run that met no hostile answer tried nothing.
    fn each(&self, spoilt: Spoilt, arguments: &[&str], codes: &[i32]) -> usize {
        let answers = answers(self.elsewhere.local_addr().unwrap());
        let (count, mut seen) = (answers.len(), 0);
        for (what, hostile) in answers {
            let proxy = Proxy::start(self.upstream(), spoilt, Arc::new(hostile));
            let directory = tempfile::tempdir().unwrap();
            let (ended, said) = run(directory.path(), proxy.address, SHORT, arguments);
            let code = ended.status.code();
            assert!(proxy.spoilt() > 0, "{what}: nobody met it:\n{said}");
            assert!(
                code.is_some_and(|code| codes.contains(&code)),
                "{what}: {code:?}\n{said}"
            );
            assert!(!said.contains("a bug of ssec"), "{what}:\n{said}");
            assert!(!said.contains('\u{1b}'), "{what}: a control character");
            let memory = ended.most_memory;
            assert!(memory < MOST_MEMORY, "{what}: {memory} bytes");
            seen += usize::from(memory > 1 << 20);
            self.assert_not_followed(what);
        }
        assert!(seen > count / 2, "the memory of {seen} of {count} was seen");
        count
    }

    #[track_caller]
    fn assert_not_followed(&self, what: &str) {
        let visit = self.elsewhere.accept();
        let nobody = visit.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(nobody, "{what}: somebody came to where it leads");
    }
}

/// How a run ended, and all that it said.
fn run(directory: &Path, target: SocketAddr, timeout: &str, arguments: &[&str]) -> (Ended, String) {
    let file = |name: &str| std::fs::File::create(directory.join(name)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .args(arguments)
        .args(["--region=us-east-1", "--timeout", timeout])
        .arg(format!("--endpoint=http://{target}"))
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"))
        .spawn()
        .unwrap();
    let ended = watch(&mut child, PATIENCE, || {});
    let said = ["out", "err"].map(|name| {
        let bytes = std::fs::read(directory.join(name)).unwrap();
        String::from_utf8(bytes).unwrap()
    });
    (ended, said.concat())
}

/// How long one exchange may take with a target that does not end its answers.
const SHORT: &str = "2s";
/// And where nothing should come to that, however slow the machine is.
const LONG: &str = "60s";
const TEST: [&str; 5] = ["test", "--retries=0", "--jobs=2", "--exact", TRIAL];
const TRIAL: &str = "roundtrip::put-get-head[body=kib]";
const BENCH: [&str; 9] = [
    "bench",
    "--op=get",
    "--sse=c",
    "--requests=4",
    "--objects=2",
    "--size=64B",
    "--concurrency=2",
    "--allow-limited",
    "--record=record.jsonl",
];

#[test]
fn a_hostile_target_ends_a_conformance_run_with_a_verdict() {
    let ground = Ground::new();
    let tried =
        ground.each(Spoilt::Each, &TEST, &[3]) + ground.each(Spoilt::KeyedReads, &TEST, &[1, 3, 5]);
    println!("hardening | hostile targets: runs of ssec test | {tried} | – | 0 | 0 |");
}

#[test]
fn a_hostile_target_ends_a_load_with_a_verdict() {
    let ground = Ground::new();
    let tried = ground.each(Spoilt::Each, &BENCH, &[1, 3])
        + ground.each(Spoilt::KeyedReads, &BENCH, &[1, 3]);
    println!("hardening | hostile targets: runs of ssec bench | {tried} | – | 0 | 0 |");
}

/// As soon as more comes than was stored the answer is wrong, and is read no further.
#[test]
fn a_body_without_end_is_corrupt_before_its_time_is_up() {
    let ground = Ground::new();
    let directory = tempfile::tempdir().unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let endless = Arc::new(endless(&chunked(), &chunk));
    let proxy = Proxy::start(ground.upstream(), Spoilt::KeyedReads, endless);
    let (ended, said) = run(directory.path(), proxy.address, LONG, &BENCH);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("corrupt"), "{said}");
    assert!(!said.contains("timeout"), "{said}");
}

/// What is not compared is read as far as it can go and no further, in each way of reading.
#[test]
fn an_answer_without_end_is_a_failure_before_its_time_is_up() {
    let ground = Ground::new();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let endless = Arc::new(endless(&chunked(), &chunk));
    for (spoilt, asked) in [
        (Spoilt::KeyedReads, &["--op=get", "--verify=off"][..]),
        (Spoilt::Lines("GET ", "%2Fdata%2F"), &["--op=list"]),
        (Spoilt::Lines("PUT ", "/put/"), &["--op=put"]),
        (Spoilt::Lines("PUT ", "/copy/"), &["--op=copy"]),
        (Spoilt::Lines("POST ", "uploads="), &["--op=multipart"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let proxy = Proxy::start(ground.upstream(), spoilt, Arc::clone(&endless));
        let arguments = [&BENCH[..1], asked, &BENCH[2..]].concat();
        let (ended, said) = run(directory.path(), proxy.address, LONG, &arguments);
        assert!(proxy.spoilt() > 0, "{asked:?}: nobody met it:\n{said}");
        assert_eq!(ended.status.code(), Some(3), "{asked:?}: {said}");
        let record = std::fs::read_to_string(directory.path().join("record.jsonl")).unwrap();
        let alone = r#""failed":{"200 answer too long":4}"#;
        assert!(record.contains(alone), "{asked:?}: {record}");
    }
}

/// The control: the same runs, with nothing spoilt, succeed; and a visit elsewhere would be seen.
#[test]
fn an_honest_target_behind_the_same_proxy_passes() {
    let ground = Ground::new();
    for arguments in [&TEST[..], &BENCH] {
        let directory = tempfile::tempdir().unwrap();
        let nothing = Arc::new(Hostile::Silence);
        let proxy = Proxy::start(ground.upstream(), Spoilt::Nothing, nothing);
        let (ended, said) = run(directory.path(), proxy.address, LONG, arguments);
        assert_eq!(ended.status.code(), Some(0), "{said}");
        assert_eq!(proxy.spoilt(), 0);
    }
    let elsewhere = ground.elsewhere.local_addr().unwrap();
    let visit = std::net::TcpStream::connect(elsewhere).unwrap();
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ground.assert_not_followed("the control");
    }));
    assert!(seen.is_err());
    drop(visit);
}
