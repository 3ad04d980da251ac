//! What the second arm of a paired run costs over the first, operation by operation.
//!
//! Both arms ran in the same seconds, so seconds are compared pairwise: what slows the machine
//! slows both. Throughput is requests for the time that streams were busy with the arm, for the
//! arms share the streams.

use std::collections::{BTreeMap, BTreeSet};

use super::bootstrap::{Cuts, Measure, Pairing, Per, RESAMPLES, Ratio, SEED, ratios};
use super::record::{Header, Paired, Second};

/// One operation's cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Overhead {
    pub op: String,
    pub arms: Paired,
    /// Seconds in which both arms did something.
    pub seconds: usize,
    /// The other arm divided by the base; `None` where too little was measured.
    pub ratios: BTreeMap<Measure, Option<Ratio>>,
}

/// The overhead of each operation of a paired run; empty for any other.
#[must_use]
pub fn overheads(header: &Header, seconds: &[Second]) -> Vec<Overhead> {
    let Some(arms) = &header.paired else {
        return Vec::new();
    };
    let mut ops: Vec<&str> = Vec::new();
    for name in &header.series {
        if !ops.contains(&name.op.as_str()) {
            ops.push(&name.op);
        }
    }
    ops.into_iter()
        .map(|op| overhead(seconds, op, arms, (RESAMPLES, SEED)))
        .collect()
}

/// The overhead of one operation.
#[must_use]
pub fn overhead(seconds: &[Second], op: &str, arms: &Paired, draws: (usize, u64)) -> Overhead {
    let of = |arm: &str| -> Vec<&Second> {
        let ours = |second: &&Second| !second.warmup && second.op == op && second.arm == arm;
        seconds.iter().filter(ours).collect()
    };
    let (base, other) = (of(&arms.base), of(&arms.other));
    let numbers = |seconds: &[&Second]| -> BTreeSet<u32> {
        let busy = |second: &&&Second| second.ok > 0;
        seconds
            .iter()
            .filter(busy)
            .map(|second| second.second)
            .collect()
    };
    let both: Vec<u32> = numbers(&base)
        .intersection(&numbers(&other))
        .copied()
        .collect();
    let (base, other) = (Cuts::of(&base, &both), Cuts::of(&other, &both));
    Overhead {
        op: op.to_owned(),
        arms: arms.clone(),
        seconds: both.len(),
        ratios: ratios(&base, &other, Pairing::SameSeconds, Per::BusySecond, draws),
    }
}
