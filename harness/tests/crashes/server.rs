//! A child `ssec serve` over one data directory, its log in a file.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::transport::Endpoint;

use super::client::Client;

pub(crate) const ACCESS_KEY_ID: &str = "SSECTESTACCESSKEY";
pub(crate) const SECRET: &str = "a-secret-that-only-these-tests-know";

pub(crate) struct Server {
    child: Child,
    endpoint: Endpoint,
    log: PathBuf,
}

impl Server {
    /// Starts it over `directory/data` and waits until it is ready.
    pub(crate) fn start(directory: &Path) -> Self {
        let (data, log) = (directory.join("data"), directory.join("log"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_ssec"))
            .args(["serve", "--plain-http", "--access-key-id", ACCESS_KEY_ID])
            .arg("--data-dir")
            .arg(&data)
            .env("SSEC_SECRET_ACCESS_KEY", SECRET)
            .env("SSEC_LOG", "info")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let endpoint = line
            .split(' ')
            .find_map(|pair| pair.strip_prefix("S3_ENDPOINT="))
            .unwrap_or_else(|| panic!("it did not start: {}", fs::read_to_string(&log).unwrap()));
        Self {
            endpoint: Endpoint::parse(endpoint.trim()).unwrap(),
            child,
            log,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.endpoint.clone())
    }

    /// How many files the log says were swept at the start.
    pub(crate) fn swept(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap();
        let numbers = ["orphans=", "garbage="].map(|name| {
            let mut found = log.split(name).skip(1);
            let digits = found.next().unwrap_or("0");
            let end = digits.find(|c: char| !c.is_ascii_digit());
            let digits = &digits[..end.unwrap_or(digits.len())];
            digits.parse::<usize>().unwrap()
        });
        numbers.iter().sum()
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&mut self) {
        // SIGKILL; it may not have ended by itself.
        assert_eq!(self.child.try_wait().unwrap(), None, "it ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What `ssec serve --scrub` says of a closed store; it must find nothing.
pub(crate) fn assert_scrubs_clean(directory: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(["serve", "--scrub", "--data-dir"])
        .arg(directory.join("data"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("0 found; "), "{said}");
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
