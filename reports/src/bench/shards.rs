//! Putting the parts of a divided run together again, exactly.
//!
//! Bins are added and histograms merged second by second, so the order of the parts changes
//! nothing, and a run that was cut in any way comes back to the bit. A part that is missing,
//! doubled or of another run is refused.

use std::collections::BTreeMap;

use super::record::{Footer, Health, HealthVerdict, Second, SeriesName, Shard};
use super::run::BenchRun;
use super::totals::Totals;
use crate::histogram::{Histogram, Packed};

/// Most parts of one run.
pub const MAX_SHARDS: usize = 4096;

/// Why parts do not make one run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("there is nothing to merge")]
    Nothing,
    #[error("more than {MAX_SHARDS} parts")]
    TooMany,
    #[error("record {record} is a whole run, not a part of one")]
    NotAShard { record: usize },
    #[error("record {record} is of another run: {what} differs")]
    AnotherRun { record: usize, what: &'static str },
    #[error("shard {index} of {count} is there twice")]
    Doubled { index: u32, count: u32 },
    #[error("shards {missing:?} of {count} are missing")]
    Missing { missing: Vec<u32>, count: u32 },
    #[error("record {record} has no `end` line: that shard was killed or is still going")]
    Incomplete { record: usize },
}

/// Merges the parts of one run. Records are numbered from 1, in the order given.
///
/// # Errors
/// See [`MergeError`].
pub fn merge(parts: &[BenchRun]) -> Result<BenchRun, MergeError> {
    let first = parts.first().ok_or(MergeError::Nothing)?;
    if parts.len() > MAX_SHARDS {
        return Err(MergeError::TooMany);
    }
    let shards = shards_of_one_run(parts, first)?;
    let count = shards[0].count;
    let mut seen = vec![0u32; usize::try_from(count).unwrap_or(0).min(MAX_SHARDS)];
    if seen.len() != usize::try_from(count).unwrap_or(usize::MAX) {
        return Err(MergeError::TooMany);
    }
    for shard in &shards {
        let index = shard.index;
        let times = &mut seen[index as usize];
        *times += 1;
        if *times > 1 {
            return Err(MergeError::Doubled { index, count });
        }
    }
    let missing: Vec<u32> = (0..count).filter(|at| seen[*at as usize] == 0).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { missing, count });
    }
    let footers: Vec<&Footer> = parts
        .iter()
        .filter_map(|part| part.footer.as_ref())
        .collect();
    let mut header = first.header.clone();
    header.shard = None;
    header.schedule.concurrency = parts
        .iter()
        .map(|part| part.header.schedule.concurrency)
        .fold(0, u32::saturating_add);
    let earliest = parts.iter().map(|part| &part.header.started).min();
    header
        .started
        .clone_from(earliest.expect("there is a first"));
    let mut slow: Vec<_> = parts.iter().flat_map(|part| part.slow.clone()).collect();
    slow.sort_by(|a, b| (b.response_us, &a.object).cmp(&(a.response_us, &b.object)));
    let mut damage: Vec<_> = parts.iter().flat_map(|part| part.damage.clone()).collect();
    damage.sort_by(|a, b| (a.second, &a.object).cmp(&(b.second, &b.object)));
    Ok(BenchRun {
        header,
        steps: first.steps.clone(),
        seconds: add_seconds(parts.iter().flat_map(|part| &part.seconds)),
        slow,
        damage,
        // A search is not divided.
        knee: None,
        health: health(parts),
        footer: Some(footer(&footers)),
    })
}

fn shards_of_one_run<'a>(
    parts: &'a [BenchRun],
    first: &BenchRun,
) -> Result<Vec<&'a Shard>, MergeError> {
    let mut shards = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let record = at + 1;
        let shard = part.header.shard.as_ref();
        let shard = shard.ok_or(MergeError::NotAShard { record })?;
        let (ours, theirs) = (&first.header, &part.header);
        let count = first.header.shard.as_ref().map(|shard| shard.count);
        let differs = [
            (ours.seed != theirs.seed, "the seed"),
            (ours.series != theirs.series, "the series"),
            (ours.paired != theirs.paired, "the paired arms"),
            (ours.settings != theirs.settings, "a setting"),
            (ours.schedule.rate != theirs.schedule.rate, "the rate"),
            (ours.schedule.model != theirs.schedule.model, "the model"),
            (ours.target != theirs.target, "the target"),
            (count != Some(shard.count), "the number of shards"),
        ];
        if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
            return Err(MergeError::AnotherRun { record, what });
        }
        if !part.is_complete() {
            return Err(MergeError::Incomplete { record });
        }
        shards.push(shard);
    }
    Ok(shards)
}

/// Adds seconds of the same number, series and step. The order of what comes is of no account.
pub fn add_seconds<'a>(seconds: impl IntoIterator<Item = &'a Second>) -> Vec<Second> {
    let mut groups: BTreeMap<_, Vec<&Second>> = BTreeMap::new();
    for second in seconds {
        let key = (
            second.second,
            &second.op,
            &second.arm,
            second.step,
            second.warmup,
        );
        groups.entry(key).or_default().push(second);
    }
    groups.into_values().map(|group| add(&group)).collect()
}

fn add(group: &[&Second]) -> Second {
    let first = group[0];
    let mut sum = Totals::new(SeriesName {
        op: first.op.clone(),
        arm: first.arm.clone(),
    });
    for one in group {
        sum.add(one);
    }
    sum.second(first)
}

/// The worst of the clients speaks for all.
fn health(parts: &[BenchRun]) -> Option<Health> {
    let all: Vec<&Health> = parts
        .iter()
        .filter_map(|part| part.health.as_ref())
        .collect();
    let mut merged = (*all.first()?).clone();
    let mut lateness = Histogram::new();
    for health in &all {
        lateness.merge(&health.lateness.unpack());
    }
    let add = |of: fn(&Health) -> Option<f64>| {
        all.iter()
            .filter_map(|health| of(health))
            .reduce(|a, b| a + b)
    };
    merged.cpu_seconds = all.iter().map(|health| health.cpu_seconds).sum();
    merged.wall_seconds = all
        .iter()
        .map(|health| health.wall_seconds)
        .fold(0.0, f64::max);
    merged.processors = all.iter().map(|health| health.processors).sum();
    merged.run_queue_seconds = add(|health| health.run_queue_seconds);
    merged.steal_seconds = add(|health| health.steal_seconds);
    merged.ceiling = add(|health| health.ceiling);
    merged.lateness = Packed::of(&lateness);
    let verdict = all.iter().map(|health| health.verdict).max();
    merged.verdict = verdict.unwrap_or(HealthVerdict::Suspect);
    if all.len() < parts.len() {
        merged.verdict = merged.verdict.max(HealthVerdict::Suspect);
    }
    merged.reasons = all
        .iter()
        .flat_map(|health| health.reasons.clone())
        .collect();
    merged.reasons.sort();
    merged.reasons.dedup();
    Some(merged)
}

fn footer(footers: &[&Footer]) -> Footer {
    let sum = |of: fn(&Footer) -> u64| {
        footers
            .iter()
            .map(|one| of(one))
            .fold(0, u64::saturating_add)
    };
    let mut merged = footers[0].clone();
    let finished = footers.iter().map(|one| &one.finished).max();
    merged
        .finished
        .clone_from(finished.expect("there is a first"));
    merged.measured = footers.iter().map(|one| one.measured).fold(0.0, f64::max);
    merged.attempted = sum(|one| one.attempted);
    merged.ok = sum(|one| one.ok);
    merged.failed = sum(|one| one.failed);
    merged.unserved = sum(|one| one.unserved);
    merged.left_out = footers
        .iter()
        .flat_map(|one| one.left_out.clone())
        .collect();
    merged.left_out.sort();
    merged.left_out.dedup();
    merged.exit = footers.iter().map(|one| one.exit).max().unwrap_or(0);
    merged.interrupted = footers.iter().any(|one| one.interrupted);
    merged.cleanup.created = sum(|one| one.cleanup.created);
    merged.cleanup.removed = sum(|one| one.cleanup.removed);
    merged.cleanup.left = footers
        .iter()
        .flat_map(|one| one.cleanup.left.clone())
        .collect();
    merged.cleanup.left.sort();
    merged
}
