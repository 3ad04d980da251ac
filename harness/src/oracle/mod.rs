//! What an answer must be: the closed list of outcomes, and each dialect's exact answers.
//!
//! Two levels. An outcome has a class, and below it a floor that nothing lowers; a dialect says,
//! with evidence, which status and code one provider answers. Without evidence the class judges, so a
//! provider that nobody has recorded can be run and cannot be failed by guesswork. Knows nothing
//! of requests and never judges an exchange: that is `conformance/judge.rs`.

mod dialect;
mod evidence;
mod outcome;

pub use dialect::{Answer, Dialect, EchoFact, EtagFact, Facts, Reply, VersionIdFact};
pub use evidence::sources;
pub use outcome::{Class, Floor, Outcome, Outcomes};

use crate::scenario::definition::Operation;
use std::sync::Arc;

/// The outcomes as one dialect answers them.
#[derive(Debug, Clone)]
pub struct Oracle {
    outcomes: Arc<Outcomes>,
    dialect: Arc<Dialect>,
    /// The dialect that differences are noted against.
    compare_to: Option<Arc<Dialect>>,
}

/// Everything that is known about one outcome of one operation.
#[derive(Debug, Clone, Copy)]
pub struct Ruling<'a> {
    pub outcome: &'a Outcome,
    /// The dialect's own answer, which has evidence.
    pub own: Option<&'a Answer>,
    /// Why the dialect has no own answer, where its file says so.
    pub unrecorded: Option<&'a str>,
    /// Name and answer of the dialect compared with: never judges, a difference is a note.
    pub compare: Option<(&'a str, &'a Answer)>,
}

impl Ruling<'_> {
    /// Whether evidence lowers the outcome's class to its floor: a waiver, printed in each report.
    #[must_use]
    pub fn is_waived(&self) -> bool {
        self.own
            .is_some_and(|answer| answer.reply == Reply::Accepted)
    }
}

impl Oracle {
    /// The outcomes as `dialect` answers them, compared with `compare_to`.
    #[must_use]
    pub const fn new(
        outcomes: Arc<Outcomes>,
        dialect: Arc<Dialect>,
        compare_to: Option<Arc<Dialect>>,
    ) -> Self {
        Self {
            outcomes,
            dialect,
            compare_to,
        }
    }

    /// What `outcome` means for `operation`; `None` if `outcomes.yaml` has no such outcome, which
    /// cannot be for a trial that the catalogue loaded.
    #[must_use]
    pub fn ruling(&self, outcome: &str, operation: Operation) -> Option<Ruling<'_>> {
        Some(Ruling {
            outcome: self.outcomes.get(outcome)?,
            own: self.dialect.answer(outcome, operation),
            unrecorded: self.dialect.unrecorded(outcome),
            compare: self
                .compare_to
                .as_ref()
                .and_then(|other| Some((other.name(), other.answer(outcome, operation)?))),
        })
    }

    /// What the dialect says about answers that are not refusals.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        self.dialect.facts()
    }

    /// The dialect's name, such as `aws`.
    #[must_use]
    pub fn dialect(&self) -> &str {
        self.dialect.name()
    }
}
