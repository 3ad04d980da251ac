//! No customer key, data key, secret or presigned signature is left anywhere by a run of the whole
//! catalogue and by the server that it meets: not in logs at their most talkative, records, reports,
//! temporary files, the data directory or what either side prints; also where everything fails, and where
//! the server panics with a key in its hands.
//!
//! The tests are shown each key as it is drawn, derive the keys of stored bodies themselves, and look for
//! all of them in forms of their own making, without asking the code that hid them.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]
#![expect(
    clippy::print_stdout,
    reason = "the table of hardening.sh is made of what is printed"
)]

#[path = "../hardened/client.rs"]
#[expect(dead_code, reason = "nothing is deleted here, nor left half sent")]
mod client;
mod data_keys;
mod search;
#[path = "../served/mod.rs"]
#[expect(dead_code, reason = "each server here has an environment of its own")]
mod served;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use bytes::Bytes;
use harness::s3::error_document::value_at;
use harness::s3::operation::{complete_upload, upload_part};
use harness::ssec::{CustomerKey, Keyring};

use client::Client;
use data_keys::{Derived, derive, files};
use search::{Forms, holds_a_presigned_signature};
use served::{SECRET, Served, Told, ssec, world};

/// Keys as they are drawn, written down.
#[derive(Clone, Default)]
struct Drawn(Arc<Mutex<Vec<[u8; 32]>>>);

impl Drawn {
    fn keyring(&self) -> Keyring {
        let drawn = self.clone();
        Keyring::watched(move |key: &CustomerKey| {
            drawn.0.lock().unwrap().push(*key.expose());
        })
    }

    /// Every form of every key, and of the secret access key.
    fn forms(&self) -> Forms {
        let keys = self.0.lock().unwrap();
        assert!(!keys.is_empty(), "no keys were seen");
        // A key of zeros, which some trials show, is everywhere.
        let telling = keys.iter().filter(|key| **key != [key[0]; 32]);
        let telling = telling.map(<[u8; 32]>::as_slice);
        Forms::of(telling.chain([SECRET.as_bytes()]))
    }
}

/// Whatever this process says to `tracing`, at every level.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// One run at a time, for what is said is not marked with who said it.
static TURN: Mutex<()> = Mutex::new(());

struct Appender;

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        said().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn said() -> MutexGuard<'static, Vec<u8>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| Appender)
            .init();
    });
    said().clear();
}

/// A directory with all that a server and a run against it leave.
struct Left {
    directory: tempfile::TempDir,
    told: Told,
    drawn: Drawn,
}

impl Left {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A server that says all that it can say into `log`, in a directory with its data and its temporary files.
fn talkative(directory: &Path, arguments: &[&str]) -> Served {
    let server = directory.join("server");
    fs::create_dir_all(server.join("tmp")).unwrap();
    let mut command = Served::command(arguments);
    command
        .current_dir(&server)
        .args(["--data-dir", "data", "--access-log", "access.log"])
        .env("SSEC_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("TMPDIR", server.join("tmp"))
        .stderr(File::create(server.join("log")).unwrap());
    Served::spawn(command)
}

/// Runs trials against a server with each exchange recorded, and every report of the run.
fn run(impostor: &str, filters: &[&str], code: u8) -> Left {
    listen();
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--impostor", impostor];
    let honest = impostor.is_empty();
    let server = talkative(directory.path(), if honest { &[] } else { &arguments });
    let ours = directory.path().join("run");
    fs::create_dir(&ours).unwrap();
    let drawn = Drawn::default();
    let mut world = world(&ours);
    world.keyring = Arc::new(drawn.keyring());
    let ca = fs::canonicalize(directory.path().join("server").join(server.ca())).unwrap();
    let target = [
        "test",
        "-vv",
        "--region=us-east-1",
        "--level=may",
        "--strict",
        "--record=record.jsonl",
        "--junit=junit.xml",
        "--endpoint",
        server.endpoint(),
        "--ca",
        ca.to_str().unwrap(),
    ];
    let told = ssec(&[&target[..], filters].concat(), &world);
    assert_eq!(told.code, code, "{impostor}\n{}\n{}", told.out, told.notes);
    let reports = [
        "report",
        "latest",
        "--html=report.html",
        "--junit=report.xml",
        "--markdown=report.md",
        "--badge=badge.json",
    ];
    let reported = ssec(&reports, &world);
    fs::write(ours.join("reported"), reported.out + &reported.notes).unwrap();
    let matrix = ssec(&["matrix", "latest", "--html=matrix.html"], &world);
    fs::write(ours.join("matrix"), matrix.out + &matrix.notes).unwrap();
    fs::write(ours.join("out"), &told.out).unwrap();
    fs::write(ours.join("notes"), &told.notes).unwrap();
    drop(server);
    fs::write(directory.path().join("said"), &*said()).unwrap();
    Left {
        directory,
        told,
        drawn,
    }
}

/// The files that hold a key, a secret or a presigned signature; and how many bytes were searched.
fn holding(left: &Left) -> (Vec<String>, usize) {
    let forms = left.drawn.forms();
    let (mut found, mut searched) = (Vec::new(), 0);
    for file in files(left.directory.path()) {
        let text = fs::read(&file).unwrap();
        searched += text.len();
        if forms.are_in(&text) || holds_a_presigned_signature(&text) {
            let below = file.strip_prefix(left.directory.path()).unwrap();
            found.push(below.display().to_string());
        }
    }
    (found, searched)
}

/// Runs the whole catalogue, and searches everything that is there afterwards.
fn check_nothing_leaves(impostor: &str, code: u8) -> Left {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let left = run(impostor, &[], code);
    let keys = left.drawn.0.lock().unwrap().len();
    assert!(keys > 1000, "{keys} keys were seen");
    let shown = left.told.out.matches("<key:").count();
    assert!(shown > 100, "-vv shows no exchanges to leak from: {shown}");
    for (name, least) in [("server/log", 1 << 20), ("said", 1 << 20)] {
        let length = fs::metadata(left.path(name)).unwrap().len();
        assert!(length > least, "{name} says next to nothing: {length}");
    }
    let record = fs::read_to_string(left.path("run/record.jsonl")).unwrap();
    let header = "x-amz-server-side-encryption-customer-key\"";
    let exchanges = record.matches(header).count();
    assert!(code == 0 || exchanges > 100, "nothing to leak from");
    let (found, searched) = holding(&left);
    assert!(found.is_empty(), "{impostor}: a secret is in {found:?}");
    let what = if impostor.is_empty() {
        "the honest server"
    } else {
        impostor
    };
    println!(
        "hardening | keys nowhere: the catalogue against {what}, {keys} customer keys in 12 forms each, {} MiB searched | {keys} | – | 0 | – |",
        searched >> 20
    );
    left
}

#[test]
fn nothing_leaves_a_run_in_which_all_is_well() {
    check_nothing_leaves("", 0);
}

#[test]
fn nothing_leaves_a_run_against_a_server_that_echoes_keys() {
    check_nothing_leaves("key-echo", 1);
}

#[test]
fn nothing_leaves_a_run_against_a_server_that_stores_plaintext() {
    check_nothing_leaves("store-plaintext", 1);
}

#[test]
fn nothing_leaves_a_server_that_panics_with_a_key_in_its_hands() {
    let left = check_nothing_leaves("key-in-panic", 1);
    let log = fs::read_to_string(left.path("server/log")).unwrap();
    let panics = log.matches("a bug of ssec at ").count();
    assert!(panics > 20, "{panics} panics are told by their place");
}

/// The controls: a key in a log and one on the disk are found, and nothing else is.
#[test]
fn a_key_in_a_log_and_one_on_the_disk_are_found() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let trials = [
        "--exact",
        "roundtrip::put-get-head[body=kib]",
        "wrong-key::read[op=get,body=small,probe=other-key]",
    ];
    for (impostor, place) in [
        ("key-logged", "server/log"),
        ("key-persisted", "server/data/keys.cache"),
    ] {
        let left = run(impostor, &trials, 0);
        let (found, _) = holding(&left);
        assert_eq!(found, [place], "{impostor}");
    }
}

const SMALL: usize = 1000;
const LARGE: usize = 3 * 65_536 - 5;
const NAMES: [&str; 4] = ["empty", "small", "large", "parts"];

fn part_of(number: u8) -> Bytes {
    Bytes::from(vec![number; if number == 1 { 5 << 20 } else { 70_000 }])
}

/// Writes bodies of every kind, reads them, and is refused.
async fn exercise(client: &Client) {
    for (name, size) in [("empty", 0), ("small", SMALL), ("large", LARGE)] {
        let body = Bytes::from(vec![b'p'; size]);
        assert_eq!(client.put(name, body).await.status, 200);
        assert_eq!(client.get(name).await.body.len(), size);
    }
    let created = client.create_upload("parts").await;
    let id = value_at(&created.body, "UploadId").unwrap();
    let mut parts = Vec::new();
    for number in [1, 2] {
        let part = part_of(number);
        let part = upload_part(&client.bucket, "parts", &id, u32::from(number), part);
        let sent = client.send(part).await;
        let etag = String::from_utf8_lossy(sent.header("ETag").unwrap()).into_owned();
        parts.push((u32::from(number), etag));
    }
    let complete = complete_upload(&client.bucket, "parts", &id, &parts);
    assert_eq!(client.send(complete).await.status, 200);
    assert_eq!(client.get("parts").await.body.len(), (5 << 20) + 70_000);
}

#[tokio::test]
async fn no_key_of_a_stored_body_is_in_what_a_server_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let server = talkative(directory.path(), &["--bucket", "derived", "--plain-http"]);
    let client = Client::new(server.endpoint(), "derived");
    exercise(&client).await;
    drop(server);
    let data = directory.path().join("server/data");
    let Derived { data_keys, others } = derive(&data, &[0x4b; 32], "derived", &NAMES, &[0, SMALL]);
    // Three objects in one piece, two parts: each key opens a body that is there.
    assert_eq!(data_keys.len(), 5);
    assert!(
        others.len() >= 8,
        "{} keys on the way to them",
        others.len()
    );
    let keys = [&data_keys[..], &others, &[[0x4b; 32]]].concat();
    let forms = Forms::of(keys.iter().map(<[u8; 32]>::as_slice));
    for file in files(directory.path()) {
        let text = fs::read(&file).unwrap();
        assert!(!forms.are_in(&text), "a key is in {}", file.display());
    }
    // The control: one that was kept would be found.
    let kept = [&b"before"[..], &data_keys[3], b"behind"].concat();
    assert!(forms.are_in(&kept));
    println!(
        "hardening | keys nowhere: keys of stored bodies and what they are derived from | {} | – | 0 | – |",
        keys.len()
    );
}

/// A trial that panics with a key in its hands ends the run as a bug of ours, which tells no key.
#[test]
fn a_trial_that_panics_tells_no_key() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    listen();
    let directory = tempfile::tempdir().unwrap();
    let drawn = Drawn::default();
    let watcher = drawn.clone();
    let mut world = world(directory.path());
    world.keyring = Arc::new(Keyring::watched(move |key: &CustomerKey| {
        let mut drawn = watcher.0.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.push(*key.expose());
        assert!(drawn.len() < 40, "{}", key.base64().as_str());
    }));
    let told = ssec(&["test", "-vv", "roundtrip"], &world);
    assert_eq!(told.code, 70, "{}", told.notes);
    assert!(told.notes.contains("a trial panicked"), "{}", told.notes);
    fs::write(directory.path().join("out"), told.out + &told.notes).unwrap();
    fs::write(directory.path().join("said"), &*said()).unwrap();
    let drawn = drawn.0.lock().unwrap_or_else(PoisonError::into_inner);
    let forms = Forms::of(drawn.iter().map(<[u8; 32]>::as_slice));
    for file in files(directory.path()) {
        let text = fs::read(&file).unwrap();
        assert!(!forms.are_in(&text), "a key is in {}", file.display());
    }
}
