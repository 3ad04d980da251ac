//! Trials that see more of a target than its answers: its files with `--data-dir`, its log with
//! `--server-log`. What cannot be seen is never passed.

use std::fs;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use reports::record::CaseRecord;
use reports::run::Run;
use reports::verdict::Verdict;

use crate::served::{ACCESS_KEY_ID, SECRET, Served, Told, ssec, world};

/// A server that keeps its data and its log where this test sees them.
struct Seen {
    directory: tempfile::TempDir,
    served: Served,
}

impl Seen {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssec"));
        command
            .args(["serve", "--access-key-id", ACCESS_KEY_ID, "--data-dir"])
            .arg(directory.path().join("data"))
            .args(arguments)
            .env("SSEC_SECRET_ACCESS_KEY", SECRET)
            .env("SSEC_LOG", "debug")
            .env("NO_COLOR", "1")
            .stderr(Stdio::from(log));
        let served = Served::spawn(command);
        Self { directory, served }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn test(&self, more: &[&str]) -> (Told, Vec<CaseRecord>) {
        let record = self.path("record.jsonl");
        let arguments = [
            &["test", "--no-save", "--level", "should", "--strict"],
            &[
                "--endpoint",
                self.served.endpoint(),
                "--ca",
                self.served.ca(),
            ][..],
            &["--region", "us-east-1", "--record", &record],
            more,
        ];
        let told = ssec(&arguments.concat(), &world(self.directory.path()));
        let record = fs::read(&record).unwrap();
        let run = Run::read(record.as_slice()).unwrap();
        (told, run.cases)
    }
}

const ALL: [&str; 4] = ["at-rest::", "tamper::", "isolation::", "log::"];

#[test]
fn what_is_seen_of_an_endpoint_is_judged() {
    let seen = Seen::start(&[]);
    let (data, log) = (seen.path("data"), seen.path("log"));
    let sight = ["--data-dir", &data, "--server-log", &log];
    let (told, cases) = seen.test(&[&ALL[..], &sight].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert!(cases.len() >= 14, "{}", cases.len());
    for case in cases {
        assert_eq!(case.verdict, Verdict::Pass, "{}", case.name);
        let rerun = case.repeat.unwrap().rerun;
        assert!(rerun.contains(&format!("--data-dir {data}")), "{rerun}");
        assert!(rerun.contains(&format!("--server-log {log}")), "{rerun}");
        assert!(
            Path::new("..").join(&case.at.file).is_file(),
            "{}",
            case.at.file
        );
    }
}

#[test]
fn a_log_that_holds_a_key_convicts() {
    let seen = Seen::start(&["--impostor", "key-logged"]);
    let log = seen.path("log");
    let (told, cases) = seen.test(&["log::key", "--server-log", &log]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    let message = cases[0].message.as_deref().unwrap();
    assert!(message.contains("key alice as base64"), "{message}");
    // The control: the key that the verdict speaks of is in the file, and not in what is told.
    let line = fs::read_to_string(&log).unwrap();
    let key = line
        .split("key=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(key.len(), 44);
    assert!(!told.out.contains(key) && !told.notes.contains(key));
}

#[test]
fn files_that_hold_plaintext_convict() {
    let seen = Seen::start(&["--impostor", "encrypt-skipped"]);
    let data = seen.path("data");
    let sight = ["at-rest::plaintext", "--data-dir", &data];
    let (told, cases) = seen.test(&sight);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    let failed = cases.iter().filter(|case| case.verdict == Verdict::Fail);
    assert!(failed.count() >= 3, "{}", told.out);
}

#[test]
fn what_cannot_be_seen_is_never_passed() {
    let seen = Seen::start(&[]);
    let (told, cases) = seen.test(&["at-rest::", "log::", "tamper::"]);
    assert_eq!(told.code, 3, "{}{}", told.out, told.notes);
    for case in cases {
        assert_eq!(case.verdict, Verdict::Unsupported, "{}", case.name);
        let message = case.message.unwrap();
        assert!(message.contains("not assessable"), "{message}");
    }
    // Neither is what is seen of somebody else.
    fs::create_dir(seen.path("other")).unwrap();
    fs::write(seen.path("other.log"), "not this one\n").unwrap();
    let (other, log) = (seen.path("other"), seen.path("other.log"));
    let sight = ["--data-dir", &other, "--server-log", &log];
    let wrong = [
        "at-rest::key",
        "tamper::read[what=cut]",
        "log::key",
        "--exact",
    ];
    let (told, cases) = seen.test(&[&wrong[..], &sight].concat());
    assert_eq!(told.code, 3, "{}{}", told.out, told.notes);
    assert_eq!(cases.len(), 3);
    for case in cases {
        assert_eq!(case.verdict, Verdict::Unsupported, "{}", case.name);
    }
    // Nor what a log gains of others meanwhile.
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let (over, until) = mpsc::channel::<()>();
    let others = thread::spawn(move || {
        let between = Duration::from_millis(20);
        while until.recv_timeout(between) == Err(RecvTimeoutError::Timeout) {
            file.write_all(b"GET /elsewhere/doc 200\n").unwrap();
        }
    });
    let (told, cases) = seen.test(&["log::key", "--server-log", &log]);
    drop(over);
    others.join().unwrap();
    assert_eq!(told.code, 3, "{}{}", told.out, told.notes);
    let message = cases[0].message.as_deref().unwrap();
    assert!(message.contains("names no object"), "{message}");
    // A directory that is not there is a mistake of ours, not the target's.
    let none = seen.path("none");
    let (told, cases) = seen.test(&["at-rest::key-md5", "at-rest::digest", "--data-dir", &none]);
    assert_eq!(told.code, 5, "{}{}", told.out, told.notes);
    assert!(cases.iter().all(|case| case.verdict == Verdict::Error));
}

/// An endpoint that lies, and what a trial came to there.
fn of_impostor(impostor: &str, trial: &str) -> (Told, CaseRecord) {
    let seen = Seen::start(&["--impostor", impostor]);
    let (told, mut cases) = seen.test(&["--exact", trial]);
    assert_eq!(cases.len(), 1, "{}{}", told.out, told.notes);
    (told, cases.remove(0))
}

#[test]
fn every_answer_of_a_round_is_looked_at_also_behind_one_that_is_wrong() {
    // It serves a wrong key, and then no key at all.
    let (told, case) = of_impostor("store-plaintext", "isolation::concurrent");
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    let steps: Vec<_> = case.steps.iter().filter(|s| s.phase == "steps").collect();
    assert_eq!(steps.len(), 4, "one round");
    let leaks = |step: &reports::record::StepRecord| {
        step.checks
            .iter()
            .filter(|c| !c.ok && c.what == "leak")
            .count()
    };
    assert!(leaks(steps[1]) > 0 && leaks(steps[3]) > 0, "{steps:?}");
    let numbers: Vec<u32> = steps.iter().map(|step| step.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn a_batch_that_deletes_nothing_is_not_offered() {
    let (told, case) = of_impostor("batch-kept", "batch::no-key");
    assert_eq!(case.verdict, Verdict::Unsupported, "{}", told.out);
    let message = case.message.unwrap();
    assert!(message.contains("still there"), "{message}");
    // Of the bundled server all is known: there it fails. Whoever could read the objects before is
    // given nothing away.
    let directory = tempfile::tempdir().unwrap();
    let lie = ["test", "--no-save", "--json", "--impostor", "batch-kept"];
    let told = ssec(
        &[&lie[..], &["--exact", "batch::no-key"]].concat(),
        &world(directory.path()),
    );
    assert_eq!(told.code, 1, "{}", told.notes);
    assert!(told.out.contains("\"verdict\":\"fail\""), "{}", told.out);
    // The control.
    let (told, case) = of_impostor("batch-needs-key", "tags::no-key");
    assert_eq!(case.verdict, Verdict::Pass, "{}", told.out);
}

#[test]
fn trials_that_are_code_are_listed_and_explained() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let list = ssec(&["test", "--list", "--tag", "routine"], &world);
    assert!(
        list.out.contains("tamper::read[what=flip]: test\n"),
        "{}",
        list.out
    );
    let explained = ssec(&["explain", "tamper::read[what=flip]"], &world);
    assert_eq!(explained.code, 0, "{}", explained.notes);
    for says in [
        "by code 1: PUT",
        "flipped",
        "source: contract tamper",
        "routines.rs:",
    ] {
        assert!(explained.out.contains(says), "{says}: {}", explained.out);
    }
    let plan = ssec(&["test", "--plan", "isolation::"], &world);
    assert!(
        plan.out.contains("72 requests  isolation::concurrent"),
        "{}",
        plan.out
    );
}
