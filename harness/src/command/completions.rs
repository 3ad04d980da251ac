//! `ssec completions SHELL`: what a shell sources to complete commands and flags.

use std::io::Write;

use super::Failure;
use crate::exit_code::ExitCode;

/// Writes the completions of `grammar` for one shell.
///
/// # Errors
/// When `out` cannot be written.
pub fn completions(
    shell: clap_complete::Shell,
    grammar: &mut clap::Command,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    // The generator panics where its writer fails, and a vector never does.
    let mut script = Vec::new();
    clap_complete::generate(shell, grammar, "ssec", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::AsExpected)
}
