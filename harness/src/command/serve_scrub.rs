//! `ssec serve --scrub`: looks at all that a data directory holds, without a customer key.

use std::io::Write;
use std::path::Path;

use reference_server::store::{self, StoreSettings};

use super::{Failure, World};
use crate::exit_code::ExitCode;
use crate::target::bundled;

/// Writes each finding on a line, then one line that sums up. Exit code 1 when anything was found.
///
/// # Errors
/// When the directory holds no store, or one that is in use or cannot be read at all.
pub fn scrub(
    directory: &Path,
    dialect: &str,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let settings = StoreSettings {
        data_dir: world.directory.join(directory),
        dialect: bundled::dialect(dialect)?,
        server_key_file: None,
    };
    let mut found = Vec::new();
    let told = store::scrub(&settings, &mut |finding| found.push(finding))
        .map_err(|error| Failure::bad_input(error.to_string()))?;
    for finding in &found {
        writeln!(out, "{finding}")?;
    }
    writeln!(
        out,
        "{} found; {} rows, {} bodies of {} bytes verified without a customer key; {} bytes of packs \
         and {} files belong to nothing any more",
        told.findings, told.rows, told.bodies, told.bytes, told.dead_bytes, told.garbage
    )?;
    Ok(if found.is_empty() {
        ExitCode::AsExpected
    } else {
        ExitCode::Broken
    })
}
