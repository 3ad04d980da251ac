//! Everything that must stand before the first trial: target, journal, bucket, offer.

use std::path::Path;
use std::sync::Arc;

use reports::journal::{FORMAT, Place};

use super::{Options, Save, Wanted};
use crate::command::run_directory::RunDirectory;
use crate::command::{Failure, World};
use crate::conformance::fixture::{Fixture, bucket_name};
use crate::conformance::preflight;
use crate::conformance::sender::Sender;
use crate::conformance::session::{Offer, Session};
use crate::journal::Journal;
use crate::oracle::Oracle;
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

/// Starts or finds the target and makes it ready. What it created before it failed, it removes.
///
/// # Errors
/// Why nothing can be run, with what to do.
pub async fn open(
    options: &Options,
    world: &World,
    oracle: Oracle,
    seed: Seed,
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
    let opened = prepare(options, world, oracle, seed, &target, directory.as_ref()).await;
    match opened {
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

async fn prepare(
    options: &Options,
    world: &World,
    oracle: Oracle,
    seed: Seed,
    target: &Arc<Target>,
    directory: Option<&RunDirectory>,
) -> Result<(Session, Option<String>), Unready> {
    let place = place(target, seed, &world.directory);
    let journal = match directory {
        Some(directory) => {
            let file = directory.file("journal.jsonl").map_err(Failure::from)?;
            Journal::start(file, place).map_err(Failure::from)?
        }
        None => Journal::in_memory(place),
    };
    let keyring = Arc::clone(&world.keyring);
    let sender = Sender::new(
        Arc::clone(target),
        Arc::clone(&keyring),
        world.clock,
        options.patience,
    );
    let bucket = target.bucket.clone().unwrap_or_else(|| bucket_name(seed));
    let fixture = Fixture::new(Arc::new(sender), Arc::new(journal), bucket, seed);
    let looked = preflight::look(&fixture, &keyring).await?;
    preflight::make_bucket(&fixture, &keyring).await?;
    let offer = match target.origin {
        Origin::Bundled { .. } => Offer::of_bundled(),
        Origin::Endpoint { .. } => match preflight::probe(&fixture, &keyring).await {
            Ok(offer) => offer,
            Err(reason) => {
                let cleanup = fixture.remove_all().await?;
                return Err(Unready {
                    failure: reason.into(),
                    left: cleanup.left,
                });
            }
        },
    };
    let session = Session {
        oracle,
        fixture,
        keyring,
        seed,
        policy: options.policy,
        offer,
        detail: options.detail,
    };
    Ok((session, looked.server))
}

/// What a later cleanup needs to know; a relative path would mean another file elsewhere.
fn place(target: &Target, seed: Seed, directory: &Path) -> Place {
    let (ca, insecure) = match &target.origin {
        Origin::Bundled { .. } => (None, false),
        Origin::Endpoint { ca, insecure } => (ca.clone(), *insecure),
    };
    Place {
        format: FORMAT,
        endpoint: target.label.clone(),
        region: target.region.clone(),
        style: target.style_word().to_owned(),
        vhost_domain: target.vhost_domain.clone(),
        ca: ca.map(|ca| directory.join(ca).display().to_string()),
        insecure,
        seed: seed.to_string(),
    }
}
