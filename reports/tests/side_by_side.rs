//! Several runs beside each other: the matrix and the comparison, by rule and as they are shown.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::io::Write;

use reports::compare::{Change, Comparison};
use reports::matrix::{Agreement, Cell, Column, Matrix};
use reports::render;
use reports::run::Run;
use serde_json::json;

/// One trial of a small run: name, verdict, the answer to its only step.
type Trial<'a> = (&'a str, &'a str, &'a str);

/// A run of those trials, all of one digest; a `fail!` is a silent downgrade.
fn run(server: &str, started: &str, trials: &[Trial<'_>]) -> Run {
    run_of(server, started, "d1", trials)
}

fn run_of(server: &str, started: &str, digest: &str, trials: &[Trial<'_>]) -> Run {
    let mut stream = vec![json!({
        "kind": "run", "format": 1,
        "tool": {"name": "ssec", "version": "0.1.0", "catalogue": "c1"},
        "target": {"endpoint": "https://s3.example", "region": "r", "dialect": "aws",
            "style": "path", "server": server},
        "seed": "7", "level": "must", "strict": false,
        "selection": {"filters": [], "selected": trials.len(), "total": trials.len()},
        "started": started,
    })];
    for (name, verdict, answer) in trials {
        let (suite, rest) = name.split_once("::").unwrap();
        let (id, cell) = rest.split_once('[').unwrap_or((rest, ""));
        let downgrade = verdict.ends_with('!').then_some("silent-downgrade");
        let verdict = verdict.trim_end_matches('!');
        let at = json!({"file": "scenarios/suites/x.yaml", "line": 9, "column": 5});
        let met = matches!(verdict, "pass" | "observed");
        let mut case = json!({
            "kind": "case", "name": name, "verdict": verdict, "counts": !met,
            "suite": suite, "id": id, "level": "must", "title": format!("the title of {id}"),
            "cells": if cell.is_empty() { json!([]) } else { json!([["op", cell.trim_end_matches(']')]]) },
            "at": at, "sources": [], "digest": digest, "ms": 1, "attempts": 1,
            "steps": [{"phase": "steps", "number": 1, "operation": "get", "at": at,
                "outcome": id, "answer": answer,
                "checks": [{"what": "class", "ok": met, "expected": "refused", "observed": answer}]}],
        });
        if let Some(reason) = downgrade {
            case["reason"] = json!(reason);
        }
        if !met {
            case["message"] = json!(format!("{name} was answered {answer}"));
        }
        stream.push(case);
    }
    stream.push(json!({
        "kind": "end", "finished": started, "counts": {}, "conclusion": "not conformant",
        "exit": 1, "interrupted": false,
        "cleanup": {"created": 0, "removed": 0, "left": []},
    }));
    let lines: Vec<String> = stream.iter().map(ToString::to_string).collect();
    Run::read(lines.join("\n").as_bytes()).unwrap()
}

fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), text));
}

fn shown(render: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn three_targets() -> [Run; 3] {
    [
        run(
            "Right",
            "2026-11-20T09:00:00Z",
            &[
                ("get::wrong-key[get]", "pass", "403 AccessDenied"),
                ("get::wrong-key[head]", "pass", "403"),
                ("get::key-required", "pass", "400 InvalidRequest"),
                ("put::bad-md5", "pass", "400 InvalidArgument"),
                ("put::ok[a]", "pass", "200"),
                ("put::ok[b]", "pass", "200"),
            ],
        ),
        run(
            "Ignores",
            "2026-11-22T09:00:00Z",
            &[
                ("get::wrong-key[get]", "fail!", "200"),
                ("get::wrong-key[head]", "fail!", "200"),
                ("get::key-required", "fail!", "200"),
                ("put::bad-md5", "pass", "400 BadDigest"),
                ("put::ok[a]", "pass", "200"),
                ("put::ok[b]", "pass", "200"),
            ],
        ),
        run(
            "Short",
            "2026-11-21T09:00:00Z",
            &[
                ("get::wrong-key[get]", "pass", "403 AccessDenied"),
                ("get::key-required", "pass", "400 `|<b>"),
                ("put::ok[a]", "pass", "200"),
                ("put::ok[b]", "pass", "200"),
            ],
        ),
    ]
}

fn columns<'a>(names: &[&'a str], runs: &'a [Run]) -> Vec<Column<'a>> {
    let pairs = names.iter().zip(runs);
    pairs.map(|(name, run)| Column { name, run }).collect()
}

#[test]
fn disagreement_comes_first_and_like_trials_are_one_row() {
    let runs = three_targets();
    let matrix = Matrix::of(&columns(&["right", "ignores", "short"], &runs));
    let rows: Vec<(&str, usize, Agreement)> = matrix
        .rows
        .iter()
        .map(|row| (row.case.as_str(), row.trials.len(), row.agreement()))
        .collect();
    assert_eq!(
        rows,
        [
            ("get::key-required", 1, Agreement::VerdictsDiffer),
            ("get::wrong-key", 1, Agreement::VerdictsDiffer),
            ("get::wrong-key", 1, Agreement::VerdictsDiffer),
            ("put::bad-md5", 1, Agreement::AnswersDiffer),
            ("put::ok", 2, Agreement::Agree),
        ]
    );
    // What is not there is no disagreement, and is said.
    assert_eq!(matrix.rows[2].cells[2], Cell::Absent);
}

#[test]
fn a_row_never_compares_two_different_questions() {
    let old = run_of(
        "a",
        "2026-11-20T09:00:00Z",
        "old",
        &[("a::x", "pass", "403")],
    );
    let new = run_of(
        "b",
        "2026-11-21T09:00:00Z",
        "new",
        &[("a::x", "pass", "403")],
    );
    for (runs, changed) in [([old.clone(), new.clone()], 0), ([new, old], 1)] {
        let matrix = Matrix::of(&columns(&["a", "b"], &runs));
        let [row] = matrix.rows.as_slice() else {
            panic!("one row, not {:?}", matrix.rows);
        };
        // The older run's cell is the one that does not fit, wherever its column stands.
        assert_eq!(row.cells[changed], Cell::CaseChanged);
        assert!(matches!(row.cells[1 - changed], Cell::Judged { .. }));
        assert_eq!(row.agreement(), Agreement::Agree);
    }
}

#[test]
fn answers_are_collected_by_outcome() {
    let runs = three_targets();
    let matrix = Matrix::of(&columns(&["right", "ignores", "short"], &runs));
    let row = matrix
        .outcomes
        .iter()
        .find(|row| row.outcome == "ok")
        .unwrap();
    let [only] = row.cells[0].as_slice() else {
        panic!("one answer, not {:?}", row.cells[0]);
    };
    assert_eq!(
        (only.answer.as_str(), only.trials, only.broken),
        ("200", 2, false)
    );
    let wrong = matrix
        .outcomes
        .iter()
        .find(|row| row.outcome == "wrong-key")
        .unwrap();
    assert!(wrong.cells[1][0].broken);
}

#[test]
fn the_matrix_as_markdown() {
    let mut runs = three_targets().to_vec();
    runs[2].footer.conclusion = reports::run::INCOMPLETE.to_owned();
    let columns = columns(&["right", "ignores | all", "short"], &runs);
    let matrix = Matrix::of(&columns);
    let text = shown(|to| render::markdown::matrix::render(&matrix, to));
    assert!(text.contains("short is incomplete"));
    golden("matrix.md", &text);
    let page = shown(|to| render::html::matrix::render(&matrix, to));
    assert!(page.contains("trials are missing") && !page.contains("<script"));
    let body = page.split_once("</style>").unwrap().1;
    assert!(!body.contains("<b>"), "an answer's markup stays text");
    golden("matrix.html", &body.replace("><", ">\n<"));
}

/// What became of a trial that was `before` and is `after`; a digest may follow a `#`.
#[track_caller]
fn check(before: Trial<'_>, after: Trial<'_>, expected: Option<Change>) {
    let (before_run, after_run) = (
        run("s", "2026-11-20T09:00:00Z", &[before]),
        run("s", "2026-11-21T09:00:00Z", &[after]),
    );
    let comparison = Comparison::of(&before_run, &after_run);
    let found: Vec<Change> = comparison.differences.iter().map(|d| d.change).collect();
    assert_eq!(
        found,
        expected.into_iter().collect::<Vec<_>>(),
        "{before:?} {after:?}"
    );
}

#[test]
fn better_worse_and_neither() {
    let case = |verdict, answer| ("a::x", verdict, answer);
    let from_to = |before, after, expected| check(case(before, "1"), case(after, "1"), expected);
    from_to("pass", "pass", None);
    from_to("fail", "fail", None);
    from_to("pass", "fail", Some(Change::Regressed));
    from_to("pass", "deviates", Some(Change::Regressed));
    from_to("pass", "unsupported", Some(Change::Regressed));
    from_to("pass", "error", Some(Change::Regressed));
    from_to("deviates", "unsupported", Some(Change::Regressed));
    from_to("unsupported", "fail", Some(Change::Regressed));
    from_to("fail", "fail!", Some(Change::Regressed));
    from_to("fail", "leak", Some(Change::Regressed));
    from_to("fail", "pass", Some(Change::Improved));
    from_to("fail!", "fail", Some(Change::Improved));
    from_to("fail!", "unsupported", Some(Change::Improved));
    from_to("error", "pass", Some(Change::Improved));
    from_to("fail", "error", Some(Change::Changed));
    from_to("unsupported", "deviates", Some(Change::Changed));
    from_to("pass", "observed", Some(Change::Changed));
    check(
        case("pass", "403"),
        case("pass", "400"),
        Some(Change::Changed),
    );
}

#[test]
fn the_comparison_as_text() {
    let before = run(
        "Ceph 16",
        "2026-11-20T09:00:00Z",
        &[
            ("a::gone", "pass", "403"),
            ("a::same", "pass", "403"),
            ("a::worse", "pass", "403 AccessDenied"),
            ("a::better", "fail!", "200"),
            ("a::other", "pass", "403"),
        ],
    );
    let mut after = run_of(
        "Ceph 17",
        "2026-11-21T09:00:00Z",
        "d1",
        &[
            ("a::same", "pass", "403"),
            ("a::worse", "fail", "200\u{1b}[2J"),
            ("a::better", "pass", "403"),
            ("a::other", "pass", "400"),
            ("a::fresh", "deviates", "412"),
        ],
    );
    after.cases[3].digest = "d2".to_owned();
    after.header.target.dialect = "ceph".to_owned();
    let comparison = Comparison::of(&before, &after);
    assert!(comparison.is_worse());
    assert_eq!(comparison.same, 1);
    let text = shown(|to| render::comparison::render(&comparison, to));
    assert!(!text.contains('\u{1b}'));
    golden("comparison.txt", &text);
}

#[test]
fn a_trial_that_is_gone_makes_it_worse_and_a_new_one_does_not() {
    let one = run("s", "2026-11-20T09:00:00Z", &[("a::x", "pass", "1")]);
    let two = run(
        "s",
        "2026-11-21T09:00:00Z",
        &[("a::x", "pass", "1"), ("a::y", "fail", "1")],
    );
    assert!(Comparison::of(&two, &one).is_worse());
    assert!(!Comparison::of(&one, &two).is_worse());
}
