//! How sure a ratio of two series is: a moving-block bootstrap over seconds.
//!
//! Requests follow each other too closely to count as independent, so the unit is the second, and
//! seconds are drawn in blocks as long as their autocorrelation asks for. The interval is that of
//! Student's t around the measured log ratio, with the spread of the drawn ones and as many
//! degrees of freedom as there are blocks less one: with few blocks the plain bootstrap is too
//! sure of itself. Draws are seeded; one record always gives one answer.

use std::collections::BTreeMap;
use std::fmt;

use super::draws::Draws;
use super::record::Second;
use super::to_float;
use crate::histogram::{Histogram, SAMPLES_ABOVE};

/// Draws behind an interval.
pub const RESAMPLES: usize = 1000;
/// The draws' seed: two reports of one record say the same.
pub const SEED: u64 = 0x5e_c0de;
/// Fewest blocks that give an interval.
const FEWEST_BLOCKS: usize = 5;
/// The normal distribution's 97.5 % and 80 % points.
const Z_975: f64 = 1.959_964;
const Z_80: f64 = 0.841_621;

/// What is compared of two series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// `ok` requests for the time of [`Per`]; more is better.
    Throughput,
    /// Response time; less is better.
    P50,
    P90,
    P99,
    P999,
}

impl Measure {
    pub const ALL: [Self; 5] = [
        Self::Throughput,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::P999,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }

    /// The quantile, of a percentile.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::Throughput => None,
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P99 => Some(0.99),
            Self::P999 => Some(0.999),
        }
    }
}

/// What throughput is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// A second that a stream was busy with the series: for arms that share their seconds.
    BusySecond,
    /// A second of the clock: for whole runs.
    Second,
}

/// A ratio with its 95 % interval. All figures are ratios: 1 is no difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub measured: f64,
    pub low: f64,
    pub high: f64,
    /// The least change, as a share, that these runs would have shown in four of five cases.
    pub detectable: f64,
}

impl Ratio {
    /// Whether the interval leaves out "no difference".
    #[must_use]
    pub fn differs(&self) -> bool {
        self.low > 1.0 || self.high < 1.0
    }
}

/// As every report tells it.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detectable = self.detectable * 100.0;
        write!(
            f,
            "× {:.3} (95 %: {:.3} to {:.3}; would have shown {detectable:.1} %)",
            self.measured, self.low, self.high
        )
    }
}

/// One second of a series, as far as ratios need it: slots of `Cuts::values`, and how often.
#[derive(Debug, Clone, Default)]
struct Cut {
    ok: u64,
    busy_us: u64,
    slots: Vec<(u32, u64)>,
}

/// The seconds of a series, least first, with the values that occur in any of them.
#[derive(Debug, Clone)]
pub struct Cuts {
    cuts: Vec<Cut>,
    values: Vec<u64>,
}

impl Cuts {
    /// From seconds of one series; those that hold the same number (of several steps) are one.
    /// `numbers` names the seconds, and one without a line was empty.
    #[must_use]
    pub fn of(seconds: &[&Second], numbers: &[u32]) -> Self {
        let mut merged: BTreeMap<u32, (u64, u64, Histogram)> = BTreeMap::new();
        for second in seconds {
            let (ok, busy, histogram) = merged.entry(second.second).or_default();
            *ok = ok.saturating_add(second.ok);
            *busy = busy.saturating_add(second.busy_us);
            histogram.merge(&second.response.unpack());
        }
        let mut values: Vec<u64> = merged
            .values()
            .flat_map(|(_, _, histogram)| histogram.recorded().map(|(value, _)| value))
            .collect();
        values.sort_unstable();
        values.dedup();
        let slot = |value: u64| {
            let at = values.partition_point(|known| *known < value);
            u32::try_from(at).expect("there are 24,000 slots")
        };
        let cut = |number: &u32| {
            merged
                .get(number)
                .map_or_else(Cut::default, |(ok, busy, histogram)| Cut {
                    ok: *ok,
                    busy_us: *busy,
                    slots: histogram.recorded().map(|(v, n)| (slot(v), n)).collect(),
                })
        };
        Self {
            cuts: numbers.iter().map(cut).collect(),
            values,
        }
    }

    /// Seconds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cuts.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Natural logarithms of all measures over the drawn seconds.
    fn logarithms(&self, drawn: &[usize], per: Per, guard: Guard) -> [Option<f64>; 5] {
        let (mut ok, mut busy) = (0u64, 0u64);
        let mut counts = vec![0u64; self.values.len()];
        for at in drawn {
            let cut = &self.cuts[*at];
            ok = ok.saturating_add(cut.ok);
            busy = busy.saturating_add(cut.busy_us);
            for (slot, count) in &cut.slots {
                counts[*slot as usize] += count;
            }
        }
        let total: u64 = counts.iter().sum();
        let time = match per {
            Per::BusySecond => to_float(busy) / 1e6,
            Per::Second => to_float(drawn.len() as u64),
        };
        Measure::ALL.map(|measure| {
            let value = match measure.quantile() {
                None => to_float(ok) / time,
                Some(quantile) => to_float(self.value_at(&counts, total, quantile, guard)?),
            };
            (value > 0.0 && value.is_finite()).then(|| value.ln())
        })
    }

    fn value_at(&self, counts: &[u64], total: u64, quantile: f64, guard: Guard) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count"
        )]
        let rank = ((quantile * to_float(total)).ceil() as u64).max(1);
        if guard == Guard::Measured && total.saturating_sub(rank) < SAMPLES_ABOVE {
            return None;
        }
        let mut sum = 0;
        let slot = counts.iter().position(|count| {
            sum += count;
            sum >= rank
        })?;
        Some(self.values[slot].max(1))
    }

    /// Mean busy time a request, second by second, as logarithms; an idle second is 0.
    fn pace(&self) -> Vec<f64> {
        let one = |cut: &Cut| to_float(cut.busy_us.max(1)) / to_float(cut.ok.max(1));
        self.cuts.iter().map(|cut| one(cut).ln()).collect()
    }
}

/// Seconds after which a series of figures has forgotten itself: twice its integrated
/// autocorrelation time.
fn memory(figures: &[f64]) -> usize {
    let number = to_float(figures.len().max(1) as u64);
    let mean = figures.iter().sum::<f64>() / number;
    let off: Vec<f64> = figures.iter().map(|one| one - mean).collect();
    let variance: f64 = off.iter().map(|one| one * one).sum();
    if variance <= 0.0 {
        return 1;
    }
    let mut sum = 0.0;
    for lag in 1..off.len() / 4 {
        let product: f64 = off.iter().zip(&off[lag..]).map(|(a, b)| a * b).sum();
        let correlation = product / variance;
        // Below this it is noise: two standard errors of a series without memory.
        if correlation < 2.0 / number.sqrt() {
            break;
        }
        sum += correlation;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let block = (1.0_f64 + 2.0 * sum).ceil() as usize;
    block
}

/// Whether a percentile needs its ten samples above: the measured one does; drawn ones follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    Measured,
    Drawn,
}

/// How the seconds of two series belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The same seconds: they are drawn together, and drift that hits both cancels out.
    SameSeconds,
    /// Two runs.
    Independent,
}

/// `other` divided by `base`, for each measure that both have.
#[must_use]
pub fn ratios(
    base: &Cuts,
    other: &Cuts,
    pairing: Pairing,
    per: Per,
    (resamples, seed): (usize, u64),
) -> BTreeMap<Measure, Option<Ratio>> {
    let whole = |cuts: &Cuts| (0..cuts.len()).collect::<Vec<_>>();
    let before = base.logarithms(&whole(base), per, Guard::Measured);
    let after = other.logarithms(&whole(other), per, Guard::Measured);
    let length = match pairing {
        // What both arms share cancels out, also in how long it lasts.
        Pairing::SameSeconds => {
            let (base, other) = (base.pace(), other.pace());
            let apart: Vec<f64> = base.iter().zip(&other).map(|(a, b)| b - a).collect();
            block_length(&apart)
        }
        Pairing::Independent => block_length(&base.pace()).max(block_length(&other.pace())),
    };
    let blocks = base.len().min(other.len()) / length;
    let mut draws = Draws::new(seed);
    let mut drawn: Vec<Vec<f64>> = vec![Vec::new(); Measure::ALL.len()];
    if blocks >= FEWEST_BLOCKS {
        for _ in 0..resamples {
            let first = draw(base.len(), length, &mut draws);
            let second = match pairing {
                Pairing::SameSeconds => first.clone(),
                Pairing::Independent => draw(other.len(), length, &mut draws),
            };
            let lows = base.logarithms(&first, per, Guard::Drawn);
            let highs = other.logarithms(&second, per, Guard::Drawn);
            for (at, sink) in drawn.iter_mut().enumerate() {
                sink.extend(lows[at].zip(highs[at]).map(|(low, high)| high - low));
            }
        }
    }
    Measure::ALL
        .into_iter()
        .enumerate()
        .map(|(at, measure)| {
            let measured = before[at].zip(after[at]).map(|(a, b)| b - a);
            (
                measure,
                measured.and_then(|log| interval(log, &drawn[at], blocks)),
            )
        })
        .collect()
}

/// The memory, but at least the cube root of the length, as is usual for moving blocks.
fn block_length(figures: &[f64]) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cube root of a length"
    )]
    let usual = to_float(figures.len() as u64).cbrt().floor() as usize;
    memory(figures).max(usual).max(1)
}

/// Seconds in blocks, as many as there are; blocks wrap round, so that each second is as likely.
fn draw(number: usize, length: usize, draws: &mut Draws) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(number + length);
    while drawn.len() < number {
        let start = draws.below(number);
        drawn.extend((0..length).map(|offset| (start + offset) % number));
    }
    drawn.truncate(number);
    drawn
}

fn interval(log: f64, drawn: &[f64], blocks: usize) -> Option<Ratio> {
    if drawn.len() < 2 {
        return None;
    }
    let number = to_float(drawn.len() as u64);
    let mean = drawn.iter().sum::<f64>() / number;
    let square: f64 = drawn.iter().map(|one| (one - mean).powi(2)).sum();
    let freedom = to_float(blocks as u64) - 1.0;
    let spread = (square / (number - 1.0)).sqrt() * ((freedom + 1.0) / freedom).sqrt();
    let reach = student(Z_975, freedom) * spread;
    Some(Ratio {
        measured: log.exp(),
        low: (log - reach).exp(),
        high: (log + reach).exp(),
        detectable: (reach + student(Z_80, freedom) * spread).exp_m1(),
    })
}

/// Student's t from the normal point (Abramowitz and Stegun, 26.7.5).
fn student(z: f64, freedom: f64) -> f64 {
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_points_are_those_of_the_tables() {
        for (freedom, expected) in [(4.0, 2.776), (10.0, 2.228), (30.0, 2.042)] {
            let found = student(Z_975, freedom);
            assert!((found - expected).abs() < 0.01, "{freedom}: {found}");
        }
    }
}
