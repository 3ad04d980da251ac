//! When requests are meant to begin: the schedule as a value, and the one place that hands it out.
//!
//! A schedule knows times and numbers only. What an arrival asks for follows from its number
//! ([`super::workload`]); who serves it is the workers' affair. The same seed gives the same
//! arrivals, and the shards of a run together give exactly those of the whole.

use std::sync::Mutex;
use std::time::Duration;

use crate::random::{Generator, Seed};

/// Arrivals of one block; a block is never divided between shards, for its arms belong together.
pub const BLOCK: u64 = 4;

/// Numbers of a closed loop's warm-up begin here, so that measured ones begin at 0.
const WARM_UP_NUMBERS: u64 = 1 << 62;

/// When arrivals come.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// The next request of a stream begins when its last one ended.
    Closed,
    /// So many a second, evenly.
    Constant { rate: f64 },
    /// So many a second on average, at random.
    Poisson { rate: f64 },
    /// One constant rate after the other.
    Steps { rates: Vec<f64>, each: Duration },
}

impl Schedule {
    /// The most arrivals a second that it asks for; `None` in a closed loop.
    #[must_use]
    pub fn highest_rate(&self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Constant { rate } | Self::Poisson { rate } => Some(*rate),
            Self::Steps { rates, .. } => rates.iter().copied().reduce(f64::max),
        }
    }
}

/// How long the load goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Run at the start and not counted.
    pub warmup: Duration,
    /// Time to measure.
    pub duration: Option<Duration>,
    /// Arrivals to measure, over all shards.
    pub requests: Option<u64>,
}

impl Extent {
    /// When the last arrival may begin, from the start of the load.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        self.duration.map(|duration| self.warmup + duration)
    }
}

/// Which part of a divided run this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    pub index: u32,
    pub count: u32,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    fn holds(self, number: u64) -> bool {
        (number / BLOCK) % u64::from(self.count) == u64::from(self.index)
    }

    /// The number in the whole run of this shard's arrival number `own`.
    fn number(self, own: u64) -> u64 {
        (own / BLOCK * u64::from(self.count) + u64::from(self.index)) * BLOCK + own % BLOCK
    }
}

/// One request that is meant to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the whole run.
    pub number: u64,
    /// From the start of the load; `None` in a closed loop, where it is when a stream is free.
    pub intended: Option<Duration>,
    /// Run, but not counted.
    pub warmup: bool,
    /// The step of [`Schedule::Steps`].
    pub step: Option<u32>,
}

/// Hands the arrivals of a run, or of its shard, to whichever stream is free, each once.
pub struct Arrivals {
    schedule: Schedule,
    extent: Extent,
    shard: Shard,
    state: Apart<Mutex<State>>,
}

/// A line of the cache of its own, and the one that is fetched beside it: what all threads write stands beside what
/// they only read.
#[repr(align(128))]
struct Apart<T>(T);

struct State {
    /// The next number of the whole run, or of this shard in a closed loop.
    next: u64,
    /// Arrivals of the warm-up so far.
    warm: u64,
    /// When the last Poisson arrival came, seconds.
    last: f64,
    random: Generator,
}

impl Arrivals {
    #[must_use]
    pub fn new(schedule: Schedule, extent: Extent, shard: Shard, seed: Seed) -> Self {
        Self {
            schedule,
            extent,
            shard,
            state: Apart(Mutex::new(State {
                next: 0,
                warm: 0,
                last: 0.0,
                random: seed.generator("arrivals"),
            })),
        }
    }

    /// The next arrival; `elapsed` is the time since the load began.
    ///
    /// # Panics
    /// When a holder of the schedule panicked.
    pub fn take(&self, elapsed: Duration) -> Option<Arrival> {
        let mut state = self
            .state
            .0
            .lock()
            .expect("no holder of the schedule panics");
        match &self.schedule {
            Schedule::Closed => self.closed(&mut state, elapsed),
            Schedule::Constant { .. } | Schedule::Poisson { .. } | Schedule::Steps { .. } => loop {
                let arrival = self.open(&mut state)?;
                if self.shard.holds(arrival.number) {
                    return Some(arrival);
                }
            },
        }
    }

    fn closed(&self, state: &mut State, elapsed: Duration) -> Option<Arrival> {
        if self.extent.end().is_some_and(|end| elapsed >= end) {
            return None;
        }
        let warmup = elapsed < self.extent.warmup;
        let number = if warmup {
            state.warm += 1;
            WARM_UP_NUMBERS + self.shard.number(state.warm - 1)
        } else {
            self.shard.number(state.next)
        };
        if !warmup {
            if self.extent.requests.is_some_and(|most| number >= most) {
                return None;
            }
            state.next += 1;
        }
        Some(Arrival {
            number,
            intended: None,
            warmup,
            step: None,
        })
    }

    /// The next arrival of the whole run.
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 arrivals are 285 years at a million a second"
    )]
    fn open(&self, state: &mut State) -> Option<Arrival> {
        let number = state.next;
        let (seconds, step) = match &self.schedule {
            Schedule::Closed => return None,
            Schedule::Constant { rate } => (number as f64 / rate, None),
            Schedule::Poisson { rate } => {
                let uniform = (state.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                state.last += -(1.0 - uniform).ln() / rate;
                (state.last, None)
            }
            Schedule::Steps { rates, each } => in_steps(number, rates, *each)?,
        };
        let intended = Duration::from_secs_f64(seconds);
        let warmup = intended < self.extent.warmup;
        let over = self.extent.end().is_some_and(|end| intended >= end);
        let enough = !warmup
            && self
                .extent
                .requests
                .is_some_and(|most| number - state.warm >= most);
        if over || enough {
            return None;
        }
        state.next += 1;
        state.warm += u64::from(warmup);
        Some(Arrival {
            number,
            intended: Some(intended),
            warmup,
            step,
        })
    }
}

/// When arrival `number` of a staircase comes, in seconds, and on which step.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates and lengths are checked where they are read; numbers stay below 2^53"
)]
fn in_steps(number: u64, rates: &[f64], each: Duration) -> Option<(f64, Option<u32>)> {
    let mut left = number;
    for (step, rate) in rates.iter().enumerate() {
        let held = (rate * each.as_secs_f64()).ceil() as u64;
        if left < held {
            let begun = each.as_secs_f64() * step as f64;
            return Some((begun + left as f64 / rate, u32::try_from(step).ok()));
        }
        left -= held;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn extent(warmup: u64, duration: Option<u64>, requests: Option<u64>) -> Extent {
        Extent {
            warmup: Duration::from_secs(warmup),
            duration: match duration {
                Some(seconds) => Some(Duration::from_secs(seconds)),
                None => None,
            },
            requests,
        }
    }

    fn all(schedule: &Schedule, extent: Extent, shard: Shard) -> Vec<Arrival> {
        let arrivals = Arrivals::new(schedule.clone(), extent, shard, Seed(7));
        std::iter::from_fn(|| arrivals.take(Duration::ZERO))
            .take(100_000)
            .collect()
    }

    #[test]
    fn a_constant_rate_comes_evenly_and_warm_up_is_told() {
        let schedule = Schedule::Constant { rate: 400.0 };
        let arrivals = all(&schedule, extent(1, Some(20), None), Shard::WHOLE);
        assert_eq!(arrivals.iter().filter(|a| a.warmup).count(), 400);
        assert_eq!(arrivals.iter().filter(|a| !a.warmup).count(), 8000);
        assert_eq!(arrivals[4].intended, Some(Duration::from_millis(10)));
        let some = all(&schedule, extent(1, None, Some(10)), Shard::WHOLE);
        assert_eq!(some.iter().filter(|a| !a.warmup).count(), 10);
    }

    #[test]
    fn poisson_gaps_have_the_rate_and_the_spread_of_chance() {
        let schedule = Schedule::Poisson { rate: 1000.0 };
        let arrivals = all(&schedule, extent(0, Some(20), None), Shard::WHOLE);
        let number = arrivals.len() as f64;
        assert!((number - 20_000.0).abs() < 700.0, "{number}");
        let times: Vec<f64> = arrivals
            .iter()
            .map(|a| a.intended.unwrap().as_secs_f64())
            .collect();
        let gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // An exponential gap's deviation is its mean; an even gap's is nothing.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05);
    }

    #[test]
    fn steps_follow_each_other() {
        let schedule = Schedule::Steps {
            rates: vec![10.0, 20.0],
            each: Duration::from_secs(2),
        };
        let arrivals = all(&schedule, extent(0, None, None), Shard::WHOLE);
        let of = |step| arrivals.iter().filter(|a| a.step == Some(step)).count();
        assert_eq!((of(0), of(1), arrivals.len()), (20, 40, 60));
        assert_eq!(arrivals[20].intended, Some(Duration::from_secs(2)));
    }

    #[test]
    fn shards_together_are_the_undivided_run() {
        let poisson = Schedule::Poisson { rate: 500.0 };
        let constant = Schedule::Constant { rate: 333.0 };
        for schedule in [poisson, constant, Schedule::Closed] {
            let whole = all(&schedule, extent(0, Some(3), Some(1001)), Shard::WHOLE);
            let mut parts: Vec<Arrival> = (0..3)
                .flat_map(|index| {
                    let shard = Shard { index, count: 3 };
                    all(&schedule, extent(0, Some(3), Some(1001)), shard)
                })
                .collect();
            parts.sort_by_key(|arrival| arrival.number);
            assert_eq!(parts, whole, "{schedule:?}");
            assert_eq!(whole.len(), 1001.min(whole.len()));
            assert!(whole.len() > 900);
        }
    }

    #[test]
    fn a_closed_loop_ends_with_its_time() {
        let arrivals = Arrivals::new(
            Schedule::Closed,
            extent(1, Some(2), None),
            Shard::WHOLE,
            Seed(1),
        );
        let at = |ms| arrivals.take(Duration::from_millis(ms));
        assert!(at(500).unwrap().warmup);
        assert_eq!(at(1500).unwrap().number, 0);
        assert_eq!(at(2999).unwrap().number, 1);
        assert_eq!(at(3000), None);
    }
}
