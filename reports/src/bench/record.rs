//! The lines of a bench record: one header, one line a second and series, what was noticed on
//! the way, one footer.
//!
//! Every figure of every report is computed from these lines. A *series* is one operation of one
//! arm; its seconds carry whole histograms, so that any cut of them can be merged without loss.
//! Readers ignore fields that they do not know; `format` changes when a known field changes its
//! meaning.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::histogram::Packed;
use crate::record::Cleanup;

/// The bench record's format that this version writes.
pub const FORMAT: u32 = 1;

/// One line of a bench record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Line {
    #[serde(rename = "bench")]
    Header(Box<Header>),
    #[serde(rename = "step")]
    Step(Step),
    #[serde(rename = "series")]
    Series(Box<Second>),
    #[serde(rename = "slow")]
    Slow(Box<Slow>),
    #[serde(rename = "damage")]
    Damage(Box<Damage>),
    #[serde(rename = "knee")]
    Knee(Box<Knee>),
    #[serde(rename = "health")]
    Health(Box<Health>),
    #[serde(rename = "end")]
    End(Box<Footer>),
}

/// First line: what was measured, against what, from where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub format: u32,
    pub tool: Tool,
    pub target: Target,
    /// The run's public seed, hex: schedule, objects and bodies repeat from it.
    pub seed: String,
    pub schedule: Schedule,
    /// Every series that can occur, the measured operation first; reports keep this order.
    pub series: Vec<SeriesName>,
    /// Where two arms were interleaved: which is compared with which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
    /// Which part of a divided run this is; absent for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Objectives that the run was asked to meet, such as `get.p99<50ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slo: Vec<String>,
    /// The workload's other settings as `size` to `4KiB`: the same settings ask the same question.
    pub settings: BTreeMap<String, String>,
    /// Where it ran: `cpu`, `kernel`, `cipher` and the like, for whoever repeats it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub manifest: BTreeMap<String, String>,
    /// RFC 3339, UTC: second 0 of the load.
    pub started: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `bundled`, or the endpoints' URLs.
    pub endpoints: Vec<String>,
    pub region: String,
    /// `path` or `vhost`.
    pub style: String,
    /// The `Server` header of the preflight answer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// When requests were meant to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub model: Model,
    /// Real streams: connections that each carry one request at a time.
    pub concurrency: u32,
    /// Arrivals a second of the open loop, over all shards; absent in a closed loop and where
    /// `step` lines say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// `const` or `poisson`, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<String>,
    /// Seconds at the start that were run and do not count.
    pub warmup: f64,
    /// Seconds to measure, where time ends the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Arrivals to measure, where their number ends the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

/// Whether arrivals wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// The next request of a stream starts when the last one ended. Response times then leave
    /// out what would have waited, and do not compare with an open loop's.
    Closed,
    /// Arrivals come by the clock, whatever the target does.
    Open,
}

/// One operation of one arm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesName {
    /// As `get`.
    pub op: String,
    /// As `plain` or `ssec`; unique in a run, see [`arm_names`].
    pub arm: String,
}

impl std::fmt::Display for SeriesName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.op, self.arm)
    }
}

/// Names for arms that may repeat: of `plain,plain` the second becomes `plain-2`.
#[must_use]
pub fn arm_names(arms: &[&str]) -> Vec<String> {
    let before = |at: usize| arms[..at].iter().filter(|arm| **arm == arms[at]).count();
    (0..arms.len())
        .map(|at| match before(at) {
            0 => arms[at].to_owned(),
            n => format!("{}-{}", arms[at], n + 1),
        })
        .collect()
}

/// Arms whose requests were interleaved over the same seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paired {
    pub base: String,
    pub other: String,
}

/// One part of a run that was divided between processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// 0 to `count` − 1.
    pub index: u32,
    pub count: u32,
}

/// A stretch of the schedule with one offered load; its series lines carry its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 0.
    pub number: u32,
    /// Arrivals a second that were offered, over all shards.
    pub rate: f64,
    /// The first second of the load that belongs to it.
    pub from: u32,
    /// Seconds of it that count.
    pub seconds: f64,
}

/// Where a search for the highest load that meets its objectives ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// What each step had to meet, such as `p99<50ms`.
    pub objectives: Vec<String>,
    pub verdict: KneeVerdict,
    /// The highest rate that met them all and was not missed at a lower one, arrivals a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The lowest rate that missed one, arrivals a second: the knee lies between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Why there is no verdict, and what was odd; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// Whether a search came to an end of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KneeVerdict {
    /// The knee lies in the interval.
    Found,
    /// It may lie beyond: the client was the limit, samples were too few, the search was cut short.
    Inconclusive,
}

impl KneeVerdict {
    /// The words that records and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What one series did in one second: the second in which the requests ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Whole seconds since the load began, warm-up included.
    pub second: u32,
    pub op: String,
    pub arm: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Run, but not counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warmup: bool,
    /// Arrivals that found their end in this second: `ok` + `failed` + `unserved`.
    pub attempted: u64,
    pub ok: u64,
    /// Class of failure, such as `timeout` or `503 SlowDown`, to number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, u64>,
    /// Arrivals whose time had come and that were never sent.
    #[serde(default)]
    pub unserved: u64,
    /// Bytes of object bodies that `ok` requests moved; failed ones move none.
    pub bytes: u64,
    /// Microseconds that streams spent on this series' requests, failed ones included: the sum
    /// of their service times.
    pub busy_us: u64,
    /// From the intended start to the last byte, of `ok` requests.
    pub response: Packed,
    /// From the first byte sent to the last byte received, of `ok` requests.
    pub service: Packed,
    /// Class of failure to response times.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_response: BTreeMap<String, Packed>,
    /// How long `unserved` arrivals had waited when the run ended: at least that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unserved_wait: Option<Packed>,
    /// Where the time of `ok` requests went.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: BTreeMap<Phase, Packed>,
}

/// A stretch of a request's life. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// From the intended start until a stream was free.
    Queue,
    /// TCP.
    Connect,
    Tls,
    /// From the first byte sent to the last.
    Write,
    /// From the last byte sent to the first byte of the answer.
    FirstByte,
    /// From the first byte of the answer to the last.
    Transfer,
}

impl Phase {
    /// All phases, in the order of time.
    pub const ALL: [Self; 6] = [
        Self::Queue,
        Self::Connect,
        Self::Tls,
        Self::Write,
        Self::FirstByte,
        Self::Transfer,
    ];

    /// The words that records and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Write => "write",
            Self::FirstByte => "first-byte",
            Self::Transfer => "transfer",
        }
    }
}

/// One of the slowest requests of the run, kept for whoever looks for it in the target's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slow {
    pub second: u32,
    pub op: String,
    pub arm: String,
    pub endpoint: String,
    pub object: String,
    /// `x-amz-request-id` and `x-amz-id-2` of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_id: Option<String>,
    /// Absent for `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    pub bytes: u64,
    pub response_us: u64,
    pub service_us: u64,
    /// Whether the connection had carried a request before.
    pub reused: bool,
    pub phases_us: BTreeMap<Phase, u64>,
}

/// A body that was not what had been written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub second: u32,
    pub op: String,
    pub arm: String,
    pub endpoint: String,
    pub object: String,
    /// The first byte that differs.
    pub offset: u64,
    /// What kind of damage, such as `flipped bits`, `truncated` or `another object's bytes`.
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Whether the client itself held the measurement back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub verdict: HealthVerdict,
    /// What the verdict rests on, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// User and system time of the load generator's own process while it measured.
    pub cpu_seconds: f64,
    /// The measured time itself.
    pub wall_seconds: f64,
    /// Processors that the process may use.
    pub processors: u32,
    /// Time that its threads stood ready without a processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue_seconds: Option<f64>,
    /// Time that the hypervisor took from the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_seconds: Option<f64>,
    /// How late the schedule's own timer woke.
    pub lateness: Packed,
    /// Requests a second that this client managed against a target that does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
}

/// What client health comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthVerdict {
    Ok,
    /// The figures may include the client's own delays.
    Suspect,
    /// The client was the bottleneck: the figures are its own.
    Limited,
}

impl HealthVerdict {
    /// The words that records, summaries and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Limited => "limited",
        }
    }
}

/// Last line; a record without it is incomplete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Footer {
    /// RFC 3339, UTC.
    pub finished: String,
    /// Seconds that were measured, warm-up left out.
    pub measured: f64,
    /// Totals over all series, warm-up left out; a reader adds the lines up and compares.
    pub attempted: u64,
    pub ok: u64,
    pub failed: u64,
    pub unserved: u64,
    /// What was not measured and should be known: dropped seconds, endpoints that died.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The process's exit code.
    pub exit: u8,
    pub interrupted: bool,
    pub cleanup: Cleanup,
}
