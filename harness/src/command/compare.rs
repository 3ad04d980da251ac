//! `ssec compare BEFORE AFTER`: what became better or worse between two runs.

use std::io::Write;

use reports::compare::Comparison;
use reports::render;

use super::{Failure, World, recorded};
use crate::exit_code::ExitCode;

/// The two runs.
#[derive(clap::Args)]
pub struct Arguments {
    /// The earlier run: its folder, its run.jsonl, or latest
    pub before: String,
    /// The later run
    pub after: String,
}

/// Compares the runs on `out`; ends with 1 if a trial regressed or vanished.
///
/// # Errors
/// When a run cannot be read.
pub fn compare(
    arguments: &Arguments,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let before = recorded::read(&arguments.before, world)?;
    let after = recorded::read(&arguments.after, world)?;
    let comparison = Comparison::of(&before, &after);
    render::comparison::render(&comparison, out)?;
    Ok(if comparison.is_worse() {
        ExitCode::Broken
    } else {
        recorded::judged(&[&before, &after])
    })
}
