//! `ssec bench` from outside: exit codes, the summary, and what is left behind.

use std::path::Path;
use std::process::{Command, Output};

use reports::bench::run::BenchRun;
use serde_json::Value;

use crate::front::{Fate, Front};
use crate::served::{ACCESS_KEY_ID, SECRET, Served};

fn bench(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .arg("bench")
        .args(arguments)
        .output()
        .unwrap()
}

fn summary(directory: &Path) -> Value {
    let text = std::fs::read_to_string(directory.join("summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn check_code(output: &Output, code: i32) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
}

#[test]
fn both_arms_are_measured_against_the_bundled_server_and_the_record_adds_up() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--mix=get=3,put=1",
        "--arms=plain,ssec",
        "--ssec-keys=per-object",
        // Enough that each arm has the twenty reads that a median needs, whatever the seed.
        "--requests=240",
        "--objects=10",
        "--size=1KiB..64KiB",
        "--probe-negative=20%",
        "--allow-limited",
        "--slo=get.p50<60s",
        "--slo=error_rate<50%",
        "--summary=summary.json",
        "--record=record.jsonl",
    ];
    let output = bench(directory.path(), &arguments);
    check_code(&output, 0);
    let summary = summary(directory.path());
    let series = summary["series"].as_array().unwrap();
    let names: Vec<(&str, &str)> = series
        .iter()
        .map(|one| (one["op"].as_str().unwrap(), one["arm"].as_str().unwrap()))
        .collect();
    let expected = [
        ("get", "plain"),
        ("get", "ssec"),
        ("put", "plain"),
        ("put", "ssec"),
        ("probe", "plain"),
        ("probe", "ssec"),
    ];
    assert_eq!(names, expected);
    let count = |of: &str| -> u64 { series.iter().map(|one| one[of].as_u64().unwrap()).sum() };
    assert_eq!(
        (count("attempted"), count("ok"), count("failed")),
        (240, 240, 0)
    );
    let record = std::fs::File::open(directory.path().join("record.jsonl")).unwrap();
    let run = BenchRun::read(std::io::BufReader::new(record)).unwrap();
    assert_eq!(run.footer.unwrap().attempted, 240);
    assert!(!run.slow.is_empty());
    let report = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory.path())
        .args(["report", "record.jsonl", "--json"])
        .output()
        .unwrap();
    check_code(&report, 0);
    let told = String::from_utf8(report.stdout).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), summary);
}

#[test]
fn flags_that_contradict_each_other_end_with_2_and_say_why() {
    let directory = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], says: &str| {
        let output = bench(directory.path(), arguments);
        check_code(&output, 2);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(says), "{arguments:?}: {told}");
    };
    check(&[], "--op get");
    check(&["--op=fetch"], "is no operation");
    check(&["--op=get", "--mix=get=1"], "cannot be used with");
    check(
        &["--op=get", "--rate=1", "--rate-steps=1@1s"],
        "cannot be used with",
    );
    check(&["--op=get", "--arrivals=poisson"], "--rate");
    check(&["--op=put", "--size=6GiB"], "5 GiB");
    check(
        &["--op=multipart", "--size=6GiB", "--part-size=1MiB"],
        "5MiB",
    );
    check(&["--op=get", "--probe-negative=1%"], "--sse c");
    check(&["--op=get", "--retries=3"], "--retries");
    check(&["--mix=get=1,delete=1"], "delete cannot be mixed");
    check(&["--op=get", "--slo=put.p99<1s"], "put.p99<1s");
    check(&["--op=get", "--slo=p99 is good"], "is no objective");
    check(&["--op=get", "--find-knee=p99"], "is no objective");
    check(
        &["--op=get", "--find-knee=put.p99<1s"],
        "about no series of this run",
    );
    check(&["--op=delete", "--find-knee=p99<1s"], "again and again");
    for other in ["--requests=9", "--rate-steps=1@1s", "--slo=p99<1s"] {
        check(
            &["--op=get", "--find-knee=p99<1s", other],
            "cannot be used with",
        );
    }
    check(&["--op=get", "--rate=0"], "is no rate");
    check(
        &["--op=put", "--max-bytes=1KiB", "--requests=10"],
        "--max-bytes",
    );
    assert!(
        bench(directory.path(), &["--op=put", "--size=6GiB"])
            .stdout
            .is_empty()
    );
}

#[test]
fn a_target_that_is_not_there_ends_with_3_and_still_has_a_summary() {
    let directory = tempfile::tempdir().unwrap();
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("--endpoint=http://{}", port.local_addr().unwrap());
    drop(port);
    let arguments = [
        "--op=get",
        "--timeout=1s",
        "--summary=summary.json",
        &endpoint,
    ];
    let output = bench(directory.path(), &arguments);
    check_code(&output, 3);
    assert_eq!(
        summary(directory.path())["series"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_full_disk_for_the_record_ends_with_2_and_the_summary_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--op=get",
        "--requests=20",
        "--summary=summary.json",
        "--record=/dev/full",
    ];
    let output = bench(directory.path(), &arguments);
    check_code(&output, 2);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("cannot write /dev/full"), "{told}");
    assert!(summary(directory.path())["series"].is_array());
}

#[test]
fn an_objective_that_is_missed_ends_with_1() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--op=get",
        "--requests=100",
        "--allow-limited",
        "--slo=get.p50<1us",
    ];
    let output = bench(directory.path(), &arguments);
    check_code(&output, 1);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.contains("slo missed: get.p50<1us; measured get/plain: "),
        "{told}"
    );
}

#[test]
fn shards_share_a_bucket_and_together_do_the_whole_run() {
    let server = Served::start(&["--bucket", "demo"]);
    let directory = tempfile::tempdir().unwrap();
    let endpoint = format!("--endpoint={}", server.endpoint());
    let ca = format!("--ca={}", server.ca());
    let common = [
        "--op=get",
        "--requests=50",
        "--objects=10",
        "--seed=5",
        "--allow-limited",
    ];
    let place = [
        &endpoint,
        &ca,
        "--bucket=demo",
        "--prefix=run/",
        "--summary=summary.json",
    ];
    let mut attempted = Vec::new();
    for index in ["0", "1", "2"] {
        let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
            .current_dir(directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("SLURM_ARRAY_TASK_ID", index)
            .args(["bench", "--shard=/3", "--start-at=+10ms"])
            .args(common)
            .args(place)
            .output()
            .unwrap();
        check_code(&output, 0);
        let summary = summary(directory.path());
        attempted.push(summary["series"][0]["attempted"].as_u64().unwrap());
    }
    // Blocks of four go round: 0-3, 12-15, … to the first.
    assert_eq!(attempted, [18, 16, 16]);
    let alone = ["--op=get", "--shard=0/3", "--seed=5", &endpoint];
    check_code(&bench(directory.path(), &alone), 2);
}

#[test]
fn a_plan_sends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--op=put",
        "--rate=100",
        "--duration=10s",
        "--size=1MiB",
        "--plan",
    ];
    let output = bench(directory.path(), &arguments);
    check_code(&output, 0);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.contains("1000 requests, about 1048576 bytes"),
        "{told}"
    );
    assert!(told.contains("nothing was sent"), "{told}");
}

/// The target closes after each answer, as a target may.
#[test]
fn an_upload_in_parts_goes_on_over_another_connection() {
    let server = Served::start(&["--plain-http"]);
    let front = Front::with(&server, |head| {
        let lines: String = head.lines().filter(|line| *line != "\r\n").collect();
        Fate::PassedOn(format!("{lines}Connection: close\r\n\r\n"))
    });
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory.path())
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .args(["bench", "--op=multipart", "--requests=3", "--objects=1"])
        .args(["--size=11MiB", "--part-size=5MiB", "--allow-limited"])
        .args(["--summary=summary.json", "--no-save", "--concurrency=2"])
        .args(["--endpoint", &front.url, "--region", "us-east-1"])
        .output()
        .unwrap();
    check_code(&output, 0);
    let summary = summary(directory.path());
    assert_eq!(summary["series"][0]["ok"], 3, "{summary}");
}
