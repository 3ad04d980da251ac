//! One line for a README: the JSON of a shields.io endpoint badge.

use std::io::{self, Write};

use serde::Serialize;

use crate::printable;
use crate::run::{Conclusion, Run, Tally};
use crate::verdict::Verdict;

/// Longest message, in characters.
const MESSAGE: usize = 120;

/// <https://shields.io/badges/endpoint-badge>.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge {
    schema_version: u8,
    label: &'static str,
    message: String,
    color: &'static str,
}

/// Writes the badge.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let badge = Badge {
        schema_version: 1,
        label: "SSE-C",
        message: printable::cut(&message(run), MESSAGE),
        color: color(run),
    };
    serde_json::to_writer(&mut *to, &badge).map_err(io::Error::from)?;
    writeln!(to)
}

fn message(run: &Run) -> String {
    let tally = Tally::of(&run.cases);
    let judgeable: u64 = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::Observed)
        .map(|verdict| tally.count("must", verdict))
        .sum();
    let passed = tally.count("must", Verdict::Pass);
    let mut parts = Vec::new();
    if !run.is_complete() {
        parts.push(run.footer.conclusion.clone());
    }
    parts.push(format!("{passed}/{judgeable} must"));
    for verdict in [
        Verdict::Leak,
        Verdict::Fail,
        Verdict::Error,
        Verdict::Blocked,
        Verdict::Deviates,
        Verdict::Unsupported,
    ] {
        let number = tally.total(verdict);
        if number > 0 {
            parts.push(format!("{number} {}", verdict.word()));
        }
    }
    let day = run.header.started.split('T').next();
    parts.extend(day.map(str::to_owned));
    parts.join(" · ")
}

/// Never green where something was not judged.
fn color(run: &Run) -> &'static str {
    let is = |conclusion: Conclusion| run.footer.conclusion == conclusion.words();
    let tally = Tally::of(&run.cases);
    let gaps = tally.total(Verdict::Error) + tally.total(Verdict::Blocked);
    if is(Conclusion::NotConformant) {
        "red"
    } else if gaps > 0 || run.footer.interrupted {
        "lightgrey"
    } else if is(Conclusion::Conformant) {
        "brightgreen"
    } else if is(Conclusion::WithDeviations) {
        "green"
    } else {
        "lightgrey"
    }
}
