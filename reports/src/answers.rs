//! Which of a trial's answers speak for it.

use crate::record::{CaseRecord, StepRecord};

/// Most different answers that stand for one trial.
const MOST: usize = 4;
/// The phase of the steps that are judged; the others prepare or prove.
const STEPS: &str = "steps";

/// The step with the check that decided; where none says so, the last one with a broken check, else
/// the last of all.
#[must_use]
pub fn decisive(steps: &[StepRecord]) -> Option<&StepRecord> {
    let decides = |step: &&StepRecord| step.checks.iter().any(|check| check.decides);
    let broken = |step: &&StepRecord| step.checks.iter().any(|check| !check.ok);
    let mut backwards = steps.iter().rev();
    let found = steps
        .iter()
        .find(decides)
        .or_else(|| backwards.find(broken));
    found.or_else(|| steps.last())
}

/// The steps that the scenario judges, without what prepares them and without the runner's proofs.
pub fn judged_steps(case: &CaseRecord) -> impl Iterator<Item = &StepRecord> {
    case.steps.iter().filter(|step| step.phase == STEPS)
}

/// The answers to the judged steps, an answer that comes again in a row once; where a check is
/// broken, the answer to its step alone.
#[must_use]
pub fn of(case: &CaseRecord) -> Vec<String> {
    let broken = decisive(&case.steps).filter(|step| step.checks.iter().any(|check| !check.ok));
    let mut answers: Vec<String> = match broken {
        Some(step) => step.answer.iter().cloned().collect(),
        None => judged_steps(case)
            .filter_map(|step| step.answer.clone())
            .collect(),
    };
    answers.dedup();
    answers.truncate(MOST);
    answers
}
