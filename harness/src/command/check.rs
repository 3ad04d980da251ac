//! `ssec check [PATH…]`: read and lint scenarios, outcomes and dialects; no network.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::bench::workload_file;
use crate::exit_code::ExitCode;
use crate::scenario::catalog::Catalog;
use crate::target::declaration::Declaration;
use crate::yaml::Diagnostics;

/// Checks each path, or the binary's own catalogue if there is none, and writes every mistake.
///
/// A path is a catalogue's folder (with `outcomes.yaml`, `suites/`, `dialects/`), or one suite or
/// dialect file, a workload in a folder `bench`, or a profile in a folder `profiles`.
///
/// # Errors
/// Only if `out` cannot be written.
pub fn check(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<ExitCode> {
    let mut mistakes = 0;
    if paths.is_empty() {
        let embedded = Catalog::embedded().map(|catalog| of_catalog(&catalog));
        mistakes += report("the embedded catalogue", embedded, out)?;
    }
    for path in paths {
        let read = if stands_in(path, "bench") {
            workload_file::read(path).map(|flags| format!("a workload of {} fields", flags.len()))
        } else if stands_in(path, "profiles") {
            let read = Declaration::read(Path::new(""), path);
            read.map(|declared| format!("the profile of {}", declared.name))
        } else if path.is_dir() {
            Catalog::read(path).map(|catalog| of_catalog(&catalog))
        } else {
            Catalog::read_file(path).map(|catalog| of_catalog(&catalog))
        };
        mistakes += report(&path.display().to_string(), read, out)?;
    }
    Ok(if mistakes == 0 {
        ExitCode::AsExpected
    } else {
        ExitCode::BadInput
    })
}

/// Workloads stand in a folder `bench`, profiles in a folder `profiles`.
pub(super) fn stands_in(path: &Path, name: &str) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    path.is_file() && folder.is_some_and(|folder| folder == name)
}

/// What is right about a catalogue.
fn of_catalog(catalog: &Catalog) -> String {
    let trials = catalog.trials();
    let cases: BTreeSet<_> = trials.iter().map(|t| (&t.suite, &t.case_id)).collect();
    let dialects: Vec<&str> = catalog.dialects().collect();
    format!(
        "{} trials of {} cases, dialects {}",
        trials.len(),
        cases.len(),
        dialects.join(", ")
    )
}

/// Writes one result, of what is right or of every mistake; returns the number of mistakes.
fn report(what: &str, read: Result<String, Diagnostics>, out: &mut dyn Write) -> io::Result<usize> {
    match read {
        Ok(right) => {
            writeln!(out, "{what}: no mistake in {right}")?;
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
