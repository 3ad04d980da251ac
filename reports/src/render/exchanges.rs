//! A trial as it ends, for those who watch: its steps with their answers, or whole exchanges.

use std::io::{self, Write};

use super::palette::Palette;
use super::screen;
use crate::printable;
use crate::record::CaseRecord;

/// How much of a trial is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Each step and what was answered.
    Answers,
    /// The redacted messages of each step as well, as far as the record has them.
    Messages,
}

/// Writes one trial: a line with its verdict, and its steps below.
///
/// # Errors
///
/// What the writer answers.
pub fn render(
    case: &CaseRecord,
    depth: Depth,
    palette: Palette,
    to: &mut dyn Write,
) -> io::Result<()> {
    let verdict = palette.verdict(case.verdict, &format!("{:11}", case.verdict.word()));
    let name = printable::line(&case.name);
    writeln!(to, "{verdict} {name} ({} ms)", case.ms)?;
    for (number, one) in (1..).zip(&case.tries) {
        writeln!(to, "      try {number}: {}", screen::try_words(one))?;
    }
    for step in &case.steps {
        let phase = match step.phase.as_str() {
            "steps" => "step",
            other => other,
        };
        let (phase, operation) = (printable::line(phase), printable::line(&step.operation));
        let answer = step.answer.as_deref().unwrap_or("no answer");
        let answer = printable::line(answer);
        writeln!(
            to,
            "      {phase} {}: {operation}, answered {answer}",
            step.number
        )?;
        if let (Depth::Messages, Some(exchange)) = (depth, &step.exchange) {
            screen::draw_exchange(exchange, screen::Headers::All, palette, to)?;
        }
    }
    Ok(())
}
