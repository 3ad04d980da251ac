//! How much a run tells while it goes on and at its end, and in which colours.

use serde_json::Value;

use crate::served::{ssec, world};

const ONE: [&str; 4] = ["test", "wrong-key", "--no-save", "--seed=2a"];

fn told(more: &[&str]) -> (u8, String) {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(&[&ONE[..], more].concat(), &world(directory.path()));
    (told.code, told.out)
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let liar = ["--impostor", "head-any-key"];
    let (code, plain) = told(&liar);
    assert_eq!(code, 1);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let (code, painted) = told(&[&liar[..], &["--color", "always"]].concat());
    assert_eq!(code, 1);
    assert!(painted.contains("\u{1b}[1;31mFAIL"), "{painted}");
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = world(directory.path());
    terminal.palette = reports::render::palette::Palette::Ansi;
    let auto = ssec(&ONE, &terminal);
    assert!(auto.out.contains('\u{1b}'), "{}", auto.out);
    let never = ssec(&[&["--color", "never"], &ONE[..]].concat(), &terminal);
    assert!(!never.out.contains('\u{1b}'), "{}", never.out);
    assert_eq!(told(&["--color", "sometimes"]).0, 2);
}

#[test]
fn quiet_is_the_conclusion_alone() {
    let (code, out) = told(&["--quiet"]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("partial: bundled"), "{out}");
    let (code, out) = told(&["-q", "--impostor", "head-any-key"]);
    assert_eq!(code, 1);
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("not conformant: bundled"), "{out}");
    assert_eq!(told(&["--quiet", "-v"]).0, 2);
}

#[test]
fn json_is_the_summary_of_the_run_and_of_its_report() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let run = ["test", "wrong-key", "--impostor", "head-any-key", "--json"];
    let told = ssec(&run, &world);
    assert_eq!(told.code, 1, "{}", told.notes);
    assert_eq!(told.out.lines().count(), 1);
    let summary: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(summary["exit"], 1);
    assert_eq!(summary["target"]["impostor"], "head-any-key");
    let trials = summary["trials"].as_array().unwrap();
    assert!(!trials.is_empty());
    assert!(
        trials.iter().all(|trial| trial["verdict"] == "fail"),
        "{trials:?}"
    );
    let report = ssec(&["report", "latest", "--json"], &world);
    assert_eq!(report.code, 0, "{}", report.notes);
    assert_eq!(report.out, told.out);
}

#[test]
fn a_watched_run_shows_answers_and_with_twice_the_flag_messages_without_keys() {
    let (code, quiet) = told(&[]);
    assert_eq!(code, 0);
    assert!(!quiet.contains(", answered "), "{quiet}");
    let (code, answers) = told(&["-v"]);
    assert_eq!(code, 0);
    assert!(answers.contains("put, answered 200"), "{answers}");
    assert!(!answers.contains("HTTP/1.1"), "{answers}");
    let (code, messages) = told(&["-vv"]);
    assert_eq!(code, 0);
    assert!(messages.contains("> PUT "), "{messages}");
    assert!(messages.contains("< HTTP/1.1 403"), "{messages}");
    // tests/keys_nowhere looks for the keys themselves.
    assert!(messages.contains("<key:mallory as base64>"), "{messages}");
}

/// The page of a run draws the lines of the scenario that decided.
#[test]
fn a_record_holds_the_lines_that_decided() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let liar = [
        "test",
        "wrong-key",
        "--impostor",
        "head-any-key",
        "--record",
        "r.jsonl",
    ];
    assert_eq!(ssec(&liar, &world).code, 1);
    let record = std::fs::read(directory.path().join("r.jsonl")).unwrap();
    let run = reports::run::Run::read(record.as_slice()).unwrap();
    let failed = run
        .cases
        .iter()
        .filter(|case| case.counts && case.verdict != reports::verdict::Verdict::Pass);
    let mut seen = 0;
    for case in failed {
        let excerpt = case.excerpt.as_ref().unwrap();
        let lit = usize::try_from(excerpt.lit - excerpt.first).unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(&excerpt.file);
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().nth(usize::try_from(excerpt.lit - 1).unwrap());
        assert_eq!(line, Some(excerpt.lines[lit].as_str()));
        assert!(excerpt.lines.len() > 3, "{excerpt:?}");
        seen += 1;
    }
    assert!(seen > 0);
    let passed =
        |case: &&reports::record::CaseRecord| case.verdict == reports::verdict::Verdict::Pass;
    assert!(
        run.cases
            .iter()
            .filter(passed)
            .all(|case| case.excerpt.is_none())
    );
}
