//! `ssec bench --find-knee`: step after step of offered load, until the highest that meets its
//! objectives is known.

use std::io::Write;
use std::time::Duration;

use reports::bench::record::{Health, HealthVerdict, SeriesName};
use reports::bench::slo::{Judgement, Slo, SloResult};
use reports::bench::totals::Totals;

use super::description::{self, PROBE};
use super::load::Ran;
use super::output::Output;
use super::{Benching, Failure, live};
use crate::bench::knee::{Search, Seen};
use crate::bench::runner::{End, Finished, Seconds};
use crate::bench::schedule::{Extent, Schedule};
use crate::bench::workload::{Access, Drawing, Op, Workload};
use crate::clock::Stopwatch;
use crate::command::signals::AskedToEnd;

/// Between two steps: the target is done with the last one.
const COOL_DOWN: Duration = Duration::from_millis(500);
/// How long a step lasts where nothing says it.
pub(super) const USUAL_STEP: Duration = Duration::from_secs(10);
/// Where the search begins at least where nothing says it, arrivals a second.
const USUAL_FIRST: f64 = 50.0;
/// Samples of a first step over those that decide it.
const TO_SPARE: f64 = 1.2;

/// What is asked of failures where no objective bounds them: a target that refuses at once is fast.
const USUAL_FAILURES: &str = "error_rate<1%";

/// What is searched for.
pub(super) struct Asked {
    objectives: Vec<Slo>,
    first: f64,
    poisson: bool,
    each: Extent,
}

impl Asked {
    /// Each step is as long as `each`; `first` is the rate to begin at.
    ///
    /// # Errors
    /// When the workload comes to an end of its own.
    pub(super) fn of(
        objectives: Vec<Slo>,
        first: Option<f64>,
        arrivals: &str,
        each: Extent,
        workload: &Workload,
    ) -> Result<Self, Failure> {
        let deletes = workload.mix.iter().any(|(op, _)| *op == Op::Delete);
        if workload.access == Access::Once || deletes {
            let words = "--find-knee asks for the objects again and again: not with delete or \
                         --access once";
            return Err(Failure::bad_input(words));
        }
        let mut series = description::series(workload);
        series.retain(|name| name.op != PROBE);
        let objectives = with_failures_bounded(objectives, &series);
        Ok(Self {
            first: first.unwrap_or_else(|| first_rate(&objectives, series.len(), each)),
            objectives,
            poisson: arrivals == "poisson",
            each,
        })
    }

    /// The objectives as they were written.
    pub(super) fn texts(&self) -> Vec<String> {
        self.objectives.iter().map(|slo| slo.text.clone()).collect()
    }

    pub(super) fn objectives(&self) -> &[Slo] {
        &self.objectives
    }

    fn seconds(&self) -> f64 {
        self.each.duration.unwrap_or(USUAL_STEP).as_secs_f64()
    }

    fn schedule(&self, rate: f64) -> Schedule {
        if self.poisson {
            Schedule::Poisson { rate }
        } else {
            Schedule::Constant { rate }
        }
    }

    fn judge(&self, totals: &[Totals]) -> (SloResult, Vec<Judgement>) {
        let judged = self.objectives.iter().map(|slo| slo.judge(totals, &[]));
        let judged: Vec<Judgement> = judged.collect();
        let worst = judged.iter().map(|one| one.result).max();
        (worst.unwrap_or(SloResult::Undecided), judged)
    }
}

/// The objectives, with one for the failures of each series that has none.
fn with_failures_bounded(mut objectives: Vec<Slo>, series: &[SeriesName]) -> Vec<Slo> {
    let bounded = |name: &&SeriesName| objectives.iter().any(|slo| slo.bounds_failures_of(name));
    let open: Vec<_> = series.iter().filter(|name| !bounded(name)).collect();
    let usual = open.iter().map(|name| {
        let own = format!("{}.{}.{USUAL_FAILURES}", name.op, name.arm);
        Slo::parse(&own)
    });
    objectives.extend(usual.map(|slo| slo.expect("operations and arms are words")));
    objectives
}

/// Enough arrivals in a step that each series' objectives can be decided.
#[expect(clippy::cast_precision_loss, reason = "few samples and series")]
fn first_rate(objectives: &[Slo], series: usize, each: Extent) -> f64 {
    let fewest = objectives.iter().map(Slo::fewest_samples).max();
    let arrivals = fewest.unwrap_or(1) as f64 * series as f64 * TO_SPARE;
    let seconds = each.duration.unwrap_or(USUAL_STEP).as_secs_f64();
    (arrivals / seconds).ceil().max(USUAL_FIRST)
}

/// A step that was run.
struct Stepped {
    ran: Ran,
    seen: Seen,
    told: String,
}

impl Benching<'_> {
    /// Searches, and leaves what it found with the output.
    pub(super) async fn find_knee(
        &self,
        asked: &Asked,
        output: &mut Output,
        stop: &mut AskedToEnd,
        notes: &mut dyn Write,
    ) -> Result<Ran, Failure> {
        output.header(self.opening)?;
        let clock = Stopwatch::start();
        let mut search = Search::new(asked.first);
        let mut whole: Option<Finished> = None;
        let mut healths: Vec<(f64, Health)> = Vec::new();
        let mut cut_short = None;
        while let Some(rate) = search.next_rate() {
            let begun = output.next_second(clock.elapsed());
            output.begin_step(rate, begun, asked.seconds())?;
            let stepped = self.step(asked, rate, output, stop, notes).await?;
            writeln!(notes, "{rate} arrivals a second: {}", stepped.told)?;
            search.saw(rate, stepped.seen);
            let Ran { finished, health } = stepped.ran;
            healths.push((rate, health));
            cut_short = match finished.end {
                End::Whole => None,
                End::Interrupted => Some("it was interrupted"),
                End::Died => Some("the target takes no connection any more"),
            };
            match &mut whole {
                Some(whole) => whole.append(finished, begun),
                None => whole = Some(finished),
            }
            if cut_short.is_some() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(COOL_DOWN) => {}
                () = &mut *stop => {
                    cut_short = Some("it was interrupted");
                    break;
                }
            }
        }
        let knee = search.conclude(asked.texts(), cut_short);
        // The client as it was where the knee is.
        let at_the_knee = |(rate, _): &&(f64, Health)| knee.low.is_none_or(|low| *rate <= low);
        let health = healths.iter().rev().find(at_the_knee).or(healths.last());
        let health = health.map(|(_, health)| health.clone());
        output.knee(knee)?;
        match (whole, health) {
            (Some(mut finished), Some(health)) => {
                if cut_short == Some("it was interrupted") {
                    finished.end = End::Interrupted;
                }
                Ok(Ran { finished, health })
            }
            _ => Err(Failure::bad_input("a search has a first step")),
        }
    }

    async fn step(
        &self,
        asked: &Asked,
        rate: f64,
        output: &mut Output,
        stop: &mut AskedToEnd,
        notes: &mut dyn Write,
    ) -> Result<Stepped, Failure> {
        let mut totals = Totals::of_header(output.header_line());
        let mut progress = live::Live::new(self.world.terminal, notes);
        let mut take = |seconds: &Seconds| {
            let lines = output.seconds(seconds)?;
            progress.tell(&lines);
            for second in &lines {
                totals.iter_mut().for_each(|series| series.fold(second));
            }
            Ok::<(), Failure>(())
        };
        let drawing = Drawing::new(self.options.workload.clone(), self.seed);
        let schedule = asked.schedule(rate);
        let ran = self
            .run_schedule(schedule, asked.each, drawing, stop, &mut take)
            .await;
        progress.end();
        let ran = ran?;
        let (result, judged) = asked.judge(&totals);
        let limited = ran.health.verdict == HealthVerdict::Limited && !self.options.allow_limited;
        let seen = match result {
            SloResult::Met => Seen::Met,
            SloResult::Undecided => Seen::Undecided,
            SloResult::Missed if limited => Seen::Limited,
            SloResult::Missed => Seen::Missed,
        };
        let each: Vec<String> = judged
            .iter()
            .map(|one| format!("{} {} ({})", one.text, one.result.word(), one.observed))
            .collect();
        let told = each.join(", ");
        Ok(Stepped { ran, seen, told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(seconds: u64) -> Extent {
        Extent {
            warmup: Duration::ZERO,
            duration: Some(Duration::from_secs(seconds)),
            requests: None,
        }
    }

    #[track_caller]
    fn bounded(objectives: &[&str], expected: &[&str]) {
        let series: Vec<SeriesName> = ["get", "put"]
            .map(|op| SeriesName {
                op: op.to_owned(),
                arm: "ssec".to_owned(),
            })
            .into();
        let slo = objectives.iter().map(|text| Slo::parse(text).unwrap());
        let whole = with_failures_bounded(slo.collect(), &series);
        let texts: Vec<&str> = whole.iter().map(|slo| slo.text.as_str()).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn failures_are_bounded_where_nothing_bounds_them() {
        bounded(
            &["p99<50ms"],
            &[
                "p99<50ms",
                "get.ssec.error_rate<1%",
                "put.ssec.error_rate<1%",
            ],
        );
        bounded(&["error_rate<90%"], &["error_rate<90%"]);
        bounded(
            &["get.error_rate<90%"],
            &["get.error_rate<90%", "put.ssec.error_rate<1%"],
        );
    }

    #[test]
    fn the_first_step_has_samples_enough() {
        let slo = |text: &str| Slo::parse(text).unwrap();
        let rate = |text, series, seconds| first_rate(&[slo(text)], series, extent(seconds));
        assert!((rate("error_rate<1%", 1, 10) - 50.0).abs() < 1e-9);
        // p99 needs ten samples above it: a thousand and one in all.
        assert!((rate("p99<50ms", 1, 10) - 121.0).abs() < 1.0);
        assert!((rate("p99<50ms", 2, 10) - 241.0).abs() < 1.0);
    }
}
