//! A matrix as Markdown tables: where the targets disagree, what they answered outcome by outcome,
//! then what they agree on.

use std::io::{self, Write};

use super::inline::{code, prose};
use crate::matrix::{Agreement, Cell, Column, Matrix, Observed, OutcomeRow, Row};
use crate::render::{sign, text};
use crate::run::Tally;

/// Longest excerpt from a record in a cell, in characters.
const CELL: usize = 120;
/// Most answers listed in a cell of the outcomes' table.
const ANSWERS: usize = 5;

/// Writes the matrix.
///
/// # Errors
///
/// What the writer answers.
pub fn render(matrix: &Matrix<'_>, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "# SSE-C, target by target\n")?;
    columns(&matrix.columns, to)?;
    let of = |agreement: Agreement| -> Vec<&Row> {
        let rows = matrix.rows.iter();
        rows.filter(|row| row.agreement() == agreement).collect()
    };
    section(
        "Where targets disagree",
        &of(Agreement::VerdictsDiffer),
        matrix,
        to,
    )?;
    section(
        "Same verdict, other answer",
        &of(Agreement::AnswersDiffer),
        matrix,
        to,
    )?;
    outcomes(matrix, to)?;
    section("Where targets agree", &of(Agreement::Agree), matrix, to)?;
    writeln!(to, "{}", sign::LEGEND)
}

fn columns(columns: &[Column<'_>], to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "| target | conclusion | trials | dialect | server | run | tool |\n|---|---|---|---|---|---|---|"
    )?;
    for column in columns {
        let (header, footer) = (&column.run.header, &column.run.footer);
        let strict = if header.strict { ", strict" } else { "" };
        writeln!(
            to,
            "| **{}** | {} | {} | {} | {} | {}, level {}{strict} | {} |",
            prose(column.name, CELL),
            prose(&footer.conclusion, CELL),
            prose(&text::tally_line(&Tally::of(&column.run.cases)), CELL),
            prose(&header.target.dialect, CELL),
            code(header.target.server.as_deref().unwrap_or("not named"), CELL),
            prose(day(&header.started), CELL),
            prose(&header.level, CELL),
            prose(
                &format!("{} {}", header.tool.name, header.tool.version),
                CELL
            ),
        )?;
    }
    for column in columns.iter().filter(|column| !column.run.is_complete()) {
        writeln!(
            to,
            "\n**{} is incomplete**: its record has no end line, so trials are missing.",
            prose(column.name, CELL)
        )?;
    }
    writeln!(to)
}

fn section(title: &str, rows: &[&Row], matrix: &Matrix<'_>, to: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let trials: usize = rows.iter().map(|row| row.trials.len()).sum();
    let plural = if trials == 1 { "trial" } else { "trials" };
    writeln!(to, "## {title} ({trials} {plural})\n")?;
    head("case | level", matrix, to)?;
    for row in rows {
        write!(to, "| {} | {} |", row_name(row), prose(&row.level, CELL))?;
        for cell in &row.cells {
            write!(to, " {} |", cell_text(cell))?;
        }
        writeln!(to)?;
    }
    writeln!(to)
}

fn head(first: &str, matrix: &Matrix<'_>, to: &mut dyn Write) -> io::Result<()> {
    write!(to, "| {first} |")?;
    for column in &matrix.columns {
        let date = day(&column.run.header.started);
        write!(
            to,
            " {}<br>{} |",
            prose(column.name, CELL),
            prose(date, CELL)
        )?;
    }
    writeln!(to)?;
    write!(to, "|{}", "---|".repeat(first.matches('|').count() + 1))?;
    writeln!(to, "{}", "---|".repeat(matrix.columns.len()))
}

fn row_name(row: &Row) -> String {
    match row.trials.as_slice() {
        [only] => code(only, CELL),
        trials => format!("{} ({} trials)", code(&row.case, CELL), trials.len()),
    }
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Absent => "not run".to_owned(),
        Cell::CaseChanged => "case changed".to_owned(),
        Cell::Judged {
            verdict,
            downgrade,
            answers,
        } => {
            let word = if *downgrade {
                "silent downgrade"
            } else {
                verdict.word()
            };
            let answers: Vec<String> = answers.iter().map(|a| code(a, CELL)).collect();
            format!("{} {word} {}", sign::of(*verdict), answers.join(", "))
                .trim_end()
                .to_owned()
        }
    }
}

fn outcomes(matrix: &Matrix<'_>, to: &mut dyn Write) -> io::Result<()> {
    if matrix.outcomes.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "## What they answered, outcome by outcome\n\n\
         The answers that were observed, in all trials. ≠ stands before an answer that broke an \
         expectation.\n"
    )?;
    head("outcome", matrix, to)?;
    for OutcomeRow { outcome, cells } in &matrix.outcomes {
        write!(to, "| {} |", code(outcome, CELL))?;
        for cell in cells {
            let shown: Vec<String> = cell.iter().take(ANSWERS).map(observed).collect();
            let more = match cell.len().saturating_sub(ANSWERS) {
                0 => String::new(),
                more => format!("<br>and {more} more"),
            };
            write!(to, " {}{more} |", shown.join("<br>"))?;
        }
        writeln!(to)?;
    }
    writeln!(to)
}

fn observed(seen: &Observed) -> String {
    let mark = if seen.broken { "≠ " } else { "" };
    let operations: Vec<&str> = seen.operations.iter().map(String::as_str).collect();
    format!(
        "{mark}{} ({} × {})",
        code(&seen.answer, CELL),
        seen.trials,
        prose(&operations.join(", "), CELL)
    )
}

/// The date of an RFC 3339 time.
pub(in crate::render) fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}
