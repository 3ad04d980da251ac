//! Several runs side by side: a row a case, a column a run, and a second table of what each target
//! answered where an outcome was expected.
//!
//! Pure: it pivots what the records say and judges nothing. A row never compares two different
//! questions: where a trial's digest is not that of the newest run, its cell says that the case
//! has changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::answers;
use crate::record::CaseRecord;
use crate::run::{Run, SILENT_DOWNGRADE};
use crate::verdict::Verdict;

/// One run and the name that its column bears.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub name: &'a str,
    pub run: &'a Run,
}

/// The pivot; cells stand in the order of `columns`.
#[derive(Debug, Clone)]
pub struct Matrix<'a> {
    pub columns: Vec<Column<'a>>,
    /// First those on which the columns disagree: other verdicts before other answers alone, many
    /// different ones before few.
    pub rows: Vec<Row>,
    pub outcomes: Vec<OutcomeRow>,
}

/// Trials of one case with the same cells in every column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `suite::case`.
    pub case: String,
    pub title: String,
    pub level: String,
    /// Full names, in the order of the newest run that has them.
    pub trials: Vec<String>,
    pub cells: Vec<Cell>,
}

/// What one run says about the trials of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// The run has no such trial.
    Absent,
    /// The run asked another question under this name.
    CaseChanged,
    Judged {
        verdict: Verdict,
        /// A `fail` of which the reason is a silent downgrade.
        downgrade: bool,
        /// Status and code, or several where the steps were answered differently; may be empty.
        answers: Vec<String>,
    },
}

/// How far the columns of a row agree; the order is from most to least worth looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    VerdictsDiffer,
    AnswersDiffer,
    Agree,
}

impl Row {
    /// Whether those columns that judged the trials agree.
    #[must_use]
    pub fn agreement(&self) -> Agreement {
        let judged = self.judged();
        let verdicts: BTreeSet<_> = judged.iter().map(|(verdict, ..)| verdict).collect();
        match (verdicts.len(), judged.len()) {
            (0 | 1, 0 | 1) => Agreement::Agree,
            (0 | 1, _) => Agreement::AnswersDiffer,
            (_, _) => Agreement::VerdictsDiffer,
        }
    }

    /// The different cells among those that hold a verdict.
    fn judged(&self) -> BTreeSet<(Verdict, bool, &[String])> {
        let judged = self.cells.iter().filter_map(|cell| match cell {
            Cell::Absent | Cell::CaseChanged => None,
            Cell::Judged {
                verdict,
                downgrade,
                answers,
            } => Some((*verdict, *downgrade, answers.as_slice())),
        });
        judged.collect()
    }
}

/// What the targets answered where a step expected one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    pub outcome: String,
    /// One list a column.
    pub cells: Vec<Vec<Observed>>,
}

/// One answer, and the operations that received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Such as `403 AccessDenied`.
    pub answer: String,
    pub operations: BTreeSet<String>,
    pub trials: u64,
    /// Whether a check of such a step was not met.
    pub broken: bool,
}

impl<'a> Matrix<'a> {
    #[must_use]
    pub fn of(columns: &[Column<'a>]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: rows(columns),
            outcomes: outcomes(columns),
        }
    }
}

fn rows(columns: &[Column<'_>]) -> Vec<Row> {
    let mut newest_first: Vec<usize> = (0..columns.len()).collect();
    newest_first.sort_by(|a, b| {
        let started = |i: &usize| columns[*i].run.header.started.as_str();
        started(b).cmp(started(a))
    });
    let by_name: Vec<BTreeMap<&str, &CaseRecord>> = columns
        .iter()
        .map(|column| column.run.cases.iter())
        .map(|cases| cases.map(|case| (case.name.as_str(), case)).collect())
        .collect();
    let mut seen = BTreeSet::new();
    let mut rows: Vec<Row> = Vec::new();
    // Rows of one case stand together, so a trial looks for its like among a few.
    let mut of_case: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &column in &newest_first {
        for case in &columns[column].run.cases {
            if !seen.insert(case.name.as_str()) {
                continue;
            }
            let cells: Vec<Cell> = by_name
                .iter()
                .map(|cases| cell(cases.get(case.name.as_str()).copied(), case))
                .collect();
            let id = format!("{}::{}", case.suite, case.id);
            let like = of_case.entry(id.clone()).or_default();
            let same = |row: &&usize| rows[**row].cells == cells && rows[**row].level == case.level;
            if let Some(&row) = like.iter().find(same) {
                rows[row].trials.push(case.name.clone());
                continue;
            }
            like.push(rows.len());
            rows.push(Row {
                case: id,
                title: case.title.clone(),
                level: case.level.clone(),
                trials: vec![case.name.clone()],
                cells,
            });
        }
    }
    rows.sort_by_cached_key(|row| {
        let different = match row.agreement() {
            Agreement::Agree => 0,
            Agreement::VerdictsDiffer | Agreement::AnswersDiffer => row.judged().len(),
        };
        (
            row.agreement(),
            std::cmp::Reverse(different),
            row.case.clone(),
            row.trials.clone(),
        )
    });
    rows
}

fn cell(case: Option<&CaseRecord>, reference: &CaseRecord) -> Cell {
    match case {
        None => Cell::Absent,
        Some(case) if case.digest != reference.digest => Cell::CaseChanged,
        Some(case) => Cell::Judged {
            verdict: case.verdict,
            downgrade: case.reason.as_deref() == Some(SILENT_DOWNGRADE),
            answers: answers::of(case),
        },
    }
}

fn outcomes(columns: &[Column<'_>]) -> Vec<OutcomeRow> {
    let mut rows: BTreeMap<&str, Vec<Vec<Observed>>> = BTreeMap::new();
    for (index, column) in columns.iter().enumerate() {
        for step in column.run.cases.iter().flat_map(answers::judged_steps) {
            let (Some(outcome), Some(answer)) = (&step.outcome, &step.answer) else {
                continue;
            };
            let cells = rows
                .entry(outcome)
                .or_insert_with(|| vec![Vec::new(); columns.len()]);
            note(
                &mut cells[index],
                answer,
                &step.operation,
                step.checks.iter().any(|check| !check.ok),
            );
        }
    }
    let mut rows: Vec<OutcomeRow> = rows
        .into_iter()
        .map(|(outcome, cells)| OutcomeRow {
            outcome: outcome.to_owned(),
            cells,
        })
        .collect();
    for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
        cell.sort_by(|a, b| (b.trials, &a.answer).cmp(&(a.trials, &b.answer)));
    }
    rows
}

fn note(cell: &mut Vec<Observed>, answer: &str, operation: &str, broken: bool) {
    let known = |seen: &&mut Observed| seen.answer == answer && seen.broken == broken;
    match cell.iter_mut().find(known) {
        Some(seen) => {
            seen.operations.insert(operation.to_owned());
            seen.trials += 1;
        }
        None => cell.push(Observed {
            answer: answer.to_owned(),
            operations: BTreeSet::from([operation.to_owned()]),
            trials: 1,
            broken,
        }),
    }
}
