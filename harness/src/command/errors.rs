//! `ssec explain CODE` and `ssec explain --errors`: the catalogue of errors.

use std::io::Write;

use super::Failure;
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::yaml::Code;

/// Whether `name` has the form of a code: a capital letter and three digits.
#[must_use]
pub fn is_code(name: &str) -> bool {
    let (first, digits) = name.split_at_checked(1).unwrap_or(("", ""));
    first.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.len() == 3
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells what the error of that code means and what to do next.
///
/// # Errors
/// When there is no such code, or `out` cannot be written.
pub fn explain(code: &str, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let problem = Problem::ALL.iter().find(|problem| problem.code() == code);
    let mistake = Code::ALL.iter().find(|mistake| mistake.id() == code);
    let (means, remedy, exit) = match (problem, mistake) {
        (Some(problem), _) => (problem.means(), problem.remedy(), problem.exit()),
        (None, Some(mistake)) => (mistake.means(), mistake.remedy(), ExitCode::BadInput),
        (None, None) => {
            let message = format!("there is no error with the code {code}");
            let unknown = Failure::new(Problem::NothingSelected, message);
            return Err(unknown.hint("`ssec explain --errors` lists them"));
        }
    };
    writeln!(out, "{code}: {means}\n")?;
    writeln!(out, "What to do: {remedy}\n")?;
    writeln!(out, "Exit code {}: {}.", exit.number(), exit.means())?;
    Ok(ExitCode::AsExpected)
}

/// Lists every code with its meaning, those of the command first, then those of files.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(out: &mut dyn Write) -> Result<ExitCode, Failure> {
    for problem in Problem::ALL {
        writeln!(out, "{}  {}", problem.code(), problem.means())?;
    }
    for mistake in Code::ALL {
        writeln!(out, "{}  {}", mistake.id(), mistake.means())?;
    }
    Ok(ExitCode::AsExpected)
}
