//! No key, secret or presigned signature leaves a run, also one that fails in every way.
//!
//! This test is shown each key as it is drawn, and looks for it in forms of its own making, without
//! asking the code that hid it.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod served;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use harness::ssec::{CustomerKey, Keyring};

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

    /// Every form in which a key must not be found, by its first bytes.
    fn forms(&self) -> Forms {
        let keys = self.0.lock().unwrap();
        assert!(keys.len() > 100, "no keys were seen");
        let forms = |key: &[u8; 32]| {
            let base64 = BASE64_STANDARD.encode(key);
            let percent = base64
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D");
            [
                key.to_vec(),
                hex::encode(key).into_bytes(),
                hex::encode_upper(key).into_bytes(),
                BASE64_URL_SAFE_NO_PAD.encode(key).into_bytes(),
                base64.trim_end_matches('=').as_bytes().to_vec(),
                BASE64_STANDARD.encode(&base64).into_bytes(),
                percent.into_bytes(),
            ]
        };
        let mut all = Forms::default();
        for form in keys.iter().flat_map(forms) {
            let start = form[..START].try_into().unwrap();
            all.0.entry(start).or_default().push(form);
        }
        all
    }
}

/// Bytes by which a form is looked up; the shortest form is longer.
const START: usize = 16;

#[derive(Default)]
struct Forms(HashMap<[u8; START], Vec<Vec<u8>>>);

impl Forms {
    fn are_in(&self, text: &[u8]) -> bool {
        text.windows(START).enumerate().any(|(at, window)| {
            let start: [u8; START] = window.try_into().unwrap();
            let forms = self.0.get(&start).into_iter().flatten();
            forms.into_iter().any(|form| text[at..].starts_with(form))
        })
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Whether `X-Amz-Signature=` is followed by a signature.
fn holds_a_presigned_signature(text: &str) -> bool {
    text.split("X-Amz-Signature").skip(1).any(|rest| {
        let value = rest
            .trim_start_matches("%3D")
            .trim_start_matches(['=', '"', ':', ' ']);
        value.len() >= 64 && value.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
    })
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// Runs the whole catalogue against an impostor with every exchange recorded, and scans.
fn check_nothing_leaves(impostor: &str) {
    let server = Served::start(&["--impostor", impostor]);
    let directory = tempfile::tempdir().unwrap();
    let drawn = Drawn::default();
    let mut world = world(directory.path());
    world.keyring = Arc::new(drawn.keyring());
    let Told { code, out, notes } = ssec(
        &[
            "test",
            "-vv",
            "--endpoint",
            server.endpoint(),
            "--region",
            "us-east-1",
            "--ca",
            server.ca(),
            "--level",
            "may",
            "--strict",
            "--record",
            "record.jsonl",
            "--junit",
            "junit.xml",
        ],
        &world,
    );
    assert_eq!(code, 1, "{impostor}\n{out}\n{notes}");
    let mut texts = files(directory.path());
    assert_eq!(
        texts.len(),
        5,
        "run.jsonl, junit.xml twice each, and the journal"
    );
    texts.push(("standard output".to_owned(), out.into_bytes()));
    texts.push(("standard error".to_owned(), notes.into_bytes()));
    let shown = texts[texts.len() - 2]
        .1
        .windows(5)
        .filter(|w| w == b"<key:")
        .count();
    assert!(shown > 100, "-vv shows no exchanges to leak from: {shown}");
    let forms = drawn.forms();
    let mut exchanges = 0;
    for (name, text) in &texts {
        assert!(!forms.are_in(text), "{impostor}: a key is in {name}");
        assert!(
            !holds(text, SECRET.as_bytes()),
            "{impostor}: the secret access key is in {name}"
        );
        let text = String::from_utf8_lossy(text);
        assert!(
            !holds_a_presigned_signature(&text),
            "{impostor}: a presigned signature is in {name}"
        );
        exchanges += text
            .matches("x-amz-server-side-encryption-customer-key\"")
            .count();
    }
    assert!(
        exchanges > 100,
        "the record holds no exchanges to leak from"
    );
}

#[test]
fn nothing_leaves_a_run_against_a_server_that_echoes_keys() {
    check_nothing_leaves("key-echo");
}

#[test]
fn nothing_leaves_a_run_against_a_server_that_stores_plaintext() {
    check_nothing_leaves("store-plaintext");
}

#[test]
fn a_key_would_be_seen() {
    let drawn = Drawn::default();
    let keys: Vec<CustomerKey> = (0..101).map(|_| CustomerKey::fresh()).collect();
    drawn
        .0
        .lock()
        .unwrap()
        .extend(keys.iter().map(|key| *key.expose()));
    let forms = drawn.forms();
    let base64 = keys[100].base64();
    assert!(forms.are_in(format!("a: {}", base64.as_str()).as_bytes()));
    assert!(forms.are_in(&[b"raw ".as_slice(), keys[0].expose()].concat()));
    assert!(!forms.are_in(b"<key:alice as base64>, and nothing else that is long"));
}

#[test]
fn a_presigned_signature_would_be_seen() {
    let signature = "0".repeat(64);
    assert!(holds_a_presigned_signature(&format!(
        "/?X-Amz-Signature={signature}"
    )));
    assert!(!holds_a_presigned_signature(
        "/?X-Amz-Signature=<signature>"
    ));
}
