//! Runs trials side by side and hands each record on as it comes.

use std::num::NonZeroUsize;
use std::sync::Arc;

use reports::record::CaseRecord;
use tokio::task::{JoinError, JoinSet};

use super::session::Session;
use super::tries;
use crate::error::{Error, OurError};
use crate::scenario::definition::Trial;

/// What to run, and how.
pub struct Plan {
    pub trials: Vec<Arc<Trial>>,
    /// How many at a time.
    pub jobs: NonZeroUsize,
    pub after_failure: AfterFailure,
}

/// What follows a trial that fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// The rest is run.
    GoOn,
    /// No further trial is started (`--fail-fast`).
    Stop,
}

/// Whether a trial fails the run, when all is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Yes,
    No,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every trial was run.
    Whole,
    /// A failure ended it early.
    FailedFast,
    /// A limit that the user set ended it early.
    Limited,
    /// A signal ended it early.
    Interrupted,
}

/// Runs the plan until it is done or `stop` resolves; then what is running is given up.
///
/// # Errors
/// A fault of ours: a record that cannot be written, a panic.
pub async fn run(
    session: &Arc<Session>,
    plan: &Plan,
    stop: impl Future<Output = ()>,
    on_case: &mut dyn FnMut(CaseRecord) -> Result<Counts, Error>,
) -> Result<Ended, Error> {
    let mut waiting = plan.trials.iter();
    let mut running = JoinSet::new();
    let mut ended = Ended::Whole;
    tokio::pin!(stop);
    loop {
        let is_spent = session.fixture.sender().budget().is_spent();
        if is_spent && ended == Ended::Whole {
            ended = Ended::Limited;
        }
        while ended == Ended::Whole && running.len() < plan.jobs.get() {
            let Some(trial) = waiting.next() else { break };
            let (session, trial) = (Arc::clone(session), Arc::clone(trial));
            running.spawn(async move { tries::run(&session, &trial).await });
        }
        let joined = tokio::select! {
            biased;
            () = &mut stop => {
                running.shutdown().await;
                return Ok(Ended::Interrupted);
            }
            joined = running.join_next() => joined,
        };
        let Some(joined) = joined else {
            return Ok(ended);
        };
        let case = joined.unwrap_or_else(|error| Err(panicked(&error)));
        let stops = match case {
            Ok(case) => {
                let stop = plan.after_failure == AfterFailure::Stop;
                on_case(case).map(|counts| counts == Counts::Yes && stop)
            }
            Err(error) => Err(error),
        };
        match stops {
            Ok(false) => {}
            Ok(true) => ended = Ended::FailedFast,
            Err(error) => {
                running.shutdown().await;
                return Err(error);
            }
        }
    }
}

/// A panic's own text may hold anything, so it is not shown; the hook has told where it was.
fn panicked(error: &JoinError) -> Error {
    let what = if error.is_panic() {
        "a trial panicked"
    } else {
        "a trial was given up"
    };
    OurError::Broken(what.to_owned()).into()
}
