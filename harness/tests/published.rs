//! The published matrix is what the published runs make, and each of those runs is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use reports::run::Run;
use reports::verdict::Verdict;

/// Name of the column and file of the run, in the order of the matrix.
const RUNS: [(&str, &str); 9] = [
    ("MinIO 7aac2a2c", "minio-7aac2a2c"),
    ("Garage 2.5.0", "garage-2.5.0"),
    ("Ceph RGW 16.2.15", "ceph-rgw-16.2.15"),
    ("LocalStack 2026.3.0", "localstack-2026.3.0"),
    ("moto 5.2.1", "moto-5.2.1"),
    ("s3rver 3.7.1", "s3rver-3.7.1"),
    ("s3s-fs 0.14.1", "s3s-fs-0.14.1"),
    ("bundled, aws", "bundled-aws"),
    ("bundled, ovh", "bundled-ovh"),
];

fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/published")
}

fn run(file: &str) -> Run {
    let path = published().join(format!("{file}.jsonl"));
    let record = fs::read(path).expect("a run is kept under this name");
    Run::read(record.as_slice()).expect("a published run is whole")
}

#[test]
fn the_matrix_is_made_of_the_runs() {
    let directory = tempfile::TempDir::new().unwrap();
    let made = |name: &str| directory.path().join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(published())
        .arg("matrix")
        .args(RUNS.map(|(name, file)| format!("{name}={file}.jsonl")))
        .args(["--markdown".into(), made("matrix.md")])
        .args(["--html".into(), made("matrix.html")])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    for name in ["matrix.md", "matrix.html"] {
        let kept = fs::read_to_string(published().join(name)).unwrap();
        let made = fs::read_to_string(made(name)).unwrap();
        assert!(
            kept == made,
            "{name}: make it again, as README.md there says"
        );
    }
}

#[test]
fn every_published_run_is_named_in_the_readme() {
    let readme = fs::read_to_string(published().join("README.md")).unwrap();
    for entry in fs::read_dir(published()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || readme.contains(&name), "{name}");
    }
    for (name, file) in RUNS {
        assert!(
            readme.contains(&format!("\"{name}={file}.jsonl\"")),
            "{name}"
        );
    }
}

#[test]
fn each_run_has_all_trials_of_one_catalogue() {
    let readme = fs::read_to_string(published().join("README.md")).unwrap();
    let headers = RUNS.map(|(_, file)| (file, run(file)));
    let catalogues: BTreeSet<_> = headers
        .iter()
        .map(|(_, run)| &run.header.tool.catalogue)
        .collect();
    assert_eq!(catalogues.len(), 1, "all runs again, as README.md says");
    for (file, run) in &headers {
        let selection = &run.header.selection;
        let says = format!("the {} trials", selection.total);
        assert!(readme.contains(&says), "{file}: {says}");
        assert_eq!(run.cases.len(), selection.selected, "{file}");
        let row = readme
            .lines()
            .find(|line| line.contains(&format!("{file}.jsonl")));
        let is_cut = row.unwrap().contains("--skip");
        assert_eq!(selection.selected < selection.total, is_cut, "{file}");
    }
}

/// A target in a dialect of its own: the dialect knows what it answers.
#[test]
fn no_run_deviates_from_its_own_dialect_or_ends_in_an_error() {
    for (_, file) in RUNS {
        let run = run(file);
        let is_own = run.header.target.dialect != "aws" || file == "bundled-aws";
        for case in run.cases {
            let name = &case.name;
            assert_ne!(case.verdict, Verdict::Error, "{file}: {name}");
            assert!(
                !is_own || case.verdict != Verdict::Deviates,
                "{file}: {name}"
            );
        }
    }
}

/// `SERVER/VERSION/suite::case[…]`, wherever a scenario names it as what an answer rests on.
fn cited() -> BTreeMap<String, BTreeSet<String>> {
    let mut cited: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    for folder in ["dialects", "suites"] {
        let files = fs::read_dir(scenarios.join(folder)).expect("the folder is there");
        for file in files {
            let path = file.expect("a folder can be listed").path();
            let text = fs::read_to_string(path).expect("scenarios are text");
            let quoted = text.split("{recorded: \"").skip(1);
            let sources = quoted.filter_map(|rest| rest.split('"').next());
            for source in sources.filter(|source| source.contains("::")) {
                let mut parts = source.splitn(3, '/');
                let mut part = || parts.next().expect("SERVER/VERSION/trial");
                let (server, version, trial) = (part(), part(), part());
                let trials = cited.entry(format!("{server}-{version}")).or_default();
                trials.insert(trial.to_owned());
            }
        }
    }
    cited
}

#[test]
fn an_answer_that_rests_on_a_run_is_in_it() {
    let cited = cited();
    let servers: Vec<_> = cited.keys().map(String::as_str).collect();
    let own = [
        "ceph-rgw-16.2.15",
        "garage-2.5.0",
        "localstack-2026.3.0",
        "minio-7aac2a2c",
    ];
    assert_eq!(servers, own);
    for (file, trials) in cited {
        let run = run(&file);
        for trial in trials {
            let case = run.cases.iter().find(|case| case.name == trial);
            let case = case.unwrap_or_else(|| panic!("{file} has no {trial}"));
            assert_eq!(case.verdict, Verdict::Pass, "{file}: {trial}");
        }
    }
}
