//! Markdown, for a pull request or a job's summary: the conclusion, the numbers suite by suite,
//! and the first things to look at with the exchange that decided.

pub mod bench;
mod inline;
pub mod matrix;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::palette::Palette;
use super::{priority, screen, sign, text};
use crate::printable;
use crate::record::CaseRecord;
use crate::run::{Run, Tally};
use crate::siblings::Siblings;
use crate::verdict::Verdict;
use inline::{code, fence, prose};

/// Longest excerpt from a record, in characters.
const LINE: usize = 300;
/// Most groups shown with their screen; a job's summary holds 1 MiB.
const GROUPS: usize = 10;
/// Most waivers listed.
const WAIVERS: usize = 20;

/// Writes the summary.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let (header, target) = (&run.header, &run.header.target);
    writeln!(
        to,
        "## SSE-C: {}, {}\n",
        prose(&run.footer.conclusion, LINE),
        prose(&target.endpoint, LINE)
    )?;
    if !run.is_complete() {
        writeln!(
            to,
            "**The record has no end line: the run was killed or is still going, and trials are \
             missing.**\n"
        )?;
    } else if run.footer.interrupted {
        writeln!(to, "**The run was interrupted, trials are missing.**\n")?;
    }
    writeln!(
        to,
        "**{}**\n",
        prose(&text::tally_line(&Tally::of(&run.cases)), LINE)
    )?;
    let strict = if header.strict { ", strict" } else { "" };
    let impostor = target.impostor.as_deref();
    let impostor = impostor.map_or_else(String::new, |lie| format!(" · impostor {lie}"));
    writeln!(
        to,
        "{}\n",
        prose(
            &format!(
                "{} of {} trials · dialect {}{impostor} · level {}{strict} · seed {} · {} · {} {}",
                header.selection.selected,
                header.selection.total,
                target.dialect,
                header.level,
                header.seed,
                header.started,
                header.tool.name,
                header.tool.version,
            ),
            LINE
        )
    )?;
    groups(run, to)?;
    suites(&run.cases, to)?;
    waivers(&run.cases, to)
}

fn groups(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let groups = priority::groups(run);
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(to, "### Look at first\n")?;
    let siblings = Siblings::of(&run.cases);
    for group in groups.iter().take(GROUPS) {
        let not = if group.counts { "" } else { ", does not count" };
        let plural = if group.cases.len() == 1 {
            "trial"
        } else {
            "trials"
        };
        writeln!(
            to,
            "- {} **{}** {} ({} {plural}{not}): {}\n",
            sign::of(group.verdict),
            group.verdict.word(),
            code(&group.name, LINE),
            group.cases.len(),
            prose(group.says, LINE)
        )?;
        if let Some(case) = group.cases.first() {
            evidence(case, &siblings, to)?;
        }
    }
    if groups.len() > GROUPS {
        writeln!(to, "and {} more groups\n", groups.len() - GROUPS)?;
    }
    Ok(())
}

/// The screen of one trial, folded, inside the list item above it.
fn evidence<'a>(
    case: &'a CaseRecord,
    siblings: &Siblings<'a>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut screen = Vec::new();
    screen::draw(case, siblings, Palette::Plain, &mut screen)?;
    let screen = String::from_utf8_lossy(&screen);
    let fence = fence(&screen);
    // The summary is HTML already, so its text is escaped as HTML alone.
    let name = printable::cut(&case.name, LINE)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    writeln!(to, "  <details><summary><code>{name}</code></summary>\n")?;
    writeln!(to, "  {fence}text")?;
    for line in screen.lines() {
        writeln!(to, "  {line}")?;
    }
    writeln!(to, "  {fence}\n\n  </details>\n")
}

fn suites(cases: &[CaseRecord], to: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<&CaseRecord>> = BTreeMap::new();
    for case in cases {
        suites.entry(&case.suite).or_default().push(case);
    }
    let tally = Tally::of(cases);
    let shown: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| tally.total(*verdict) > 0)
        .collect();
    if suites.is_empty() {
        return Ok(());
    }
    write!(to, "| suite |")?;
    for verdict in &shown {
        write!(to, " {} {} |", sign::of(*verdict), verdict.word())?;
    }
    writeln!(to, "\n|---|{}", "---:|".repeat(shown.len()))?;
    for (suite, cases) in suites {
        let tally = Tally::of(cases);
        write!(to, "| {} |", code(suite, LINE))?;
        for verdict in &shown {
            match tally.total(*verdict) {
                0 => write!(to, " |")?,
                number => write!(to, " {number} |")?,
            }
        }
        writeln!(to)?;
    }
    writeln!(to)
}

fn waivers(cases: &[CaseRecord], to: &mut dyn Write) -> io::Result<()> {
    let mut waivers: BTreeMap<&str, usize> = BTreeMap::new();
    for waiver in cases.iter().flat_map(|case| &case.waivers) {
        *waivers.entry(waiver).or_default() += 1;
    }
    if waivers.is_empty() {
        return Ok(());
    }
    writeln!(to, "### Accepted on the dialect's evidence\n")?;
    for (waiver, trials) in waivers.iter().take(WAIVERS) {
        writeln!(to, "- {} ({trials} trials)", prose(waiver, LINE))?;
    }
    if waivers.len() > WAIVERS {
        writeln!(to, "- and {} more", waivers.len() - WAIVERS)?;
    }
    writeln!(to)
}
