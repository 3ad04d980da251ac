//! Known faults: what is listed passes as long as it is as listed, and nothing is hidden by it.

use std::fs;
use std::path::Path;

use reports::run::Run;
use reports::verdict::Verdict;

use crate::front::{Front, refusal};
use crate::judging::judged;
use crate::served::{Served, Told, ssec, world};

const TRIAL: &str = "wrong-key::read[op=head,body=small,probe=other-key]";

/// Judges an impostor that answers HEAD under any key.
fn test(directory: &Path, more: &[&str]) -> (Told, Run) {
    judged(directory, &[&["--junit", "j.xml"], more].concat())
}

const LIAR: [&str; 4] = ["--impostor", "head-any-key", "--exact", TRIAL];

/// The baseline that a run's report proposes, completed.
fn baseline(directory: &Path, issue: &str, until: &str) -> String {
    baseline_of(&LIAR, directory, issue, until)
}

fn baseline_of(liar: &[&str], directory: &Path, issue: &str, until: &str) -> String {
    let (told, _) = test(directory, liar);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    let arguments = ["report", "r.jsonl", "--baseline", "b.yaml"];
    let told = ssec(&arguments, &world(directory));
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let proposed = fs::read_to_string(directory.join("b.yaml")).unwrap();
    // As it is proposed it says nothing yet, and is refused.
    let (code, notes) = refused(directory, &proposed);
    assert_eq!(code, 2, "{notes}");
    let completed = proposed.replace("issue: \"\"", &format!("issue: \"{issue}\""));
    completed.replace("until: \"\"", &format!("until: {until}"))
}

fn refused(directory: &Path, baseline: &str) -> (u8, String) {
    fs::write(directory.join("b.yaml"), baseline).unwrap();
    let arguments = [&["test", "--no-save", "--baseline", "b.yaml"], &LIAR[..]];
    let told = ssec(&arguments.concat(), &world(directory));
    (told.code, told.notes)
}

#[test]
fn a_known_fault_passes_and_is_not_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let listed = baseline(path, "https://issues.example.com/7", "2999-01-01");
    fs::write(path.join("b.yaml"), &listed).unwrap();
    let (told, run) = test(path, &[&LIAR[..], &["--baseline", "b.yaml"]].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let case = &run.cases[0];
    assert_eq!((case.verdict, case.counts), (Verdict::Fail, false));
    assert!(case.stands("known"));
    assert!(
        told.out.contains("known (1), listed in the baseline"),
        "{}",
        told.out
    );
    assert!(told.out.contains("issues.example.com/7"), "{}", told.out);
    assert_eq!(run.footer.conclusion, "not conformant");
    let junit = fs::read_to_string(path.join("j.xml")).unwrap();
    assert!(
        junit.contains("<skipped") && !junit.contains("<failure"),
        "{junit}"
    );
    // A star stands for the label.
    let starred = listed.replace("body=small", "body=*");
    assert_ne!(starred, listed);
    fs::write(path.join("b.yaml"), starred).unwrap();
    let (told, _) = test(
        path,
        &[&LIAR[..], &["--baseline", "b.yaml", "--fail-fast"]].concat(),
    );
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
}

/// What a target put into its code is the same in the next run, whatever it is.
#[test]
fn a_fault_whose_code_holds_control_characters_is_known_by_its_proposed_entry() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let server = Served::start(&["--plain-http"]);
    let front = Front::before(&server, |head| {
        head.shows_a_key("GET", "doc")
            .then(|| refusal("418 Odd", "Odd\nand\tno \u{85}word\u{7f}\u{206f}\\n\""))
    });
    let liar = [
        "--endpoint",
        &front.url,
        "--region",
        "us-east-1",
        "--exact",
        "wrong-key::read[op=get,body=small,probe=other-key]",
    ];
    let listed = baseline_of(&liar, path, "https://issues.example.com/7", "2999-01-01");
    assert!(listed.contains("answered 418 Odd"), "{listed}");
    fs::write(path.join("b.yaml"), listed).unwrap();
    let (told, run) = test(path, &[&liar[..], &["--baseline", "b.yaml"]].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert!(run.cases[0].stands("known"));
}

#[test]
fn what_is_broken_in_another_way_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let listed = baseline(path, "https://issues.example.com/7", "2999-01-01");
    fs::write(
        path.join("b.yaml"),
        listed.replace("answered 200", "answered 500"),
    )
    .unwrap();
    let (told, run) = test(path, &[&LIAR[..], &["--baseline", "b.yaml"]].concat());
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(run.cases[0].counts && run.cases[0].stands("changed"));
}

#[test]
fn a_baseline_that_is_out_of_date_has_an_exit_code_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let listed = baseline(path, "https://issues.example.com/7", "2999-01-01");
    // Fixed: the honest server is judged.
    fs::write(path.join("b.yaml"), &listed).unwrap();
    let honest = ["--exact", TRIAL, "--baseline", "b.yaml"];
    let (told, run) = test(path, &honest);
    assert_eq!(told.code, 6, "{}{}", told.out, told.notes);
    assert_eq!(run.footer.exit, 6);
    assert!(told.notes.contains("as it should be now"), "{}", told.notes);
    let junit = fs::read_to_string(path.join("j.xml")).unwrap();
    assert!(junit.contains("type=\"fixed\""), "{junit}");
    // It names no trial.
    fs::write(
        path.join("b.yaml"),
        listed.replace("wrong-key::", "no-such::"),
    )
    .unwrap();
    let (told, _) = test(path, &honest);
    assert_eq!(told.code, 6, "{}{}", told.out, told.notes);
    assert!(
        told.notes.contains("no trial has this name"),
        "{}",
        told.notes
    );
    // Its day is over: the fault counts again, which is graver.
    fs::write(
        path.join("b.yaml"),
        listed.replace("2999-01-01", "2020-01-01"),
    )
    .unwrap();
    let (told, run) = test(path, &[&LIAR[..], &["--baseline", "b.yaml"]].concat());
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    assert!(
        told.notes.contains("expired on 2020-01-01"),
        "{}",
        told.notes
    );
    assert!(run.cases[0].stands("expired"));
}

#[test]
fn mistakes_in_a_baseline_are_drawn() {
    let directory = tempfile::tempdir().unwrap();
    let entry = |verdict: &str, trial: &str, until: &str| {
        format!(
            "baseline: x\nknown:\n  - trial: \"{trial}\"\n    verdict: {verdict}\n    \
             signature: \"s\"\n    issue: \"i\"\n    until: {until}\n"
        )
    };
    for (text, says) in [
        (
            entry("leak", "a::b", "2999-01-01"),
            "a leak cannot be known",
        ),
        (entry("pass", "a::b", "2999-01-01"), "cannot be `pass`"),
        (entry("fail", "a::*", "2999-01-01"), "a whole label"),
        (entry("fail", "a::b", "soon"), "is no date"),
        (entry("fail", "a::b", "2999-1-1"), "is no date"),
        (
            entry("fail", "a::b", "2999-01-01").replace("issue", "isue"),
            "did you mean `issue`?",
        ),
        ("baseline: x\n".to_owned(), "needs the field `known`"),
    ] {
        let (code, notes) = refused(directory.path(), &text);
        assert_eq!(code, 2, "{text}: {notes}");
        assert!(
            notes.contains(says) && notes.contains("b.yaml:"),
            "{says}: {notes}"
        );
    }
    let arguments = ["test", "--no-save", "--baseline", "none.yaml"];
    let told = ssec(&arguments, &world(directory.path()));
    assert_eq!(told.code, 2);
    assert!(told.notes.contains("none.yaml"), "{}", told.notes);
}
