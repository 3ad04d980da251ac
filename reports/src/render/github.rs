//! Annotations of a GitHub Actions job: `::error file=…,line=…::…`, one for each group of what
//! counts, so that a pull request shows where a requirement is written that broke.

use std::io::{self, Write};

use super::priority;
use crate::answers;
use crate::printable;
use crate::run::Run;

/// Most annotations; GitHub shows ten errors of a step.
const MOST: usize = 10;
/// Longest message, in characters.
const MESSAGE: usize = 500;

/// Writes the workflow commands.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    if !run.is_complete() {
        writeln!(
            to,
            "::error title=SSE-C::the record has no end line, trials are missing"
        )?;
    }
    let groups = priority::groups(run);
    let counting: Vec<_> = groups.iter().filter(|group| group.counts).collect();
    for group in counting.iter().take(MOST) {
        let Some(case) = group.cases.first() else {
            continue;
        };
        let more = match group.cases.len() {
            1 => String::new(),
            trials => format!(" ({trials} trials)"),
        };
        let at = answers::decisive(&case.steps).map_or(&case.at, |step| &step.at);
        writeln!(
            to,
            "::error file={},line={},title={}::{}",
            property(&at.file),
            at.line,
            property(&format!("{}: {}", group.verdict.word(), group.name)),
            data(&format!("{}: {}{more}", case.name, group.says)),
        )?;
    }
    let more = counting.len().saturating_sub(MOST);
    if more > 0 {
        writeln!(to, "::notice title=SSE-C::and {more} more groups")?;
    }
    Ok(())
}

/// A command's message: one line, and its escapes are GitHub's.
fn data(text: &str) -> String {
    printable::cut(text, MESSAGE).replace('%', "%25")
}

/// A command's property, which ends at `,` and `:` too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
