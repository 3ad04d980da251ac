//! The JUnit file read by a parser that shares nothing with its writer: it must count what the
//! record counts.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use reports::record::{CaseRecord, Try};
use reports::render::junit;
use reports::run::{Run, Tally};
use reports::verdict::Verdict;

/// Elements by name, and the sums of the suites' own count attributes.
#[derive(Default)]
struct Counted {
    elements: BTreeMap<String, usize>,
    declared: BTreeMap<String, usize>,
    names: Vec<String>,
}

fn parse(xml: &[u8]) -> Counted {
    let mut counted = Counted::default();
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = true;
    let mut depth = 0_usize;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            Event::Start(element) => {
                depth += 1;
                counted.take(&element);
            }
            Event::Empty(element) => counted.take(&element),
            Event::End(_) => depth -= 1,
            Event::Text(text) => assert_legal(&text.xml10_content().expect("decodable text")),
            Event::CData(text) => assert_legal(&String::from_utf8_lossy(&text)),
            Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
    assert_eq!(depth, 0);
    counted
}

impl Counted {
    fn take(&mut self, element: &BytesStart<'_>) {
        let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
        for attribute in element.attributes() {
            let attribute = attribute.expect("well-formed attribute");
            let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                .unwrap()
                .into_owned();
            assert_legal(&value);
            if name == "testsuite" && ["tests", "failures", "errors", "skipped"].contains(&&*key) {
                *self.declared.entry(key.clone()).or_default() += value.parse::<usize>().unwrap();
            }
            if name == "testcase" && key == "name" {
                self.names.push(value);
            }
        }
        *self.elements.entry(name).or_default() += 1;
    }

    fn of(&self, element: &str) -> usize {
        self.elements.get(element).copied().unwrap_or(0)
    }
}

/// XML 1.0, production 2 (Char).
#[track_caller]
fn assert_legal(text: &str) {
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(
        text.chars().all(legal),
        "not a character of XML 1.0 in {text:?}"
    );
}

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.jsonl"));
    let run = Run::read(BufReader::new(File::open(path).unwrap())).unwrap();
    let mut xml = Vec::new();
    junit::render(&run, &mut xml).unwrap();
    let counted = parse(&xml);

    let tally = Tally::of(&run.cases);
    let total = |verdict| usize::try_from(tally.total(verdict)).unwrap();
    let counted_deviations = run
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::Deviates && case.counts)
        .count();
    let expected = [
        ("testcase", "tests", run.cases.len()),
        (
            "failure",
            "failures",
            total(Verdict::Leak) + total(Verdict::Fail) + counted_deviations,
        ),
        (
            "error",
            "errors",
            total(Verdict::Error) + total(Verdict::Blocked),
        ),
        ("skipped", "skipped", total(Verdict::Unsupported)),
    ];
    for (element, attribute, number) in expected {
        assert_eq!(counted.of(element), number, "{name}: <{element}>");
        let declared = counted.declared.get(attribute).copied().unwrap_or(0);
        assert_eq!(declared, number, "{name}: {attribute}=");
    }
    for case in &run.cases {
        let own = case.name.split_once("::").unwrap().1;
        assert!(
            counted.names.iter().any(|name| name == own),
            "{name}: {own} is missing"
        );
    }
}

#[test]
fn counts_agree_with_the_record() {
    for name in [
        "all-pass",
        "one-failure",
        "ignores-the-headers",
        "mixed",
        "nothing-selected",
    ] {
        check(name);
    }
}

#[test]
fn bytes_that_xml_forbids_do_not_break_the_file() {
    check("hostile");
}

/// A trial that failed at first and then passed: a failure beside its flaky try, and where that was
/// excused the flaky try alone, in a test case that passed.
#[test]
fn flaky_trials_show_each_try_that_was_not_met() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/one-failure.jsonl");
    let mut run = Run::read(BufReader::new(File::open(path).unwrap())).unwrap();
    let failed = |case: &&mut CaseRecord| case.verdict == Verdict::Fail;
    let case = run.cases.iter_mut().find(failed).unwrap();
    let tried = |verdict, message: &str| Try {
        verdict,
        message: Some(message.to_owned()),
        ms: 7,
    };
    case.tries = vec![
        tried(Verdict::Fail, "served"),
        tried(Verdict::Error, "no answer"),
        tried(Verdict::Pass, ""),
    ];
    let counted = |run: &Run| {
        let mut xml = Vec::new();
        junit::render(run, &mut xml).unwrap();
        parse(&xml)
    };
    let elements = ["failure", "flakyFailure", "flakyError", "rerunFailure"];
    let of = |counted: &Counted| elements.map(|element| counted.of(element));
    assert_eq!(of(&counted(&run)), [1, 1, 1, 0]);
    let mut excused = run.clone();
    let case = excused.cases.iter_mut().find(failed).unwrap();
    case.counts = false;
    assert_eq!(of(&counted(&excused)), [0, 1, 1, 0]);
    let case = run.cases.iter_mut().find(failed).unwrap();
    case.tries = vec![
        tried(Verdict::Fail, "served"),
        tried(Verdict::Fail, "served"),
    ];
    assert_eq!(of(&counted(&run)), [1, 0, 0, 2]);
}
