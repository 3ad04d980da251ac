//! What a run would take of its target is told before, and is not exceeded.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use reports::run::Run;
use reports::verdict::Verdict;
use serde_json::Value;

use crate::front::{Front, refusal};
use crate::judging::judged;
use crate::served::{Served, Told, ssec, world};

fn plan(arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(
        &[&["test", "--plan", "--json"], arguments].concat(),
        &world(directory.path()),
    );
    assert_eq!(told.code, 0, "{}", told.notes);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    serde_json::from_str(&told.out).unwrap()
}

/// A target that is named, and not asked.
const NETWORK: [&str; 4] = [
    "--endpoint",
    "https://s3.example.com",
    "--region",
    "us-east-1",
];

fn actions(plan: &Value, statement: usize) -> BTreeSet<&str> {
    let actions = plan["policy"]["Statement"][statement]["Action"].as_array();
    let words = actions
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap());
    words.collect()
}

#[test]
fn the_permissions_are_those_of_the_selection() {
    let reads = plan(&["wrong-key::read"]);
    let buckets = [
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:PutEncryptionConfiguration",
    ];
    assert_eq!(actions(&reads, 0), BTreeSet::from(buckets));
    let objects = [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:PutObject",
    ];
    assert_eq!(actions(&reads, 1), BTreeSet::from(objects));
    let statement = &reads["policy"]["Statement"];
    assert_eq!(statement[0]["Resource"], "arn:aws:s3:::ssec-*");
    assert_eq!(statement[1]["Resource"], "arn:aws:s3:::ssec-*/*");

    let existing = plan(&[&NETWORK[..], &["--bucket", "mine", "wrong-key::read"]].concat());
    let buckets = [
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListBucketVersions",
    ];
    assert_eq!(actions(&existing, 0), BTreeSet::from(buckets));
    let statement = &existing["policy"]["Statement"];
    assert_eq!(statement[1]["Resource"], "arn:aws:s3:::mine/*");

    let all = plan(&[]);
    for action in [
        "s3:PutBucketVersioning",
        "s3:ListBucketVersions",
        "s3:PutBucketPolicy",
    ] {
        assert!(actions(&all, 0).contains(action), "{action}");
        assert!(!actions(&reads, 0).contains(action), "{action}");
    }
    for action in [
        "s3:GetObjectVersion",
        "s3:GetObjectAttributes",
        "s3:AbortMultipartUpload",
    ] {
        assert!(actions(&all, 1).contains(action), "{action}");
    }
    assert!(all["requests"].as_u64() > reads["requests"].as_u64());
}

#[test]
fn a_plan_for_people_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(
        &["test", "--plan", "wrong-key::read"],
        &world(directory.path()),
    );
    let planned = plan(&["wrong-key::read"]);
    let (trials, requests) = (&planned["trials"], &planned["requests"]);
    let sum = format!("{trials} trials, about {requests} requests");
    assert!(told.out.contains(&sum), "{sum}: {}", told.out);
    assert!(
        told.out
            .contains("allowed on its objects: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:PutObject"),
        "{}",
        told.out
    );
}

/// Judges the server and counts what it was asked.
fn run(server: &Served, log: &std::path::Path, arguments: &[&str]) -> (Told, Option<Run>, u64) {
    let directory = tempfile::tempdir().unwrap();
    let before = fs::read_to_string(log).unwrap_or_default().lines().count();
    let fixed = [
        "test",
        "--no-save",
        "--record",
        "r.jsonl",
        "--region",
        "us-east-1",
        "--endpoint",
        server.endpoint(),
        "--ca",
        server.ca(),
    ];
    let told = ssec(&[&fixed, arguments].concat(), &world(directory.path()));
    let after = fs::read_to_string(log).unwrap_or_default().lines().count();
    let record = fs::read(directory.path().join("r.jsonl")).ok();
    let run = record.filter(|record| !record.is_empty());
    let run = run.map(|record| Run::read(record.as_slice()).unwrap());
    (told, run, (after - before) as u64)
}

#[test]
fn the_plan_is_about_what_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let server = Served::start(&["--access-log", log.to_str().unwrap()]);
    for suites in [
        &["wrong-key", "roundtrip"][..],
        &["versions"],
        &["multipart", "tags"],
        &["isolation::"],
    ] {
        let planned = plan(&[&NETWORK[..], suites].concat())["requests"].as_u64();
        let planned = planned.unwrap();
        let (told, _, sent) = run(&server, &log, suites);
        assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
        let off = planned.abs_diff(sent);
        assert!(
            off * 100 <= 15 * sent,
            "{suites:?}: {planned} planned, {sent} sent"
        );
    }
}

/// In a bucket that was there before a run leaves out what would change it, and lists what each
/// removal may have left.
#[test]
fn a_plan_in_a_bucket_that_was_there_is_of_what_is_run_there() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let server = Served::start(&["--access-log", log.to_str().unwrap(), "--bucket", "mine"]);
    let there = [
        "--bucket",
        "mine",
        "roundtrip",
        "versions",
        "at-rest",
        "bucket-policy",
    ];
    let planned = plan(&[&NETWORK[..], &there].concat());
    let own = plan(&[&NETWORK[..], &there[2..]].concat());
    assert_eq!(planned["buckets"], 0);
    for action in [
        "s3:CreateBucket",
        "s3:PutBucketVersioning",
        "s3:PutBucketPolicy",
    ] {
        assert!(!actions(&planned, 0).contains(action), "{action}");
        assert!(actions(&own, 0).contains(action), "{action}");
    }

    let (told, record, sent) = run(&server, &log, &there);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let cases = record.unwrap().cases;
    let left_out = cases
        .iter()
        .filter(|case| case.verdict == Verdict::Unsupported);
    let left_out = left_out.count() as u64;
    assert!(left_out > 20, "{left_out}");
    assert_eq!(planned["not_run"].as_u64(), Some(left_out));
    assert_eq!(
        planned["trials"].as_u64(),
        Some(cases.len() as u64 - left_out)
    );
    let requests = planned["requests"].as_u64().unwrap();
    let off = requests.abs_diff(sent);
    assert!(off * 100 <= 5 * sent, "{requests} planned, {sent} sent");

    // Of one trial every request is told, but for one that a host of the bucket's own name may cost.
    let one = [
        "--exact",
        "wrong-key::read[op=get,body=small,probe=other-key]",
    ];
    for place in [&["--bucket", "mine"][..], &[]] {
        let planned = plan(&[&NETWORK[..], place, &one].concat())["requests"].as_u64();
        let (_, _, sent) = run(&server, &log, &[place, &one].concat());
        let off = planned.unwrap() - sent;
        assert!(off <= 1, "{place:?}: {planned:?} planned, {sent} sent");
    }

    let people = ssec(
        &[&["test", "--plan"], &NETWORK[..], &there].concat(),
        &world(directory.path()),
    );
    let not_run = people
        .out
        .lines()
        .filter(|line| line.contains(" not run  "));
    assert_eq!(not_run.count() as u64, left_out, "{}", people.out);
}

#[test]
fn a_selection_beyond_a_limit_is_not_begun() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let server = Served::start(&["--access-log", log.to_str().unwrap()]);
    let planned = plan(&[&NETWORK[..], &["wrong-key::read"]].concat());
    let bytes = planned["sent"].as_u64().unwrap() + planned["received"].as_u64().unwrap();
    let requests = planned["requests"].as_u64().unwrap();
    for (flag, most) in [("--max-requests", requests), ("--max-bytes", bytes)] {
        let limited = |most: u64| run(&server, &log, &["wrong-key::read", flag, &most.to_string()]);
        let (told, record, sent) = limited(most - 1);
        assert_eq!((told.code, sent), (2, 0), "{}{}", told.out, told.notes);
        assert!(
            told.notes.contains("E017") && told.notes.contains(flag),
            "{}",
            told.notes
        );
        assert!(record.is_none());
        let (told, _, _) = limited(most + most / 10);
        assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    }
}

/// A plan counts no repetitions: a target that asks to slow down takes more.
#[test]
fn a_run_stops_at_its_limit_and_removes_what_it_created() {
    let server = Served::start(&["--plain-http"]);
    let asked = AtomicU64::new(0);
    // The trial's own object alone: the preflight is through before the limit.
    let slow = Front::before(&server, move |head| {
        let is_its = head.line().contains("/doc");
        let number = asked.fetch_add(u64::from(is_its), Ordering::Relaxed);
        (is_its && number % 4 != 3).then(|| refusal("503 Slow Down", "SlowDown"))
    });
    let trial = "wrong-key::read[op=get,body=small,probe=other-key]";
    let planned = plan(&[&NETWORK[..], &["--exact", trial]].concat())["requests"].as_u64();
    let planned = planned.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let limited = |most: u64| {
        let most = most.to_string();
        let target = ["--endpoint", &slow.url, "--region", "us-east-1"];
        let limits = ["--resends", "9", "--max-requests", &most];
        let arguments = [&target[..], &limits, &["--exact", trial]].concat();
        judged(directory.path(), &arguments)
    };
    let (told, record) = limited(planned);
    assert_eq!(told.code, 5, "{}{}", told.out, told.notes);
    assert!(
        told.notes
            .contains("the limit of requests or bytes is reached"),
        "{}{}",
        told.out,
        told.notes
    );
    let case = &record.cases[0];
    let says = case.message.as_deref().unwrap();
    assert_eq!(case.verdict, Verdict::Error, "{says}");
    assert!(
        says.contains(&format!("--max-requests {planned} is reached")),
        "{says}"
    );
    let cleanup = &record.footer.cleanup;
    assert!(cleanup.left.is_empty(), "{:?}", cleanup.left);
    assert!(cleanup.created > 0 && cleanup.created == cleanup.removed);
    let (told, _) = limited(planned * 3);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
}
