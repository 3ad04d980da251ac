//! One module a command: arguments, one call, exit code.
//!
//! Commands write to the streams that they are handed and read nothing but their arguments and the
//! [`World`], so that tests can run them in their own process. One watches standard input, if asked:
//! `ssec serve --end-with-stdin`.

pub mod bench;
pub mod check;
pub mod clean;
pub mod compare;
pub mod completions;
mod descriptors;
pub mod errors;
pub mod evidence;
pub mod examples;
pub mod explain;
pub mod fmt;
pub mod key;
pub mod man;
pub mod matrix;
mod memory;
pub mod recorded;
pub mod report;
pub mod run_directory;
pub mod serve;
pub mod serve_scrub;
pub mod signals;
pub mod test;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reports::render::palette::Palette;

use crate::clock::Clock;
use crate::conformance::preflight::{NotReady, Refusal};
use crate::environment::Environment;
use crate::error::{Error, GivenError};
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::ssec::Keyring;
use crate::target::bundled::NotStarted;
use crate::yaml::Diagnostics;

/// What a command takes from outside besides its arguments.
#[derive(Clone)]
pub struct World {
    pub environment: Environment,
    pub clock: Clock,
    /// Where every customer key of this process is drawn and known.
    pub keyring: Arc<Keyring>,
    /// Relative paths begin here, and runs are kept in its `.ssec`.
    pub directory: PathBuf,
    pub terminal: Terminal,
    /// How standard output is coloured, unless `--color` says otherwise.
    pub palette: Palette,
}

/// Whether an output is a terminal; of standard error: whether progress may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// Standard error is a terminal that wants to be drawn on.
    Yes,
    No,
}

impl Terminal {
    #[must_use]
    pub fn of(stream: &impl std::io::IsTerminal) -> Self {
        if stream.is_terminal() {
            Self::Yes
        } else {
            Self::No
        }
    }

    /// Colours are for terminals, unless `NO_COLOR` (<https://no-color.org>) or `TERM` speak
    /// against them.
    #[must_use]
    pub fn palette(self, environment: &Environment) -> Palette {
        let is_dumb = environment.get("TERM") == Some("dumb");
        match self {
            Self::Yes if !is_dumb && environment.get("NO_COLOR").is_none() => Palette::Ansi,
            Self::Yes | Self::No => Palette::Plain,
        }
    }
}

/// Why a command ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Its entry in the catalogue, whose code is printed.
    pub problem: Problem,
    pub code: ExitCode,
    /// Lower case, no full stop; drawn diagnostics stand as they are.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with the exit code that the catalogue gives it.
    #[must_use]
    pub fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self {
            problem,
            code: problem.exit(),
            message: message.into(),
            hint: None,
        }
    }

    /// Arguments that do not fit, alone or together.
    #[must_use]
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Problem::Arguments, message)
    }

    /// A file that cannot be read.
    #[must_use]
    pub fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Self {
        let message = format!("cannot read {}: {why}", path.display());
        Self::new(Problem::Unreadable, message)
    }

    /// A file or folder that cannot be written.
    #[must_use]
    pub fn unwritable(path: &Path, why: &dyn std::fmt::Display) -> Self {
        let message = format!("cannot write {}: {why}", path.display());
        Self::new(Problem::Unwritable, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            hint: error.hint().map(str::to_owned),
            ..Self::new(error.problem(), error.to_string())
        }
    }
}

impl From<GivenError> for Failure {
    fn from(error: GivenError) -> Self {
        Error::from(error).into()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self {
            hint: refusal.hint,
            ..Self::new(refusal.problem, refusal.message)
        }
    }
}

impl From<NotReady> for Failure {
    fn from(reason: NotReady) -> Self {
        match reason {
            NotReady::Refused(refusal) => refusal.into(),
            NotReady::Failed(error) => error.into(),
        }
    }
}

impl From<NotStarted> for Failure {
    fn from(reason: NotStarted) -> Self {
        let problem = match &reason {
            NotStarted::Dialect { .. } | NotStarted::Impostor { .. } => Problem::UnknownName,
            NotStarted::Failed(_) => Problem::Server,
        };
        Self {
            hint: reason.hint().map(str::to_owned),
            ..Self::new(problem, reason.to_string())
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::new(Problem::Mistakes, diagnostics.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Problem::Unwritable, format!("cannot write: {error}"))
    }
}

/// Threads beside the processors' own for what may block, at least: the disk, and sealing.
const BLOCKING_THREADS: usize = 8;

/// The runtime of the commands that use the network.
///
/// The allocator keeps memory for each thread, and by default there may be 512: 64 large bodies read at once made 90 to
/// 160 of them, which held 260 to 490 MiB. With eight it is 94 to 108 MiB (`reference-server/bench/cost.sh`).
///
/// # Errors
/// When the machine has no thread to give.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS.max(2 * processors))
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Problem::Machine, format!("cannot start threads: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terminal: Terminal, variables: &[(&str, &str)], palette: Palette) {
        let environment = Environment::of(variables.iter().copied());
        assert_eq!(terminal.palette(&environment), palette, "{variables:?}");
    }

    #[test]
    fn colours_are_for_terminals_and_no_color_speaks_against_them() {
        check(Terminal::Yes, &[], Palette::Ansi);
        check(Terminal::Yes, &[("TERM", "xterm")], Palette::Ansi);
        check(Terminal::Yes, &[("NO_COLOR", "")], Palette::Ansi);
        check(Terminal::Yes, &[("NO_COLOR", "1")], Palette::Plain);
        check(Terminal::Yes, &[("TERM", "dumb")], Palette::Plain);
        check(Terminal::No, &[], Palette::Plain);
    }
}
