//! A comparison for people: what is worse first, then what changed, then what is better, and on
//! the last lines what else is not the same and the numbers.

use std::io::{self, Write};

use super::sign;
use crate::answers;
use crate::compare::{Change, Comparison, Difference};
use crate::printable;
use crate::record::CaseRecord;
use crate::run::Run;

/// Longest excerpt from a record, in characters.
const LINE: usize = 160;
/// Most trials listed under one change that is not for the worse.
const LISTED: usize = 40;

/// Writes the comparison.
///
/// # Errors
///
/// What the writer answers.
pub fn render(comparison: &Comparison<'_>, to: &mut dyn Write) -> io::Result<()> {
    for change in Change::ALL {
        let of: Vec<&Difference<'_>> = comparison
            .differences
            .iter()
            .filter(|difference| difference.change == change)
            .collect();
        list(change, &of, to)?;
    }
    for (which, run) in [("before", comparison.before), ("after", comparison.after)] {
        if !run.is_complete() {
            writeln!(
                to,
                "the run {which} is incomplete: its record has no end line, so trials are missing"
            )?;
        }
    }
    circumstances(comparison, to)?;
    let mut numbers: Vec<String> = Change::ALL
        .iter()
        .map(|change| format!("{} {}", comparison.count(*change), change.word()))
        .collect();
    numbers.push(format!("{} the same", comparison.same));
    writeln!(to, "{}", numbers.join(" · "))?;
    writeln!(
        to,
        "{} → {}",
        conclusion(comparison.before),
        conclusion(comparison.after)
    )
}

fn conclusion(run: &Run) -> String {
    format!(
        "{} ({})",
        printable::line(&run.footer.conclusion),
        printable::line(&run.header.started)
    )
}

fn list(change: Change, of: &[&Difference<'_>], to: &mut dyn Write) -> io::Result<()> {
    if of.is_empty() {
        return Ok(());
    }
    writeln!(to, "{} ({})", change.word(), of.len())?;
    let listed = match change {
        Change::Regressed | Change::Vanished => of.len(),
        Change::Changed | Change::Improved | Change::New => LISTED,
    };
    for difference in of.iter().take(listed) {
        one(difference, to)?;
    }
    let more = of.len().saturating_sub(listed);
    if more > 0 {
        writeln!(to, "  and {more} more")?;
    }
    writeln!(to)
}

fn one(difference: &Difference<'_>, to: &mut dyn Write) -> io::Result<()> {
    let Some(case) = difference.case() else {
        return Ok(());
    };
    write!(to, "  {}", printable::line(&case.name))?;
    match (difference.before, difference.after) {
        (Some(before), Some(after)) => write!(to, "  {} → {}", stood(before), stood(after))?,
        (Some(only), None) | (None, Some(only)) => write!(to, "  {}", stood(only))?,
        (None, None) => {}
    }
    if difference.case_changed() {
        write!(to, "  (the case changed)")?;
    }
    writeln!(to)?;
    match (difference.change, &case.message) {
        (Change::Regressed | Change::Changed, Some(message)) => {
            writeln!(to, "      {}", printable::cut(message, LINE))
        }
        (_, _) => Ok(()),
    }
}

fn stood(case: &CaseRecord) -> String {
    let mut shown = format!("{} {}", sign::of(case.verdict), case.verdict.word());
    if let Some(reason) = &case.reason {
        shown.push_str(&format!(" ({})", printable::cut(reason, LINE)));
    }
    let answers = answers::of(case).join(", ");
    if !answers.is_empty() {
        shown.push_str(&format!(" [{}]", printable::cut(&answers, LINE)));
    }
    shown
}

fn circumstances(comparison: &Comparison<'_>, to: &mut dyn Write) -> io::Result<()> {
    for circumstance in &comparison.circumstances {
        writeln!(
            to,
            "{:16} {} → {}",
            circumstance.what,
            printable::cut(&circumstance.before, LINE),
            printable::cut(&circumstance.after, LINE)
        )?;
    }
    let changed = comparison.differences.iter().filter(|d| d.case_changed());
    let changed = changed.count();
    if changed > 0 {
        writeln!(
            to,
            "{changed} of these trials ask something else than before: compare runs of one \
             catalogue to judge the target"
        )?;
    }
    Ok(())
}
