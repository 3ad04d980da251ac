//! The lines of a scenario around the step that decided a trial.

use reports::answers::decisive;
use reports::record::{CaseRecord, Excerpt};
use reports::verdict::Verdict;

use crate::scenario::catalog::Catalog;

/// Most lines before the one that is lit, and behind it.
const MOST_BEFORE: u32 = 4;
/// See [`MOST_BEFORE`].
const MOST_BEHIND: u32 = 3;
/// Longest line, in characters.
const MOST_WIDTH: usize = 200;

/// What the record of a trial that did not pass shows of its scenario; a trial that is no scenario
/// has none.
pub(super) fn of(case: &CaseRecord, catalog: &Catalog) -> Option<Excerpt> {
    match case.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Error | Verdict::Blocked | Verdict::Deviates => {}
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => return None,
    }
    let at = decisive(&case.steps).map_or(&case.at, |step| &step.at);
    let text = catalog.source_of(at.file.strip_prefix("scenarios/")?)?;
    let first = at.line.saturating_sub(MOST_BEFORE).max(1);
    let skipped = usize::try_from(first - 1).ok()?;
    let most = usize::try_from(at.line + MOST_BEHIND - first + 1).ok()?;
    let line = |line: &str| line.chars().take(MOST_WIDTH).collect();
    let lines: Vec<String> = text.lines().skip(skipped).take(most).map(line).collect();
    Some(Excerpt {
        file: at.file.clone(),
        first,
        lit: at.line,
        lines,
    })
}
