//! One run as one page: no network, nothing beside the file, opened from a disk or an artifact.
//!
//! The conclusion comes first, then what to look at first, then each case's trials as a matrix; a
//! script of its own draws a trial's details from the data in the page. Everything that came from a
//! target is text: the markup is written by `maud`, which escapes, the data by [`data`], and the
//! page's policy lets no script run but its own.

pub mod bench;
mod data;
mod frame;
mod grid;
pub mod matrix;

use std::io::{self, Write};

use maud::{Markup, html};

use super::{priority, sign, text};
use crate::printable;
use crate::record::{CaseRecord, RunHeader};
use crate::run::{Conclusion, Run, Tally};
use crate::verdict::Verdict;

/// Longest excerpt from a record in the page's own text, in characters; the data has the rest.
const LINE: usize = 300;
/// Most groups under "look at first".
const FIRST: usize = 8;

/// Writes the page.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let mut cases: Vec<&CaseRecord> = run.cases.iter().collect();
    cases.sort_by(|a, b| {
        let place = |case: &&CaseRecord| (case.suite.clone(), case.at.line, case.id.clone());
        (place(a), &a.cells, &a.name).cmp(&(place(b), &b.cells, &b.name))
    });
    let data = data::json(&cases)?;
    let title = format!(
        "{}: {} against {}",
        run.footer.conclusion, run.header.tool.name, run.header.target.endpoint
    );
    let body = html! {
        (head(run))
        @if run.cases.is_empty() { main { p { "No trial was run." } } }
        @else {
            (first(run))
            (filters(run))
            main {
                div #grids { (grid::suites(&cases)) }
                aside #detail tabindex="-1" aria-label="Details of a trial" {
                    p .hint {
                        "Choose a cell. " kbd { "j" } " " kbd { "k" } " go from cell to cell, "
                        kbd { "f" } " shows only what did not pass, " kbd { "/" } " searches, "
                        kbd { "Esc" } " closes."
                    }
                }
            }
        }
        (foot(run))
        noscript { p { "Details, filters and keys need this page's own script." } }
        (frame::data(&data))
    };
    let page = frame::page(&printable::cut(&title, LINE), &body, frame::Script::Run);
    to.write_all(page.into_string().as_bytes())
}

fn head(run: &Run) -> Markup {
    let (header, footer) = (&run.header, &run.footer);
    let target = &header.target;
    let strict = if header.strict { ", strict" } else { "" };
    html! {
        header .(tone(run)) {
            p .where {
                "SSE-C · " b { (shown(&target.endpoint)) } " · dialect " (shown(&target.dialect))
                @if let Some(server) = &target.server { " · server " (shown(server)) }
                @if let Some(impostor) = &target.impostor { " · impostor " (shown(impostor)) }
            }
            h1 { (conclusion_sign(run)) " " (shown(&footer.conclusion)) }
            @if !run.is_complete() {
                p .warning {
                    "The record has no end line: the run was killed or is still going, and "
                    (header.selection.selected.saturating_sub(run.cases.len()))
                    " trials are missing."
                }
            } @else if footer.interrupted {
                p .warning { "The run was interrupted, trials are missing." }
            }
            p .numbers { (text::tally_line(&Tally::of(&run.cases))) }
            p .meta {
                (header.selection.selected) " of " (header.selection.total) " trials · level "
                (shown(&header.level)) (strict) " · seed " (shown(&header.seed)) " · "
                (shown(&header.started)) " · " (shown(&header.tool.name)) " "
                (shown(&header.tool.version))
            }
        }
    }
}

fn tone(run: &Run) -> &'static str {
    let is = |conclusion: Conclusion| run.footer.conclusion == conclusion.words();
    if is(Conclusion::Conformant) || is(Conclusion::WithDeviations) {
        "good"
    } else if is(Conclusion::NotConformant) {
        "bad"
    } else {
        "open"
    }
}

fn conclusion_sign(run: &Run) -> char {
    match tone(run) {
        "good" => '✓',
        "bad" => '✗',
        _ => '?',
    }
}

fn first(run: &Run) -> Markup {
    let groups = priority::groups(run);
    html! {
        @if !groups.is_empty() {
            section #first {
                h2 { "Look at first" }
                ol {
                    @for group in groups.iter().take(FIRST) {
                        li {
                            (verdict(group.verdict)) " "
                            @if let Some(case) = group.cases.first() {
                                a href=(grid::link(&case.name)) { (shown(&group.name)) }
                            }
                            span .dim {
                                " " (group.cases.len())
                                @if group.of > group.cases.len() { " of " (group.of) }
                                @if group.cases.len() == 1 && group.of == 1 { " trial" }
                                @else { " trials" }
                                @if !group.counts { ", does not count" }
                            }
                            br;
                            (shown(group.says))
                        }
                    }
                }
                @if groups.len() > FIRST {
                    p .dim { "and " (groups.len() - FIRST) " more groups, in the grids below" }
                }
            }
        }
    }
}

fn filters(run: &Run) -> Markup {
    let tally = Tally::of(&run.cases);
    html! {
        form #filters role="search" {
            div .chips role="group" aria-label="Verdicts shown" {
                @for of in Verdict::ALL {
                    @if tally.total(of) > 0 {
                        button type="button" class={ "chip v-" (of.word()) } aria-pressed="true"
                            data-verdict=(of.word()) {
                            (sign::of(of)) " " (of.word()) " " (tally.total(of))
                        }
                    }
                }
                button #broken type="button" .chip aria-pressed="false" { "not passed only " kbd { "f" } }
            }
            label { "level "
                select #level {
                    option value="" { "all" }
                    @for level in tally.levels() { option value=(level) { (shown(level)) } }
                }
            }
            input #search type="search" placeholder="name, header, answer…  /"
                aria-label="Search in trials";
            output #shown aria-live="polite" {
                (run.cases.len()) @if run.cases.len() == 1 { " trial" } @else { " trials" }
            }
        }
    }
}

fn foot(run: &Run) -> Markup {
    let (header, footer) = (&run.header, &run.footer);
    let waived: Vec<&CaseRecord> = run.cases.iter().filter(|c| !c.waivers.is_empty()).collect();
    let left = &footer.cleanup.left;
    html! {
        footer {
            p .dim { (sign::LEGEND) " · ◦ passed on a waiver" }
            @if !waived.is_empty() {
                details {
                    summary { "Waivers: accepted on the dialect's evidence (" (waived.len()) ")" }
                    ul { @for case in waived { @for waiver in &case.waivers {
                        li { a href=(grid::link(&case.name)) { (shown(&case.name)) } " " (shown(waiver)) }
                    } } }
                }
            }
            @if !left.is_empty() {
                details open {
                    summary { "Left behind (" (left.len()) "); ssec clean RUN tries again" }
                    ul { @for name in left { li { (shown(name)) } } }
                }
            }
            details {
                summary { "The run" }
                (facts(header))
                p { "Finished " (shown(&footer.finished)) ", exit code " (footer.exit) "." }
            }
        }
    }
}

fn facts(header: &RunHeader) -> Markup {
    let target = &header.target;
    let support: Vec<String> = target
        .support
        .iter()
        .map(|(name, found)| format!("{name} {found}"))
        .collect();
    let rows = [
        ("endpoint", target.endpoint.clone()),
        ("region", target.region.clone()),
        ("dialect", target.dialect.clone()),
        ("style", target.style.clone()),
        ("server", target.server.clone().unwrap_or_default()),
        ("support", support.join(", ")),
        ("filters", header.selection.filters.join(" ")),
        ("seed", header.seed.clone()),
        ("catalogue", header.tool.catalogue.clone()),
    ];
    html! {
        dl { @for (name, value) in rows { @if !value.is_empty() {
            dt { (name) } dd { (shown(&value)) }
        } } }
    }
}

/// A verdict as sign and word, coloured.
fn verdict(verdict: Verdict) -> Markup {
    html! { b class={ "v-" (verdict.word()) } { (sign::of(verdict)) " " (verdict.word()) } }
}

/// Text from a record, as safe to show as `maud` makes it safe to embed.
fn shown(text: &str) -> String {
    printable::cut(text, LINE)
}
