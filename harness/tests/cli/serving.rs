//! `ssec serve` and `ssec key`: what other programs read of them.

use std::io::Read as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};

use crate::served::{ACCESS_KEY_ID, SECRET, Served, ssec, world};

#[test]
fn one_line_of_exports_says_that_the_server_is_ready() {
    let server = Served::start(&[]);
    let names: Vec<&str> = server.exports.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_CA_BUNDLE",
            "AWS_DEFAULT_REGION",
            "AWS_ENDPOINT_URL_S3",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "S3_ENDPOINT",
        ]
    );
    assert!(server.endpoint().starts_with("https://localhost:"));
    assert_eq!(server.exports["AWS_ACCESS_KEY_ID"], ACCESS_KEY_ID);
    assert_eq!(server.exports["AWS_SECRET_ACCESS_KEY"], SECRET);
    assert_eq!(server.exports["AWS_REGION"], "us-east-1");
}

#[test]
fn a_signal_ends_the_server_with_0_and_its_temporary_directory_is_gone() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let mut server = Served::start(&[]);
        let ca = server.ca().to_owned();
        assert!(std::path::Path::new(&ca).is_file());
        let pid = i32::try_from(server.child().id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        assert_eq!(server.child().wait().unwrap().code(), Some(0));
        assert!(!std::path::Path::new(&ca).exists());
    }
}

#[test]
fn a_data_directory_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let path = data.to_str().unwrap();
    let first = Served::start(&["--data-dir", path]);
    let ca = std::fs::read(first.ca()).unwrap();
    drop(first);
    let second = Served::start(&["--data-dir", path]);
    assert_eq!(std::fs::read(second.ca()).unwrap(), ca);
}

#[test]
fn a_secret_is_never_taken_from_the_aws_variables() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(["serve", "--access-key-id", "X"])
        .env("AWS_SECRET_ACCESS_KEY", "real")
        .env_remove("SSEC_SECRET_ACCESS_KEY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let mut notes = String::new();
    output.stderr.as_slice().read_to_string(&mut notes).unwrap();
    assert!(notes.contains("SSEC_SECRET_ACCESS_KEY"), "{notes}");
}

/// One unsigned request over a connection of its own.
fn get(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_container_is_asked_for_its_health_and_logs_what_others_ask() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let path = log.to_str().unwrap();
    let server = Served::start(&["--plain-http", "--bucket", "demo", "--access-log", path]);
    let address = server.endpoint().strip_prefix("http://").unwrap();
    let healthy = get(address, "/-/health");
    assert!(
        healthy.starts_with("HTTP/1.1 200") && healthy.ends_with("ok\n"),
        "{healthy}"
    );
    let refused = get(address, "/demo?X-Amz-Signature=SECRET&list-type=2");
    assert!(refused.starts_with("HTTP/1.1 4"), "{refused}");
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains(" GET /demo?X-Amz-Signature=-&list-type=2 4"),
        "{text}"
    );
}

#[test]
fn a_key_comes_with_its_right_md5() {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(&["key", "bob"], &world(directory.path()));
    assert_eq!(told.code, 0);
    let words: Vec<&str> = told.out.trim().split(' ').collect();
    let ["export", key, md5] = words[..] else {
        panic!("{} words", words.len());
    };
    let key = BASE64_STANDARD
        .decode(key.strip_prefix("KEY_BOB=").unwrap())
        .unwrap();
    assert_eq!(key.len(), 32);
    let right = BASE64_STANDARD.encode(Md5::digest(&key));
    assert_eq!(md5, format!("KEY_BOB_MD5={right}"));
}

#[test]
fn a_scrub_needs_no_key_changes_nothing_and_says_where_it_found_what() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let arguments = ["serve", "--scrub", "--data-dir", data.to_str().unwrap()];
    let scrub = || ssec(&arguments, &world(directory.path()));
    let server = Served::start(&["--data-dir", data.to_str().unwrap(), "--bucket", "bucket"]);
    let in_use = scrub();
    assert_eq!(in_use.code, 2, "{}", in_use.notes);
    assert!(in_use.notes.contains("in use"), "{}", in_use.notes);
    drop(server);
    let clean = scrub();
    assert_eq!(clean.code, 0, "{}", clean.out);
    assert!(clean.out.starts_with("0 found; "), "{}", clean.out);
    std::fs::write(data.join("data").join("surplus"), b"x").unwrap();
    let found = scrub();
    assert_eq!(found.code, 1, "{}", found.out);
    let line = "data/surplus: no row names this file\n1 found; ";
    assert!(found.out.starts_with(line), "{}", found.out);
    assert!(data.join("data").join("surplus").exists());
}

#[test]
fn a_scrub_needs_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let nothing = ssec(
        &["serve", "--scrub", "--data-dir", "nothing"],
        &world(directory.path()),
    );
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.notes.contains("holds no store"),
        "{}",
        nothing.notes
    );
    assert!(!directory.path().join("nothing").exists());
    let nowhere = ssec(&["serve", "--scrub"], &world(directory.path()));
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.notes.contains("--data-dir"), "{}", nowhere.notes);
}

/// The number of open files that a process may have.
fn open_files(pid: u32) -> u64 {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    soft.parse().unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_takes_more_connections_than_the_usual_limit_of_files() {
    // A shell lowers the limit that the server then finds.
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 64; exec \"$0\" serve --plain-http"])
        .arg(env!("CARGO_BIN_EXE_ssec"));
    let mut served = Served::spawn(command);
    let raised = open_files(served.child().id());
    let address = served.endpoint().strip_prefix("http://").unwrap();
    // More than 64, all of them silent, and one that is answered.
    let open = || std::net::TcpStream::connect(address).unwrap();
    let silent: Vec<_> = (0..100).map(|_| open()).collect();
    let mut asking = open();
    asking
        .set_read_timeout(Some(std::time::Duration::from_secs(60)))
        .unwrap();
    std::io::Write::write_all(&mut asking, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    asking.read_exact(&mut answer).unwrap();
    drop(silent);
    assert!(raised >= 1024, "{raised}");
    assert_eq!(&answer, b"HTTP/1.1 403");
}
