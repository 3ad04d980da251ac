//! Bad files, each with one mistake, and the message that each gets.
//!
//! `bad/suites/*.yaml` and `bad/dialects/*.yaml` are read beside `bad/around`, `bad/outcomes/*.yaml`
//! in place of its outcomes. What is printed must be the text file beside it.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod catalogue_folder;

use std::fs;
use std::path::{Path, PathBuf};

use harness::command::check::check;
use harness::exit_code::ExitCode;
use harness::scenario::catalog::Catalog;
use harness::yaml::{Diagnostics, MAX_BYTES};
use tempfile::TempDir;

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// A catalogue's folder that holds no suite yet.
fn around() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = tests_folder().join("bad/around");
    catalogue_folder::lay_out(&from, folder.path());
    folder
}

/// All mistakes, with the temporary folder called `scenarios`.
fn mistakes(folder: &Path) -> (Diagnostics, String) {
    let diagnostics = Catalog::read(folder).expect_err("a bad file is refused");
    let text = diagnostics
        .to_string()
        .replace(folder.to_str().unwrap(), "scenarios");
    (diagnostics, text)
}

fn bad_files(kind: &str) -> Vec<PathBuf> {
    let folder = tests_folder().join("bad").join(kind);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().unwrap() == "yaml")
        .collect();
    files.sort();
    files
}

/// Compares each bad file's messages with the text beside it.
#[track_caller]
fn compare(kind: &str, at_least: usize) {
    let files = bad_files(kind);
    assert!(
        files.len() >= at_least,
        "{} files in bad/{kind}",
        files.len()
    );
    let seen = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("bad")
        .join(kind);
    fs::create_dir_all(&seen).unwrap();
    let mut differ = Vec::new();
    for file in files {
        let folder = around();
        let name = file.file_name().unwrap().to_str().unwrap();
        let place = if kind == "outcomes" {
            folder.path().join("outcomes.yaml")
        } else {
            folder.path().join(kind).join(name)
        };
        fs::copy(&file, place).unwrap();
        let (diagnostics, text) = mistakes(folder.path());
        let golden = fs::read_to_string(file.with_extension("txt")).unwrap_or_default();
        fs::write(seen.join(name).with_extension("txt"), format!("{text}\n")).unwrap();
        if diagnostics.len() != 1 || golden != format!("{text}\n") {
            differ.push(format!("{name}: {} mistakes\n{text}", diagnostics.len()));
        }
    }
    let differ = differ.join("\n\n");
    assert!(
        differ.is_empty(),
        "{differ}\n\nwhat was printed is in {}",
        seen.display()
    );
}

#[test]
fn each_bad_suite_has_one_mistake_and_its_message() {
    compare("suites", 50);
}

#[test]
fn each_bad_dialect_has_one_mistake_and_its_message() {
    compare("dialects", 8);
}

#[test]
fn each_bad_list_of_outcomes_has_one_mistake_and_its_message() {
    compare("outcomes", 3);
}

#[test]
fn all_mistakes_of_two_files_are_told_at_once() {
    let folder = around();
    for name in ["unknown-key", "unknown-outcome"] {
        let from = tests_folder().join(format!("bad/suites/{name}.yaml"));
        let text = fs::read_to_string(from).unwrap();
        let text = text.replace("suite: bad", &format!("suite: {name}"));
        let text = text.replace("level: must", "level: most");
        fs::write(folder.path().join(format!("suites/{name}.yaml")), text).unwrap();
    }
    let (diagnostics, text) = mistakes(folder.path());
    assert_eq!(diagnostics.len(), 4, "{text}");
    for part in [
        "unknown-key.yaml",
        "unknown-outcome.yaml",
        "`most`",
        "malory",
        "wrong-keys",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_file_above_the_size_limit_is_refused_and_one_at_the_limit_is_read() {
    let good = fs::read_to_string(tests_folder().join("bad/suites/unused-key.yaml")).unwrap();
    let good = good.replace(", carol", "");
    let sized = |bytes: usize| {
        let folder = around();
        let filler = format!("\n#{}", "x".repeat(bytes - good.len() - 2));
        fs::write(
            folder.path().join("suites/large.yaml"),
            good.clone() + &filler,
        )
        .unwrap();
        Catalog::read(folder.path()).map_err(|mistakes| mistakes.to_string())
    };
    assert_eq!(
        sized(MAX_BYTES).map(|catalog| catalog.trials().len()),
        Ok(1)
    );
    let refused = sized(MAX_BYTES + 1).map(|_| ()).unwrap_err();
    assert!(
        refused.contains("at most 1048576 bytes are read"),
        "{refused}"
    );
}

#[test]
fn check_tells_the_mistakes_and_the_exit_code() {
    let mut out = Vec::new();
    let bad = tests_folder().join("bad/suites/unknown-field-in-step.yaml");
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let code = check(&[bad, good.clone()], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(code, ExitCode::BadInput, "{text}");
    assert!(
        text.contains("error[S003]: unknown field `expct` in a step"),
        "{text}"
    );
    assert!(text.contains("did you mean `expect`?"), "{text}");
    let code = check(&[good], &mut Vec::new()).unwrap();
    assert_eq!(code, ExitCode::AsExpected);
}

#[test]
fn check_names_a_path_that_is_not_there() {
    let mut out = Vec::new();
    let code = check(&[PathBuf::from("no/such/file.yaml")], &mut out).unwrap();
    assert_eq!(code, ExitCode::BadInput);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("error[F001]: no/such/file.yaml cannot be read: "),
        "{text}"
    );
}

#[test]
fn the_committed_catalogue_has_no_mistake() {
    for catalog in [
        Catalog::embedded(),
        Catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")),
    ] {
        match catalog {
            Ok(catalog) => assert!(catalog.trials().len() >= 60),
            Err(diagnostics) => panic!("{} mistakes\n\n{diagnostics}", diagnostics.len()),
        }
    }
}
