//! The kill matrix: which trial convicts which impostor.
//!
//! `golden/kill-matrix.txt` holds every pair, computed by
//! `SSEC_BLESS=1 cargo test -p harness --test kill_matrix -- --ignored`, which runs the whole
//! catalogue against each impostor; without `SSEC_BLESS` the same command compares. What runs each
//! time: no impostor of the file survives its first trial, no must-case convicts nobody, and the
//! table in `scenarios/README.md` says what the file says.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::scenario::catalog::Catalog;
use harness::scenario::definition::Level;

/// Impostor to the names of the trials that convict it.
type Pairs = BTreeMap<String, BTreeSet<String>>;

fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn golden_file() -> PathBuf {
    manifest().join("tests/golden/kill-matrix.txt")
}

fn readme_file() -> PathBuf {
    manifest().join("../scenarios/README.md")
}

fn golden() -> Pairs {
    let text = std::fs::read_to_string(golden_file()).unwrap();
    let mut pairs = Pairs::new();
    for line in text.lines() {
        let (impostor, trial) = line.split_once(' ').unwrap();
        let trials: &mut BTreeSet<String> = pairs.entry(impostor.to_owned()).or_default();
        assert!(trials.insert(trial.to_owned()), "twice: {line}");
    }
    pairs
}

fn ssec(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told + &errors)
}

/// Name and lie of each impostor that the server has.
fn impostors() -> BTreeMap<String, String> {
    let (code, told) = ssec(&["serve", "--list-impostors"]);
    assert_eq!(code, Some(0), "{told}");
    told.lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(name, lie)| (name.to_owned(), lie.trim().to_owned()))
        .collect()
}

/// One row an impostor.
fn table(pairs: &Pairs) -> String {
    let mut table =
        String::from("| impostor | what it does | trials | one of them |\n|---|---|---|---|\n");
    for (name, lie) in impostors() {
        let trials = &pairs[&name];
        let (count, first) = (trials.len(), trials.first().unwrap());
        writeln!(table, "| `{name}` | {lie} | {count} | `{first}` |").unwrap();
    }
    table
}

const BEGIN: &str = "<!-- kill matrix: begin -->\n";
const END: &str = "<!-- kill matrix: end -->\n";

#[test]
fn no_impostor_is_missing_and_none_is_made_up() {
    let named: BTreeSet<String> = golden().into_keys().collect();
    let there: BTreeSet<String> = impostors().into_keys().collect();
    assert_eq!(named, there);
    assert!(there.len() >= 30, "{}", there.len());
}

#[test]
fn no_must_case_convicts_nobody() {
    let convicting: BTreeSet<String> = golden().into_values().flatten().collect();
    let catalog = Catalog::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut known = BTreeSet::new();
    let mut cases: BTreeMap<(&str, &str), (bool, bool)> = BTreeMap::new();
    for trial in catalog.trials() {
        known.insert(trial.name.clone());
        let (must, convicts) = cases.entry((&trial.suite, &trial.case_id)).or_default();
        *must |= trial.level == Level::Must;
        *convicts |= convicting.contains(&trial.name);
    }
    let idle: Vec<_> = cases
        .iter()
        .filter(|(_, (must, convicts))| *must && !convicts)
        .collect();
    assert!(idle.is_empty(), "these convict no impostor: {idle:?}");
    let gone: Vec<_> = convicting.difference(&known).collect();
    assert!(
        gone.is_empty(),
        "no longer in the catalogue, bless again: {gone:?}"
    );
}

/// Half of the impostors in each of two tests, since the test runner has a thread for each.
fn check_convictions(half: usize) {
    for (impostor, trials) in golden().iter().skip(half).step_by(2) {
        let trial = trials.first().unwrap();
        let arguments = ["test", "--no-save", "--fail-fast", "--impostor", impostor];
        let (code, told) = ssec(&[&arguments[..], &["--exact", trial]].concat());
        assert_eq!(code, Some(1), "{impostor} survived {trial}:\n{told}");
    }
}

#[test]
fn no_impostor_survives_of_the_even_ones() {
    check_convictions(0);
}

#[test]
fn no_impostor_survives_of_the_odd_ones() {
    check_convictions(1);
}

#[test]
fn the_readme_shows_the_matrix() {
    let readme = std::fs::read_to_string(readme_file()).unwrap();
    let (_, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, _) = rest.split_once(END).unwrap();
    assert_eq!(
        shown,
        table(&golden()),
        "bless again, see the top of this file"
    );
}

#[test]
#[ignore = "runs the whole catalogue against every impostor"]
fn the_whole_matrix_is_as_the_golden_file_has_it() {
    let directory = tempfile::TempDir::new().unwrap();
    let mut pairs = Pairs::new();
    for impostor in impostors().into_keys() {
        let record = directory.path().join(&impostor);
        let to = record.to_str().unwrap();
        let (code, told) = ssec(&["test", "--no-save", "--impostor", &impostor, "--record", to]);
        assert_eq!(code, Some(1), "{impostor}:\n{told}");
        for line in std::fs::read_to_string(&record).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            // What could not be found out, or not be asked, convicts nobody.
            let is_told = line["verdict"] != "error" && line["verdict"] != "blocked";
            let is_found = line["counts"] == true && is_told;
            if line["kind"] == "case" && is_found {
                let name = line["name"].as_str().unwrap().to_owned();
                pairs.entry(impostor.clone()).or_default().insert(name);
            }
        }
    }
    if harness::environment::Environment::of_process()
        .get("SSEC_BLESS")
        .is_some()
    {
        bless(&pairs);
    }
    assert_eq!(golden(), pairs, "bless again, see the top of this file");
}

fn bless(pairs: &Pairs) {
    let mut text = String::new();
    for (impostor, trials) in pairs {
        for trial in trials {
            writeln!(text, "{impostor} {trial}").unwrap();
        }
    }
    std::fs::create_dir_all(golden_file().parent().unwrap()).unwrap();
    std::fs::write(golden_file(), text).unwrap();
    let readme = std::fs::read_to_string(readme_file()).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let table = table(pairs);
    std::fs::write(readme_file(), format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}
