//! Objectives such as `get.p99<50ms`, read strictly and judged against what was measured.
//!
//! `[OP.][ARM.]pNN<TIME`, `[OP.][ARM.]max<TIME`, `[OP.][ARM.]error_rate<SHARE`, and
//! `ARM.overhead.OP[.pNN]<SHARE` for a paired run. Without an operation the objective holds for
//! each series, shares of failures too: those of one do not hide behind another. What too few samples, or too wide an interval, leave open is undecided, not met.

use super::bootstrap::Measure;
use super::paired::Overhead;
use super::record::{Header, SeriesName};
use super::to_float;
use super::totals::Totals;

/// Longest objective that is read, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// As it was written.
    pub text: String,
    subject: Subject,
    /// Microseconds or a share.
    limit: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Subject {
    Quantile {
        of: Selector,
        quantile: f64,
    },
    Max {
        of: Selector,
    },
    ErrorRate {
        of: Selector,
    },
    Overhead {
        arm: String,
        op: String,
        measure: Measure,
    },
}

/// Which series an objective is about.
#[derive(Debug, Clone, PartialEq, Default)]
struct Selector {
    words: Vec<String>,
}

impl Selector {
    fn takes(&self, name: &SeriesName) -> bool {
        self.words
            .iter()
            .all(|word| *word == name.op || *word == name.arm)
    }
}

/// Why a text is no objective of this run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SloError {
    #[error(
        "`{text}` is no objective; write get.p99<50ms, error_rate<0.1% or ssec.overhead.get<15%"
    )]
    NotAnObjective { text: String },
    #[error("`{text}` has no limit that fits: {reason}")]
    BadLimit { text: String, reason: &'static str },
    #[error("`{text}` is about no series of this run; there are {known}")]
    UnknownSeries { text: String, known: String },
    #[error("`{text}` needs a paired run with `{arm}` as its second arm; use --arms")]
    NotPaired { text: String, arm: String },
}

/// What an objective came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub text: String,
    pub result: SloResult,
    /// What was measured, for people.
    pub observed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SloResult {
    Met,
    /// Too few samples, or an interval that holds the limit.
    Undecided,
    Missed,
}

impl SloResult {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Undecided => "undecided",
            Self::Missed => "missed",
        }
    }
}

impl Slo {
    /// Reads an objective.
    ///
    /// # Errors
    /// [`SloError::NotAnObjective`] or [`SloError::BadLimit`].
    pub fn parse(text: &str) -> Result<Self, SloError> {
        let wrong = || SloError::NotAnObjective {
            text: text.to_owned(),
        };
        if text.len() > MAX_TEXT_BYTES {
            return Err(wrong());
        }
        let (left, right) = text.split_once('<').ok_or_else(wrong)?;
        let words: Vec<&str> = left.trim().split('.').collect();
        let right = right.trim();
        if words.iter().any(|word| word.is_empty()) {
            return Err(wrong());
        }
        let bad = |reason| SloError::BadLimit {
            text: text.to_owned(),
            reason,
        };
        let share = || share(right).ok_or_else(|| bad("a share is a number and %, as 0.1%"));
        let time = || time(right).ok_or_else(|| bad("a time is a number and us, ms or s, as 50ms"));
        let of = |words: &[&str]| Selector {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let (subject, limit) = match words.as_slice() {
            [arm, "overhead", op] => (overhead(arm, op, Measure::Throughput), share()?),
            [arm, "overhead", op, measure] => {
                let named = |one: &Measure| one.word().replace('.', "") == *measure;
                let measure = Measure::ALL.into_iter().find(named).ok_or_else(wrong)?;
                (overhead(arm, op, measure), share()?)
            }
            [of_words @ .., "error_rate"] if of_words.len() <= 2 => {
                (Subject::ErrorRate { of: of(of_words) }, share()?)
            }
            [of_words @ .., "max"] if of_words.len() <= 2 => {
                (Subject::Max { of: of(of_words) }, time()?)
            }
            [of_words @ .., point] if of_words.len() <= 2 => {
                let quantile = quantile(point).ok_or_else(wrong)?;
                let of = of(of_words);
                (Subject::Quantile { of, quantile }, time()?)
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            text: text.to_owned(),
            subject,
            limit,
        })
    }

    /// Whether it says how many failures are too many.
    #[must_use]
    pub const fn is_of_failures(&self) -> bool {
        matches!(self.subject, Subject::ErrorRate { .. })
    }

    /// Whether it says how many failures of that series are too many.
    #[must_use]
    pub fn bounds_failures_of(&self, series: &SeriesName) -> bool {
        match &self.subject {
            Subject::ErrorRate { of } => of.takes(series),
            Subject::Quantile { .. } | Subject::Max { .. } | Subject::Overhead { .. } => false,
        }
    }

    /// Whether it compares two arms, which takes a whole run.
    #[must_use]
    pub const fn is_of_overhead(&self) -> bool {
        matches!(self.subject, Subject::Overhead { .. })
    }

    /// Requests of one series that must be measured for it to be decided.
    #[must_use]
    pub fn fewest_samples(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "five digits after the point at most: below 2^21"
        )]
        match &self.subject {
            Subject::Quantile { quantile, .. } => {
                let above = to_float(crate::histogram::SAMPLES_ABOVE);
                (above / (1.0 - quantile)).ceil() as u64 + 1
            }
            Subject::Max { .. } | Subject::ErrorRate { .. } | Subject::Overhead { .. } => 1,
        }
    }

    /// Checks that the run has what the objective is about.
    ///
    /// # Errors
    /// [`SloError::UnknownSeries`] or [`SloError::NotPaired`].
    pub fn check(&self, header: &Header) -> Result<(), SloError> {
        let (text, series) = (self.text.clone(), &header.series);
        let known = match &self.subject {
            Subject::Quantile { of, .. } | Subject::Max { of } | Subject::ErrorRate { of } => {
                series.iter().any(|name| of.takes(name))
            }
            Subject::Overhead { arm, op, .. } => {
                if header
                    .paired
                    .as_ref()
                    .is_none_or(|paired| paired.other != *arm)
                {
                    let arm = arm.clone();
                    return Err(SloError::NotPaired { text, arm });
                }
                series.iter().any(|name| name.op == *op)
            }
        };
        if known {
            return Ok(());
        }
        let known: Vec<String> = series
            .iter()
            .map(|s| format!("{}.{}", s.op, s.arm))
            .collect();
        let known = known.join(", ");
        Err(SloError::UnknownSeries { text, known })
    }

    /// Judges it: of several series the worst.
    #[must_use]
    pub fn judge(&self, totals: &[Totals], overheads: &[Overhead]) -> Judgement {
        let chosen = |of: &Selector| -> Vec<&Totals> {
            totals
                .iter()
                .filter(|series| of.takes(&series.name))
                .collect()
        };
        let all: Vec<(SloResult, String)> = match &self.subject {
            Subject::Quantile { of, quantile } => {
                let time = |series: &&Totals| series.response_with_waiting().quantile(*quantile);
                self.times(&chosen(of), time)
            }
            Subject::Max { of } => {
                let max = |series: &&Totals| {
                    let merged = series.response_with_waiting();
                    (!merged.is_empty()).then(|| merged.max())
                };
                self.times(&chosen(of), max)
            }
            Subject::ErrorRate { of } => {
                // An arm without keys has no probes: of what was never tried there is no share.
                let tried = chosen(of).into_iter().filter(|series| series.attempted > 0);
                tried.map(|series| self.error_rate(series)).collect()
            }
            Subject::Overhead { op, measure, .. } => vec![self.overhead(op, *measure, overheads)],
        };
        let nothing = (SloResult::Undecided, "nothing was measured".to_owned());
        let worst = all.into_iter().max_by_key(|(result, _)| *result);
        let (result, observed) = worst.unwrap_or(nothing);
        Judgement {
            text: self.text.clone(),
            result,
            observed,
        }
    }

    fn times(
        &self,
        series: &[&Totals],
        time: impl Fn(&&Totals) -> Option<u64>,
    ) -> Vec<(SloResult, String)> {
        let one = |totals: &&Totals| match time(totals) {
            None => (
                SloResult::Undecided,
                format!("{}: n/a, too few samples", totals.name),
            ),
            Some(us) => (
                decided(to_float(us) < self.limit),
                format!("{}: {}", totals.name, duration(us)),
            ),
        };
        series.iter().map(one).collect()
    }

    fn error_rate(&self, series: &Totals) -> (SloResult, String) {
        let (name, attempted) = (&series.name, series.attempted);
        let lost = attempted.saturating_sub(series.ok);
        let rate = to_float(lost) / to_float(attempted);
        let observed = format!("{name}: {lost} of {attempted} ({:.3} %)", rate * 100.0);
        (decided(rate < self.limit), observed)
    }

    fn overhead(&self, op: &str, measure: Measure, overheads: &[Overhead]) -> (SloResult, String) {
        let found = overheads.iter().find(|overhead| overhead.op == op);
        let Some(ratio) = found.and_then(|one| one.ratios.get(&measure).copied().flatten()) else {
            return (SloResult::Undecided, "too little was measured".to_owned());
        };
        // Less throughput is more cost; more latency is more cost.
        let (cost, low, high) = match measure {
            Measure::Throughput => (1.0 / ratio.measured, 1.0 / ratio.high, 1.0 / ratio.low),
            Measure::P50 | Measure::P90 | Measure::P99 | Measure::P999 => {
                (ratio.measured, ratio.low, ratio.high)
            }
        };
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        let observed = format!(
            "{:+.1} % ({:+.1} to {:+.1} %)",
            percent(cost),
            percent(low),
            percent(high)
        );
        let result = if high - 1.0 < self.limit {
            SloResult::Met
        } else if low - 1.0 >= self.limit {
            SloResult::Missed
        } else {
            SloResult::Undecided
        };
        (result, observed)
    }
}

const fn decided(met: bool) -> SloResult {
    if met {
        SloResult::Met
    } else {
        SloResult::Missed
    }
}

fn overhead(arm: &str, op: &str, measure: Measure) -> Subject {
    Subject::Overhead {
        arm: arm.to_owned(),
        op: op.to_owned(),
        measure,
    }
}

/// `p99` to 0.99, `p999` to 0.999.
fn quantile(word: &str) -> Option<f64> {
    let digits = word.strip_prefix('p')?;
    if !(2..=5).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("0.{digits}").parse().ok()
}

fn number(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = text.trim_end().parse().ok().filter(|_| plain)?;
    (number > 0.0 && number.is_finite()).then_some(number)
}

fn share(text: &str) -> Option<f64> {
    Some(number(text.strip_suffix('%')?)? / 100.0)
}

fn time(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("s", 1e6)];
    units
        .iter()
        .find_map(|(unit, scale)| Some(number(text.strip_suffix(unit)?)? * scale))
}

/// Microseconds for people, three digits.
#[must_use]
pub fn duration(us: u64) -> String {
    let (scaled, unit) = match us {
        0..1_000 => return format!("{us} µs"),
        1_000..1_000_000 => (to_float(us) / 1e3, "ms"),
        _ => (to_float(us) / 1e6, "s"),
    };
    let digits = match scaled {
        x if x < 9.995 => 2,
        x if x < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$} {unit}")
}
