//! Latency against load: what was answered at each step of the offered load.
//!
//! Histograms wait packed, so that a staircase of a thousand steps needs little memory.

use super::record::{Header, Second, SeriesName, Step};
use super::summary::Latency;
use super::to_float;
use crate::histogram::Packed;

/// The steps of a run, each series of each added up. Warm-up is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    names: Vec<SeriesName>,
    steps: Vec<(Step, Vec<Cell>)>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Cell {
    attempted: u64,
    ok: u64,
    unserved: u64,
    /// Response times of `ok` requests and the waiting of unserved arrivals.
    response: Packed,
}

/// One series at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub step: u32,
    /// Arrivals a second that the step offered, over all series.
    pub offered: f64,
    pub series: SeriesName,
    pub attempted: u64,
    /// `ok` requests a second.
    pub answered: f64,
    /// Share of the arrivals that failed or were never served, 0 to 1.
    pub lost: f64,
    /// Microseconds; unserved arrivals count with the time that they had waited.
    pub response: Latency,
}

impl Curve {
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            names: header.series.clone(),
            steps: Vec::new(),
        }
    }

    /// Begins a step.
    pub fn step(&mut self, step: &Step) {
        let cells = vec![Cell::default(); self.names.len()];
        self.steps.push((step.clone(), cells));
    }

    /// Adds a second, if it belongs to a step that has begun and counts.
    pub fn fold(&mut self, second: &Second) {
        let ours = |name: &SeriesName| name.op == second.op && name.arm == second.arm;
        let series = self.names.iter().position(ours);
        let known = |(step, _): &&mut (Step, Vec<Cell>)| Some(step.number) == second.step;
        let step = self.steps.iter_mut().find(known);
        let (Some(series), Some((_, cells)), false) = (series, step, second.warmup) else {
            return;
        };
        let cell = &mut cells[series];
        cell.attempted = cell.attempted.saturating_add(second.attempted);
        cell.ok = cell.ok.saturating_add(second.ok);
        cell.unserved = cell.unserved.saturating_add(second.unserved);
        let mut response = cell.response.unpack();
        response.merge(&second.response.unpack());
        if let Some(wait) = &second.unserved_wait {
            response.merge(&wait.unpack());
        }
        cell.response = Packed::of(&response);
    }

    /// Every series of every step, in the order of time.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        let one = |step: &Step, series: &SeriesName, cell: &Cell| Point {
            step: step.number,
            offered: step.rate,
            series: series.clone(),
            attempted: cell.attempted,
            answered: to_float(cell.ok) / step.seconds.max(1e-9),
            lost: to_float(cell.attempted.saturating_sub(cell.ok))
                / to_float(cell.attempted.max(1)),
            response: Latency::of(&cell.response.unpack()),
        };
        let of_step = |(step, cells): &(Step, Vec<Cell>)| -> Vec<Point> {
            let named = self.names.iter().zip(cells);
            named.map(|(name, cell)| one(step, name, cell)).collect()
        };
        self.steps.iter().flat_map(of_step).collect()
    }
}
