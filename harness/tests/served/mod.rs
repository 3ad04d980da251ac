//! `ssec serve` as a child process on a free port, and `ssec` itself run in this process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use harness::clock::Clock;
use harness::command::{Terminal, World};
use harness::environment::Environment;
use harness::ssec::Keyring;

/// The pair that every server of these tests accepts.
pub(crate) const ACCESS_KEY_ID: &str = "SSECTESTACCESSKEY";
pub(crate) const SECRET: &str = "a-secret-that-only-these-tests-know";

/// A running server; killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) exports: BTreeMap<String, String>,
}

impl Served {
    /// Starts `ssec serve` with these arguments and waits for its one line.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(Self::command(arguments))
    }

    /// `ssec serve` with these arguments, to be changed before it is [spawned](Self::spawn).
    pub(crate) fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssec"));
        command
            .args(["serve", "--access-key-id", ACCESS_KEY_ID])
            .args(arguments)
            .env("SSEC_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// Starts what is prepared, and waits as [`start`](Self::start) does.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let exports = line
            .trim()
            .strip_prefix("export ")
            .unwrap_or_else(|| panic!("not an export line: {line}"))
            .split(' ')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self { child, exports }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.exports["S3_ENDPOINT"]
    }

    pub(crate) fn ca(&self) -> &str {
        &self.exports["AWS_CA_BUNDLE"]
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which is all that is wanted.
        let _ = self.child().kill();
        let _ = self.child().wait();
    }
}

/// A world with the right credentials, whose relative paths begin at `directory`.
pub(crate) fn world(directory: &Path) -> World {
    World {
        environment: credentials(ACCESS_KEY_ID, SECRET),
        clock: Clock::system(),
        keyring: Arc::new(Keyring::new()),
        directory: directory.to_owned(),
        terminal: Terminal::No,
        palette: reports::render::palette::Palette::Plain,
    }
}

pub(crate) fn credentials(access_key_id: &str, secret: &str) -> Environment {
    Environment::of([
        ("AWS_ACCESS_KEY_ID", access_key_id),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ])
}

/// What a command wrote, and its exit code.
pub(crate) struct Told {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) notes: String,
}

/// Runs `ssec` with these arguments in this process.
pub(crate) fn ssec(arguments: &[&str], world: &World) -> Told {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let arguments = ["ssec"].iter().chain(arguments).map(Into::into);
    let code = harness::cli::run(arguments, world, &mut out, &mut notes);
    Told {
        code: code.number(),
        out: String::from_utf8(out).unwrap(),
        notes: String::from_utf8(notes).unwrap(),
    }
}
