//! The closed list of verdicts, worst first, and which of them fail a run.

use serde::{Deserialize, Serialize};

/// The result of one trial. The order is from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A key, or plaintext, came back in an answer to a request that did not carry that key.
    Leak,
    /// A requirement is broken.
    Fail,
    /// Our side or the network: the trial says nothing about the target.
    Error,
    /// A `given` step did not work, so nothing was concluded.
    Blocked,
    /// The class was kept with another status or code than the dialect's own.
    Deviates,
    /// The target does not offer what the trial needs.
    Unsupported,
    /// Nothing was judged; the answer was recorded.
    Observed,
    /// Every expectation was met.
    Pass,
}

impl Verdict {
    /// All verdicts, worst first.
    pub const ALL: [Self; 8] = [
        Self::Leak,
        Self::Fail,
        Self::Error,
        Self::Blocked,
        Self::Deviates,
        Self::Unsupported,
        Self::Observed,
        Self::Pass,
    ];

    /// The lower-case word that records and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Blocked => "blocked",
            Self::Deviates => "deviates",
            Self::Unsupported => "unsupported",
            Self::Observed => "observed",
            Self::Pass => "pass",
        }
    }
}
