//! `ssec test --plan`: what a run would send, without sending it.

use std::io::{self, Write};
use std::sync::Arc;

use crate::scenario::definition::{Operation, Stores, Trial};
use crate::scenario::routines;

/// What trials add up to, if nothing fails and nothing is sent twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    requests: u64,
    sent: u64,
    received: u64,
}

impl Amount {
    /// The trial's own steps, the keyless read after each SSE-C write, and the removal.
    fn of(trial: &Trial) -> Self {
        let mut amount = Self::default();
        if let Some(routine) = trial.routine {
            let bodies: u64 = trial.bodies.values().map(|spec| spec.size).sum();
            let requests = routines::requests(routine);
            return Self {
                requests,
                sent: bodies,
                // Most of them read the whole body.
                received: bodies * requests,
            };
        }
        let size = |name: &str| trial.bodies.get(name).map_or(0, |spec| spec.size);
        for step in trial.given.iter().chain(&trial.steps) {
            amount.requests += 1;
            amount.sent += step.body.as_deref().map_or(0, size);
            let read = step.expect.body.iter().flatten();
            amount.received += read.map(|piece| size(&piece.body)).sum::<u64>();
            // Its removal, and the keyless read where a key was sent.
            amount.requests += match (step.operation, step.operation.verb().stores) {
                // Of an upload the one that has no key may still have been created with one.
                (Operation::CompleteUpload, _) => 2,
                (_, Stores::Object) => 1 + u64::from(step.ssec.is_some()),
                (Operation::CreateUpload, _) => 1,
                (_, Stores::Stage | Stores::Nothing) => 0,
            };
        }
        if trial.changes_bucket() {
            // Its own bucket is made and removed; what each version takes is not counted.
            amount.requests += 2;
        }
        amount
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.sent += other.sent;
        self.received += other.received;
    }
}

/// Writes one line a trial and the sum.
///
/// # Errors
/// What the writer answers.
pub(super) fn write(trials: &[Arc<Trial>], out: &mut dyn Write) -> io::Result<()> {
    let mut sum = Amount::default();
    for trial in trials {
        let amount = Amount::of(trial);
        sum.add(amount);
        writeln!(out, "{:4} requests  {}", amount.requests, trial.name)?;
    }
    // Creating and removing the bucket, the preflight and its probe.
    let around = 22;
    let own = match trials.iter().filter(|trial| trial.changes_bucket()).count() {
        0 => String::new(),
        count => format!("; {count} trials change their bucket and make one each"),
    };
    writeln!(
        out,
        "{} trials, about {} requests, {} MiB to the target and {} MiB back, in one bucket of \
         their own{}",
        trials.len(),
        sum.requests + around,
        mib(sum.sent),
        mib(sum.received),
        own
    )
}

/// Rounded up.
const fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
