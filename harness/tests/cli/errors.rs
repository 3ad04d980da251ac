//! The catalogue of errors: what is printed is in it, and what is in it is raised.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::problem::Problem;
use harness::yaml::Code;

use crate::served::{ssec, world};

fn told(arguments: &[&str]) -> (u8, String, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("torn")).unwrap();
    fs::write(directory.path().join("torn/run.jsonl"), "{").unwrap();
    let told = ssec(arguments, &world(directory.path()));
    (told.code, told.out, told.notes)
}

/// The sources of the product, without the two catalogues.
fn sources() -> Vec<String> {
    let mut left: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut texts = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if !path.ends_with("src/problem.rs") && !path.ends_with("yaml/code.rs") {
            texts.push(fs::read_to_string(&path).unwrap_or_default());
        }
    }
    texts
}

/// Whether a source says `word` and does not go on with another letter.
fn is_said(word: &str, sources: &[String]) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    sources
        .iter()
        .any(|text| text.split(word).skip(1).any(ends))
}

#[test]
fn every_error_of_the_catalogue_is_raised_somewhere() {
    let sources = sources();
    for problem in Problem::ALL {
        let word = format!("Problem::{}", problem.name());
        assert!(
            is_said(&word, &sources),
            "{} is never raised",
            problem.code()
        );
    }
    for code in Code::ALL {
        let word = format!("Code::{}", code.name());
        assert!(is_said(&word, &sources), "{} is never raised", code.id());
    }
    assert!(!is_said("Problem::NeverRaised", &sources));
}

#[test]
fn every_error_of_the_catalogue_is_explained_with_what_to_do() {
    let (code, list, _) = told(&["explain", "--errors"]);
    assert_eq!(code, 0);
    let codes: Vec<&str> = list.lines().map(|line| &line[..4]).collect();
    assert_eq!(codes.len(), Problem::ALL.len() + Code::ALL.len());
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    for code in codes {
        let (exit, out, notes) = told(&["explain", code]);
        assert_eq!(exit, 0, "{notes}");
        assert!(out.starts_with(&format!("{code}: ")), "{out}");
        assert!(out.contains("\nWhat to do: "), "{out}");
        assert!(out.contains("\nExit code "), "{out}");
    }
    let (exit, _, notes) = told(&["explain", "E999"]);
    assert_eq!(exit, 4);
    assert!(notes.contains("--errors"), "{notes}");
    assert_eq!(told(&["explain"]).0, 2, "a name or --errors");
}

#[test]
fn a_failure_ends_with_the_exit_code_that_its_entry_names() {
    for (arguments, code) in [
        (&["test", "--no-such-flag"][..], "E001"),
        (&["bench"], "E002"),
        (&["test", "no-such-trial"], "E003"),
        (&["explain", "no-such-trial"], "E003"),
        (&["test", "--dialect", "nobody"], "E004"),
        (&["serve", "--impostor", "nobody"], "E004"),
        (&["test", "--region", "r", "--endpoint", "nowhere"], "E005"),
        (&["man", "/dev/null/man"], "E007"),
        (&["report", "nowhere"], "E012"),
        (&["report", "torn"], "E013"),
    ] {
        let (exit, _, notes) = told(arguments);
        assert!(notes.starts_with(&format!("error[{code}]: ")), "{notes}");
        let more = format!("more: ssec explain {code}");
        assert!(notes.trim_end().ends_with(&more), "{notes}");
        let entry = Problem::ALL
            .iter()
            .find(|problem| problem.code() == code)
            .unwrap();
        assert_eq!(exit, entry.exit().number(), "{notes}");
    }
}
