//! Trials whose steps are code: they look at the target's files and log, change what is stored, or
//! send at once. They are declared in `scenario::routines` and judged as any other trial.
//!
//! Nothing here knows how a server stores: files are bytes, and a file of an object's own is one
//! that came with the object and has about its length. Where that finds nothing, the trial is not
//! assessable, never passed.

mod at_rest;
mod errand;
mod files;
mod isolation;
mod log;
mod search;
mod tamper;

use self::errand::{Errand, Stop};
use super::case::Trace;
use super::judge::Judgement;
use super::session::Session;
use super::trial::sum_up;
use crate::payload::Named;
use crate::scenario::definition::{Routine, Trial};
use crate::target::Origin;

/// Carries out what `trial` does by code.
pub(super) async fn run(
    session: &Session,
    trial: &Trial,
    routine: Routine,
    folder: &str,
    trace: &mut Trace,
) -> Judgement {
    let keys = match session.keyring.draw(trial) {
        Ok(keys) => keys,
        Err(error) => return Judgement::error(error.to_string(), trial.level),
    };
    let bodies = trial.bodies.iter();
    let bodies: Vec<Named<'_>> = bodies
        .map(|(name, spec)| Named { name, spec: *spec })
        .collect();
    let mut errand = Errand::new(session, trial, folder, &keys, &bodies, trace);
    let ended = match routine {
        Routine::PlaintextAtRest(writing) => at_rest::plaintext(&mut errand, writing).await,
        Routine::KeyAtRest => at_rest::key(&mut errand).await,
        Routine::KeyMd5AtRest => at_rest::key_md5(&mut errand).await,
        Routine::DigestAtRest => at_rest::digest(&mut errand).await,
        Routine::TwiceAtRest => at_rest::twice(&mut errand).await,
        Routine::Tampering(what) => tamper::read_tampered(&mut errand, what).await,
        Routine::Isolation => isolation::concurrent(&mut errand).await,
        Routine::KeyInLog => log::key(&mut errand).await,
    };
    let ended = match ended {
        Ok(()) | Err(Stop::Judged) => Ok(()),
        Err(Stop::Failed(error)) => Err(Judgement::error(error.to_string(), trial.level)),
        Err(Stop::NotAssessable(why)) => Err(match session.target().origin {
            // Of the bundled server everything is known: what cannot be seen there is our fault.
            Origin::Bundled { .. } => Judgement::error(why, trial.level),
            Origin::Endpoint { .. } => {
                Judgement::unsupported(format!("not assessable: {why}"), trial.level)
            }
        }),
    };
    sum_up(trial, trace, ended)
}
