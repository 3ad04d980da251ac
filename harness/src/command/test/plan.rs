//! `ssec test --plan`: what a run would send and be allowed to do, without sending it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use reports::plan::{FORMAT, Plan, Policy};

use super::{Options, Summary, Wanted};
use crate::command::Failure;
use crate::conformance::fixture::BUCKET_PREFIX;
use crate::conformance::probe;
use crate::conformance::session::{Lack, Offer};
use crate::s3::permission::{self, Permission};
use crate::scenario::definition::{Capability, Operation, Stores, Trial};
use crate::scenario::routines;
use crate::target::known::Known;

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
    /// The trial's own steps, the keyless read after each SSE-C write, and the removal, which takes
    /// `removal` requests an object.
    fn of(trial: &Trial, removal: u64) -> Self {
        let mut amount = Self::default();
        if let Some(routine) = trial.routine {
            let bodies: u64 = trial.bodies.values().map(|spec| spec.size).sum();
            let requests = routines::requests(routine);
            let objects = trial.bodies.len() as u64;
            return Self {
                // One removal of each object is among them.
                requests: requests + objects * (removal - 1),
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
                (Operation::CompleteUpload, _) => removal + 1,
                (_, Stores::Object) => removal + u64::from(step.ssec.is_some()),
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

/// A selection as a run would take it, by what is known of its target before anything is asked.
struct Foreseen<'a> {
    run: Vec<&'a Trial>,
    /// What is not run, and why.
    left_out: Vec<(&'a Trial, String)>,
    /// The bucket that was there before, if the run works in one.
    bucket: Option<&'a str>,
    known: Known,
    /// Whether what the target offers is tried first: the bundled server's is known.
    probed: bool,
}

impl<'a> Foreseen<'a> {
    fn of(trials: &'a [Arc<Trial>], target: &'a Wanted) -> Self {
        let (bucket, known, probed) = match target {
            Wanted::Bundled(_) => (None, Known::of_bundled(), false),
            Wanted::Endpoint(profile) => (profile.bucket.as_deref(), profile.known(), true),
        };
        let offer = Offer::foreseen(known.clone());
        let (mut run, mut left_out) = (Vec::new(), Vec::new());
        for trial in trials {
            match offer.lacks(trial) {
                None => run.push(&**trial),
                Some(Lack::Unsupported(why) | Lack::Claimed(why)) => left_out.push((&**trial, why)),
            }
        }
        Self {
            run,
            left_out,
            bucket,
            known,
            probed,
        }
    }

    /// Requests that remove one object: in a bucket that was there before its versions are listed.
    const fn removal(&self) -> u64 {
        if self.bucket.is_some() { 2 } else { 1 }
    }

    fn amount(&self) -> Amount {
        // The look at its bucket, and the bucket's life where the run makes it.
        let mut sum = Amount {
            requests: if self.bucket.is_some() { 1 } else { 3 },
            ..Amount::default()
        };
        if self.probed {
            sum.requests += probe::requests(&self.known, self.removal());
        }
        for trial in &self.run {
            sum.add(Amount::of(trial, self.removal()));
        }
        sum.received += sum.requests * DOCUMENT;
        sum
    }

    /// How many trials make a bucket each.
    fn own_buckets(&self) -> u64 {
        let own = self.run.iter().filter(|trial| trial.changes_bucket());
        own.count() as u64
    }

    /// How many buckets are made and removed.
    fn buckets(&self) -> u64 {
        let probes = self.probed && self.known.asks_for(Capability::OwnBucket);
        self.own_buckets() + u64::from(self.bucket.is_none()) + u64::from(probes)
    }

    /// What the credentials must be allowed to do.
    fn permissions(&self) -> BTreeSet<Permission> {
        let mut needed = BTreeSet::from(permission::EVERY_RUN);
        match self.bucket {
            Some(_) => needed.extend(permission::GIVEN_BUCKET),
            None => needed.extend(permission::OWN_BUCKET),
        }
        let uploads = [Capability::Multipart, Capability::PartNumber];
        if uploads.into_iter().any(|one| self.known.asks_for(one)) {
            needed.extend(permission::UPLOADS);
        }
        for trial in &self.run {
            let steps = trial.given.iter().chain(&trial.steps);
            needed.extend(steps.flat_map(permission::of_step));
        }
        needed
    }
}

/// Refuses a selection that takes more than is allowed.
///
/// # Errors
/// Which limit it exceeds, and by how much.
pub(super) fn check(trials: &[Arc<Trial>], options: &Options) -> Result<(), Failure> {
    let sum = Foreseen::of(trials, &options.target).amount();
    let bytes = sum.sent + sum.received;
    let held = options.allowance.holds(sum.requests, bytes);
    held.map_err(|error| {
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
    let foreseen = Foreseen::of(trials, &options.target);
    let mut on_buckets = Vec::new();
    let mut on_objects = Vec::new();
    for permission in foreseen.permissions() {
        match permission {
            Permission::Bucket(action) => on_buckets.push(action.to_owned()),
            Permission::Object(action) => on_objects.push(action.to_owned()),
        }
    }
    let sum = foreseen.amount();
    if options.summary == Summary::Json {
        let all = format!("{BUCKET_PREFIX}*");
        let plan = Plan {
            format: FORMAT,
            trials: foreseen.run.len(),
            not_run: foreseen.left_out.len(),
            requests: sum.requests,
            sent: sum.sent,
            received: sum.received,
            buckets: foreseen.buckets(),
            policy: Policy::allowing(foreseen.bucket.unwrap_or(&all), on_buckets, on_objects),
        };
        return plan.write(out);
    }
    for trial in &foreseen.run {
        let requests = Amount::of(trial, foreseen.removal()).requests;
        writeln!(out, "{requests:4} requests  {}", trial.name)?;
    }
    for (trial, why) in &foreseen.left_out {
        writeln!(out, "      not run  {}: {why}", trial.name)?;
    }
    let own = match foreseen.own_buckets() {
        0 => String::new(),
        count => format!("; {count} trials change their bucket and make one each"),
    };
    let place = match foreseen.bucket {
        None => "one bucket of their own".to_owned(),
        Some(name) => format!("the bucket {name}"),
    };
    writeln!(
        out,
        "{} trials, about {} requests, {} MiB to the target and {} MiB back, in {place}{own}",
        foreseen.run.len(),
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
