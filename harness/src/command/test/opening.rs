//! Everything that must stand before the first trial: target, journal, bucket, offer.

use std::sync::Arc;

use super::{Options, Save, Wanted};
use crate::command::run_directory::RunDirectory;
use crate::command::signals::AskedToEnd;
use crate::command::{Failure, World};
use crate::conformance::budget::Budget;
use crate::conformance::fixture::{Fixture, bucket_name};
use crate::conformance::sender::Sender;
use crate::conformance::session::{Offer, Session};
use crate::conformance::{preflight, probe};
use crate::journal::Journal;
use crate::oracle::Oracle;
use crate::problem::Problem;
use crate::random::Seed;
use crate::target::bundled::Bundled;
use crate::target::{Origin, Target};

/// A target that is ready to be judged.
pub struct Opening {
    pub session: Arc<Session>,
    /// The bundled server, to be stopped at the end.
    pub bundled: Option<Bundled>,
    /// Where the run is kept.
    pub directory: Option<RunDirectory>,
    /// The `Server` header of the first answer.
    pub server: Option<String>,
}

/// Starts or finds the target and makes it ready. What it created before it failed, it removes;
/// `stop` ends it as long as nothing was created, and later ends the run.
///
/// # Errors
/// Why nothing can be run, with what to do.
pub async fn open(
    options: &Options,
    world: &World,
    oracle: Oracle,
    seed: Seed,
    stop: &mut AskedToEnd,
) -> Result<Opening, Failure> {
    let (bundled, target) = match &options.target {
        Wanted::Bundled(wish) => {
            let (bundled, target) = Bundled::start(wish).await?;
            (Some(bundled), target)
        }
        Wanted::Endpoint(profile) => (None, profile.target(&world.environment)?),
    };
    let target = Arc::new(target);
    let directory = match options.save {
        Save::Yes => Some(RunDirectory::create(&world.directory, world.clock, seed)?),
        Save::No => None,
    };
    let opened = async {
        let fixture = fixture(options, world, seed, &target, directory.as_ref())?;
        let looked = tokio::select! {
            looked = preflight::look(&fixture, &world.keyring) => looked?,
            () = stop => return Err(interrupted().into()),
        };
        let session = prepare(options, world, oracle, seed, fixture).await?;
        Ok::<_, Unready>((session, looked.server))
    };
    match opened.await {
        Ok((session, server)) => Ok(Opening {
            session: Arc::new(session),
            bundled,
            directory,
            server,
        }),
        Err(failure) => {
            if let Some(bundled) = bundled {
                bundled.stop().await;
            }
            // A run that never began has nothing to be kept for, unless something is left there.
            if let Some(directory) = directory.filter(|_| failure.left.is_empty()) {
                directory.discard();
            }
            Err(failure.told())
        }
    }
}

/// A failure, and what could not be removed after it.
struct Unready {
    failure: Failure,
    left: Vec<String>,
}

impl<E: Into<Failure>> From<E> for Unready {
    fn from(error: E) -> Self {
        Self {
            failure: error.into(),
            left: Vec::new(),
        }
    }
}

impl Unready {
    fn told(self) -> Failure {
        let mut failure = self.failure;
        if !self.left.is_empty() {
            let left = self.left.join(", ");
            failure.message = format!("{}; {left} could not be removed", failure.message);
        }
        failure
    }
}

fn interrupted() -> Failure {
    Failure::new(Problem::Interrupted, "interrupted before the first trial")
}

fn fixture(
    options: &Options,
    world: &World,
    seed: Seed,
    target: &Arc<Target>,
    directory: Option<&RunDirectory>,
) -> Result<Fixture, Failure> {
    let place = target.journal_place(seed, &world.directory);
    let journal = match directory {
        Some(directory) => Journal::start(directory.file("journal.jsonl")?, place)?,
        None => Journal::in_memory(place),
    };
    let sender = Sender::new(
        Arc::clone(target),
        Arc::clone(&world.keyring),
        world.clock,
        options.patience,
    );
    let sender = sender.within(Budget::new(options.allowance));
    let bucket = target.bucket.clone().unwrap_or_else(|| bucket_name(seed));
    let (sender, journal) = (Arc::new(sender), Arc::new(journal));
    Ok(Fixture::new(sender, journal, bucket, seed))
}

/// Makes the bucket and settles what the target offers.
async fn prepare(
    options: &Options,
    world: &World,
    oracle: Oracle,
    seed: Seed,
    fixture: Fixture,
) -> Result<Session, Unready> {
    let made = async {
        preflight::make_bucket(&fixture, &world.keyring).await?;
        match fixture.sender().target().origin {
            Origin::Bundled { .. } => Ok(Offer::of_bundled()),
            Origin::Endpoint { .. } => probe::probe(&fixture, &world.keyring).await,
        }
    };
    let made = made.await;
    let made = made.map(|offer| offer.knowing(fixture.sender().target().known()));
    match made {
        Ok(offer) => Ok(Session {
            oracle,
            fixture,
            keyring: Arc::clone(&world.keyring),
            seed,
            policy: options.policy,
            offer,
            detail: options.detail,
            retries: options.retries,
            axes: options.axes,
        }),
        Err(reason) => {
            // Also a bucket whose creation was never answered may be there.
            let cleanup = fixture.remove_all().await?;
            Err(Unready {
                failure: reason.into(),
                left: cleanup.left,
            })
        }
    }
}
