//! A run of `ssec test` of which the record is read back.

use std::fs;
use std::path::Path;

use reports::run::Run;

use crate::served::{Told, ssec, world};

/// Runs `ssec test` with these arguments in `directory`, and reads its record.
pub(crate) fn judged(directory: &Path, arguments: &[&str]) -> (Told, Run) {
    let fixed = ["test", "--no-save", "--record", "r.jsonl"];
    let told = ssec(&[&fixed, arguments].concat(), &world(directory));
    let record = fs::read(directory.join("r.jsonl"));
    let record = record.unwrap_or_else(|_| panic!("{}{}", told.out, told.notes));
    (told, Run::read(record.as_slice()).unwrap())
}
