//! A trial that fails the run is tried again where the user asks for it, and every try is told.
//!
//! A try is never thrown away: the record is that of the worst one, and it lists them all. A leak
//! and a silent downgrade are not tried again, for no later answer takes them back.

use reports::record::{CaseRecord, Try};
use reports::verdict::Verdict;

use super::judge::SILENT_DOWNGRADE;
use super::session::Session;
use super::trial;
use crate::error::Error;
use crate::scenario::definition::Trial;

/// Further tries that may be asked for (`--retries`): who needs more looks for luck.
pub const MAX_RETRIES: u32 = 10;

/// How often a trial that fails the run is tried again, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Further tries, at most [`MAX_RETRIES`].
    pub most: u32,
    pub flaky: Flaky,
}

/// Whether a trial fails the run that was met at last, but not at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaky {
    Fails,
    /// It is told, and fails nothing (`--allow-flaky`).
    Allowed,
}

/// Runs a trial until it does not fail the run, or its tries are used up.
///
/// # Errors
/// As [`trial::run`].
pub async fn run(session: &Session, trial: &Trial) -> Result<CaseRecord, Error> {
    let mut tries = vec![trial::run(session, trial, 1).await?];
    for number in 1..=session.retries.most {
        let is_spent = session.fixture.sender().budget().is_spent();
        if is_spent || !tries.last().is_some_and(may_be_tried_again) {
            break;
        }
        tries.push(trial::run(session, trial, number + 1).await?);
    }
    Ok(told(tries, session.retries.flaky))
}

fn may_be_tried_again(case: &CaseRecord) -> bool {
    let stays = case.verdict == Verdict::Leak || case.reason.as_deref() == Some(SILENT_DOWNGRADE);
    case.counts && !stays
}

/// One record for all tries, of which there is at least one: that of the worst, and of equal ones
/// that of the first.
fn told(tries: Vec<CaseRecord>, flaky: Flaky) -> CaseRecord {
    let is_met_at_last = tries.last().is_some_and(|case| !case.counts);
    let all: Vec<Try> = tries
        .iter()
        .map(|case| Try {
            verdict: case.verdict,
            message: case.message.clone(),
            ms: case.ms,
        })
        .collect();
    let worst = tries
        .into_iter()
        .min_by_key(|case| (!case.counts, case.verdict));
    let mut case = worst.expect("a trial is tried once at least");
    if all.len() > 1 {
        case.tries = all;
        if flaky == Flaky::Allowed && is_met_at_last && may_be_tried_again(&case) {
            case.counts = false;
        }
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::record::Location;

    fn tried(verdict: Verdict, reason: Option<&str>) -> CaseRecord {
        CaseRecord {
            name: "suite::case".to_owned(),
            verdict,
            reason: reason.map(str::to_owned),
            message: Some(verdict.word().to_owned()),
            counts: verdict != Verdict::Pass,
            suite: "suite".to_owned(),
            id: "case".to_owned(),
            cells: Vec::new(),
            level: "must".to_owned(),
            title: "a title".to_owned(),
            at: Location {
                file: "scenarios/suites/suite.yaml".to_owned(),
                line: 1,
                column: 1,
            },
            sources: Vec::new(),
            digest: String::new(),
            ms: 1,
            attempts: 1,
            steps: Vec::new(),
            notes: Vec::new(),
            waivers: Vec::new(),
            repeat: None,
            excerpt: None,
            known: None,
            tries: Vec::new(),
        }
    }

    fn all(verdicts: &[Verdict], flaky: Flaky) -> CaseRecord {
        let tries = verdicts.iter().map(|verdict| tried(*verdict, None));
        told(tries.collect(), flaky)
    }

    #[test]
    fn the_worst_try_stands_and_all_are_told() {
        let case = all(
            &[Verdict::Error, Verdict::Fail, Verdict::Pass],
            Flaky::Fails,
        );
        assert_eq!(case.verdict, Verdict::Fail);
        assert!(case.counts && case.is_flaky());
        let told: Vec<Verdict> = case.tries.iter().map(|one| one.verdict).collect();
        assert_eq!(told, [Verdict::Error, Verdict::Fail, Verdict::Pass]);
        let once = all(&[Verdict::Fail], Flaky::Allowed);
        assert!(once.counts && once.tries.is_empty() && !once.is_flaky());
        let alike = all(&[Verdict::Fail, Verdict::Fail], Flaky::Allowed);
        assert!(alike.counts && !alike.is_flaky());
        assert_eq!(alike.tries.len(), 2);
    }

    #[test]
    fn what_is_met_at_last_can_be_excused_and_nothing_else() {
        let excused = all(&[Verdict::Fail, Verdict::Pass], Flaky::Allowed);
        assert_eq!((excused.verdict, excused.counts), (Verdict::Fail, false));
        assert!(all(&[Verdict::Error, Verdict::Fail], Flaky::Allowed).counts);
        assert!(all(&[Verdict::Fail, Verdict::Leak], Flaky::Allowed).counts);
        // Also if the last try shows nothing of it.
        assert!(all(&[Verdict::Leak, Verdict::Pass], Flaky::Allowed).counts);
        let stored = tried(Verdict::Fail, Some(SILENT_DOWNGRADE));
        assert!(!may_be_tried_again(&stored));
        assert!(told(vec![stored, tried(Verdict::Pass, None)], Flaky::Allowed).counts);
    }

    #[test]
    fn only_what_fails_the_run_is_tried_again() {
        assert!(may_be_tried_again(&tried(Verdict::Fail, None)));
        assert!(may_be_tried_again(&tried(Verdict::Blocked, None)));
        assert!(!may_be_tried_again(&tried(Verdict::Pass, None)));
        assert!(!may_be_tried_again(&tried(Verdict::Leak, None)));
        let mut below = tried(Verdict::Fail, None);
        below.counts = false;
        assert!(!may_be_tried_again(&below));
    }
}
