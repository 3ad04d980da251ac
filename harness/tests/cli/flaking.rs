//! A trial that a second try changes: told with both, in every form, and a leak is never tried again.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::front::{Front, Head, refusal};
use crate::served::{Served, Told, ssec, world};

/// A server without TLS behind a front whose first keyed GET of `doc` is answered by `answer`.
fn once(answer: fn(&Head) -> String) -> (Served, Front) {
    let server = Served::start(&["--plain-http", "--listen", "127.0.0.1:0"]);
    let seen = AtomicU32::new(0);
    let front = Front::before(&server, move |head| {
        let is_meant = head.shows_a_key("GET", "doc");
        (is_meant && seen.fetch_add(1, Ordering::SeqCst) == 0).then(|| answer(head))
    });
    (server, front)
}

/// Judges one trial through the front, with these flags.
fn judged(front: &Front, directory: &std::path::Path, flags: &[&str]) -> Told {
    let trial = "roundtrip::put-get-head[body=kib]";
    let target = ["--endpoint", &front.url, "--region", "us-east-1"];
    let arguments = [&["test", "--exact", trial][..], &target, flags].concat();
    ssec(&arguments, &world(directory))
}

fn gone(_: &Head) -> String {
    refusal("404 Not Found", "NoSuchKey")
}

#[test]
fn a_second_try_that_passes_makes_the_trial_flaky_and_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, front) = once(gone);
    let told = judged(
        &front,
        directory.path(),
        &["--retries", "1", "--junit", "j.xml"],
    );
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(told.out.contains("flaky (1)"), "{}", told.out);
    assert!(told.out.contains("fail, then pass"), "{}", told.out);
    let junit = fs::read_to_string(directory.path().join("j.xml")).unwrap();
    assert!(
        junit.contains("<failure ") && junit.contains("<flakyFailure "),
        "{junit}"
    );
    let record = fs::read_to_string(directory.path().join(".ssec/latest/run.jsonl")).unwrap();
    assert!(record.contains(r#""tries":[{"verdict":"fail""#), "{record}");
    assert!(record.contains("NoSuchKey"), "{record}");
    let again = ssec(&["report", "latest"], &world(directory.path()));
    assert!(again.out.contains("flaky (1)"), "{}", again.out);
}

#[test]
fn flaky_trials_pass_where_they_are_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, front) = once(gone);
    let flags = ["--retries", "1", "--allow-flaky", "--junit", "j.xml"];
    let told = judged(&front, directory.path(), &flags);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert!(told.out.contains("does not count"), "{}", told.out);
    let junit = fs::read_to_string(directory.path().join("j.xml")).unwrap();
    assert!(
        !junit.contains("<failure ") && junit.contains("<flakyFailure "),
        "{junit}"
    );
}

#[test]
fn nothing_is_tried_again_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, front) = once(gone);
    let told = judged(&front, directory.path(), &[]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(!told.out.contains("flaky"), "{}", told.out);
    // The control: what failed it is over, so that a try would have passed.
    assert_eq!(judged(&front, directory.path(), &[]).code, 0);
}

#[test]
fn a_leak_is_never_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, front) = once(|head| {
        let key = head
            .value("x-amz-server-side-encryption-customer-key")
            .unwrap();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{key}",
            key.len()
        )
    });
    let flags = ["--retries", "3", "--allow-flaky"];
    let told = judged(&front, directory.path(), &flags);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(told.out.contains("LEAK"), "{}", told.out);
    assert!(
        !told.out.contains("flaky") && !told.out.contains("tries"),
        "{}",
        told.out
    );
}

#[test]
fn more_tries_than_the_limit_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(
        &["test", "--list", "--retries", "10"],
        &world(directory.path()),
    );
    assert_eq!(told.code, 0, "{}", told.notes);
    let told = ssec(
        &["test", "--list", "--retries", "11"],
        &world(directory.path()),
    );
    assert_eq!(told.code, 2, "{}", told.notes);
    assert!(told.notes.contains("--retries"), "{}", told.notes);
}
