//! The short JSON of a bench run, for scripts: per series the bins, the bytes and five points of
//! the latency, and whether the client was fit to measure.
//!
//! A percentile with fewer than ten samples above it is `null`, as reports print `n/a`.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::record::{Health, HealthVerdict};
use super::totals::Totals;
use crate::histogram::Histogram;

/// The whole summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// In the order of the record's header: the measured operation first.
    pub series: Vec<SeriesSummary>,
    pub client: ClientSummary,
}

/// One operation of one arm; warm-up left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesSummary {
    pub op: String,
    pub arm: String,
    /// All scheduled arrivals: `ok` + `failed` + `unserved`.
    pub attempted: u64,
    pub ok: u64,
    pub failed: u64,
    pub unserved: u64,
    /// Bytes of object bodies that `ok` requests moved.
    pub bytes: u64,
    /// From the intended start, of `ok` requests and of unserved arrivals, which count with the
    /// time that they had waited by then.
    pub response_us: Latency,
    /// From the first byte sent, of `ok` requests.
    pub service_us: Latency,
}

/// Microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
    pub p999: Option<u64>,
    /// `None` where nothing was measured.
    pub max: Option<u64>,
}

impl Latency {
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        Self {
            p50: histogram.quantile(0.5),
            p90: histogram.quantile(0.9),
            p99: histogram.quantile(0.99),
            p999: histogram.quantile(0.999),
            max: (!histogram.is_empty()).then(|| histogram.max()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClientSummary {
    /// User and system time of the load generator's own process while it measured.
    pub cpu_seconds: f64,
    pub health: HealthVerdict,
}

impl Summary {
    /// From what each series added up to; a client of which nothing is known is `suspect`.
    #[must_use]
    pub fn of(totals: &[Totals], health: Option<&Health>) -> Self {
        let series = |totals: &Totals| SeriesSummary {
            op: totals.name.op.clone(),
            arm: totals.name.arm.clone(),
            attempted: totals.attempted,
            ok: totals.ok,
            failed: totals.failures(),
            unserved: totals.unserved,
            bytes: totals.bytes,
            response_us: Latency::of(&totals.response_with_waiting()),
            service_us: Latency::of(&totals.service),
        };
        Self {
            series: totals.iter().map(series).collect(),
            client: ClientSummary {
                cpu_seconds: health.map_or(0.0, |health| health.cpu_seconds),
                health: health.map_or(HealthVerdict::Suspect, |health| health.verdict),
            },
        }
    }

    /// Writes it as JSON with a final newline.
    ///
    /// # Errors
    /// What the sink answers.
    pub fn write(&self, sink: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *sink, self).map_err(io::Error::from)?;
        sink.write_all(b"\n")
    }

    /// Writes it as one line of JSON.
    ///
    /// # Errors
    /// What the sink answers.
    pub fn write_line(&self, sink: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *sink, self).map_err(io::Error::from)?;
        sink.write_all(b"\n")
    }
}
