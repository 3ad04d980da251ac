//! What a bench record comes to, computed once for the page and the Markdown.

use super::bench::judgements;
use crate::bench::paired::{Overhead, overheads};
use crate::bench::record::{Header, HealthVerdict, Knee, KneeVerdict, Model};
use crate::bench::run::BenchRun;
use crate::bench::slo::{Judgement, SloResult, duration};
use crate::bench::totals::Totals;

/// How a conclusion is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    /// Nothing is proven, one way or the other.
    Open,
}

impl Tone {
    /// So that nothing is told by colour alone.
    pub(super) const fn sign(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Bad => '✗',
            Self::Open => '?',
        }
    }
}

impl From<SloResult> for Tone {
    fn from(result: SloResult) -> Self {
        match result {
            SloResult::Met => Self::Good,
            SloResult::Undecided => Self::Open,
            SloResult::Missed => Self::Bad,
        }
    }
}

/// A latency in microseconds, or that too few samples lie above it.
pub(super) fn latency(us: Option<u64>) -> String {
    us.map_or_else(|| "n/a".to_owned(), duration)
}

/// An amount for each second that was measured.
pub(super) fn rate(amount: f64, measured: f64) -> String {
    if measured > 0.0 {
        format!("{:.2}", amount / measured)
    } else {
        "n/a".to_owned()
    }
}

/// The sums of a record, and what they are judged to be.
#[derive(Debug, Clone)]
pub(super) struct Findings {
    /// Each series of the header, in its order.
    pub(super) totals: Vec<Totals>,
    pub(super) overheads: Vec<Overhead>,
    pub(super) judgements: Vec<Judgement>,
}

impl Findings {
    pub(super) fn of(run: &BenchRun) -> Self {
        let (totals, overheads) = (run.totals(), overheads(&run.header, &run.seconds));
        let judgements = judgements(&run.header, &totals, &overheads);
        Self {
            totals,
            overheads,
            judgements,
        }
    }

    /// The run in a few words, the worst of what is known of it.
    pub(super) fn conclusion(&self, run: &BenchRun) -> (Tone, String) {
        let number = |result: SloResult| {
            let is = |one: &&Judgement| one.result == result;
            self.judgements.iter().filter(is).count()
        };
        let all = self.judgements.len();
        let ok: u64 = self.totals.iter().map(|series| series.ok).sum();
        let health = run.health.as_ref().map(|health| health.verdict);
        let exit = run.footer.as_ref().map(|footer| footer.exit);
        if !run.damage.is_empty() {
            let bodies = run.damage.len();
            return (Tone::Bad, format!("damaged bodies: {bodies}"));
        }
        match number(SloResult::Missed) {
            0 => {}
            missed => return (Tone::Bad, format!("{missed} of {all} objectives missed")),
        }
        if exit == Some(1) {
            return (Tone::Bad, "a requirement was not met".to_owned());
        }
        let interrupted = run.footer.as_ref().is_some_and(|footer| footer.interrupted);
        let open = if exit.is_none() {
            "incomplete".to_owned()
        } else if interrupted {
            "interrupted".to_owned()
        } else if ok == 0 {
            "nothing was answered well".to_owned()
        } else if health == Some(HealthVerdict::Limited) {
            "the client was the bottleneck".to_owned()
        } else if number(SloResult::Undecided) > 0 {
            let undecided = number(SloResult::Undecided);
            format!("{undecided} of {all} objectives undecided")
        } else if exit != Some(0) {
            // It died midway, found no knee, or had failures that no objective speaks of.
            "inconclusive".to_owned()
        } else if health != Some(HealthVerdict::Ok) {
            "measured, by a client that is suspect".to_owned()
        } else if all > 0 {
            return (Tone::Good, format!("all {all} objectives met"));
        } else {
            return (Tone::Good, "measured".to_owned());
        };
        (Tone::Open, open)
    }

    /// What must be read along with every figure, a sentence each.
    pub(super) fn warnings(run: &BenchRun) -> Vec<String> {
        let mut sentences = Vec::new();
        match &run.footer {
            None => sentences.push(
                "The record has no end line: the run was killed or is still going.".to_owned(),
            ),
            Some(footer) => {
                if footer.interrupted {
                    sentences.push("The run was interrupted.".to_owned());
                }
                let left_out = footer.left_out.iter();
                sentences.extend(left_out.map(|what| format!("Not measured: {what}")));
            }
        }
        if let Some(shard) = &run.header.shard {
            let (index, count) = (shard.index, shard.count);
            sentences.push(format!(
                "This is shard {index} of {count}, not the whole run."
            ));
        }
        if run.header.schedule.model == Model::Closed {
            sentences
                .push("A closed loop: response times leave out what would have waited.".to_owned());
        }
        let limited = |verdict: HealthVerdict| verdict == HealthVerdict::Limited;
        if run
            .health
            .as_ref()
            .is_some_and(|health| limited(health.verdict))
        {
            sentences.push("The client was the bottleneck: the figures are its own.".to_owned());
        }
        sentences
    }

    /// Where a search for the knee ended.
    pub(super) fn knee(knee: &Knee) -> String {
        use std::fmt::Write as _;
        let asked = knee.objectives.join(", ");
        if let (KneeVerdict::Found, Some(low), Some(high)) = (knee.verdict, knee.low, knee.high) {
            return format!(
                "{low} to {high} arrivals a second: the lower met {asked}, the higher did not"
            );
        }
        let mut told = format!("inconclusive for {asked}");
        // Writing to a string cannot fail.
        if let Some(low) = knee.low {
            let _ = write!(told, "; {low} arrivals a second met it");
        }
        if let Some(high) = knee.high {
            let _ = write!(told, "; {high} did not");
        }
        told
    }

    /// The schedule in words.
    pub(super) fn model(header: &Header) -> String {
        let schedule = &header.schedule;
        let model = match (schedule.model, schedule.rate) {
            (Model::Closed, _) => "closed loop".to_owned(),
            (Model::Open, Some(rate)) => format!("open loop, {rate} arrivals a second"),
            (Model::Open, None) => "open loop, in steps".to_owned(),
        };
        format!("{model}, {} streams", schedule.concurrency)
    }
}
