//! What a run is, as the first line of its record says it.

use std::collections::BTreeMap;

use reports::bench::record::{
    FORMAT, Header, Model, Paired, Schedule as ScheduleRecord, SeriesName, Shard, Target, Tool,
};

use super::{Options, World};
use crate::bench::schedule::Schedule;
use crate::bench::workload::{Sse, Workload};
use crate::random::Seed;
use crate::s3::Style;

/// The series of reads that must be refused.
pub(super) const PROBE: &str = "probe";

pub(super) fn series(workload: &Workload) -> Vec<SeriesName> {
    let mut series = Vec::new();
    let mut add = |op: &str| {
        for arm in &workload.arms {
            series.push(SeriesName {
                op: op.to_owned(),
                arm: arm.name.clone(),
            });
        }
    };
    for (op, _) in &workload.mix {
        add(op.word());
    }
    if workload.probe_negative > 0.0 {
        add(PROBE);
    }
    series
}

/// The first line of a run's record, as far as it is known before the target is.
pub(super) fn header(options: &Options, world: &World, seed: Seed) -> Header {
    let workload = &options.workload;
    let (rate, arrivals) = match &options.schedule {
        _ if options.knee.is_some() => (None, None),
        Schedule::Closed | Schedule::Steps { .. } => (None, None),
        Schedule::Constant { rate } => (Some(*rate), Some("const".to_owned())),
        Schedule::Poisson { rate } => (Some(*rate), Some("poisson".to_owned())),
    };
    let model = match options.schedule {
        _ if options.knee.is_some() => Model::Open,
        Schedule::Closed => Model::Closed,
        Schedule::Constant { .. } | Schedule::Poisson { .. } | Schedule::Steps { .. } => {
            Model::Open
        }
    };
    let arms = &workload.arms;
    Header {
        format: FORMAT,
        tool: Tool {
            name: "ssec".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        target: Target {
            endpoints: options.target.endpoints.clone(),
            region: String::new(),
            style: match options.target.style {
                Style::Path => "path".to_owned(),
                Style::VirtualHost => "vhost".to_owned(),
            },
            server: None,
        },
        seed: seed.to_string(),
        schedule: ScheduleRecord {
            model,
            concurrency: u32::try_from(options.concurrency).unwrap_or(u32::MAX),
            rate,
            arrivals,
            warmup: options.extent.warmup.as_secs_f64(),
            duration: options
                .extent
                .duration
                .map(|duration| duration.as_secs_f64()),
            requests: options.extent.requests,
        },
        series: series(workload),
        paired: (arms.len() == 2).then(|| Paired {
            base: arms[0].name.clone(),
            other: arms[1].name.clone(),
        }),
        shard: options.shard.map(|shard| Shard {
            index: shard.index,
            count: shard.count,
        }),
        slo: options.slo.iter().map(|slo| slo.text.clone()).collect(),
        settings: settings(options),
        manifest: BTreeMap::new(),
        started: world.clock.rfc3339(),
    }
}

fn settings(options: &Options) -> BTreeMap<String, String> {
    let workload = &options.workload;
    let keyed = workload.arms.iter().any(|arm| arm.sse == Sse::Customer);
    let mut settings = BTreeMap::from([
        ("size".to_owned(), format!("{:?}", workload.sizes)),
        ("objects".to_owned(), workload.objects.to_string()),
        ("access".to_owned(), format!("{:?}", workload.access)),
        ("payload".to_owned(), format!("{:?}", workload.payload)),
        ("verify".to_owned(), format!("{:?}", workload.verify)),
        ("timeout".to_owned(), format!("{:?}", options.timeout)),
    ]);
    if keyed {
        settings.insert("ssec-keys".to_owned(), format!("{:?}", workload.keys));
    }
    if let Some(asked) = &options.knee {
        settings.insert("find-knee".to_owned(), asked.texts().join(","));
    }
    if let Some(keepalive) = options.keepalive {
        settings.insert("keepalive".to_owned(), keepalive.to_string());
    }
    settings
}
