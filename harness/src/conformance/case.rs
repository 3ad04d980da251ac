//! A trial's record: what was done, what was seen, how to see it again. Everything is redacted here.

use std::time::Duration;

use reports::record::{CaseRecord, CheckRecord, Location, Repeat, StepRecord};
use reports::verdict::Verdict;

use super::judge::{Judgement, Phase};
use super::session::{Detail, Session};
use crate::check::Check;
use crate::evidence::Redactor;
use crate::scenario::definition::{self, Trial};
use crate::transport::Exchange;

/// One step as it was carried out.
pub struct Taken {
    pub phase: Phase,
    /// 1 for the first step of its phase.
    pub number: u32,
    /// Lower case, as in the scenario.
    pub operation: &'static str,
    /// What was done, in words.
    pub action: String,
    pub observe: bool,
    /// The outcome that the step expects.
    pub outcome: Option<String>,
    /// Status and code that came, shown safely.
    pub answer: String,
    pub at: definition::Location,
    pub checks: Vec<Check>,
    pub exchange: Exchange,
    /// What the answer's body is.
    pub body_is: Option<String>,
}

/// What a trial left behind.
#[derive(Default)]
pub struct Trace {
    pub taken: Vec<Taken>,
    pub notes: Vec<String>,
    pub waivers: Vec<String>,
    /// The most often that one request was sent.
    pub attempts: u32,
}

/// Puts the record of a trial together.
#[must_use]
pub fn record(
    session: &Session,
    trial: &Trial,
    judgement: &Judgement,
    trace: &Trace,
    elapsed: Duration,
) -> CaseRecord {
    let redactor = session.redactor();
    let text = |text: &str| redactor.text(text.as_bytes(), &trial.name);
    let exchanges = match (session.detail, judgement.verdict) {
        (Detail::NotPassed, Verdict::Pass | Verdict::Unsupported) => Exchanges::Left,
        (Detail::NotPassed | Detail::All, _) => Exchanges::Kept,
    };
    CaseRecord {
        name: trial.name.clone(),
        verdict: judgement.verdict,
        reason: judgement.reason.map(str::to_owned),
        message: judgement.message.as_deref().map(text),
        counts: judgement.counts(session.policy),
        suite: trial.suite.clone(),
        id: trial.case_id.clone(),
        cells: trial.cells.clone(),
        level: judgement.level.to_string(),
        title: trial.title.clone(),
        at: location(&trial.at),
        sources: trial.sources.iter().map(ToString::to_string).collect(),
        digest: trial.digest.clone(),
        ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        attempts: trace.attempts.max(1),
        steps: trace
            .taken
            .iter()
            .enumerate()
            .map(|(at, taken)| {
                let decided = judgement.decided_by.filter(|decided| decided.step == at);
                let decides = decided.map(|decided| decided.check);
                step(taken, decides, &redactor, &trial.name, exchanges)
            })
            .collect(),
        notes: trace.notes.iter().map(|note| text(note)).collect(),
        waivers: trace.waivers.iter().map(|waiver| text(waiver)).collect(),
        repeat: Some(Repeat {
            rerun: session.rerun(&trial.name),
            nextest: nextest(&trial.name),
        }),
        excerpt: None,
        known: None,
        tries: Vec::new(),
    }
}

/// Whether a record holds its exchanges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exchanges {
    Kept,
    Left,
}

/// One step; the trial's verdict rests on its check at `decides`.
fn step(
    taken: &Taken,
    decides: Option<usize>,
    redactor: &Redactor<'_>,
    trial: &str,
    exchanges: Exchanges,
) -> StepRecord {
    let text = |text: &str| redactor.text(text.as_bytes(), trial);
    StepRecord {
        phase: taken.phase.words().to_owned(),
        number: taken.number,
        operation: taken.operation.to_owned(),
        at: location(&taken.at),
        outcome: taken.outcome.clone(),
        answer: Some(taken.answer.clone()),
        checks: taken
            .checks
            .iter()
            .enumerate()
            .map(|(place, check)| CheckRecord {
                what: check.what.to_owned(),
                ok: check.ok,
                expected: text(&check.expected),
                observed: text(&check.observed),
                evidence: check.evidence.clone(),
                decides: decides == Some(place),
            })
            .collect(),
        exchange: (exchanges == Exchanges::Kept)
            .then(|| redactor.exchange(&taken.exchange, trial, taken.body_is.clone())),
    }
}

fn location(at: &definition::Location) -> Location {
    // A routine stands in a source file, and says so with its whole path.
    let is_code = at.file.ends_with(".rs");
    let folder = if is_code { "" } else { "scenarios/" };
    Location {
        file: format!("{folder}{}", at.file),
        line: at.line,
        column: at.column,
    }
}

/// nextest's filter for one name; its language wants commas escaped.
fn nextest(name: &str) -> String {
    // There each trial runs once, as the first value of each axis has it.
    let name = name.split('@').next().unwrap_or(name);
    let name = name.replace('\\', "\\\\").replace(',', "\\,");
    format!("cargo nextest run -E 'test(={name})'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_ends_a_name_in_nextests_language() {
        assert_eq!(
            nextest("get::x[a=b,c=d]"),
            "cargo nextest run -E 'test(=get::x[a=b\\,c=d])'"
        );
    }
}
