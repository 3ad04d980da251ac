//! A case's trials as a matrix: a row and a column of one colour say more than a list of names.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::shown;
use crate::printable;
use crate::record::CaseRecord;
use crate::render::{priority, sign};
use crate::verdict::Verdict;

/// All suites; the trial at `cases[n]` becomes the cell `n`.
pub(super) fn suites(cases: &[&CaseRecord]) -> Markup {
    let mut suites: BTreeMap<&str, Vec<(usize, &CaseRecord)>> = BTreeMap::new();
    for (n, case) in cases.iter().enumerate() {
        suites.entry(&case.suite).or_default().push((n, case));
    }
    html! {
        @for (suite, of_suite) in &suites {
            section .suite {
                h2 { (shown(suite)) }
                @for of_case in of_suite.chunk_by(|(_, a), (_, b)| a.id == b.id) { (one_case(of_case)) }
            }
        }
    }
}

fn one_case(trials: &[(usize, &CaseRecord)]) -> Markup {
    let Some((_, first)) = trials.first() else {
        return html! {};
    };
    let axes: Vec<&str> = first.cells.iter().map(|(axis, _)| axis.as_str()).collect();
    let regular = trials.iter().all(|(_, trial)| {
        let own = trial.cells.iter().map(|(axis, _)| axis.as_str());
        own.eq(axes.iter().copied())
    });
    let levels: BTreeSet<&str> = trials.iter().map(|(_, t)| t.level.as_str()).collect();
    let levels: Vec<&str> = levels.into_iter().collect();
    html! {
        section .case {
            h3 { (shown(&first.id)) " " span .level { (shown(&levels.join(", "))) } }
            p .title { (shown(&first.title)) }
            @if regular && axes.len() > 1 { (table(trials, column_axis(trials, axes.len()))) }
            @else {
                div .row { @for (n, trial) in trials { (cell(*n, trial, Some(&labels(trial)))) } }
            }
        }
    }
}

/// The axis whose labels are shortest taken together, for width is scarce.
fn column_axis(trials: &[(usize, &CaseRecord)], axes: usize) -> usize {
    let width = |axis: &usize| -> usize {
        let labels: BTreeSet<&str> = trials
            .iter()
            .map(|(_, trial)| trial.cells[*axis].1.as_str())
            .collect();
        labels.iter().map(|label| label.chars().count() + 2).sum()
    };
    (0..axes).min_by_key(width).unwrap_or(0)
}

fn table(trials: &[(usize, &CaseRecord)], column: usize) -> Markup {
    let head = |trial: &CaseRecord| trial.cells[column].1.clone();
    let side = |trial: &CaseRecord| -> Vec<String> {
        let others = trial.cells.iter().enumerate().filter(|(i, _)| *i != column);
        others.map(|(_, (_, label))| label.clone()).collect()
    };
    let columns: BTreeSet<String> = trials.iter().map(|(_, trial)| head(trial)).collect();
    let mut rows: BTreeMap<Vec<String>, BTreeMap<String, (usize, &CaseRecord)>> = BTreeMap::new();
    for (n, trial) in trials {
        let row = rows.entry(side(trial)).or_default();
        row.insert(head(trial), (*n, trial));
    }
    let axes: Vec<&str> = trials[0]
        .1
        .cells
        .iter()
        .map(|(axis, _)| axis.as_str())
        .collect();
    let others: Vec<&str> = axes
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != column)
        .map(|(_, axis)| *axis)
        .collect();
    html! {
        div .scroll { table .grid {
            thead { tr {
                th scope="col" .axis {
                    (shown(&others.join(", "))) " ╲ " (shown(axes[column]))
                }
                @for label in &columns { th scope="col" { (shown(label)) } }
            } }
            tbody { @for (side, of_row) in &rows { tr {
                th scope="row" { (shown(&side.join(", "))) }
                @for label in &columns { td {
                    @if let Some((n, trial)) = of_row.get(label) { (cell(*n, trial, None)) }
                } }
            } } }
        } }
    }
}

/// One trial: its sign, and its labels where no row and column tell them.
fn cell(n: usize, trial: &CaseRecord, label: Option<&str>) -> Markup {
    let sign = if trial.verdict == Verdict::Pass && !trial.waivers.is_empty() {
        '◦'
    } else {
        sign::of(trial.verdict)
    };
    let word = if priority::is_downgrade(trial) {
        "silent downgrade"
    } else {
        trial.verdict.word()
    };
    let flaky = if trial.is_flaky() { ", flaky" } else { "" };
    let word = format!("{word}{flaky}");
    let says = if trial.cells.is_empty() {
        word
    } else {
        format!("{} {word}", labels(trial))
    };
    html! {
        a class={ "cell v-" (trial.verdict.word()) } href=(link(&trial.name)) data-n=(n)
            title=(shown(&says)) aria-label=(shown(&says)) {
            (sign)
            @if let Some(label) = label { " " span .label { (shown(label)) } }
        }
    }
}

/// The labels of a trial's cell; a case without a matrix has none, so its verdict stands for it.
fn labels(trial: &CaseRecord) -> String {
    if trial.cells.is_empty() {
        return trial.verdict.word().to_owned();
    }
    let labels: Vec<&str> = trial
        .cells
        .iter()
        .map(|(_, label)| label.as_str())
        .collect();
    labels.join(", ")
}

/// The link that opens a trial: readable, and nothing in it but what a fragment may hold.
pub(super) fn link(name: &str) -> String {
    let mut link = String::from("#");
    for byte in printable::line(name).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => link.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b':' | b'=' | b',' | b'[' | b']' => {
                link.push(char::from(byte));
            }
            _ => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}
