//! What a target answers may hold anything, and no renderer lets it out: not as a tag, not as the
//! end of a script, not as a line of its own, not as a control character.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::io::{self, Write};

use reports::matrix::{Column, Matrix};
use reports::observed::{Accepted, Observed};
use reports::record::{CaseRecord, CheckRecord};
use reports::render::dialect::{self, Provenance};
use reports::render::exchanges::{self, Depth};
use reports::render::palette::Palette;
use reports::render::{badge, comparison, github, html, json, junit, markdown, tap, text};
use reports::run::Run;
use serde_json::Value;

/// Ways out of HTML, of a script, of a line, of a table's cell, of a fence, of a code span.
const PAYLOADS: [&str; 9] = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "\n## forged\n::error::forged\nnot ok 99 - forged\nBail out!\n```\nforged",
    "\r::error::forged\r\n1..0",
    "\u{2028}forged\u{2029}\u{85}forged",
    "` | forged | `` ``` <img src=x>",
    "\u{1b}[2J\u{202e}\u{0}\u{feff}",
    "]]> <![CDATA[ &lt;img&gt; %0A::error::forged",
];

/// Words of the format itself, which a target cannot choose.
const OWN: [&str; 7] = [
    "kind",
    "verdict",
    "level",
    "style",
    "counts",
    "phase",
    "conclusion",
];

/// Puts `payload` behind every text of a record.
fn spoil(value: &mut Value, name: &str, payload: &str) {
    match value {
        Value::String(text) if !OWN.contains(&name) => text.push_str(payload),
        Value::Array(items) => {
            for item in items {
                spoil(item, name, payload);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                spoil(member, name, payload);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn spoiled(payload: &str) -> Run {
    let record = include_str!("golden/mixed.jsonl");
    let lines: Vec<String> = record
        .lines()
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            spoil(&mut value, "", payload);
            value.to_string()
        })
        .collect();
    Run::read(lines.join("\n").as_bytes()).unwrap()
}

fn shown(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn no_control_characters(what: &str, text: &str) {
    let unsafe_ones =
        |c: char| (c.is_control() && c != '\n') || "\u{2028}\u{2029}\u{202e}\u{feff}".contains(c);
    assert!(
        !text.contains(unsafe_ones),
        "{what} holds {:?}",
        text.find(unsafe_ones)
    );
}

#[track_caller]
fn no_forged_line(what: &str, text: &str) {
    for line in text.lines() {
        let line = line.trim_start();
        let forged = [
            "##  forged",
            "## forged",
            "::error::",
            "not ok 99",
            "Bail out!",
            "1..0",
            "forged",
        ];
        assert!(
            !forged.iter().any(|start| line.starts_with(start)),
            "{what}: {line}"
        );
    }
}

#[test]
fn pages_hold_no_tag_that_is_not_their_own() {
    let clean = shown(|to| html::render(&spoiled(""), to));
    for payload in PAYLOADS {
        let run = spoiled(payload);
        let page = shown(|to| html::render(&run, to));
        no_control_characters("the page", &page);
        // A tag more than the page has by itself would be the payload's.
        for tag in [
            "<script",
            "</script",
            "<img",
            "<!--",
            "<b ",
            "onerror=alert(1)>",
        ] {
            assert_eq!(
                page.matches(tag).count(),
                clean.matches(tag).count(),
                "{tag} in {payload}"
            );
        }
        let columns = [Column {
            name: payload,
            run: &run,
        }];
        let matrix = shown(|to| html::matrix::render(&Matrix::of(&columns), to));
        no_control_characters("the matrix", &matrix);
        for tag in ["<script", "<img", "<!--"] {
            assert!(!matrix.contains(tag), "{tag} in {payload}");
        }
    }
}

/// Every trial as `ssec test -vv` shows it.
fn watched(run: &Run) -> String {
    shown(|to| {
        let cases = &mut run.cases.iter();
        cases.try_for_each(|case| exchanges::render(case, Depth::Messages, Palette::Plain, to))
    })
}

#[test]
fn nothing_begins_a_line_that_is_not_a_renderers_own() {
    for payload in PAYLOADS {
        let run = spoiled(payload);
        let columns = [Column {
            name: payload,
            run: &run,
        }];
        let matrix = Matrix::of(&columns);
        let after = spoiled("");
        let compared = reports::compare::Comparison::of(&run, &after);
        let all = [
            ("text", shown(|to| text::render(&run, to))),
            ("json", shown(|to| json::render(&run, to))),
            ("watched", watched(&run)),
            ("tap", shown(|to| tap::render(&run, to))),
            ("github", shown(|to| github::render(&run, to))),
            ("badge", shown(|to| badge::render(&run, to))),
            ("markdown", shown(|to| markdown::render(&run, to))),
            ("matrix", shown(|to| markdown::matrix::render(&matrix, to))),
            ("comparison", shown(|to| comparison::render(&compared, to))),
            ("junit", shown(|to| junit::render(&run, to))),
        ];
        for (what, text) in &all {
            no_control_characters(what, text);
            if *what != "junit" {
                no_forged_line(what, text);
            }
        }
    }
}

#[test]
fn a_row_of_a_table_keeps_its_columns() {
    for payload in PAYLOADS {
        let run = spoiled(payload);
        let columns = [Column {
            name: payload,
            run: &run,
        }];
        let text = shown(|to| markdown::matrix::render(&Matrix::of(&columns), to));
        let tables = text.split("\n\n").filter(|part| part.starts_with('|'));
        for table in tables {
            // An escaped bar ends no cell.
            let bars = |line: &str| line.replace("\\|", "").matches('|').count();
            let wanted = table.lines().next().map(bars);
            for line in table.lines() {
                assert_eq!(Some(bars(line)), wanted, "{line}\n{table}");
            }
        }
    }
}

#[test]
fn a_page_of_a_thousand_failures_stays_below_5_mb() {
    let run = spoiled(&"x".repeat(40));
    let answered = |case: &&CaseRecord| {
        let mut exchanges = case.steps.iter().flat_map(|step| &step.exchange);
        exchanges.any(|exchange| exchange.response.is_some())
    };
    let template = run.cases.iter().find(answered).unwrap();
    let mut large = run.clone();
    large.cases = (0..1000)
        .map(|n| {
            let mut case = template.clone();
            case.name = format!("a::x[n={n}]");
            case.cells = vec![("n".to_owned(), n.to_string())];
            for step in &mut case.steps {
                for message in step.exchange.iter_mut().flat_map(|e| e.response.iter_mut()) {
                    message.body_text = Some("<".repeat(2048));
                }
            }
            case
        })
        .collect();
    let page = shown(|to| html::render(&large, to));
    assert!(page.len() < 5 << 20, "{} bytes", page.len());
    assert!(page.contains("\"cut\":true"));
}

/// A dialect is read by a YAML reader, and its captures by people: nothing of a target's own ends a
/// line of either, or names a file.
#[test]
fn a_dialect_and_its_captures_keep_to_their_lines() {
    for payload in PAYLOADS {
        let mut run = spoiled(payload);
        let check = |what: &str, ok| CheckRecord {
            what: what.to_owned(),
            ok,
            expected: format!("refused: {payload}"),
            observed: payload.to_owned(),
            evidence: None,
            decides: false,
        };
        let steps = run.cases.iter_mut().flat_map(|case| &mut case.steps);
        for (number, step) in steps.enumerate() {
            step.phase = "steps".to_owned();
            step.operation = ["get", "head", "put"][number % 3].to_owned();
            step.outcome = Some(["wrong-key", "no-tls"][number % 2].to_owned());
            step.checks = vec![check("floor", true), check("answer", false)];
            step.answer = Some(format!("403 Access{payload}"));
        }
        let observed = Observed::of(&run, Accepted::Written);
        assert!(!observed.answers.is_empty());
        let from = Provenance {
            dialect: "mine",
            header: &run.header,
        };
        let text = shown(|to| dialect::render(from, &observed, to));
        no_control_characters("a dialect", &text);
        for line in text.lines().map(str::trim_start) {
            let own = [
                "#",
                "dialect: mine",
                "answers:",
                "wrong-key:",
                "no-tls:",
                "- {status: 403, ops",
            ];
            let is_own = line.is_empty() || own.iter().any(|start| line.starts_with(start));
            assert!(is_own, "{line}");
        }
        for answer in &observed.answers {
            let name = from.of_answer(answer);
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-/".contains(c);
            assert!(name.chars().all(is_name), "{name}");
            let text = shown(|to| dialect::capture(from, answer, to));
            no_control_characters("a capture", &text);
            let begins = |line: &str| line.starts_with(['#', '>', '<']);
            assert!(text.lines().all(begins), "{text}");
        }
    }
}
