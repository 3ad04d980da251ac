//! Searching for the highest load that meets its objectives: which rate is offered next, and where
//! the search ends. Pure: whoever asks runs the steps and says what was seen.
//!
//! Rates double until one is missed, or halve until one is met; then the interval between the two is
//! cut in its geometric middle until its ends are close. The lower end must hold a second time: a
//! step that was met by luck gives way, and the search goes on below it.

use reports::bench::record::{Knee, KneeVerdict};

/// Most steps of one search.
pub const MAX_STEPS: usize = 40;
/// How much further each step reaches before the knee is between two.
const GROWTH: f64 = 2.0;
/// Ratio of the interval's ends at which it is narrow enough.
const WIDTH: f64 = 1.1;
/// The lowest rate that is tried, arrivals a second.
const LOWEST: f64 = 1.0;
/// The highest.
const HIGHEST: f64 = 10_000_000.0;
/// How often the lower end must be met.
const CONFIRMED: usize = 2;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Met,
    Missed,
    /// Too few samples.
    Undecided,
    /// Missed, and the client itself may have been why.
    Limited,
}

/// A search and what it has seen so far.
#[derive(Debug, Clone)]
pub struct Search {
    first: f64,
    tried: Vec<(f64, Seen)>,
}

impl Search {
    /// Begins at a rate, arrivals a second.
    #[must_use]
    pub fn new(first: f64) -> Self {
        Self {
            first: first.clamp(LOWEST, HIGHEST),
            tried: Vec::new(),
        }
    }

    /// The rate to offer next; `None` at the end.
    #[must_use]
    pub fn next_rate(&self) -> Option<f64> {
        if self.tried.len() >= MAX_STEPS || self.stop().is_some() {
            return None;
        }
        match (self.low(), self.high()) {
            (None, None) => Some(self.first),
            (Some(low), None) => Some((low * GROWTH).min(HIGHEST)).filter(|rate| *rate > low),
            (None, Some(high)) => Some((high / GROWTH).max(LOWEST)).filter(|rate| *rate < high),
            (Some(low), Some(high)) if high / low > WIDTH => Some(rounded((low * high).sqrt())),
            (Some(low), Some(_)) => Some(low).filter(|low| self.times_met(*low) < CONFIRMED),
        }
    }

    /// Takes in what the step at that rate came to.
    pub fn saw(&mut self, rate: f64, seen: Seen) {
        self.tried.push((rate, seen));
    }

    /// The step that makes going on useless.
    fn stop(&self) -> Option<(f64, Seen)> {
        let last = *self.tried.last()?;
        matches!(last.1, Seen::Undecided | Seen::Limited).then_some(last)
    }

    /// The lowest rate that was missed.
    fn high(&self) -> Option<f64> {
        self.rates(Seen::Missed).reduce(f64::min)
    }

    /// The highest rate that was met, below any that was missed.
    fn low(&self) -> Option<f64> {
        let high = self.high().unwrap_or(f64::INFINITY);
        self.rates(Seen::Met)
            .filter(|rate| *rate < high)
            .reduce(f64::max)
    }

    fn rates(&self, seen: Seen) -> impl Iterator<Item = f64> + '_ {
        let that = move |(rate, one): &(f64, Seen)| (*one == seen).then_some(*rate);
        self.tried.iter().filter_map(that)
    }

    fn times_met(&self, rate: f64) -> usize {
        self.rates(Seen::Met)
            .filter(|met| met.to_bits() == rate.to_bits())
            .count()
    }

    /// What the search came to. `cut_short` says why it did not end by itself, if so.
    #[must_use]
    pub fn conclude(&self, objectives: Vec<String>, cut_short: Option<&str>) -> Knee {
        let (low, high) = (self.low(), self.high());
        let mut reasons: Vec<String> = cut_short.map(str::to_owned).into_iter().collect();
        match self.stop() {
            Some((rate, Seen::Limited)) => reasons.push(format!(
                "at {rate} arrivals a second the client itself was the limit"
            )),
            Some((rate, _)) => reasons.push(format!(
                "at {rate} arrivals a second there were too few samples: pass a longer --duration, \
                 or begin at a higher --rate"
            )),
            None if reasons.is_empty() && self.next_rate().is_some() => {
                reasons.push("the search did not end".to_owned());
            }
            None if self.tried.len() >= MAX_STEPS => {
                reasons.push(format!("the search ended after {MAX_STEPS} steps"));
            }
            None => {}
        }
        if let (None, Some(high)) = (low, high) {
            reasons.push(format!("even {high} arrivals a second missed them"));
        }
        let narrow = low
            .zip(high)
            .is_some_and(|(low, high)| high / low <= WIDTH && self.times_met(low) >= CONFIRMED);
        let verdict = if narrow && cut_short.is_none() {
            KneeVerdict::Found
        } else {
            KneeVerdict::Inconclusive
        };
        let twofold = self.rates(Seen::Missed).filter(|r| self.times_met(*r) > 0);
        reasons.extend(twofold.map(|rate| {
            format!("{rate} arrivals a second met them once and missed them once: the pace varies")
        }));
        Knee {
            objectives,
            verdict,
            low,
            high,
            reasons,
        }
    }
}

/// To three digits, for people.
fn rounded(rate: f64) -> f64 {
    let digits = 2.0 - rate.log10().floor();
    if digits <= 0.0 {
        let scale = 10f64.powf(-digits);
        return (rate / scale).round() * scale;
    }
    let scale = 10f64.powf(digits);
    (rate * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a target that says what it sees; returns its steps and its end.
    fn search(first: f64, target: &mut dyn FnMut(f64) -> Seen) -> (usize, Knee) {
        let mut search = Search::new(first);
        let mut steps = 0;
        while let Some(rate) = search.next_rate() {
            search.saw(rate, target(rate));
            steps += 1;
            assert!(steps <= MAX_STEPS);
        }
        (steps, search.conclude(vec!["p99<50ms".to_owned()], None))
    }

    #[test]
    fn the_knee_is_within_a_narrow_interval_wherever_it_is() {
        for knee in [1.5, 7.3, 99.0, 100.0, 1234.5, 87_000.0, 4_000_000.0] {
            for first in [1.0, 50.0, 100_000.0] {
                let (steps, found) = search(first, &mut |rate| {
                    if rate <= knee {
                        Seen::Met
                    } else {
                        Seen::Missed
                    }
                });
                let (low, high) = (found.low.unwrap(), found.high.unwrap());
                assert_eq!(found.verdict, KneeVerdict::Found, "{knee} from {first}");
                assert!(
                    low <= knee && knee < high && high / low <= WIDTH,
                    "{found:?}"
                );
                assert!(steps <= 32, "{knee} from {first}: {steps}");
                assert!(found.reasons.is_empty());
            }
        }
    }

    #[test]
    fn a_step_that_was_met_by_luck_gives_way() {
        let mut lucky = true;
        let (_, found) = search(50.0, &mut |rate| {
            let met = rate <= 200.0 || (rate <= 240.0 && std::mem::take(&mut lucky));
            if met { Seen::Met } else { Seen::Missed }
        });
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert_eq!(found.verdict, KneeVerdict::Found);
        assert!(
            low <= 200.0 && high > 200.0 && high / low <= WIDTH,
            "{found:?}"
        );
        assert!(found.reasons[0].contains("the pace varies"), "{found:?}");
    }

    #[track_caller]
    fn inconclusive(target: &mut dyn FnMut(f64) -> Seen, low: Option<f64>, says: &str) {
        let (_, found) = search(100.0, target);
        assert_eq!(found.verdict, KneeVerdict::Inconclusive);
        assert_eq!(found.low, low);
        assert!(
            found.reasons.iter().any(|reason| reason.contains(says)),
            "{found:?}"
        );
    }

    #[test]
    fn what_cannot_be_told_is_not_a_knee() {
        let limited = &mut |rate| {
            if rate < 500.0 {
                Seen::Met
            } else {
                Seen::Limited
            }
        };
        inconclusive(
            limited,
            Some(400.0),
            "at 800 arrivals a second the client itself",
        );
        inconclusive(&mut |_| Seen::Undecided, None, "too few samples");
        inconclusive(&mut |_| Seen::Missed, None, "even 1 arrivals a second");
        let (_, endless) = search(100.0, &mut |_| Seen::Met);
        assert_eq!(
            (endless.verdict, endless.high),
            (KneeVerdict::Inconclusive, None)
        );
    }

    #[test]
    fn a_search_that_is_cut_short_is_not_a_knee_and_says_so() {
        let mut search = Search::new(10.0);
        search.saw(10.0, Seen::Met);
        let knee = search.conclude(Vec::new(), Some("it was interrupted"));
        assert_eq!(knee.verdict, KneeVerdict::Inconclusive);
        assert_eq!(knee.reasons, ["it was interrupted"]);
        // Two ends close together, the lower met once only.
        search.saw(10.5, Seen::Missed);
        assert_eq!(
            search.conclude(Vec::new(), None).verdict,
            KneeVerdict::Inconclusive
        );
        search.saw(10.0, Seen::Met);
        assert_eq!(
            search.conclude(Vec::new(), None).verdict,
            KneeVerdict::Found
        );
    }

    #[test]
    fn rates_have_three_digits() {
        for (rate, expected) in [
            (1234.5, 1230.0),
            (183.712, 184.0),
            (7.3456, 7.35),
            (1.2345, 1.23),
        ] {
            assert!(
                (rounded(rate) - expected).abs() < 1e-9,
                "{rate}: {}",
                rounded(rate)
            );
        }
    }
}
