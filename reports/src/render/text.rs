//! The summary for people: what broke first, then what could not be judged, then what was
//! excused, and on the last lines the numbers and the conclusion.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::palette::Palette;
use super::screen;
use crate::printable;
use crate::record::{CaseRecord, RunFooter, RunHeader};
use crate::run::{Run, SILENT_DOWNGRADE, Tally};
use crate::siblings::Siblings;
use crate::verdict::Verdict;

/// Most trials drawn on a screen of their own; further ones are named.
const SCREENS: usize = 20;
/// Most names in a list that stands for many trials.
const NAMES: usize = 3;
/// Longest excerpt from a record on a summary line, in characters.
const LINE: usize = 200;

/// Writes the summary.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    paint(run, Palette::Plain, to)
}

/// Writes the summary for a terminal.
///
/// # Errors
///
/// What the writer answers.
pub fn paint(run: &Run, palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let mut cases: Vec<&CaseRecord> = run.cases.iter().collect();
    cases.sort_by_key(|case| (!case.counts, case.verdict));
    let siblings = Siblings::of(&run.cases);
    broken(&cases, &siblings, palette, to)?;
    not_judged(&cases, &siblings, palette, to)?;
    excused(&cases, palette, to)?;
    flaky(&cases, palette, to)?;
    left_behind(&run.footer, to)?;
    writeln!(to, "{}", tally_line(&Tally::of(&run.cases)))?;
    conclude(run, palette, to)
}

/// Writes the last line of the summary alone.
///
/// # Errors
///
/// What the writer answers.
pub fn conclude(run: &Run, palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let line = conclusion_line(&run.header, &run.footer);
    let worst = run.cases.iter().filter(|case| case.counts);
    let worst = worst.map(|case| case.verdict).min();
    let verdict = match worst {
        _ if !run.is_complete() => Verdict::Error,
        // Nothing was judged.
        None | Some(Verdict::Unsupported | Verdict::Observed) => Verdict::Observed,
        Some(worst) => worst,
    };
    writeln!(to, "{}", palette.verdict(verdict, &line))
}

/// Leaks, failures, and deviations that count.
fn broken<'a>(
    cases: &[&'a CaseRecord],
    siblings: &Siblings<'a>,
    palette: Palette,
    to: &mut dyn Write,
) -> io::Result<()> {
    let is_broken = |case: &&&CaseRecord| match case.verdict {
        Verdict::Leak | Verdict::Fail => true,
        Verdict::Deviates => case.counts,
        Verdict::Error
        | Verdict::Blocked
        | Verdict::Unsupported
        | Verdict::Observed
        | Verdict::Pass => false,
    };
    let is_broken = |case: &&&CaseRecord| is_broken(case) && !case.stands("known");
    let downgraded = |case: &&CaseRecord| case.reason.as_deref() == Some(SILENT_DOWNGRADE);
    let (folded, mut own): (Vec<&CaseRecord>, Vec<&CaseRecord>) = cases
        .iter()
        .filter(is_broken)
        .copied()
        .partition(downgraded);
    // Worst first: leaks, then the one that stands for all silent downgrades, then the rest.
    let leaks = own.iter().filter(|case| case.verdict == Verdict::Leak);
    let example = leaks.count();
    own.splice(example..example, plainest(&folded));
    for (index, case) in own.iter().take(SCREENS).enumerate() {
        if index == example && folded.len() > 1 {
            fold(&folded, palette, to)?;
        }
        screen::draw(case, siblings, palette, to)?;
        writeln!(to)?;
    }
    if own.len() > SCREENS {
        let more = own.len() - SCREENS;
        writeln!(to, "and {more} more that broke a requirement:")?;
        for case in own.iter().skip(SCREENS) {
            one_line(case, palette, to)?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// The trial that shows a silent downgrade in the fewest steps.
fn plainest<'a>(folded: &[&'a CaseRecord]) -> Option<&'a CaseRecord> {
    folded.iter().copied().min_by_key(|case| case.steps.len())
}

/// One line for all silent downgrades, and the first of their names.
fn fold(folded: &[&CaseRecord], palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "{} silent downgrade in {} trials: SSE-C writes were accepted, and what they stored was \
         served without the key",
        palette.verdict(Verdict::Fail, "FAIL "),
        folded.len()
    )?;
    writeln!(to, "      {}; one of them:\n", names(folded))
}

/// Errors and blocked trials, one screen for all that say the same.
fn not_judged<'a>(
    cases: &[&'a CaseRecord],
    siblings: &Siblings<'a>,
    palette: Palette,
    to: &mut dyn Write,
) -> io::Result<()> {
    for verdict in [Verdict::Error, Verdict::Blocked] {
        for same in by_message(cases, verdict).values() {
            let Some((first, others)) = same.split_first() else {
                continue;
            };
            screen::draw(first, siblings, palette, to)?;
            if !others.is_empty() {
                writeln!(
                    to,
                    "      and {} more alike: {}",
                    others.len(),
                    names(others)
                )?;
            }
            writeln!(to)?;
        }
    }
    Ok(())
}

/// Deviations that do not count, what the target does not offer, and waivers.
fn excused(cases: &[&CaseRecord], palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let deviates = |case: &&&CaseRecord| {
        case.verdict == Verdict::Deviates && !case.counts && !case.stands("known")
    };
    let deviations: Vec<&&CaseRecord> = cases.iter().filter(deviates).collect();
    if !deviations.is_empty() {
        writeln!(
            to,
            "deviations ({}), the class kept with another answer:",
            deviations.len()
        )?;
        for case in deviations {
            one_line(case, palette, to)?;
        }
        writeln!(to)?;
    }
    let known: Vec<&&CaseRecord> = cases.iter().filter(|case| case.stands("known")).collect();
    if !known.is_empty() {
        writeln!(to, "known ({}), listed in the baseline:", known.len())?;
        for case in known {
            let known = case.known.as_ref();
            let issue = known.map_or("", |known| known.issue.as_str());
            let until = known.map_or("", |known| known.until.as_str());
            one_line(case, palette, to)?;
            let (until, issue) = (printable::line(until), printable::cut(issue, LINE));
            writeln!(to, "           until {until}: {issue}")?;
        }
        writeln!(to)?;
    }
    let unsupported = by_message(cases, Verdict::Unsupported);
    if !unsupported.is_empty() {
        writeln!(to, "unsupported by the target:")?;
        for (message, same) in &unsupported {
            let why = printable::cut(message.unwrap_or("no reason given"), LINE);
            writeln!(to, "  {why}: {}", names(same))?;
        }
        writeln!(to)?;
    }
    let mut waivers: BTreeMap<&str, Vec<&CaseRecord>> = BTreeMap::new();
    for &case in cases {
        for waiver in &case.waivers {
            waivers.entry(waiver).or_default().push(case);
        }
    }
    if !waivers.is_empty() {
        writeln!(
            to,
            "waivers ({}), accepted on the dialect's evidence:",
            waivers.len()
        )?;
        for (waiver, same) in &waivers {
            writeln!(to, "  {}: {}", printable::cut(waiver, LINE), names(same))?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Trials of which another try came to another verdict, each with all of them.
fn flaky(cases: &[&CaseRecord], palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let flaky: Vec<&&CaseRecord> = cases.iter().filter(|case| case.is_flaky()).collect();
    if flaky.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "flaky ({}), another try came to another verdict:",
        flaky.len()
    )?;
    for case in flaky {
        let words = case.tries.iter().map(|one| {
            let word = one.verdict.word();
            palette.verdict(one.verdict, word)
        });
        let words: Vec<String> = words.collect();
        let excused = if case.counts { "" } else { ", does not count" };
        let name = printable::line(&case.name);
        writeln!(to, "  {name}: {}{excused}", words.join(", then "))?;
    }
    writeln!(to)
}

fn left_behind(footer: &RunFooter, to: &mut dyn Write) -> io::Result<()> {
    if footer.cleanup.left.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "left behind ({}), `ssec clean RUN` tries again:",
        footer.cleanup.left.len()
    )?;
    for name in footer.cleanup.left.iter().take(SCREENS) {
        writeln!(to, "  {}", printable::cut(name, LINE))?;
    }
    let more = footer.cleanup.left.len().saturating_sub(SCREENS);
    if more > 0 {
        writeln!(to, "  and {more} more")?;
    }
    writeln!(to)
}

/// `must 38/41 · 1 fail · 2 unsupported · should 9/12 · 3 deviates · 4 observed`: passed over
/// judged or judgeable, then what the rest of that level was. Never a percentage.
pub(super) fn tally_line(tally: &Tally) -> String {
    let mut parts = Vec::new();
    for level in tally.levels() {
        let all: u64 = Verdict::ALL.iter().map(|v| tally.count(level, *v)).sum();
        let judgeable = all - tally.count(level, Verdict::Observed);
        if judgeable == 0 {
            continue;
        }
        let passed = tally.count(level, Verdict::Pass);
        parts.push(format!("{} {passed}/{judgeable}", printable::line(level)));
        for verdict in Verdict::ALL {
            let number = tally.count(level, verdict);
            if number > 0 && !matches!(verdict, Verdict::Observed | Verdict::Pass) {
                parts.push(format!("{number} {}", verdict.word()));
            }
        }
    }
    let observed = tally.total(Verdict::Observed);
    if observed > 0 {
        parts.push(format!("{observed} observed"));
    }
    if parts.is_empty() {
        parts.push("no trial was run".to_owned());
    }
    parts.join(" · ")
}

fn conclusion_line(header: &RunHeader, footer: &RunFooter) -> String {
    let target = &header.target;
    let interrupted = if footer.interrupted {
        " (interrupted)"
    } else {
        ""
    };
    let mut line = format!(
        "{}{interrupted}: {}, dialect {}",
        printable::line(&footer.conclusion),
        printable::line(&target.endpoint),
        printable::line(&target.dialect),
    );
    if let Some(impostor) = &target.impostor {
        line.push_str(&format!(", impostor {}", printable::line(impostor)));
    }
    let strict = if header.strict { " and strict" } else { "" };
    let (selected, total) = (header.selection.selected, header.selection.total);
    line.push_str(&format!(
        " · {selected} of {total} trials · level {}{strict} · seed {}",
        printable::line(&header.level),
        printable::line(&header.seed)
    ));
    line
}

fn one_line(case: &CaseRecord, palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let message = case.message.as_deref().unwrap_or(&case.title);
    let verdict = palette.verdict(case.verdict, &format!("{:8}", case.verdict.word()));
    let name = printable::line(&case.name);
    writeln!(to, "  {verdict} {name}: {}", printable::cut(message, LINE))
}

/// Trials of one verdict, those with the same message together, in a stable order.
fn by_message<'a>(
    cases: &[&'a CaseRecord],
    verdict: Verdict,
) -> BTreeMap<Option<&'a str>, Vec<&'a CaseRecord>> {
    let mut groups: BTreeMap<Option<&str>, Vec<&CaseRecord>> = BTreeMap::new();
    for &case in cases.iter().filter(|case| case.verdict == verdict) {
        let key = case.message.as_deref().or(case.reason.as_deref());
        groups.entry(key).or_default().push(case);
    }
    groups
}

/// The first names, and how many there are beside them.
fn names(cases: &[&CaseRecord]) -> String {
    let first: Vec<String> = cases
        .iter()
        .take(NAMES)
        .map(|case| printable::line(&case.name))
        .collect();
    let more = cases.len().saturating_sub(NAMES);
    if more == 0 {
        first.join(", ")
    } else {
        format!("{} and {more} more", first.join(", "))
    }
}
