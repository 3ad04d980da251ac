//! The proof that the suite can fail: an honest server passes, and an impostor, which is the
//! honest server plus one lie, is told by what it is convicted of. `kill_matrix.rs` has them all.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeMap;
use std::process::{Command, Output};

fn ssec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(arguments)
        .output()
        .unwrap()
}

fn judge(arguments: &[&str]) -> (Option<i32>, String) {
    let output = ssec(&[&["test", "--no-save"], arguments].concat());
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), words + &errors)
}

/// One line a lie: names and lies of the server, by name.
fn listed() -> BTreeMap<String, String> {
    let output = ssec(&["serve", "--list-impostors"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let (name, lie) = line.split_once("  ").unwrap();
            (name.to_owned(), lie.trim().to_owned())
        })
        .collect()
}

#[test]
fn the_honest_server_passes() {
    let (code, words) = judge(&[]);
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn the_honest_server_passes_in_the_ovh_dialect() {
    let (code, words) = judge(&["--dialect", "ovh"]);
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn the_honest_server_passes_however_requests_travel() {
    // Of the catalogue what writes and reads in different ways: all of it takes a minute more.
    let some = ["roundtrip", "copy::", "signing", "presign", "travel"];
    let ways = ["--style", "both", "--payload", "all"];
    let (code, words) = judge(&[&ways[..], &some].concat());
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn each_impostor_is_listed_with_its_lie() {
    let listed = listed();
    assert!(listed.len() >= 10, "{listed:?}");
    for (name, lie) in &listed {
        assert!(!lie.is_empty(), "{name}");
    }
    for name in [
        "head-any-key",
        "store-plaintext",
        "md5-not-compared",
        "md5-is-password",
        "partial-triple",
        "key-echo",
        "zero-byte-any-key",
        "unsigned-headers",
        "mid-record-offset",
        "ciphertext-length",
    ] {
        assert!(listed.contains_key(name), "{name}");
    }
}

#[test]
fn store_plaintext_is_convicted_of_a_silent_downgrade() {
    let (code, words) = judge(&["--impostor", "store-plaintext"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("silent downgrade"), "{words}");
}
