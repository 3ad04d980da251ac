//! `ssec matrix RUN…`: several runs side by side.

use std::io::Write;
use std::path::PathBuf;

use reports::matrix::{Column, Matrix};
use reports::render::{html, markdown};
use reports::run::Run;

use super::{Failure, World, recorded};
use crate::exit_code::ExitCode;

/// What to lay side by side, and where.
#[derive(clap::Args)]
pub struct Arguments {
    /// Runs: a folder, its run.jsonl, or latest; NAME=RUN names the column
    #[arg(required = true, num_args = 1.., value_name = "RUN")]
    pub runs: Vec<String>,
    /// Write Markdown here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write one self-contained page here
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Renders the matrix of the runs.
///
/// # Errors
/// When a run cannot be read, or a file cannot be written.
pub fn matrix(
    arguments: &Arguments,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let mut runs: Vec<(String, Run)> = Vec::new();
    for argument in &arguments.runs {
        let (name, run) = named(argument, world)?;
        let run = recorded::read(run, world)?;
        let name = name.map_or_else(|| target(&run), str::to_owned);
        runs.push((name, run));
    }
    let columns: Vec<Column<'_>> = runs
        .iter()
        .map(|(name, run)| Column { name, run })
        .collect();
    let matrix = Matrix::of(&columns);
    if let Some(path) = &arguments.html {
        recorded::write(path, world, |to| html::matrix::render(&matrix, to))?;
    }
    if let Some(path) = &arguments.markdown {
        recorded::write(path, world, |to| markdown::matrix::render(&matrix, to))?;
    }
    if arguments.html.is_none() && arguments.markdown.is_none() {
        markdown::matrix::render(&matrix, out)?;
    }
    let runs: Vec<&Run> = columns.iter().map(|column| column.run).collect();
    Ok(recorded::judged(&runs))
}

/// Takes `NAME=RUN` apart; what exists under the whole text is a run, whatever it holds.
fn named<'a>(argument: &'a str, world: &World) -> Result<(Option<&'a str>, &'a str), Failure> {
    match argument.split_once('=') {
        Some((name, run)) if !world.directory.join(argument).exists() => {
            if name.is_empty() || run.is_empty() {
                let message = format!("{argument} names no column or no run");
                return Err(Failure::bad_input(message).hint("write NAME=RUN"));
            }
            Ok((Some(name), run))
        }
        Some(_) | None => Ok((None, argument)),
    }
}

/// A column's name where none is given: the endpoint and the lie, if one was asked for.
fn target(run: &Run) -> String {
    let target = &run.header.target;
    match &target.impostor {
        Some(impostor) => format!("{} ({impostor})", target.endpoint),
        None => target.endpoint.clone(),
    }
}
