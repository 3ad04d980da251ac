//! Each bad input has one clear message, with what to do, and its exit code.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use harness::clock::Clock;

use crate::catalogue_folder::lay_out;
use crate::served::{ACCESS_KEY_ID, SECRET, Served, Told, credentials, ssec, world};

/// Runs `ssec` in an empty directory and compares its exit code and what it says.
#[track_caller]
fn check(arguments: &[&str], code: u8, says: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(arguments, &world(directory.path()));
    check_told(&told, code, says);
}

#[track_caller]
fn check_told(told: &Told, code: u8, says: &[&str]) {
    let Told { notes, out, .. } = told;
    assert_eq!(told.code, code, "{out}{notes}");
    for words in says {
        assert!(notes.contains(words), "does not say {words:?}:\n{notes}");
    }
    // Without a command there is the help alone.
    if code != 0 && !notes.starts_with("ssec tells") {
        let printed = notes.split("error[").nth(1).and_then(|rest| rest.get(..4));
        let printed = printed.unwrap_or_else(|| panic!("no code:\n{notes}"));
        let directory = tempfile::tempdir().unwrap();
        let explained = ssec(&["explain", printed], &world(directory.path()));
        assert_eq!(explained.code, 0, "{printed} is not in the catalogue");
    }
}

#[test]
fn flags_that_do_not_fit_are_refused_with_usage() {
    check(&[], 2, &["Usage"]);
    check(&["test", "--no-such-flag"], 2, &["--no-such-flag"]);
    check(
        &["test", "--endpoint", "https://localhost"],
        2,
        &["--region"],
    );
    check(&["test", "--region", "gra"], 2, &["--endpoint"]);
    check(&["test", "--timeout", "soon"], 2, &["30s"]);
    check(&["test", "--seed", "xyz"], 2, &["hex"]);
    check(&["test", "--jobs", "0"], 2, &["--jobs"]);
}

#[test]
fn help_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(&["--help"], &world(directory.path()));
    assert_eq!(told.code, 0);
    for command in [
        "test", "serve", "explain", "check", "report", "matrix", "compare", "clean", "key",
    ] {
        assert!(told.out.contains(command), "{command}");
    }
}

#[test]
fn a_filter_that_selects_nothing_says_so() {
    check(
        &["test", "no-such-trial"],
        4,
        &["no trial matches no-such-trial", "--list"],
    );
    check(&["test", "--exact", "roundtrip"], 4, &["no trial matches"]);
}

#[test]
fn the_bundled_server_speaks_two_dialects() {
    check(
        &["test", "--dialect", "ceph"],
        2,
        &["speaks the dialects aws and ovh", "--endpoint"],
    );
    check(&["test", "--dialect", "nobody"], 2, &["nobody", "aws"]);
    check(
        &["test", "--impostor", "nobody"],
        2,
        &["nobody", "--list-impostors"],
    );
}

#[test]
fn an_endpoint_is_a_url_without_a_path() {
    let endpoint = |url| ["test", "--region", "r", "--endpoint", url];
    check(&endpoint("s3.host"), 2, &["s3.host", "https://"]);
    check(&endpoint("https://s3.host/bucket"), 2, &["bucket"]);
    check(&endpoint("ftp://s3.host"), 2, &["ftp"]);
}

#[test]
fn an_unreachable_endpoint_is_named() {
    // A port that was free a moment ago and that nobody listens on.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}", free.local_addr().unwrap());
    drop(free);
    let arguments = [
        "test",
        "--endpoint",
        &url,
        "--region",
        "r",
        "--resends",
        "0",
    ];
    check(&arguments, 3, &["cannot connect to", "is the endpoint up"]);
}

#[test]
fn missing_credentials_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = world(directory.path());
    world.environment = harness::environment::Environment::default();
    let told = ssec(
        &["test", "--endpoint", "https://localhost", "--region", "r"],
        &world,
    );
    check_told(&told, 3, &["no credentials", "AWS_ACCESS_KEY_ID"]);
}

#[test]
fn a_certificate_that_is_not_trusted_is_named() {
    let server = Served::start(&[]);
    let other = Served::start(&[]);
    let endpoint = [
        "test",
        "--region",
        "us-east-1",
        "--endpoint",
        server.endpoint(),
    ];
    let says = ["is not trusted", "--ca FILE"];
    check(&endpoint, 3, &says);
    check(&[&endpoint[..], &["--ca", other.ca()]].concat(), 3, &says);
    let missing = [&endpoint[..], &["--ca", "no-such-file.pem"]].concat();
    check(&missing, 2, &["no-such-file.pem"]);
    let control = [&endpoint[..], &["--ca", server.ca(), "roundtrip"]].concat();
    check(&control, 0, &[]);
}

#[test]
fn wrong_credentials_a_wrong_region_and_a_wrong_clock_are_told_apart() {
    let server = Served::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let run = |region: &str, access_key_id: &str, secret: &str, clock: Clock| {
        let mut world = world(directory.path());
        world.environment = credentials(access_key_id, secret);
        world.clock = clock;
        let endpoint = server.endpoint();
        let arguments = [
            "test",
            "roundtrip",
            "--endpoint",
            endpoint,
            "--ca",
            server.ca(),
            "--region",
            region,
        ];
        ssec(&arguments, &world)
    };
    let now = Clock::system();
    let region = "us-east-1";
    let id = run(region, "NOBODY", SECRET, now);
    check_told(
        &id,
        3,
        &[
            "does not know the access key id NOBODY",
            "AWS_ACCESS_KEY_ID",
        ],
    );
    let secret = run(region, ACCESS_KEY_ID, "wrong", now);
    check_told(&secret, 3, &["does not belong to", "AWS_SECRET_ACCESS_KEY"]);
    let other = run("gra", ACCESS_KEY_ID, SECRET, now);
    check_told(
        &other,
        3,
        &["region us-east-1, not gra", "--region us-east-1"],
    );
    let hour = Duration::from_secs(3600);
    let ahead = run(
        region,
        ACCESS_KEY_ID,
        SECRET,
        Clock::fixed(now.now() + hour),
    );
    check_told(
        &ahead,
        3,
        &["clock is off", "min ahead of the target's", "set the clock"],
    );
    let behind = run(
        region,
        ACCESS_KEY_ID,
        SECRET,
        Clock::fixed(now.now() - hour),
    );
    check_told(&behind, 3, &["clock is off", "min behind the target's"]);
    assert!(now.now() > SystemTime::UNIX_EPOCH);
    let control = run(region, ACCESS_KEY_ID, SECRET, now);
    check_told(&control, 0, &[]);
}

#[test]
fn a_bucket_that_exists_or_does_not_is_named() {
    let taken = "ssec-0000000000000007";
    let server = Served::start(&["--bucket", taken]);
    let endpoint = [
        "test",
        "roundtrip",
        "--region",
        "us-east-1",
        "--endpoint",
        server.endpoint(),
        "--ca",
        server.ca(),
    ];
    let with = |more: &[&'static str]| [&endpoint[..], more].concat();
    check(
        &with(&["--seed", "7"]),
        3,
        &["the bucket ssec-0000000000000007 exists", "--seed"],
    );
    check(
        &with(&["--bucket", "nowhere"]),
        3,
        &["nowhere does not exist", "--bucket"],
    );
    check(&with(&["--bucket", taken]), 0, &[]);
    check(&with(&["--seed", "8"]), 0, &[]);
}

#[test]
fn a_data_directory_that_is_a_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    check(&["serve", "--data-dir", path], 2, &[path]);
}

#[test]
fn a_run_that_is_not_there_is_named() {
    check(
        &["report", "latest"],
        2,
        &["there is no run latest", "run.jsonl"],
    );
    check(&["clean", "nowhere"], 2, &["there is no run nowhere"]);
    check(
        &["explain", "no-such-trial"],
        4,
        &["no trial called no-such-trial"],
    );
    check(&["key", "no name"], 2, &["no name"]);
}

/// A catalogue with one suite, written over the repository's outcomes and dialects.
fn catalogue(directory: &Path, suite: &str) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    lay_out(&repository, directory);
    fs::write(directory.join("suites/try.yaml"), suite).unwrap();
}

const SUITE: &str = "suite: try
keys: [alice, mallory]
bodies:
  small: {size: 1 KiB, seed: 1}

cases:
  - id: wrong-key
    title: Reading with another key is refused
    level: must
    source: [{contract: G3}]
    needs: [sse-c]
    matrix: {op: [get, head]}
    given:
      - {put: doc, body: small, ssec: alice}
    steps:
      - {$op: doc, ssec: mallory, expect: wrong-key}
      - {$op: doc, ssec: alice, expect: {outcome: ok, length-of: small}}
";

#[test]
fn mistakes_in_scenarios_are_drawn_where_they_are() {
    let run = |suite: &str| {
        let directory = tempfile::tempdir().unwrap();
        catalogue(directory.path(), suite);
        ssec(
            &["test", "--no-save", "--scenarios", "."],
            &world(directory.path()),
        )
    };
    let spoilt = |from: &str, to: &str| {
        assert!(SUITE.contains(from));
        run(&SUITE.replacen(from, to, 1))
    };
    check_told(&run(SUITE), 0, &[]);
    let field = spoilt("expect: wrong-key", "expct: wrong-key");
    check_told(&field, 2, &["expct", "did you mean", "try.yaml:16"]);
    let key = spoilt("ssec: mallory", "ssec: malory");
    check_told(&key, 2, &["malory", "did you mean", "try.yaml:16"]);
    let outcome = spoilt("expect: wrong-key", "expect: wrong-kee");
    check_told(&outcome, 2, &["wrong-kee", "did you mean"]);
    let axis = spoilt("matrix: {op:", "matrix: {opp:");
    check_told(&axis, 2, &["op", "try.yaml"]);
    let control = "      - {$op: doc, ssec: alice, expect: {outcome: ok, length-of: small}}\n";
    let control = spoilt(control, "");
    check_told(&control, 2, &["control", "try.yaml"]);
}
