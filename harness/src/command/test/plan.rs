//! `ssec test --plan`: what a run would send and be allowed to do, without sending it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use reports::plan::{FORMAT, Plan, Policy};

use super::{Options, Summary, Wanted};
use crate::command::Failure;
use crate::conformance::budget::Allowance;
use crate::conformance::fixture::BUCKET_PREFIX;
use crate::s3::permission::{self, Permission};
use crate::scenario::definition::{Operation, Stores, Trial};
use crate::scenario::routines;

/// Requests around the trials: the preflight and its probe, and what they leave is removed.
const AROUND: u64 = 53;
/// Bytes of the document that one answer may hold, an error or a list.
const DOCUMENT: u64 = 512;

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
            let told = step.expect.length_of.as_deref();
            let told = told.filter(|_| step.operation == Operation::Get);
            amount.received += match told {
                Some(body) => size(body),
                None => read.map(|piece| size(&piece.body)).sum(),
            };
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
            // Its own bucket is made and removed.
            amount.requests += 2 + versions(trial);
        }
        amount
    }

    fn of_all(trials: &[Arc<Trial>]) -> Self {
        let mut sum = Self {
            requests: AROUND,
            ..Self::default()
        };
        for trial in trials {
            sum.add(Self::of(trial));
        }
        sum.received += sum.requests * DOCUMENT;
        sum
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.sent += other.sent;
        self.received += other.received;
    }
}

/// What it takes to remove versions besides objects: each is one, each object's are listed, and the
/// removal leaves a marker.
fn versions(trial: &Trial) -> u64 {
    let steps = || trial.given.iter().chain(&trial.steps);
    if !steps().any(|step| step.operation == Operation::PutVersioning) {
        return 0;
    }
    let changes = |operation: Operation| operation.makes_object() || operation == Operation::Delete;
    let changing = || steps().filter(|step| changes(step.operation));
    let objects: BTreeSet<&str> = changing().map(|step| step.object.as_str()).collect();
    changing().count() as u64 + 2 * objects.len() as u64
}

/// What the credentials must be allowed to do.
fn permissions(trials: &[Arc<Trial>], own_bucket: bool) -> BTreeSet<Permission> {
    let mut needed = BTreeSet::from(permission::EVERY_RUN);
    if own_bucket || trials.iter().any(|trial| trial.changes_bucket()) {
        needed.extend(permission::OWN_BUCKET);
    }
    for trial in trials {
        let steps = trial.given.iter().chain(&trial.steps);
        needed.extend(steps.flat_map(permission::of_step));
    }
    needed
}

/// Refuses a selection that takes more than is allowed.
///
/// # Errors
/// Which limit it exceeds, and by how much.
pub(super) fn check(trials: &[Arc<Trial>], allowance: Allowance) -> Result<(), Failure> {
    let sum = Amount::of_all(trials);
    let bytes = sum.sent + sum.received;
    allowance.holds(sum.requests, bytes).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!(
            "{}: the selection takes about {} requests and {} MiB, and nothing was sent",
            failure.message,
            sum.requests,
            mib(bytes)
        );
        failure
    })
}

/// Writes the plan: as one line of JSON, or one line a trial, the sum and the permissions.
///
/// # Errors
/// What the writer answers.
pub(super) fn write(
    trials: &[Arc<Trial>],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bucket = match &options.target {
        Wanted::Bundled(_) => None,
        Wanted::Endpoint(profile) => profile.bucket.as_deref(),
    };
    let needed = permissions(trials, bucket.is_none());
    let mut on_buckets = Vec::new();
    let mut on_objects = Vec::new();
    for permission in needed {
        match permission {
            Permission::Bucket(action) => on_buckets.push(action.to_owned()),
            Permission::Object(action) => on_objects.push(action.to_owned()),
        }
    }
    let sum = Amount::of_all(trials);
    let own = trials.iter().filter(|trial| trial.changes_bucket()).count();
    if options.summary == Summary::Json {
        let all = format!("{BUCKET_PREFIX}*");
        let plan = Plan {
            format: FORMAT,
            trials: trials.len(),
            requests: sum.requests,
            sent: sum.sent,
            received: sum.received,
            buckets: own as u64 + u64::from(bucket.is_none()),
            policy: Policy::allowing(bucket.unwrap_or(&all), on_buckets, on_objects),
        };
        return plan.write(out);
    }
    for trial in trials {
        let requests = Amount::of(trial).requests;
        writeln!(out, "{requests:4} requests  {}", trial.name)?;
    }
    let own = match own {
        0 => String::new(),
        count => format!("; {count} trials change their bucket and make one each"),
    };
    let place = match bucket {
        None => "one bucket of their own".to_owned(),
        Some(name) => format!("the bucket {name}"),
    };
    writeln!(
        out,
        "{} trials, about {} requests, {} MiB to the target and {} MiB back, in {place}{own}",
        trials.len(),
        sum.requests,
        mib(sum.sent),
        mib(sum.received),
    )?;
    writeln!(out, "allowed on the bucket: {}", on_buckets.join(" "))?;
    writeln!(out, "allowed on its objects: {}", on_objects.join(" "))?;
    writeln!(
        out,
        "nothing was sent; --json prints this with a policy document"
    )
}

/// Rounded up.
const fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
