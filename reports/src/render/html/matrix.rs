//! A matrix of several runs as a page: tables alone, no script.

use std::io::{self, Write};

use maud::{Markup, html};

use super::{frame, shown, verdict};
use crate::matrix::{Agreement, Cell, Column, Matrix, Row};
use crate::render::markdown::matrix::day;
use crate::render::{sign, text};
use crate::run::Tally;
use crate::verdict::Verdict;

/// Most answers listed in a cell of the outcomes' table.
const ANSWERS: usize = 6;

/// Writes the page.
///
/// # Errors
///
/// What the writer answers.
pub fn render(matrix: &Matrix<'_>, to: &mut dyn Write) -> io::Result<()> {
    let of = |agreement: Agreement| -> Vec<&Row> {
        let rows = matrix.rows.iter();
        rows.filter(|row| row.agreement() == agreement).collect()
    };
    let body = html! {
        header .open {
            p .where { "SSE-C" }
            h1 { "Target by target" }
            (runs(&matrix.columns))
        }
        main .wide {
            (section("Where targets disagree", &of(Agreement::VerdictsDiffer), matrix, Fold::Open))
            (section("Same verdict, other answer", &of(Agreement::AnswersDiffer), matrix, Fold::Closed))
            (outcomes(matrix))
            (section("Where targets agree", &of(Agreement::Agree), matrix, Fold::Closed))
        }
        footer { p .dim { (sign::LEGEND) } }
    };
    let page = frame::page("SSE-C, target by target", &body, frame::Script::None);
    to.write_all(page.into_string().as_bytes())
}

fn runs(columns: &[Column<'_>]) -> Markup {
    html! {
        div .scroll { table .runs {
            thead { tr {
                th { "target" } th { "conclusion" } th { "trials" } th { "dialect" }
                th { "server" } th { "run" } th { "tool" }
            } }
            tbody { @for Column { name, run } in columns { tr {
                th scope="row" { (shown(name)) }
                td {
                    (shown(&run.footer.conclusion))
                    @if !run.is_complete() { ": the record has no end line, trials are missing" }
                }
                td { (text::tally_line(&Tally::of(&run.cases))) }
                td { (shown(&run.header.target.dialect)) }
                td { (shown(run.header.target.server.as_deref().unwrap_or("not named"))) }
                td {
                    (shown(day(&run.header.started))) ", level " (shown(&run.header.level))
                    @if run.header.strict { ", strict" }
                }
                td { (shown(&run.header.tool.name)) " " (shown(&run.header.tool.version)) }
            } } }
        } }
    }
}

/// Whether a section is open at first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Open,
    Closed,
}

fn section(title: &str, rows: &[&Row], matrix: &Matrix<'_>, fold: Fold) -> Markup {
    let trials: usize = rows.iter().map(|row| row.trials.len()).sum();
    html! {
        @if !rows.is_empty() {
            details open[fold == Fold::Open] {
                summary { h2 { (title) " " span .dim { (trials) " trials" } } }
                div .scroll { table .side {
                    (columns("case", matrix))
                    tbody { @for row in rows { tr {
                        th scope="row" title=(shown(&says(row))) {
                            (name(row)) " " span .level { (shown(&row.level)) }
                        }
                        @for of in &row.cells { (cell(of)) }
                    } } }
                } }
            }
        }
    }
}

fn columns(first: &str, matrix: &Matrix<'_>) -> Markup {
    html! { thead { tr {
        th scope="col" { (first) }
        @for Column { name, run } in &matrix.columns {
            th scope="col" { (shown(name)) br; span .dim { (shown(day(&run.header.started))) } }
        }
    } } }
}

fn name(row: &Row) -> String {
    match row.trials.as_slice() {
        [only] => shown(only),
        trials => format!("{} ({} trials)", shown(&row.case), trials.len()),
    }
}

/// What a row stands for: the case's title, and which trials.
fn says(row: &Row) -> String {
    format!("{}: {}", row.title, row.trials.join(" "))
}

fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Absent => html! { td .dim { "not run" } },
        Cell::CaseChanged => html! { td .dim { "case changed" } },
        Cell::Judged {
            verdict: of,
            downgrade,
            answers,
        } => html! {
            td {
                @if *downgrade { b class={ "v-" (Verdict::Fail.word()) } { (sign::of(*of)) " silent downgrade" } }
                @else { (verdict(*of)) }
                @for (i, answer) in answers.iter().enumerate() {
                    @if i > 0 { "," } " " code { (shown(answer)) }
                }
            }
        },
    }
}

fn outcomes(matrix: &Matrix<'_>) -> Markup {
    html! {
        @if !matrix.outcomes.is_empty() {
            details open {
                summary { h2 { "What they answered, outcome by outcome" } }
                p .dim { "≠ stands before an answer that broke an expectation." }
                div .scroll { table .side {
                    (columns("outcome", matrix))
                    tbody { @for row in &matrix.outcomes { tr {
                        th scope="row" { (shown(&row.outcome)) }
                        @for of in &row.cells { td {
                            @for seen in of.iter().take(ANSWERS) {
                                div {
                                    @if seen.broken { b .v-deviates { "≠ " } }
                                    code { (shown(&seen.answer)) } " "
                                    span .dim {
                                        (seen.trials) " × "
                                        (shown(&seen.operations.iter().map(String::as_str)
                                            .collect::<Vec<_>>().join(", ")))
                                    }
                                }
                            }
                            @if of.len() > ANSWERS { div .dim { "and " (of.len() - ANSWERS) " more" } }
                        } }
                    } } }
                } }
            }
        }
    }
}
