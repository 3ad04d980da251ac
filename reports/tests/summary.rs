//! The JSON summary and its schema; colours; a trial as it is watched.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::record::Try;
use reports::render::exchanges::{self, Depth};
use reports::render::palette::Palette;
use reports::render::{json, text};
use reports::run::Run;
use reports::verdict::Verdict;
use serde_json::Value;

#[path = "schema/walk.rs"]
mod walk;

fn run(name: &str) -> Run {
    let path = format!("{}/tests/golden/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    Run::salvage(std::fs::read(path).unwrap().as_slice()).unwrap()
}

fn summary(run: &Run) -> Value {
    let mut out = Vec::new();
    json::render(run, &mut out).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn the_summary_is_what_its_schema_says() {
    let schema: Value =
        serde_json::from_str(include_str!("../schema/summary.schema.json")).unwrap();
    for name in ["all-pass", "one-failure", "mixed", "hostile", "truncated"] {
        walk::compare(&schema, &schema, &summary(&run(name)), false, name);
    }
    // Every key that the schema knows is written by one of them.
    let mut full = run("one-failure");
    full.header.target.server = Some("nginx".to_owned());
    full.header.target.impostor = Some("liar".to_owned());
    full.cases
        .retain(|case| case.counts && case.message.is_some() && case.repeat.is_some());
    for case in &mut full.cases {
        case.reason = Some("silent-downgrade".to_owned());
        case.tries.push(tried(Verdict::Fail));
    }
    let full = summary(&full);
    assert!(!full["trials"].as_array().unwrap().is_empty());
    walk::compare(&schema, &schema, &full, true, "full");
}

fn tried(verdict: Verdict) -> Try {
    Try {
        verdict,
        message: None,
        ms: 1,
    }
}

/// A trial that failed and then passed is told with both tries in every form.
#[test]
fn a_flaky_trial_is_told_with_all_its_tries() {
    let mut run = run("one-failure");
    let failed = |case: &&mut reports::record::CaseRecord| case.verdict == Verdict::Fail;
    let case = run.cases.iter_mut().find(failed).unwrap();
    let name = case.name.clone();
    let text = |run: &Run| {
        let mut out = Vec::new();
        text::render(run, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    case.tries = vec![tried(Verdict::Fail), tried(Verdict::Fail)];
    let alike = text(&run);
    assert!(alike.contains("2 tries alike"), "{alike}");
    assert!(!alike.contains("flaky"), "{alike}");
    let case = run.cases.iter_mut().find(|case| case.name == name).unwrap();
    case.tries = vec![tried(Verdict::Fail), tried(Verdict::Pass)];
    let told = text(&run);
    assert!(told.contains("flaky (1)"), "{told}");
    assert!(
        told.contains(&format!("  {name}: fail, then pass")),
        "{told}"
    );
    let trials = &summary(&run)["trials"];
    assert_eq!(trials[0]["tries"], serde_json::json!(["fail", "pass"]));
    let mut page = Vec::new();
    reports::render::html::render(&run, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("fail, flaky"),
        "no cell says that it is flaky"
    );
}

#[test]
fn the_summary_tells_what_broke_and_nothing_that_passed() {
    let run = run("one-failure");
    let told = summary(&run);
    assert_eq!(told["conclusion"], "not conformant");
    assert_eq!(told["exit"], run.footer.exit);
    let trials = told["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 1, "{trials:?}");
    assert_eq!(trials[0]["verdict"], "fail");
    let passed = summary(&self::run("all-pass"));
    assert_eq!(passed["trials"], Value::Array(Vec::new()));
    assert_eq!(summary(&self::run("truncated"))["complete"], false);
}

/// Without its colours, the coloured text is the plain one.
#[test]
fn colour_adds_nothing_but_colour() {
    for name in ["all-pass", "mixed", "hostile", "truncated"] {
        let run = run(name);
        let (mut plain, mut painted) = (Vec::new(), Vec::new());
        text::render(&run, &mut plain).unwrap();
        text::paint(&run, Palette::Ansi, &mut painted).unwrap();
        let (plain, painted) = (
            String::from_utf8(plain).unwrap(),
            String::from_utf8(painted).unwrap(),
        );
        assert!(painted.contains("\u{1b}["), "{name} is not coloured");
        let mut bare = String::new();
        for (index, part) in painted.split("\u{1b}[").enumerate() {
            let skipped = if index == 0 {
                0
            } else {
                part.find('m').unwrap() + 1
            };
            bare.push_str(&part[skipped..]);
        }
        assert_eq!(bare, plain, "{name}");
    }
}

#[test]
fn a_trial_that_is_watched_shows_its_answers_and_with_more_depth_its_messages() {
    let run = run("one-failure");
    let case = run
        .cases
        .iter()
        .find(|case| case.counts && case.message.is_some())
        .unwrap();
    let shown = |depth| {
        let mut out = Vec::new();
        exchanges::render(case, depth, Palette::Plain, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let answers = shown(Depth::Answers);
    assert!(answers.starts_with("fail "), "{answers}");
    assert!(answers.contains(", answered "), "{answers}");
    assert!(!answers.contains("HTTP/1.1"), "{answers}");
    assert!(
        shown(Depth::Messages).contains("< HTTP/1.1"),
        "{}",
        shown(Depth::Messages)
    );
}
