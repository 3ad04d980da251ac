//! A run read back whole, its numbers, and what they add up to.

use std::collections::BTreeMap;
use std::io::BufRead;

use crate::record::{CaseRecord, Cleanup, RunFooter, RunHeader};
use crate::stream::{Entry, ReadError, Reader};
use crate::verdict::Verdict;

/// The reason of a `fail` where an SSE-C write was accepted and stored readable without its key.
pub const SILENT_DOWNGRADE: &str = "silent-downgrade";

/// The exit code of a run that came to no judgement.
const CANNOT_JUDGE: u8 = 3;

/// The level whose trials every target must pass.
const MUST: &str = "must";

/// Stands for the conclusion of a run of which the footer is missing; never written.
pub const INCOMPLETE: &str = "incomplete";

/// One run. Its footer is the stream's own, or stands in for a missing one ([`Run::salvage`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub header: RunHeader,
    /// In the order in which the trials ended.
    pub cases: Vec<CaseRecord>,
    pub footer: RunFooter,
}

impl Run {
    /// Reads a whole stream.
    ///
    /// # Errors
    ///
    /// Whatever makes the stream less than one complete run.
    pub fn read(source: impl BufRead) -> Result<Self, ReadError> {
        let run = Self::salvage(source)?;
        if run.is_complete() {
            Ok(run)
        } else {
            Err(ReadError::MissingFooter)
        }
    }

    /// Reads what is there of a stream that may lack its end, so that a report can show it and
    /// say that it is incomplete.
    ///
    /// # Errors
    ///
    /// As [`Run::read`], but for the missing footer.
    pub fn salvage(source: impl BufRead) -> Result<Self, ReadError> {
        let (header, mut reader) = Reader::new(source)?;
        let mut cases = Vec::new();
        loop {
            match reader.next_entry() {
                Ok(Some(Entry::Case(case))) => cases.push(*case),
                Ok(Some(Entry::End(footer))) => {
                    // Reads on: what comes after the footer is an error.
                    reader.next_entry()?;
                    return Ok(Self {
                        header,
                        cases,
                        footer,
                    });
                }
                Ok(None) | Err(ReadError::MissingFooter) => {
                    let footer = RunFooter {
                        finished: String::new(),
                        counts: Tally::of(&cases).to_counts(),
                        conclusion: INCOMPLETE.to_owned(),
                        exit: CANNOT_JUDGE,
                        interrupted: true,
                        cleanup: Cleanup::default(),
                    };
                    return Ok(Self {
                        header,
                        cases,
                        footer,
                    });
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Whether the stream had its footer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.footer.conclusion != INCOMPLETE
    }
}

/// How many trials of each level ended with each verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally(BTreeMap<String, BTreeMap<Verdict, u64>>);

impl Tally {
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a CaseRecord>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            let level = tally.0.entry(case.level.clone()).or_default();
            *level.entry(case.verdict).or_default() += 1;
        }
        tally
    }

    #[must_use]
    pub fn count(&self, level: &str, verdict: Verdict) -> u64 {
        self.0
            .get(level)
            .and_then(|counts| counts.get(&verdict))
            .copied()
            .unwrap_or(0)
    }

    /// Over all levels.
    #[must_use]
    pub fn total(&self, verdict: Verdict) -> u64 {
        self.0
            .values()
            .filter_map(|counts| counts.get(&verdict))
            .sum()
    }

    /// Levels that occur, from `must` down; a level that this version does not know comes last.
    #[must_use]
    pub fn levels(&self) -> Vec<&str> {
        let known = [MUST, "should", "may"];
        let mut levels: Vec<&str> = self.0.keys().map(String::as_str).collect();
        levels.sort_by_key(|level| known.iter().position(|k| k == level).unwrap_or(known.len()));
        levels
    }

    /// The footer's form: level to verdict to number.
    #[must_use]
    pub fn to_counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let words = |counts: &BTreeMap<Verdict, u64>| {
            counts
                .iter()
                .map(|(verdict, n)| (verdict.word().to_owned(), *n))
                .collect()
        };
        self.0
            .iter()
            .map(|(level, counts)| (level.clone(), words(counts)))
            .collect()
    }
}

/// What a run says about its target, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Every requirement of level `must` was judged and met, and so was all else that counts.
    Conformant,
    /// The same, but some answers kept their class with another status or code.
    WithDeviations,
    /// Nothing is broken, but some `must` trial was not judged, or not selected.
    Partial,
    /// A requirement is broken.
    NotConformant,
    /// Nothing was judged.
    NoVerdict,
}

impl Conclusion {
    /// Draws the conclusion. `all_ran` is false where a filter or an interruption left trials out.
    #[must_use]
    pub fn of(cases: &[CaseRecord], all_ran: AllRan) -> Self {
        if cases.iter().any(breaks) {
            return Self::NotConformant;
        }
        let judged = |case: &CaseRecord| {
            matches!(
                case.verdict,
                Verdict::Pass | Verdict::Deviates | Verdict::Fail
            )
        };
        if !cases.iter().any(judged) {
            return Self::NoVerdict;
        }
        if all_ran == AllRan::No || cases.iter().any(leaves_a_gap) {
            return Self::Partial;
        }
        if cases.iter().any(|case| case.verdict == Verdict::Deviates) {
            return Self::WithDeviations;
        }
        Self::Conformant
    }

    /// The words that records and reports use.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::WithDeviations => "conformant with deviations",
            Self::Partial => "partial",
            Self::NotConformant => "not conformant",
            Self::NoVerdict => "no verdict",
        }
    }
}

/// Whether every trial of the catalogue was run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllRan {
    Yes,
    No,
}

/// Leak and silent downgrade break the promise at every level, the rest where it counts; a `must`
/// that a baseline excuses from the exit code is broken all the same.
fn breaks(case: &CaseRecord) -> bool {
    match case.verdict {
        Verdict::Leak => true,
        Verdict::Fail => {
            case.counts || case.level == MUST || case.reason.as_deref() == Some(SILENT_DOWNGRADE)
        }
        Verdict::Deviates => case.counts,
        Verdict::Error
        | Verdict::Blocked
        | Verdict::Unsupported
        | Verdict::Observed
        | Verdict::Pass => false,
    }
}

fn leaves_a_gap(case: &CaseRecord) -> bool {
    case.level == MUST
        && matches!(
            case.verdict,
            Verdict::Error | Verdict::Blocked | Verdict::Unsupported
        )
}
