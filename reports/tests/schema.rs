//! The published schema and the types say the same: every key, which of them must be there, and
//! every word of a closed list. The schema uses few keywords; the walk below knows exactly those.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::record::{
    CaseRecord, CheckRecord, Cleanup, Excerpt, ExchangeRecord, FORMAT, Known, Location,
    MessageRecord, Record, Repeat, RunFooter, RunHeader, Selection, StepRecord, Target, Tool, Try,
};
use reports::run::{Conclusion, Run};
use reports::verdict::Verdict;
use serde_json::Value;

#[path = "schema/walk.rs"]
mod walk;

use walk::compare;

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/record.schema.json")).unwrap()
}

fn word() -> String {
    "x".to_owned()
}

fn location() -> Location {
    Location {
        file: word(),
        line: 1,
        column: 1,
    }
}

/// With every optional field filled, or with every one empty.
#[derive(Clone, Copy, PartialEq)]
enum Filled {
    All,
    None,
}

impl Filled {
    fn some<T>(self, value: T) -> Option<T> {
        (self == Self::All).then_some(value)
    }

    fn list<T>(self, value: T) -> Vec<T> {
        self.some(value).into_iter().collect()
    }
}

fn header(filled: Filled) -> Record {
    let support = filled
        .list(("sse-c".to_owned(), "works".to_owned()))
        .into_iter()
        .collect();
    Record::Run(Box::new(RunHeader {
        format: FORMAT,
        tool: Tool {
            name: word(),
            version: word(),
            catalogue: word(),
        },
        target: Target {
            endpoint: word(),
            region: word(),
            dialect: word(),
            style: "path".to_owned(),
            profile: filled.some(word()),
            payload: filled.some("all".to_owned()),
            server: filled.some(word()),
            impostor: filled.some(word()),
            support,
        },
        seed: word(),
        level: "must".to_owned(),
        strict: false,
        selection: Selection {
            filters: vec![word()],
            selected: 1,
            total: 1,
        },
        started: "2026-11-23T09:40:00Z".to_owned(),
    }))
}

fn message(filled: Filled) -> MessageRecord {
    MessageRecord {
        line: word(),
        headers: vec![(word(), word())],
        length: 0,
        body_is: filled.some(word()),
        body_text: filled.some(word()),
    }
}

fn case(filled: Filled, inner: Filled) -> Record {
    let check = CheckRecord {
        what: word(),
        ok: true,
        expected: word(),
        observed: word(),
        evidence: inner.some(word()),
        decides: matches!(inner, Filled::All),
    };
    let exchange = ExchangeRecord {
        request: message(inner),
        response: inner.some(message(inner)),
        curl: inner.some(word()),
    };
    let step = StepRecord {
        phase: word(),
        number: 1,
        operation: word(),
        at: location(),
        outcome: inner.some(word()),
        answer: inner.some(word()),
        checks: vec![check],
        exchange: Some(exchange),
    };
    Record::Case(Box::new(CaseRecord {
        name: word(),
        verdict: Verdict::Pass,
        reason: filled.some(word()),
        message: filled.some(word()),
        counts: false,
        suite: word(),
        id: word(),
        cells: vec![(word(), word())],
        level: "may".to_owned(),
        title: word(),
        at: location(),
        sources: vec![word()],
        digest: word(),
        ms: 1,
        attempts: 1,
        steps: filled.list(step),
        notes: filled.list(word()),
        waivers: filled.list(word()),
        repeat: filled.some(Repeat {
            rerun: word(),
            nextest: word(),
        }),
        excerpt: filled.some(Excerpt {
            file: word(),
            first: 1,
            lit: 1,
            lines: vec![word()],
        }),
        known: filled.some(Known {
            standing: "known".to_owned(),
            issue: word(),
            until: word(),
        }),
        tries: filled.list(Try {
            verdict: Verdict::Pass,
            message: inner.some(word()),
            ms: 1,
        }),
    }))
}

fn footer() -> Record {
    Record::End(RunFooter {
        finished: "2026-11-23T09:40:01Z".to_owned(),
        counts: [("must".to_owned(), [("pass".to_owned(), 1)].into())].into(),
        conclusion: "conformant".to_owned(),
        exit: 0,
        interrupted: false,
        cleanup: Cleanup {
            created: 1,
            removed: 0,
            left: vec![word()],
        },
    })
}

#[track_caller]
fn check(definition: &str, record: &Record, exact: bool) {
    let (root, value) = (schema(), serde_json::to_value(record).unwrap());
    compare(&root, &root["$defs"][definition], &value, exact, definition);
}

#[test]
fn every_key_is_in_the_schema_and_every_key_of_the_schema_is_written() {
    check("run", &header(Filled::All), true);
    check("case", &case(Filled::All, Filled::All), true);
    check("end", &footer(), true);
}

#[test]
fn required_is_what_is_written_when_all_else_is_empty() {
    let root = schema();
    for (definition, record) in [
        ("run", header(Filled::None)),
        ("case", case(Filled::None, Filled::None)),
    ] {
        let value = serde_json::to_value(&record).unwrap();
        let written: Vec<&String> = value.as_object().unwrap().keys().collect();
        let required = root["$defs"][definition]["required"].as_array().unwrap();
        assert_eq!(
            written.len(),
            required.len(),
            "{definition}: {written:?} {required:?}"
        );
        check(definition, &record, false);
    }
    check("case", &case(Filled::All, Filled::None), false);
}

#[test]
fn closed_lists_agree() {
    let root = schema();
    let words = |pointer: &str| -> Vec<String> {
        serde_json::from_value(root.pointer(pointer).unwrap().clone()).unwrap()
    };
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
    assert_eq!(words("/$defs/case/properties/verdict/enum"), verdicts);
    let conclusions = [
        Conclusion::Conformant,
        Conclusion::WithDeviations,
        Conclusion::Partial,
        Conclusion::NotConformant,
        Conclusion::NoVerdict,
    ];
    let conclusions: Vec<&str> = conclusions
        .iter()
        .map(|conclusion| conclusion.words())
        .collect();
    assert_eq!(words("/$defs/end/properties/conclusion/enum"), conclusions);
    assert_eq!(
        root["$defs"]["run"]["properties"]["format"]["const"],
        FORMAT
    );
}

#[test]
fn the_golden_runs_obey_it() {
    for text in [
        include_str!("golden/mixed.jsonl"),
        include_str!("golden/one-failure.jsonl"),
    ] {
        let run = Run::read(text.as_bytes()).unwrap();
        check("run", &Record::Run(Box::new(run.header)), false);
        for case in run.cases {
            check("case", &Record::Case(Box::new(case)), false);
        }
        check("end", &Record::End(run.footer), false);
    }
}
