//! Two bench runs, before and after: better, worse, equivalent or inconclusive, series by series.
//!
//! A change within the margin is `equivalent` only where its whole interval is; what the runs
//! cannot tell is `inconclusive` and never passes for a pass. Runs that asked different questions
//! are compared no further than saying so.

use super::bootstrap::{Cuts, Measure, Pairing, Per, RESAMPLES, Ratio, SEED, ratios};
use super::record::{HealthVerdict, Second, SeriesName};
use super::run::BenchRun;

/// What became of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Better,
    Worse,
    Equivalent,
    Inconclusive,
}

impl Change {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Of a ratio after/before; `margin` is the share that does not matter, as 0.03.
    #[must_use]
    pub fn of(measure: Measure, ratio: Option<Ratio>, margin: f64) -> Self {
        let Some(ratio) = ratio else {
            return Self::Inconclusive;
        };
        let more_is_better = measure == Measure::Throughput;
        if ratio.low > 1.0 - margin && ratio.high < 1.0 + margin {
            Self::Equivalent
        } else if !ratio.differs() {
            Self::Inconclusive
        } else if (ratio.low > 1.0) == more_is_better {
            Self::Better
        } else {
            Self::Worse
        }
    }
}

/// One measure of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub series: SeriesName,
    pub measure: Measure,
    pub ratio: Option<Ratio>,
    pub change: Change,
}

/// The comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchComparison {
    pub rows: Vec<Row>,
    /// Why the runs do not compare, or not fully; a sentence each.
    pub obstacles: Vec<String>,
}

impl BenchComparison {
    /// Compares the series that both runs have. A percentile that neither run has samples for is
    /// left out.
    #[must_use]
    pub fn of(before: &BenchRun, after: &BenchRun, margin: f64) -> Self {
        let obstacles = obstacles(before, after);
        let mut rows = Vec::new();
        for name in &before.header.series {
            if !after.header.series.contains(name) {
                continue;
            }
            let (base, other) = (cuts(before, name), cuts(after, name));
            let draws = (RESAMPLES, SEED);
            let found = ratios(&base, &other, Pairing::Independent, Per::Second, draws);
            for (measure, ratio) in found {
                if ratio.is_some() || matches!(measure, Measure::Throughput | Measure::P50) {
                    rows.push(Row {
                        series: name.clone(),
                        measure,
                        ratio,
                        change: Change::of(measure, ratio, margin),
                    });
                }
            }
        }
        Self { rows, obstacles }
    }

    #[must_use]
    pub fn has(&self, change: Change) -> bool {
        self.rows.iter().any(|row| row.change == change)
    }

    /// Whether every measure was decided between runs of one question.
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        self.obstacles.is_empty() && !self.rows.is_empty() && !self.has(Change::Inconclusive)
    }
}

fn cuts(run: &BenchRun, name: &SeriesName) -> Cuts {
    let ours = |second: &&Second| !second.warmup && second.op == name.op && second.arm == name.arm;
    let seconds: Vec<&Second> = run.seconds.iter().filter(ours).collect();
    let first = seconds.iter().map(|second| second.second).min();
    let last = seconds.iter().map(|second| second.second).max();
    // An idle second between two busy ones is a second of no throughput.
    let numbers: Vec<u32> = match (first, last) {
        (Some(first), Some(last)) if (last - first) as usize <= MAX_SECONDS => {
            (first..=last).collect()
        }
        _ => Vec::new(),
    };
    Cuts::of(&seconds, &numbers)
}

/// Longest run that is compared, in seconds: a week.
const MAX_SECONDS: usize = 604_800;

fn obstacles(before: &BenchRun, after: &BenchRun) -> Vec<String> {
    let mut found = Vec::new();
    for (when, run) in [("before", before), ("after", after)] {
        if !run.is_complete() {
            found.push(format!("the run {when} is incomplete"));
        }
        let limited = |verdict| verdict == HealthVerdict::Limited;
        if run
            .health
            .as_ref()
            .is_some_and(|health| limited(health.verdict))
        {
            found.push(format!("the client of the run {when} was its bottleneck"));
        }
        if run.header.shard.is_some() {
            found.push(format!("the run {when} is one shard of several"));
        }
    }
    let (ours, theirs) = (&before.header, &after.header);
    for (setting, value) in &ours.settings {
        let other = theirs.settings.get(setting);
        if other != Some(value) {
            let other = other.map_or("nothing", String::as_str);
            found.push(format!("{setting} was {value} and is {other}"));
        }
    }
    for setting in theirs.settings.keys() {
        if !ours.settings.contains_key(setting) {
            found.push(format!("{setting} is new"));
        }
    }
    let (ours, theirs) = (&ours.schedule, &theirs.schedule);
    for (what, same) in [
        ("the model", ours.model == theirs.model),
        ("the rate", ours.rate == theirs.rate),
        ("the concurrency", ours.concurrency == theirs.concurrency),
    ] {
        if !same {
            found.push(format!("{what} differs"));
        }
    }
    if before.header.series != after.header.series {
        found.push("the runs have different series".to_owned());
    }
    found
}
