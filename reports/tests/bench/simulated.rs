//! Bench runs made up for tests: lines whose bins and histograms add up.

use std::collections::BTreeMap;

use reports::bench::record::{
    Footer, Header, Health, HealthVerdict, Model, Schedule, Second, SeriesName, Target, Tool,
};
use reports::bench::run::BenchRun;
use reports::bench::stream::Writer;
use reports::histogram::{Histogram, Packed};
use reports::record::Cleanup;

pub(crate) fn header(series: &[(&str, &str)]) -> Header {
    Header {
        format: 1,
        tool: Tool {
            name: "ssec".to_owned(),
            version: "0.1.0".to_owned(),
        },
        target: Target {
            endpoints: vec!["https://s3.example".to_owned()],
            region: "us-east-1".to_owned(),
            style: "path".to_owned(),
            server: None,
        },
        seed: "07".to_owned(),
        schedule: Schedule {
            model: Model::Open,
            concurrency: 64,
            rate: Some(400.0),
            arrivals: Some("const".to_owned()),
            warmup: 0.0,
            duration: Some(10.0),
            requests: None,
        },
        series: series
            .iter()
            .map(|(op, arm)| SeriesName {
                op: (*op).to_owned(),
                arm: (*arm).to_owned(),
            })
            .collect(),
        paired: None,
        shard: None,
        slo: Vec::new(),
        settings: BTreeMap::from([("size".to_owned(), "4KiB".to_owned())]),
        manifest: BTreeMap::new(),
        started: "2026-11-23T09:40:00Z".to_owned(),
    }
}

pub(crate) fn histogram(values: &[u64]) -> Histogram {
    let mut histogram = Histogram::new();
    for value in values {
        histogram.record(*value);
    }
    histogram
}

/// A second of one series in which each response took so many microseconds, served without a
/// wait, 4 KiB each.
pub(crate) fn second(number: u32, (op, arm): (&str, &str), response: &[u64]) -> Second {
    let ok = response.len() as u64;
    let packed = Packed::of(&histogram(response));
    Second {
        second: number,
        op: op.to_owned(),
        arm: arm.to_owned(),
        step: None,
        warmup: false,
        attempted: ok,
        ok,
        failed: BTreeMap::new(),
        unserved: 0,
        bytes: ok * 4096,
        busy_us: response.iter().sum(),
        response: packed.clone(),
        service: packed,
        failed_response: BTreeMap::new(),
        unserved_wait: None,
        phases: BTreeMap::new(),
    }
}

/// The health and footer lines that fit the seconds.
pub(crate) fn run(header: Header, seconds: Vec<Second>) -> BenchRun {
    let counted = || seconds.iter().filter(|second| !second.warmup);
    let failed = |second: &Second| second.failed.values().sum::<u64>();
    let footer = Footer {
        finished: "2026-11-23T09:40:11Z".to_owned(),
        measured: 10.0,
        attempted: counted().map(|second| second.attempted).sum(),
        ok: counted().map(|second| second.ok).sum(),
        failed: counted().map(failed).sum(),
        unserved: counted().map(|second| second.unserved).sum(),
        left_out: Vec::new(),
        exit: 0,
        interrupted: false,
        cleanup: Cleanup::default(),
    };
    let health = Health {
        verdict: HealthVerdict::Ok,
        reasons: Vec::new(),
        cpu_seconds: 1.25,
        wall_seconds: 10.0,
        processors: 2,
        run_queue_seconds: Some(0.02),
        steal_seconds: Some(0.0),
        lateness: Packed::of(&histogram(&[40; 50])),
        ceiling: Some(50_000.0),
    };
    BenchRun {
        header,
        steps: Vec::new(),
        seconds,
        slow: Vec::new(),
        damage: Vec::new(),
        knee: None,
        health: Some(health),
        footer: Some(footer),
    }
}

/// The run as its record.
pub(crate) fn written(run: &BenchRun) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for line in run.lines() {
        writer.append(&line).unwrap();
    }
    writer.into_inner()
}
