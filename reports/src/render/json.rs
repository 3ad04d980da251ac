//! The summary of a run as one line of JSON, for scripts: the numbers, the conclusion, and every
//! trial that was not as it should be. `schema/summary.schema.json` says the same.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::printable;
use crate::record::{CaseRecord, FORMAT};
use crate::run::{Run, Tally};
use crate::verdict::Verdict;

/// Longest message, in characters.
const MESSAGE: usize = 500;

#[derive(Serialize)]
struct Summary {
    format: u32,
    conclusion: String,
    /// Of the process that ran; 3 for a record without its end.
    exit: u8,
    complete: bool,
    interrupted: bool,
    target: Target,
    seed: String,
    level: String,
    strict: bool,
    selected: usize,
    total: usize,
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Worst first.
    trials: Vec<Trial>,
    left: Vec<String>,
}

#[derive(Serialize)]
struct Target {
    endpoint: String,
    dialect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impostor: Option<String>,
}

/// A trial that leaked, failed, deviated, or was not judged.
#[derive(Serialize)]
struct Trial {
    name: String,
    verdict: Verdict,
    counts: bool,
    level: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The verdict of each try, where there was more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tries: Vec<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun: Option<String>,
}

/// Writes the summary and ends its line.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let (header, footer) = (&run.header, &run.footer);
    let mut cases: Vec<&CaseRecord> = run.cases.iter().filter(|case| is_told(case)).collect();
    cases.sort_by_key(|case| (!case.counts, case.verdict));
    let summary = Summary {
        format: FORMAT,
        conclusion: printable::line(&footer.conclusion),
        exit: footer.exit,
        complete: run.is_complete(),
        interrupted: footer.interrupted,
        target: Target {
            endpoint: printable::line(&header.target.endpoint),
            dialect: printable::line(&header.target.dialect),
            server: header.target.server.as_deref().map(printable::line),
            impostor: header.target.impostor.as_deref().map(printable::line),
        },
        seed: printable::line(&header.seed),
        level: printable::line(&header.level),
        strict: header.strict,
        selected: header.selection.selected,
        total: header.selection.total,
        counts: Tally::of(&run.cases).to_counts(),
        trials: cases.into_iter().map(trial).collect(),
        left: footer
            .cleanup
            .left
            .iter()
            .map(|name| printable::line(name))
            .collect(),
    };
    serde_json::to_writer(&mut *to, &summary).map_err(io::Error::from)?;
    writeln!(to)
}

const fn is_told(case: &CaseRecord) -> bool {
    match case.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Error | Verdict::Blocked | Verdict::Deviates => {
            true
        }
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => false,
    }
}

fn trial(case: &CaseRecord) -> Trial {
    Trial {
        name: printable::line(&case.name),
        verdict: case.verdict,
        counts: case.counts,
        level: printable::line(&case.level),
        at: printable::line(&format!(
            "{}:{}:{}",
            case.at.file, case.at.line, case.at.column
        )),
        reason: case.reason.as_deref().map(printable::line),
        message: case
            .message
            .as_deref()
            .map(|text| printable::cut(text, MESSAGE)),
        tries: case.tries.iter().map(|one| one.verdict).collect(),
        rerun: case
            .repeat
            .as_ref()
            .map(|repeat| printable::line(&repeat.rerun)),
    }
}
