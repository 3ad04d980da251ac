//! `ssec check [PATH…]`: read and lint scenarios, outcomes and dialects; no network.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::bench::workload_file;
use crate::exit_code::ExitCode;
use crate::scenario::catalog::Catalog;
use crate::yaml::Diagnostics;

/// Checks each path, or the binary's own catalogue if there is none, and writes every mistake.
///
/// A path is a catalogue's folder (with `outcomes.yaml`, `suites/`, `dialects/`), or one suite or
/// dialect file, or a workload in a folder `bench`.
///
/// # Errors
/// Only if `out` cannot be written.
pub fn check(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<ExitCode> {
    let mut mistakes = 0;
    if paths.is_empty() {
        mistakes += report("the embedded catalogue", Catalog::embedded(), out)?;
    }
    for path in paths {
        if is_workload(path) {
            mistakes += workload(path, out)?;
            continue;
        }
        let read = if path.is_dir() {
            Catalog::read(path)
        } else {
            Catalog::read_file(path)
        };
        mistakes += report(&path.display().to_string(), read, out)?;
    }
    Ok(if mistakes == 0 {
        ExitCode::AsExpected
    } else {
        ExitCode::BadInput
    })
}

/// Workloads stand in a folder `bench`.
fn is_workload(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    path.is_file() && folder.is_some_and(|folder| folder == "bench")
}

fn workload(path: &Path, out: &mut dyn Write) -> io::Result<usize> {
    let what = path.display();
    match workload_file::read(path) {
        Ok(flags) => {
            writeln!(
                out,
                "{what}: no mistake in a workload of {} fields",
                flags.len()
            )?;
            Ok(0)
        }
        Err(diagnostics) => {
            let count = diagnostics.len();
            let plural = if count == 1 { "mistake" } else { "mistakes" };
            writeln!(out, "{diagnostics}\n\n{what}: {count} {plural}")?;
            Ok(count)
        }
    }
}

/// Writes one result; returns the number of mistakes.
fn report(
    what: &str,
    read: Result<Catalog, Diagnostics>,
    out: &mut dyn Write,
) -> io::Result<usize> {
    match read {
        Ok(catalog) => {
            let trials = catalog.trials();
            let cases: BTreeSet<_> = trials.iter().map(|t| (&t.suite, &t.case_id)).collect();
            let dialects: Vec<&str> = catalog.dialects().collect();
            writeln!(
                out,
                "{what}: no mistake in {} trials of {} cases, dialects {}",
                trials.len(),
                cases.len(),
                dialects.join(", ")
            )?;
            Ok(0)
        }
        Err(diagnostics) => {
            let count = diagnostics.len();
            let plural = if count == 1 { "mistake" } else { "mistakes" };
            writeln!(out, "{diagnostics}\n\n{what}: {count} {plural}")?;
            Ok(count)
        }
    }
}
