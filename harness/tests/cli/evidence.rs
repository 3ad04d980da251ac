//! From a run against a service that nobody has recorded to a dialect with its evidence, and back.

use std::fs;
use std::path::Path;

use crate::served::{Served, Told, ssec, world};

/// Trials that show answers of each kind: kept, accepted, and served with another status than 200.
const SUITES: [&str; 4] = [
    "wrong-key::read",
    "headers::missing-on-write",
    "integrity",
    "delete",
];

/// A catalogue of one's own with a dialect of which nothing is known.
fn catalogue(directory: &Path) {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let own = directory.join("mine");
    for folder in ["suites", "dialects"] {
        fs::create_dir_all(own.join(folder)).unwrap();
        for entry in fs::read_dir(scenarios.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, own.join(folder).join(path.file_name().unwrap())).unwrap();
        }
    }
    fs::copy(scenarios.join("outcomes.yaml"), own.join("outcomes.yaml")).unwrap();
    let unknown = "dialect: unknown\ncompare-to: aws\n";
    fs::write(own.join("dialects/unknown.yaml"), unknown).unwrap();
}

fn judge(directory: &Path, server: &Served, dialect: &str, more: &[&str]) -> Told {
    let fixed = [
        "test",
        "--no-save",
        "--endpoint",
        server.endpoint(),
        "--ca",
        server.ca(),
        "--region",
        "us-east-1",
        "--scenarios",
        "mine",
        "--dialect",
        dialect,
        "--strict",
        "--level",
        "should",
    ];
    ssec(&[&fixed[..], &SUITES, more].concat(), &world(directory))
}

#[test]
fn what_a_run_shows_becomes_a_dialect_that_the_service_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    catalogue(path);
    let server = Served::start(&["--dialect", "ovh"]);
    let told = judge(path, &server, "unknown", &["-vv", "--record", "r.jsonl"]);
    // It takes what others refuse, and nobody has shown yet that it does.
    assert_eq!(told.code, 1, "{}", told.notes);
    let evidence = |more: &[&str]| {
        let fixed = ["evidence", "r.jsonl", "--dialect", "observed"];
        ssec(&[&fixed, more].concat(), &world(path))
    };
    // An excuse is nobody's to write but the reader's.
    let printed = evidence(&[]);
    assert_eq!(printed.code, 0, "{}", printed.notes);
    assert!(!printed.out.contains("accepted: true"), "{}", printed.out);
    let left = "# - missing-key-md5 on put: 200 (";
    assert!(printed.out.contains(left), "{}", printed.out);

    let written = evidence(&["--waivers", "--to", "mine"]);
    assert_eq!(written.code, 0, "{}{}", written.out, written.notes);
    let dialect = fs::read_to_string(path.join("mine/dialects/observed.yaml")).unwrap();
    for says in [
        "compare-to: unknown",
        "  echo: none\n",
        "  etag: md5\n",
        "status: 403, code: \"AccessDenied\", ops: [get]",
        "accepted: true, ops: [put]",
        "status: 204, ops: [delete]",
    ] {
        assert!(dialect.contains(says), "{says}: {dialect}");
    }
    let checked = ssec(&["check", "mine"], &world(path));
    assert_eq!(checked.code, 0, "{}", checked.out);
    let again = judge(path, &server, "observed", &[]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.notes);
    // The dialect says something: another service does not keep it.
    let other = Served::start(&[]);
    let other = judge(path, &other, "observed", &[]);
    assert_eq!(other.code, 1, "{}{}", other.out, other.notes);
    // What is there is not written over.
    let twice = evidence(&["--to", "mine"]);
    assert_eq!(twice.code, 2, "{}", twice.out);
    let kept = fs::read_to_string(path.join("mine/dialects/observed.yaml")).unwrap();
    assert_eq!(kept, dialect);
    every_reference_has_its_capture(&path.join("mine/captures"), &dialect);
}

#[track_caller]
fn every_reference_has_its_capture(captures: &Path, dialect: &str) {
    let references: Vec<&str> = dialect
        .split("{recorded: ")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    assert!(references.len() > 5, "{references:?}");
    for reference in references {
        let capture = fs::read_to_string(captures.join(format!("{reference}.txt"))).unwrap();
        assert!(
            capture.contains("\n> ") && capture.contains("\n< HTTP/1.1 "),
            "{capture}"
        );
        if reference.ends_with("wrong-key-get") {
            for says in [
                "-key: <key:",
                "<Code>AccessDenied</Code>",
                ", steps ",
                ", seed ",
            ] {
                assert!(capture.contains(says), "{says}: {capture}");
            }
        }
    }
}

#[test]
fn a_run_without_exchanges_is_no_evidence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let trial = "wrong-key::read[op=get,body=small,probe=other-key]";
    let run = ["test", "--no-save", "--record", "r.jsonl", "--exact", trial];
    assert_eq!(ssec(&run, &world(path)).code, 0);
    let told = ssec(&["evidence", "r.jsonl", "--dialect", "mine"], &world(path));
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(told.notes.contains("-vv"), "{}", told.notes);
    let told = ssec(
        &["evidence", "r.jsonl", "--dialect", "../mine"],
        &world(path),
    );
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(
        told.notes.contains("cannot name a dialect"),
        "{}",
        told.notes
    );
    let whole = ssec(&[&run[..], &["-vv"]].concat(), &world(path));
    assert_eq!(whole.code, 0, "{}", whole.notes);
    let told = ssec(&["evidence", "r.jsonl", "--dialect", "mine"], &world(path));
    assert_eq!(told.code, 0, "{}", told.notes);
    assert!(
        told.out.contains("wrong-key:\n    - {status: 403"),
        "{}",
        told.out
    );
}
