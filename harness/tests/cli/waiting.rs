//! A step that may wait: for what a target shows late, never past a leak, and never for ever.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use reports::record::CaseRecord;
use reports::verdict::Verdict;

use crate::catalogue_folder::lay_out;
use crate::front::{Front, Head, refusal};
use crate::judging;
use crate::served::{Served, Told};

/// A catalogue of one trial whose last read may wait for so long.
fn catalogue(directory: &Path, wait: &str) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    lay_out(&repository, directory);
    let suite = format!(
        "suite: late\nkeys: [alice]\nbodies: {{small: {{size: 1 KiB, seed: 1}}}}\ncases:\n  - id: read\n    \
         title: What was written is read in the end\n    level: must\n    source: [{{contract: G1}}]\n    \
         needs: [sse-c]\n    steps:\n      - {{put: doc, body: small, ssec: alice, expect: ok}}\n      \
         - {{get: doc, ssec: alice, eventually: {wait}, expect: {{outcome: ok, body: small}}}}\n"
    );
    fs::write(directory.join("suites/late.yaml"), suite).unwrap();
}

/// Runs that trial against a server whose first keyed reads are answered by `answer`.
fn judged(
    wait: &str,
    answer: impl Fn(&Head, u32) -> Option<String> + Send + Sync + 'static,
) -> (Told, CaseRecord) {
    let directory = tempfile::tempdir().unwrap();
    catalogue(directory.path(), wait);
    let server = Served::start(&["--plain-http", "--listen", "127.0.0.1:0"]);
    let reads = AtomicU32::new(0);
    let front = Front::before(&server, move |head| {
        if !head.shows_a_key("GET", "doc") {
            return None;
        }
        answer(head, reads.fetch_add(1, Ordering::SeqCst) + 1)
    });
    let target = ["--endpoint", &front.url, "--region", "us-east-1"];
    let arguments = [&["--scenarios", ".", "-vv"][..], &target].concat();
    let (told, mut run) = judging::judged(directory.path(), &arguments);
    (told, run.cases.remove(0))
}

/// Phase and answer of each step.
fn answers(case: &CaseRecord) -> Vec<(&str, &str)> {
    case.steps
        .iter()
        .map(|step| {
            (
                step.phase.as_str(),
                step.answer.as_deref().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn an_answer_that_comes_late_is_met_and_the_early_ones_are_recorded() {
    let (told, case) = judged("60 s", |_, read| {
        (read < 3).then(|| refusal("404 Not Found", "NoSuchKey"))
    });
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert_eq!(case.verdict, Verdict::Pass);
    let early = ("waiting", "404 NoSuchKey");
    let answers = answers(&case);
    assert_eq!(
        answers.iter().filter(|step| **step == early).count(),
        2,
        "{answers:?}"
    );
    assert_eq!(
        answers.last().map(|(phase, _)| *phase),
        Some("steps"),
        "{answers:?}"
    );
    let waited = |note: &String| note.contains("asked 3 times");
    assert!(case.notes.iter().any(waited), "{:?}", case.notes);
}

#[test]
fn an_answer_that_never_comes_fails_when_its_time_is_over() {
    let (told, case) = judged("1 s", |_, _| Some(refusal("404 Not Found", "NoSuchKey")));
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert_eq!(case.verdict, Verdict::Fail);
    let answers = answers(&case);
    assert!(
        answers.contains(&("waiting", "404 NoSuchKey")),
        "{answers:?}"
    );
    assert!(case.message.unwrap().contains("404 NoSuchKey"));
}

/// The second answer would be right; the first gave the key away, and stands.
#[test]
fn a_leak_ends_the_waiting() {
    let (told, case) = judged("60 s", |head, read| {
        let key = head
            .value("x-amz-server-side-encryption-customer-key")
            .unwrap();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{key}",
            key.len()
        );
        (read == 1).then_some(answer)
    });
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert_eq!(case.verdict, Verdict::Leak);
    assert!(!answers(&case).iter().any(|(phase, _)| *phase == "waiting"));
}
