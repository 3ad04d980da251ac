//! The bundled server as a child process, so that the client's processor time is the client's.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::Failure;
use crate::credentials::Credentials;
use crate::problem::Problem;

/// Longest line that the server may say it is ready with.
const MAX_LINE: u64 = 16 << 10;

/// A running `ssec serve`; ended when dropped, and by itself when this process is killed.
pub(super) struct Served {
    child: Child,
    /// The server ends when the kernel closes this.
    _leash: Option<ChildStdin>,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) ca: Option<PathBuf>,
    pub(super) credentials: Credentials,
}

impl Served {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start(arguments: &[&str]) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
        let mut command = Command::new(program);
        // A group of its own: Ctrl-C is for the run, which ends the server after its last request.
        command
            .args(["serve", "--end-with-stdin"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        let mut child = command
            .spawn()
            .map_err(|error| failed(&error.to_string()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            use std::io::Read as _;
            let read = BufReader::new(out.take(MAX_LINE)).read_line(&mut line);
            read.map_err(|error| failed(&error.to_string()))?;
        }
        let exports = exports(&line);
        let get = |name: &str| exports.get(name).cloned();
        let (Some(endpoint), Some(id), Some(secret)) = (
            get("S3_ENDPOINT"),
            get("AWS_ACCESS_KEY_ID"),
            get("AWS_SECRET_ACCESS_KEY"),
        ) else {
            end(&mut child);
            return Err(failed("it did not say that it is ready"));
        };
        Ok(Self {
            _leash: child.stdin.take(),
            child,
            endpoint,
            region: get("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
            ca: get("AWS_CA_BUNDLE").map(PathBuf::from),
            credentials: Credentials::new(&id, &secret, None),
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok();
    let asked = pid
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok()
        });
    if !asked {
        let _ = child.kill();
    }
    let _ = child.wait();
}

fn failed(why: &str) -> Failure {
    Failure::new(
        Problem::Server,
        format!("the bundled server did not start: {why}"),
    )
}

/// The pairs of a line of exports, whose values are words of a shell.
fn exports(line: &str) -> BTreeMap<String, String> {
    let words = line.trim().strip_prefix("export ").unwrap_or_default();
    shell_words(words)
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Words as a POSIX shell splits them, as far as [`crate::conformance::session::shell_quoted`]
/// writes them: single quotes, and a backslash before one character outside of them.
fn shell_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            '\\' if !quoted => word
                .get_or_insert_with(String::new)
                .extend(characters.next()),
            _ if character.is_whitespace() && !quoted => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::session::shell_quoted;

    #[test]
    fn the_line_of_exports_is_read() {
        let read = exports("export S3_ENDPOINT=https://localhost:1 A='b/c'\n");
        assert_eq!(read["S3_ENDPOINT"], "https://localhost:1");
        assert_eq!(read["A"], "b/c");
        assert!(exports("error: no").is_empty());
    }

    #[test]
    fn a_value_may_hold_blanks_and_quotes() {
        for value in ["/a b/ca.pem", "it's", "two  blanks", "", "\\", "a\\'b c"] {
            let line = format!("export A={} B=1", shell_quoted(value));
            let read = exports(&line);
            assert_eq!((read["A"].as_str(), read["B"].as_str()), (value, "1"));
        }
    }
}
