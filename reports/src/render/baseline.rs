//! A baseline that lists what broke in a run, to be completed by hand: each entry wants an issue
//! and a date.

use std::io::{self, Write};

use crate::printable;
use crate::record::CaseRecord;
use crate::run::Run;
use crate::signature::signature;
use crate::verdict::Verdict;

/// Writes the file. Leaks are named in a comment: they cannot be listed.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "baseline: {}", quoted(&run.header.target.endpoint))?;
    let broken = |case: &&CaseRecord| case.counts || case.known.is_some();
    let broken: Vec<&CaseRecord> = run.cases.iter().filter(broken).collect();
    let leaks = broken.iter().filter(|case| case.verdict == Verdict::Leak);
    for leak in leaks {
        let name = printable::line(&leak.name);
        writeln!(to, "# a leak cannot be listed: {name}")?;
    }
    let listed = broken.iter().filter_map(|case| {
        let signature = signature(case)?;
        (case.verdict != Verdict::Leak).then_some((case, signature))
    });
    let listed: Vec<_> = listed.collect();
    if listed.is_empty() {
        return writeln!(to, "known: []");
    }
    writeln!(to, "known:")?;
    for (case, signature) in listed {
        let known = case.known.as_ref();
        let issue = known.map_or("", |known| known.issue.as_str());
        let until = known.map_or("", |known| known.until.as_str());
        writeln!(to, "  - trial: {}", quoted(&case.name))?;
        writeln!(to, "    verdict: {}", case.verdict.word())?;
        writeln!(to, "    signature: {}", quoted(&signature))?;
        writeln!(to, "    issue: {}", quoted(issue))?;
        writeln!(to, "    until: {}", quoted(until))?;
    }
    Ok(())
}

/// In double quotes, on one line.
fn quoted(text: &str) -> String {
    let text = printable::line(text);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
