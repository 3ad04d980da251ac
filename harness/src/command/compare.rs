//! `ssec compare BEFORE AFTER`: what became better or worse between two runs.

use std::io::Write;

use reports::bench::compare::{BenchComparison, Change};
use reports::bench::run::BenchRun;
use reports::compare::Comparison;
use reports::render;

use super::recorded::{self, Recorded};
use super::{Failure, World};
use crate::exit_code::ExitCode;
use crate::problem::Problem;

/// The two runs.
#[derive(clap::Args)]
pub struct Arguments {
    /// The earlier run: its folder, its run.jsonl, or latest
    pub before: String,
    /// The later run
    pub after: String,
    /// For bench records: the change, in percent, that does not matter
    #[arg(long, value_name = "PERCENT", default_value_t = 3)]
    pub margin: u8,
}

/// Compares the runs on `out`; ends with 1 if a trial regressed or vanished, or a bench run became
/// worse, and with 3 if bench runs are inconclusive.
///
/// # Errors
/// When a run cannot be read.
pub fn compare(
    arguments: &Arguments,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let before = recorded::read_either(&arguments.before, world)?;
    let after = recorded::read_either(&arguments.after, world)?;
    let (before, after) = match (before, after) {
        (Recorded::Conformance(before), Recorded::Conformance(after)) => (*before, *after),
        (Recorded::Bench(before), Recorded::Bench(after)) => {
            return compare_benches(&before, &after, arguments.margin, out);
        }
        (Recorded::Conformance(_), Recorded::Bench(_))
        | (Recorded::Bench(_), Recorded::Conformance(_)) => {
            let message = "a bench record and a conformance run do not compare";
            return Err(Failure::new(Problem::Record, message));
        }
    };
    let comparison = Comparison::of(&before, &after);
    render::comparison::render(&comparison, out)?;
    Ok(if comparison.is_worse() {
        ExitCode::Broken
    } else {
        recorded::judged(&[&before, &after])
    })
}

/// Bench runs: worse ends with 1, what is not told apart or not comparable with 3.
fn compare_benches(
    before: &BenchRun,
    after: &BenchRun,
    margin: u8,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let comparison = BenchComparison::of(before, after, f64::from(margin) / 100.0);
    render::bench::comparison(&comparison, out)?;
    Ok(if !comparison.obstacles.is_empty() {
        ExitCode::CannotJudge
    } else if comparison.has(Change::Worse) {
        ExitCode::Broken
    } else if comparison.is_conclusive() {
        ExitCode::AsExpected
    } else {
        ExitCode::CannotJudge
    })
}
