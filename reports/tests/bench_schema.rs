//! The published schema of bench records and summaries, and the types, say the same: every key,
//! which of them must be there, and every word of a closed list.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeMap;

use reports::bench::record::{
    Damage, FORMAT, Footer, Header, Health, HealthVerdict, Knee, KneeVerdict, Line, Model, Paired,
    Phase, Schedule, Second, SeriesName, Shard, Slow, Step, Target, Tool,
};
use reports::bench::summary::{ClientSummary, Latency, SeriesSummary, Summary};
use reports::histogram::Packed;
use reports::record::Cleanup;
use serde_json::Value;

#[path = "schema/walk.rs"]
mod walk;

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/bench.schema.json")).unwrap()
}

fn word() -> String {
    "x".to_owned()
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

    fn map<T>(self, value: T) -> BTreeMap<String, T> {
        self.some((word(), value)).into_iter().collect()
    }

    fn list(self) -> Vec<String> {
        self.some(word()).into_iter().collect()
    }
}

fn header(filled: Filled) -> Line {
    Line::Header(Box::new(Header {
        format: FORMAT,
        tool: Tool {
            name: word(),
            version: word(),
        },
        target: Target {
            endpoints: vec![word()],
            region: word(),
            style: "path".to_owned(),
            server: filled.some(word()),
        },
        seed: word(),
        schedule: Schedule {
            model: Model::Open,
            concurrency: 1,
            rate: filled.some(1.5),
            arrivals: filled.some("const".to_owned()),
            warmup: 0.0,
            duration: filled.some(1.0),
            requests: filled.some(1),
        },
        series: vec![SeriesName {
            op: word(),
            arm: word(),
        }],
        paired: filled.some(Paired {
            base: word(),
            other: word(),
        }),
        shard: filled.some(Shard { index: 0, count: 1 }),
        slo: filled.list(),
        settings: BTreeMap::from([(word(), word())]),
        manifest: filled.map(word()),
        started: word(),
    }))
}

fn phases<T: Clone>(filled: Filled, value: &T) -> BTreeMap<Phase, T> {
    let each = |phase: Phase| filled.some((phase, value.clone()));
    Phase::ALL.into_iter().filter_map(each).collect()
}

fn second(filled: Filled) -> Line {
    Line::Series(Box::new(Second {
        second: 0,
        op: word(),
        arm: word(),
        step: filled.some(0),
        warmup: filled == Filled::All,
        attempted: 1,
        ok: 0,
        failed: filled.map(1),
        unserved: 0,
        bytes: 0,
        busy_us: 0,
        response: Packed::default(),
        service: Packed::default(),
        failed_response: filled.map(Packed::default()),
        unserved_wait: filled.some(Packed::default()),
        phases: phases(filled, &Packed::default()),
    }))
}

fn slow(filled: Filled) -> Line {
    Line::Slow(Box::new(Slow {
        second: 0,
        op: word(),
        arm: word(),
        endpoint: word(),
        object: word(),
        request_id: filled.some(word()),
        extended_id: filled.some(word()),
        failure: filled.some(word()),
        bytes: 0,
        response_us: 1,
        service_us: 1,
        reused: true,
        phases_us: phases(Filled::All, &1),
    }))
}

fn damage(filled: Filled) -> Line {
    Line::Damage(Box::new(Damage {
        second: 0,
        op: word(),
        arm: word(),
        endpoint: word(),
        object: word(),
        offset: 0,
        what: word(),
        request_id: filled.some(word()),
    }))
}

fn health(filled: Filled) -> Line {
    Line::Health(Box::new(Health {
        verdict: HealthVerdict::Ok,
        reasons: filled.list(),
        cpu_seconds: 0.5,
        wall_seconds: 1.0,
        processors: 2,
        run_queue_seconds: filled.some(0.1),
        steal_seconds: filled.some(0.1),
        lateness: Packed::default(),
        ceiling: filled.some(1.0),
    }))
}

fn knee(filled: Filled) -> Line {
    Line::Knee(Box::new(Knee {
        objectives: vec![word()],
        verdict: KneeVerdict::Found,
        low: filled.some(1.0),
        high: filled.some(2.0),
        reasons: filled.list(),
    }))
}

fn footer(filled: Filled) -> Line {
    Line::End(Box::new(Footer {
        finished: word(),
        measured: 1.0,
        attempted: 1,
        ok: 1,
        failed: 0,
        unserved: 0,
        left_out: filled.list(),
        exit: 0,
        interrupted: false,
        cleanup: Cleanup {
            created: 1,
            removed: 0,
            left: vec![word()],
        },
    }))
}

fn step() -> Line {
    Line::Step(Step {
        number: 0,
        rate: 100.0,
        from: 0,
        seconds: 10.0,
    })
}

fn lines(filled: Filled) -> [(&'static str, Line); 8] {
    [
        ("bench", header(filled)),
        ("step", step()),
        ("series", second(filled)),
        ("slow", slow(filled)),
        ("damage", damage(filled)),
        ("knee", knee(filled)),
        ("health", health(filled)),
        ("end", footer(filled)),
    ]
}

#[test]
fn every_key_is_in_the_schema_and_every_key_of_the_schema_is_written() {
    let root = schema();
    for (definition, line) in lines(Filled::All) {
        let value = serde_json::to_value(&line).unwrap();
        walk::compare(&root, &root["$defs"][definition], &value, true, definition);
        assert_eq!(serde_json::from_value::<Line>(value).unwrap(), line);
    }
}

#[test]
fn required_is_what_is_written_when_all_else_is_empty() {
    let root = schema();
    for (definition, line) in lines(Filled::None) {
        let value = serde_json::to_value(&line).unwrap();
        let written = value.as_object().unwrap().len();
        let required = root["$defs"][definition]["required"].as_array().unwrap();
        assert_eq!(written, required.len(), "{definition}: {value}");
        walk::compare(&root, &root["$defs"][definition], &value, false, definition);
    }
}

#[test]
fn the_summary_is_these_bytes() {
    let latency = |max| Latency {
        p50: Some(1),
        p90: Some(2),
        p99: Some(3),
        p999: None,
        max,
    };
    let summary = Summary {
        series: vec![SeriesSummary {
            op: "get".to_owned(),
            arm: "ssec".to_owned(),
            attempted: 9,
            ok: 6,
            failed: 2,
            unserved: 1,
            bytes: 6144,
            response_us: latency(Some(5)),
            service_us: latency(Some(4)),
        }],
        client: ClientSummary {
            cpu_seconds: 0.25,
            health: HealthVerdict::Ok,
        },
    };
    let expected = r#"{"series":[{"op":"get","arm":"ssec","attempted":9,"ok":6,"failed":2,"unserved":1,"bytes":6144,
        "response_us":{"p50":1,"p90":2,"p99":3,"p999":null,"max":5},
        "service_us":{"p50":1,"p90":2,"p99":3,"p999":null,"max":4}}],
        "client":{"cpu_seconds":0.25,"health":"ok"}}"#;
    let expected: String = expected.split_whitespace().collect();
    assert_eq!(serde_json::to_string(&summary).unwrap(), expected);
    let mut written = Vec::new();
    summary.write(&mut written).unwrap();
    let value: Value = serde_json::from_slice(&written).unwrap();
    let root = schema();
    walk::compare(&root, &root["$defs"]["summary"], &value, true, "summary");
}

#[test]
fn closed_lists_agree() {
    let root = schema();
    let words = |pointer: &str| root.pointer(pointer).unwrap().clone();
    let verdicts = [
        HealthVerdict::Ok,
        HealthVerdict::Suspect,
        HealthVerdict::Limited,
    ];
    assert_eq!(
        words("/$defs/health/properties/verdict/enum"),
        serde_json::to_value(verdicts).unwrap()
    );
    assert_eq!(
        words("/$defs/schedule/properties/model/enum"),
        serde_json::to_value([Model::Closed, Model::Open]).unwrap()
    );
    for verdict in verdicts {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
    }
    let knees = [KneeVerdict::Found, KneeVerdict::Inconclusive];
    assert_eq!(
        words("/$defs/knee/properties/verdict/enum"),
        serde_json::to_value(knees).unwrap()
    );
    for verdict in knees {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
    }
    for phase in Phase::ALL {
        assert_eq!(serde_json::to_value(phase).unwrap(), phase.word());
    }
    assert_eq!(words("/$defs/bench/properties/format/const"), FORMAT);
}
