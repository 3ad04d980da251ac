//! The Test Anything Protocol, version 14: one line a trial, and why it did not pass.
//!
//! What does not make the run fail is `# TODO`, what the target does not offer `# SKIP`. An
//! incomplete record has no plan and ends with `Bail out!`, so no consumer takes it for a whole run.

use std::io::{self, Write};

use crate::answers;
use crate::printable;
use crate::record::CaseRecord;
use crate::run::Run;
use crate::verdict::Verdict;

/// Longest excerpt from a record, in characters.
const LINE: usize = 300;

/// Writes the stream.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "TAP version 14")?;
    if run.is_complete() {
        writeln!(to, "1..{}", run.cases.len())?;
    }
    for (number, case) in (1..).zip(&run.cases) {
        point(number, case, to)?;
    }
    if !run.is_complete() {
        return writeln!(
            to,
            "Bail out! the record has no end line, trials are missing"
        );
    }
    if run.footer.interrupted {
        writeln!(to, "# the run was interrupted, trials are missing")?;
    }
    writeln!(to, "# {}", printable::line(&run.footer.conclusion))
}

fn point(number: usize, case: &CaseRecord, to: &mut dyn Write) -> io::Result<()> {
    let name = description(&case.name);
    let why = description(case.message.as_deref().unwrap_or(&case.title));
    match case.verdict {
        Verdict::Unsupported => return writeln!(to, "ok {number} - {name} # SKIP {why}"),
        Verdict::Observed | Verdict::Pass => return writeln!(to, "ok {number} - {name}"),
        Verdict::Deviates if !case.counts => writeln!(to, "ok {number} - {name}")?,
        Verdict::Leak | Verdict::Fail | Verdict::Error | Verdict::Blocked | Verdict::Deviates => {
            let todo = if case.counts {
                ""
            } else {
                " # TODO does not count in this run"
            };
            writeln!(to, "not ok {number} - {name}{todo}")?;
        }
    }
    writeln!(to, "  ---")?;
    writeln!(to, "  verdict: {}", case.verdict.word())?;
    writeln!(to, "  level: {}", quoted(&case.level)?)?;
    writeln!(
        to,
        "  message: {}",
        quoted(case.message.as_deref().unwrap_or(&case.title))?
    )?;
    let at = format!("{}:{}:{}", case.at.file, case.at.line, case.at.column);
    writeln!(to, "  at: {}", quoted(&at)?)?;
    let broken = answers::decisive(&case.steps).into_iter();
    if let Some(check) = broken.flat_map(|step| &step.checks).find(|c| !c.ok) {
        writeln!(to, "  expected: {}", quoted(&check.expected)?)?;
        writeln!(to, "  observed: {}", quoted(&check.observed)?)?;
    }
    if let Some(repeat) = &case.repeat {
        writeln!(to, "  again: {}", quoted(&repeat.rerun)?)?;
    }
    writeln!(to, "  ...")
}

/// A description, in which `#` and `\` have a meaning.
fn description(text: &str) -> String {
    printable::cut(text, LINE)
        .replace('\\', "\\\\")
        .replace('#', "\\#")
}

/// A YAML scalar: what JSON quotes, YAML reads.
fn quoted(text: &str) -> io::Result<String> {
    serde_json::to_string(&printable::line(text)).map_err(io::Error::from)
}
