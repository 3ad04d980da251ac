//! The lines of a record stream: one header, one line a trial, one footer.
//!
//! Every type here is data about what happened, already redacted: nothing in this crate knows a
//! customer key. Readers must ignore fields that they do not know; `format` changes when a known
//! field changes its meaning.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::verdict::Verdict;

/// The record format that this version writes.
pub const FORMAT: u32 = 1;

/// One line of a record stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Record {
    #[serde(rename = "run")]
    Run(Box<RunHeader>),
    #[serde(rename = "case")]
    Case(Box<CaseRecord>),
    #[serde(rename = "end")]
    End(RunFooter),
}

/// First line: what was run, against what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    pub format: u32,
    /// `ssec` and its version.
    pub tool: Tool,
    pub target: Target,
    /// The run's public seed, hex: bodies, names and order repeat from it; customer keys do not.
    pub seed: String,
    /// Lowest level that counts: `must`, `should` or `may`.
    pub level: String,
    /// Whether `deviates` counts.
    pub strict: bool,
    pub selection: Selection,
    /// RFC 3339, UTC.
    pub started: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// SHA-256 of the catalogue, hex.
    pub catalogue: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `bundled`, or the endpoint's URL.
    pub endpoint: String,
    pub region: String,
    pub dialect: String,
    /// `path`, `vhost` or `both`.
    pub style: String,
    /// What the profile file calls the target, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How bodies were signed, `unsigned`, `chunked` or `all`; absent for `signed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The `Server` header of the preflight answer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The lie of the bundled target, if it was asked to tell one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impostor: Option<String>,
    /// Capability to `works`, `refused`, `ignored` or `withheld` (not tried, as the profile wants it).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub support: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    pub filters: Vec<String>,
    pub selected: usize,
    pub total: usize,
}

/// One trial and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// `suite::case[axis=label,…]`.
    pub name: String,
    pub verdict: Verdict,
    /// A machine-readable reason for some verdicts, such as `silent-downgrade`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// One sentence: what broke, in terms of the promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether this verdict makes the run fail (level, `--strict` and verdict taken together).
    pub counts: bool,
    pub suite: String,
    /// The case's id within its suite.
    pub id: String,
    /// Axis to label, in declared order.
    #[serde(default)]
    pub cells: Vec<(String, String)>,
    pub level: String,
    pub title: String,
    pub at: Location,
    /// The requirement's sources, one line each.
    pub sources: Vec<String>,
    /// Hash of the expanded requests and expectations.
    pub digest: String,
    /// Milliseconds.
    pub ms: u64,
    pub attempts: u32,
    /// Steps up to the one that decided; full exchanges only for trials that did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Answers that the dialect's evidence excused from their class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The scenario around the step that decided; of trials that did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
    /// What the run's baseline says of it, if it is listed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// Each try in order, where a first one that failed the run was followed by another. The rest
    /// of the record is that of the worst.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
}

/// What one try of a trial came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    pub verdict: Verdict,
    /// As in [`CaseRecord`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Milliseconds.
    pub ms: u64,
}

/// The entry of a baseline that a trial meets by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// `known`: as listed, and so it does not count. `changed`: broken in another way. `fixed`: as it
    /// should be. `expired`: as listed, but no longer excused.
    pub standing: String,
    pub issue: String,
    /// The last day on which the entry holds, `2027-03-01`.
    pub until: String,
}

impl CaseRecord {
    /// One of which nothing is known but its verdict, for tests to add to.
    #[cfg(test)]
    pub(crate) fn bare(suite: &str, id: &str, verdict: Verdict) -> Self {
        Self {
            name: format!("{suite}::{id}"),
            verdict,
            reason: None,
            message: None,
            counts: true,
            suite: suite.to_owned(),
            id: id.to_owned(),
            cells: Vec::new(),
            level: "must".to_owned(),
            title: String::new(),
            at: Location {
                file: String::new(),
                line: 1,
                column: 1,
            },
            sources: Vec::new(),
            digest: String::new(),
            ms: 0,
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

    /// Whether it stands as the baseline says, whatever else there is to say about it.
    #[must_use]
    pub fn stands(&self, standing: &str) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.standing == standing)
    }

    /// Whether another try came to another verdict: the target, or the way to it, is not steady.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        let mut verdicts = self.tries.iter().map(|one| one.verdict);
        let first = verdicts.next();
        verdicts.any(|verdict| Some(verdict) != first)
    }
}

/// Some lines of a scenario, one of them lit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// As in [`Location`].
    pub file: String,
    /// The number of the first line; the file's first is 1.
    pub first: u32,
    /// The number of the line that is lit.
    pub lit: u32,
    pub lines: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// As `scenarios/suites/get.yaml`.
    pub file: String,
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// `given`, `steps`, `keyless read` and `key read` (the runner's own proofs after a write),
    /// `waiting` (an answer that came too early), or `diagnose`.
    pub phase: String,
    /// 1 for the first step of its phase.
    pub number: u32,
    pub operation: String,
    pub at: Location,
    /// The outcome that the step expects, such as `wrong-key`; absent where it only observes, and
    /// in the runner's own proofs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Status and code that came, such as `403 AccessDenied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    pub checks: Vec<CheckRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeRecord>,
}

/// One expectation beside what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Such as `class`, `floor`, `answer`, `echo`, `body`, `length`, `etag`, `header`, `entries`, `leak`.
    pub what: String,
    pub ok: bool,
    pub expected: String,
    pub observed: String,
    /// What the expectation rests on: a dialect's evidence, or the case's own source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Whether the trial's verdict rests on it: true of one check of a trial at most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decides: bool,
}

/// A redacted exchange, taken from the bytes that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    pub request: MessageRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<MessageRecord>,
    /// A curl line that repeats the request, keys as `$KEY_ALICE`; absent where curl cannot send the same bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Request or status line.
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// Bytes of body.
    pub length: u64,
    /// What the body is: `empty`, `body small, whole`, `ciphertext-like`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_is: Option<String>,
    /// The start of a textual body (an error document), at most 2 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
}

/// How to see it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// An `ssec test` line that runs this trial alone.
    pub rerun: String,
    /// The same for nextest's filter language.
    pub nextest: String,
}

/// Last line; a stream without it is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFooter {
    /// RFC 3339, UTC.
    pub finished: String,
    /// Level to verdict to number.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// `conformant`, `conformant with deviations`, `partial`, `not conformant` or `no verdict`.
    pub conclusion: String,
    /// The process's exit code.
    pub exit: u8,
    pub interrupted: bool,
    pub cleanup: Cleanup,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Cleanup {
    pub created: u64,
    pub removed: u64,
    /// Names of what could not be removed; `ssec clean RUN` tries again.
    pub left: Vec<String>,
}
