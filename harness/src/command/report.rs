//! `ssec report RUN… --junit FILE`: a recorded run once more, as text or in another form.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use reports::render::{junit, text};
use reports::run::Run;

use super::{Failure, World, run_directory};
use crate::exit_code::ExitCode;

/// Sums the runs up on `out`; with `junit_file`, writes the one run there instead.
///
/// # Errors
/// When a run cannot be read whole, or a file cannot be written.
pub fn report(
    runs: &[String],
    junit_file: Option<&Path>,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    if junit_file.is_some() && runs.len() != 1 {
        return Err(
            Failure::bad_input("a JUnit file holds one run").hint("write one file for each run")
        );
    }
    for name in runs {
        let run = read(name, world)?;
        match junit_file {
            Some(path) => {
                let written = File::create(world.directory.join(path))
                    .and_then(|mut file| junit::render(&run, &mut file));
                written.map_err(|error| {
                    Failure::bad_input(format!("cannot write {}: {error}", path.display()))
                })?;
            }
            None => text::render(&run, out)?,
        }
    }
    Ok(ExitCode::AsExpected)
}

fn read(name: &str, world: &World) -> Result<Run, Failure> {
    let path = run_directory::find(&world.directory, name, "run.jsonl")?;
    let unreadable =
        |error: &dyn std::fmt::Display| Failure::bad_input(format!("{}: {error}", path.display()));
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    Run::read(BufReader::new(file)).map_err(|error| unreadable(&error))
}
