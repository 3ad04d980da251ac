//! One provider's exact answers and facts, each with evidence: `dialects/NAME.yaml`.

use crate::scenario::definition::{Operation, Source};
use std::collections::{BTreeMap, BTreeSet};

/// What a dialect answers, by evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This status and, where there is a body to carry it, this code.
    Exactly { status: u16, code: Option<String> },
    /// The request is carried out although its outcome's class says otherwise (`accepted: true`).
    Accepted,
}

/// One answer of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub reply: Reply,
    /// The operations it was seen on; empty means all.
    pub ops: BTreeSet<Operation>,
    /// At least one.
    pub evidence: Vec<Source>,
}

/// Whether the algorithm and the key MD5 come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EchoFact {
    Pair,
    None,
}

/// What the entity tag of an SSE-C object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EtagFact {
    /// Not the MD5 of the plaintext.
    Opaque,
    /// The MD5 of the plaintext.
    Md5,
}

/// What version ids look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionIdFact {
    Opaque,
    /// Microseconds since 1970 in decimal.
    Microseconds,
}

/// What a dialect says about answers that are not refusals; `None` where nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub echo: Option<EchoFact>,
    pub etag: Option<EtagFact>,
    pub version_id: Option<VersionIdFact>,
    /// At least one if any fact is set.
    pub evidence: Vec<Source>,
}

/// One provider's answers.
#[derive(Debug, Clone)]
pub struct Dialect {
    name: String,
    compare_to: Option<String>,
    facts: Facts,
    /// An outcome has several when operations differ; their operations do not overlap.
    answers: BTreeMap<String, Vec<Answer>>,
    unrecorded: BTreeMap<String, String>,
}

impl Dialect {
    /// Such as `aws`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dialect that differences are noted against.
    #[must_use]
    pub fn compare_to(&self) -> Option<&str> {
        self.compare_to.as_deref()
    }

    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The recorded answer, if there is one for this operation.
    #[must_use]
    pub fn answer(&self, outcome: &str, operation: Operation) -> Option<&Answer> {
        self.answers
            .get(outcome)?
            .iter()
            .find(|answer| answer.ops.is_empty() || answer.ops.contains(&operation))
    }

    /// Why there is no answer, where the file says so.
    #[must_use]
    pub fn unrecorded(&self, outcome: &str) -> Option<&str> {
        self.unrecorded.get(outcome).map(String::as_str)
    }
}
