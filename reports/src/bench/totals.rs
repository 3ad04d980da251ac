//! What a series adds up to over the whole run, or over any cut of it: bins and merged
//! histograms. Warm-up is left out. Memory does not grow with the run.

use std::collections::BTreeMap;

use super::record::{Header, Phase, Second, SeriesName};
use crate::histogram::{Histogram, Packed};

/// One series added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    pub name: SeriesName,
    pub attempted: u64,
    pub ok: u64,
    /// Class of failure to number.
    pub failed: BTreeMap<String, u64>,
    pub unserved: u64,
    pub bytes: u64,
    pub busy_us: u64,
    /// Response times of `ok` requests.
    pub response: Histogram,
    /// Service times of `ok` requests.
    pub service: Histogram,
    /// Waiting times of unserved arrivals, which are less than their response times would be.
    pub unserved_wait: Histogram,
    pub failed_response: BTreeMap<String, Histogram>,
    pub phases: BTreeMap<Phase, Histogram>,
}

impl Totals {
    #[must_use]
    pub fn new(name: SeriesName) -> Self {
        Self {
            name,
            attempted: 0,
            ok: 0,
            failed: BTreeMap::new(),
            unserved: 0,
            bytes: 0,
            busy_us: 0,
            response: Histogram::new(),
            service: Histogram::new(),
            unserved_wait: Histogram::new(),
            failed_response: BTreeMap::new(),
            phases: BTreeMap::new(),
        }
    }

    /// One for each series of a header, in its order.
    #[must_use]
    pub fn of_header(header: &Header) -> Vec<Self> {
        header.series.iter().cloned().map(Self::new).collect()
    }

    /// Adds one second, if it is of this series and counts.
    pub fn fold(&mut self, second: &Second) {
        let ours = second.op == self.name.op && second.arm == self.name.arm;
        if ours && !second.warmup {
            self.add(second);
        }
    }

    /// Adds a second, whatever it is of.
    pub(super) fn add(&mut self, second: &Second) {
        self.attempted = self.attempted.saturating_add(second.attempted);
        self.ok = self.ok.saturating_add(second.ok);
        self.unserved = self.unserved.saturating_add(second.unserved);
        self.bytes = self.bytes.saturating_add(second.bytes);
        self.busy_us = self.busy_us.saturating_add(second.busy_us);
        for (class, number) in &second.failed {
            let sum = self.failed.entry(class.clone()).or_default();
            *sum = sum.saturating_add(*number);
        }
        self.response.merge(&second.response.unpack());
        self.service.merge(&second.service.unpack());
        if let Some(wait) = &second.unserved_wait {
            self.unserved_wait.merge(&wait.unpack());
        }
        merge_each(&mut self.failed_response, &second.failed_response);
        merge_each(&mut self.phases, &second.phases);
    }

    /// As a line of the record, with the place of `like`.
    pub(super) fn second(&self, like: &Second) -> Second {
        let wait = &self.unserved_wait;
        Second {
            attempted: self.attempted,
            ok: self.ok,
            failed: self.failed.clone(),
            unserved: self.unserved,
            bytes: self.bytes,
            busy_us: self.busy_us,
            response: Packed::of(&self.response),
            service: Packed::of(&self.service),
            failed_response: packed(&self.failed_response),
            unserved_wait: (!wait.is_empty()).then(|| Packed::of(wait)),
            phases: packed(&self.phases),
            ..like.clone()
        }
    }

    /// Failures of every class.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().copied().fold(0, u64::saturating_add)
    }

    /// Response times of `ok` requests and the waiting times of unserved arrivals: leaving out
    /// the latter would make an overloaded target look fast.
    #[must_use]
    pub fn response_with_waiting(&self) -> Histogram {
        let mut merged = self.response.clone();
        merged.merge(&self.unserved_wait);
        merged
    }
}

fn merge_each<K: Ord + Clone>(into: &mut BTreeMap<K, Histogram>, from: &BTreeMap<K, Packed>) {
    for (key, packed) in from {
        into.entry(key.clone()).or_default().merge(&packed.unpack());
    }
}

fn packed<K: Ord + Clone>(histograms: &BTreeMap<K, Histogram>) -> BTreeMap<K, Packed> {
    let one = |(key, histogram): (&K, &Histogram)| (key.clone(), Packed::of(histogram));
    histograms.iter().map(one).collect()
}
