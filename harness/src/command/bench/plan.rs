//! What a run would send, before it sends anything.

use std::io::{self, Write};

use super::{Failure, Options};
use crate::bench::schedule::Schedule;
use crate::bench::workload::{Drawing, Op};

/// Arrivals that are drawn to tell how many bytes the others move.
const DRAWN: u64 = 10_000;

/// Requests and bytes of a run.
pub(super) struct Plan {
    /// Uploads before the load, and their bytes.
    uploads: u64,
    uploaded: u64,
    /// Requests of the load, where the schedule says how many.
    requests: Option<u64>,
    /// Bytes of bodies that a request moves on average.
    each: f64,
}

impl Plan {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub(super) fn of(options: &Options, drawing: &Drawing) -> Self {
        let workload = drawing.workload();
        let seconds = options.extent.end().map(|end| end.as_secs_f64());
        let of_rate = |rate: f64| seconds.map(|seconds| (rate * seconds).ceil() as u64);
        let scheduled = match &options.schedule {
            // How many steps a search takes is its result.
            _ if options.knee.is_some() => None,
            Schedule::Closed => None,
            Schedule::Constant { rate } | Schedule::Poisson { rate } => of_rate(*rate),
            Schedule::Steps { rates, each } => {
                Some((rates.iter().sum::<f64>() * each.as_secs_f64()).ceil() as u64)
            }
        };
        let requests = match (scheduled, options.extent.requests) {
            (Some(scheduled), Some(most)) => Some(scheduled.min(most)),
            (scheduled, most) => scheduled.or(most),
        };
        let moved = |number: u64| {
            let draw = drawing.draw(number);
            match draw.op {
                Op::Get | Op::Put | Op::Multipart => draw.size,
                Op::Range => draw.range.1,
                Op::Head | Op::Delete | Op::List | Op::Copy => 0,
            }
        };
        let drawn = requests.unwrap_or(DRAWN).clamp(1, DRAWN);
        let bytes: u64 = (0..drawn).map(moved).sum();
        let reads = workload.mix.iter().any(|(op, _)| op.needs_objects());
        let objects = if reads { workload.objects } else { 0 };
        let arms = workload.arms.len() as u64;
        Self {
            uploads: objects * arms,
            uploaded: (0..objects).map(|object| drawing.size(object)).sum::<u64>() * arms,
            requests,
            each: bytes as f64 / drawn as f64,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn bytes(&self) -> Option<f64> {
        let moved = self.each * self.requests? as f64;
        Some(moved + self.uploaded as f64)
    }

    /// Refuses a run that would move more than `--max-bytes`.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn check(&self, options: &Options) -> Result<(), Failure> {
        let Some(most) = options.max_bytes else {
            return Ok(());
        };
        match self.bytes() {
            Some(bytes) if bytes <= most as f64 => Ok(()),
            Some(bytes) => Err(Failure::bad_input(format!(
                "the run would move about {bytes:.0} bytes, more than --max-bytes {most}"
            ))),
            None => Err(Failure::bad_input(
                "--max-bytes needs a run whose requests are known before",
            )
            .hint("pass --requests, or --rate with --duration")),
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "before the load   {} uploads, {} bytes",
            self.uploads, self.uploaded
        )?;
        match self.requests {
            Some(requests) => writeln!(
                out,
                "the load          {requests} requests, about {:.0} bytes of bodies each",
                self.each
            )?,
            None => writeln!(
                out,
                "the load          as many requests as the target answers, about {:.0} bytes of \
                 bodies each",
                self.each
            )?,
        }
        match self.bytes() {
            Some(bytes) => writeln!(out, "in all            about {bytes:.0} bytes"),
            None => writeln!(
                out,
                "in all            not known: the target decides how many requests there are"
            ),
        }?;
        writeln!(out, "nothing was sent")
    }
}
