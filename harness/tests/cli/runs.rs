//! What a run prints, keeps, and takes away again.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use reports::run::Run;

use crate::served::{ACCESS_KEY_ID, SECRET, Served, ssec, world};

fn read(path: &Path) -> Run {
    Run::read(fs::read(path).unwrap().as_slice()).unwrap()
}

#[test]
fn a_run_is_kept_and_its_path_is_printed_last() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "test",
        "roundtrip",
        "--seed",
        "2a",
        "--record",
        "r.jsonl",
        "--junit",
        "j.xml",
    ];
    let world = world(directory.path());
    let told = ssec(&arguments, &world);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let last = told.out.lines().last().unwrap();
    assert!(
        last.starts_with(".ssec/") && last.ends_with("-000000000000002a"),
        "{last}"
    );
    let kept = directory.path().join(last);
    let run = read(&kept.join("run.jsonl"));
    assert_eq!(run.header.seed, "000000000000002a");
    assert_eq!(run.footer.exit, 0);
    assert!(run.footer.cleanup.left.is_empty());
    assert_eq!(run.footer.cleanup.created, run.footer.cleanup.removed);
    assert_eq!(run.cases.len(), run.header.selection.selected);
    assert_eq!(read(&directory.path().join("r.jsonl")), run);
    let junit = fs::read(kept.join("junit.xml")).unwrap();
    assert_eq!(fs::read(directory.path().join("j.xml")).unwrap(), junit);
    let journal = fs::read(kept.join("journal.jsonl")).unwrap();
    let (_, left) = reports::journal::read(journal.as_slice()).unwrap();
    assert_eq!(left, []);

    let again = ssec(&["report", "latest"], &world);
    assert_eq!(again.code, 0, "{}", again.notes);
    assert!(told.out.starts_with(&again.out), "{}", again.out);
    let junit_again = ssec(&["report", last, "--junit", "again.xml"], &world);
    assert_eq!(junit_again.code, 0, "{}", junit_again.notes);
    assert_eq!(fs::read(directory.path().join("again.xml")).unwrap(), junit);
}

#[test]
fn without_saving_nothing_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(
        &["test", "roundtrip", "--no-save"],
        &world(directory.path()),
    );
    assert_eq!(told.code, 0, "{}", told.notes);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn names_are_listed_as_libtest_lists_them() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let all = ssec(&["test", "--list"], &world);
    assert_eq!(all.code, 0);
    assert!(all.out.lines().count() >= 60);
    assert!(all.out.lines().all(|line| line.ends_with(": test")));
    let first = all
        .out
        .lines()
        .next()
        .unwrap()
        .strip_suffix(": test")
        .unwrap();
    let one = ssec(&["test", "--list", "--exact", first], &world);
    assert_eq!(one.out.lines().count(), 1);
    let none = ssec(&["test", "--list", "--skip", "::"], &world);
    assert_eq!(none.code, 4);
    let plan = ssec(&["test", "--plan", "--exact", first], &world);
    assert!(plan.out.contains("1 trials, about"), "{}", plan.out);
    let explained = ssec(&["explain", first], &world);
    assert_eq!(explained.code, 0);
    assert!(explained.out.contains("expects ok"), "{}", explained.out);
}

#[test]
fn a_convicted_target_fails_the_run_and_names_the_rerun() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let arguments = ["test", "--impostor", "head-any-key", "wrong-key", "-v"];
    let told = ssec(&arguments, &world);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(
        told.out.contains("ssec test --impostor head-any-key"),
        "{}",
        told.out
    );
    assert!(told.out.contains("FAIL"), "{}", told.out);
    let fast = ssec(
        &[&arguments[..], &["--fail-fast", "--jobs", "1"]].concat(),
        &world,
    );
    assert_eq!(fast.code, 1);
    assert!(fast.out.lines().count() < told.out.lines().count());
}

/// A run that is interrupted ends with 130, says so in its footer, and leaves nothing behind.
#[test]
fn an_interrupted_run_cleans_up() {
    let server = Served::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(["test", "-v", "--jobs", "1", "--region", "us-east-1"])
        .args(["--endpoint", server.endpoint(), "--ca", server.ca()])
        .current_dir(directory.path())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env_remove("AWS_SESSION_TOKEN")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The first trial that is told has ended, so the run is in its middle.
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let run = read(&directory.path().join(".ssec/latest/run.jsonl"));
    assert!(run.footer.interrupted);
    assert_eq!(run.footer.exit, 130);
    assert!(
        run.footer.cleanup.left.is_empty(),
        "{:?}",
        run.footer.cleanup
    );
    assert!(run.cases.len() < run.header.selection.selected);
    // The same seed again finds no bucket of the interrupted run.
    let again = ssec(
        &[
            "test",
            "roundtrip",
            "--region",
            "us-east-1",
            "--endpoint",
            server.endpoint(),
            "--ca",
            server.ca(),
            "--seed",
            &run.header.seed,
        ],
        &world(directory.path()),
    );
    assert_eq!(again.code, 0, "{}", again.notes);
}

/// A target that never answers can be given up at once.
#[test]
fn a_run_that_is_interrupted_before_its_first_trial_leaves_no_folder() {
    let silent = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(["test", "--region", "us-east-1", "--insecure", "--endpoint"])
        .arg(format!("https://{}", silent.local_addr().unwrap()))
        .current_dir(directory.path())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .spawn()
        .unwrap();
    // It has connected, so it listens for signals.
    let connection = silent.accept().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(connection);
    let runs = directory.path().join(".ssec");
    assert_eq!(fs::read_dir(runs).unwrap().count(), 0);
}

/// `ssec clean` finishes what a killed run began.
#[test]
fn a_killed_run_is_cleaned_up_from_its_journal() {
    let server = Served::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args([
            "test",
            "-v",
            "--jobs",
            "1",
            "--seed",
            "9",
            "--region",
            "us-east-1",
        ])
        .args(["--endpoint", server.endpoint(), "--ca", server.ca()])
        .current_dir(directory.path())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env_remove("AWS_SESSION_TOKEN")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut String::new()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let runs = fs::read_dir(directory.path().join(".ssec")).unwrap();
    let run = runs.map(|run| run.unwrap().path()).next().unwrap();
    let run = run.to_str().unwrap();
    let world = world(directory.path());
    let cleaned = ssec(&["clean", run], &world);
    assert_eq!(cleaned.code, 0, "{}{}", cleaned.out, cleaned.notes);
    assert!(cleaned.out.contains(", 0 left"), "{}", cleaned.out);
    let twice = ssec(&["clean", run], &world);
    assert!(twice.out.starts_with("0 removed"), "{}", twice.out);
    // A stream without its footer is half a run, and is called so.
    let report = ssec(&["report", run], &world);
    assert_eq!(report.code, 3, "{}{}", report.out, report.notes);
    assert!(report.out.contains("incomplete"), "{}", report.out);
}
