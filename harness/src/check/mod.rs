//! Expectations, one by one, over one exchange.
//!
//! A check is data: what was expected beside what was seen, and how much it weighs. Nothing here
//! sends anything, and nothing here adds up a verdict: that is `conformance/judge.rs`. What a peer
//! sent is shown through [`Show`] only, so that no secret reaches an `observed` text.

pub mod body;
pub mod cross_origin;
pub mod evaluate;
pub mod header;
pub mod leak;
pub mod status;

/// One expectation beside what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Such as `class`, `floor`, `answer`, `echo`, `body`.
    pub what: &'static str,
    pub ok: bool,
    pub weight: Weight,
    pub expected: String,
    pub observed: String,
    /// What the expectation rests on, where that is not the case's own source.
    pub evidence: Option<String>,
}

/// What a check that is not met means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// A key, or plaintext, where it must not be: counts at every level.
    Leak,
    /// An accepted SSE-C write is readable without its key: counts at every level.
    Downgrade,
    /// Breaks the requirement, at the case's level.
    Requirement,
    /// Breaks a lesser requirement that comes along: counts as should at most.
    Should,
    /// The requirement is kept, with another answer than the dialect's own.
    Deviation,
}

impl Check {
    /// A check that is met or not, by `ok`.
    #[must_use]
    pub fn new(what: &'static str, weight: Weight, ok: bool) -> Self {
        Self {
            what,
            ok,
            weight,
            expected: String::new(),
            observed: String::new(),
            evidence: None,
        }
    }

    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    #[must_use]
    pub fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = observed.into();
        self
    }

    #[must_use]
    pub fn evidence(mut self, evidence: Option<String>) -> Self {
        self.evidence = evidence;
        self
    }
}

/// Makes a peer's bytes printable and free of secrets.
#[derive(Clone, Copy)]
pub struct Show<'a>(pub &'a (dyn Fn(&[u8]) -> String + Sync));

impl Show<'_> {
    /// `bytes` as printable text without secrets.
    #[must_use]
    pub fn text(&self, bytes: &[u8]) -> String {
        (self.0)(bytes)
    }

    /// A header's values, `absent` when there is none.
    #[must_use]
    pub fn values(&self, values: &[&[u8]]) -> String {
        match values {
            [] => "absent".to_owned(),
            values => {
                let values: Vec<String> = values.iter().map(|value| self.text(value)).collect();
                values.join(" and ")
            }
        }
    }
}
