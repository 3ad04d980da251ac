//! What a run would send, before it sends anything.

use std::io::{self, Write};

use super::prices::{Bill, Prices};
use super::{Failure, Options};
use crate::bench::schedule::Schedule;
use crate::bench::workload::{Draw, Drawing, Op, Workload};

/// Arrivals that are drawn to tell what the others ask for.
const DRAWN: u64 = 10_000;
/// Requests whose cost is told where nobody knows how many there will be.
const TOLD: f64 = 1e6;

/// Requests and bytes of a run.
pub(super) struct Plan {
    /// Uploads before the load, and the removal of what the run writes.
    around: Bill,
    /// What one arrival of the load asks for, on average.
    each: Bill,
    /// Bytes of bodies that one moves, copies left out.
    each_bytes: f64,
    uploaded: u64,
    /// Arrivals of the load, where the schedule says how many.
    arrivals: Option<u64>,
    /// Each operation of the mix, and its share of the arrivals.
    shares: Vec<(Op, f64)>,
}

impl Plan {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn of(options: &Options, drawing: &Drawing) -> Self {
        let workload = drawing.workload();
        let arrivals = arrivals(options);
        let drawn = arrivals.unwrap_or(DRAWN).clamp(1, DRAWN);
        let draws: Vec<Draw> = (0..drawn).map(|number| drawing.draw(number)).collect();
        let mut each = Bill::default();
        let mut each_bytes = 0.0;
        for draw in &draws {
            let one = bill(draw, workload);
            each_bytes += one.sent + one.received;
            each.add(&one, 1.0 / drawn as f64);
        }
        let share = |op: Op| {
            let of_it = draws.iter().filter(|draw| draw.op == op).count();
            (op, of_it as f64 / drawn as f64)
        };
        let reads = workload.mix.iter().any(|(op, _)| op.needs_objects());
        let objects = if reads { workload.objects } else { 0 };
        let arms = workload.arms.len() as u64;
        let uploaded = (0..objects).map(|object| drawing.size(object)).sum::<u64>() * arms;
        let folders = workload.mix.iter().filter(|(op, _)| op.writes().is_some());
        let written = folders.count() as u64 * workload.objects + objects;
        Self {
            around: Bill {
                put: (objects * arms) as f64,
                delete: (written * arms) as f64,
                sent: uploaded as f64,
                ..Bill::default()
            },
            each,
            each_bytes: each_bytes / drawn as f64,
            uploaded,
            arrivals,
            shares: workload.mix.iter().map(|(op, _)| share(*op)).collect(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn bytes(&self) -> Option<f64> {
        let moved = self.each_bytes * self.arrivals? as f64;
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

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn write(&self, prices: &Prices, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "before the load   {} uploads, {} bytes",
            self.around.put, self.uploaded
        )?;
        match self.arrivals {
            Some(arrivals) => writeln!(
                out,
                "the load          {arrivals} requests, about {:.0} bytes of bodies each",
                self.each_bytes
            )?,
            None => writeln!(
                out,
                "the load          as many requests as the target answers, about {:.0} bytes of \
                 bodies each",
                self.each_bytes
            )?,
        }
        for (op, share) in &self.shares {
            match self.arrivals {
                Some(arrivals) => {
                    writeln!(
                        out,
                        "                  about {:.0} {}",
                        share * arrivals as f64,
                        op.word()
                    )?;
                }
                None => {
                    writeln!(
                        out,
                        "                  {:.1} % {}",
                        share * 100.0,
                        op.word()
                    )?;
                }
            }
        }
        writeln!(
            out,
            "after the load    at most {} removals",
            self.around.delete
        )?;
        match self.bytes() {
            Some(bytes) => writeln!(out, "in all            about {bytes:.0} bytes"),
            None => writeln!(
                out,
                "in all            not known: the target decides how many requests there are"
            ),
        }?;
        self.cost(prices, out)?;
        writeln!(out, "nothing was sent")
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost(&self, prices: &Prices, out: &mut dyn Write) -> io::Result<()> {
        let currency = &prices.currency;
        let mut bill = self.around;
        if let Some(arrivals) = self.arrivals {
            bill.add(&self.each, arrivals as f64);
            let (cost, requests) = (prices.cost(&bill), bill.requests());
            writeln!(
                out,
                "cost              about {cost:.2} {currency} for {requests:.0} requests and their \
                 bytes"
            )?;
        } else {
            let mut load = Bill::default();
            load.add(&self.each, TOLD);
            writeln!(
                out,
                "cost              about {:.2} {currency} around the load, and {:.2} {currency} for \
                 each million of its requests",
                prices.cost(&bill),
                prices.cost(&load)
            )?;
        }
        writeln!(
            out,
            "                  at the prices of {} ({}); --prices FILE takes others",
            prices.name, prices.source
        )
    }
}

/// Arrivals of the load, where the schedule says how many.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn arrivals(options: &Options) -> Option<u64> {
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
    match (scheduled, options.extent.requests) {
        (Some(scheduled), Some(most)) => Some(scheduled.min(most)),
        (scheduled, most) => scheduled.or(most),
    }
}

/// What one arrival sends and asks for.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn bill(draw: &Draw, workload: &Workload) -> Bill {
    let mut bill = Bill::default();
    let size = draw.size as f64;
    match draw.op {
        Op::Get => (bill.get, bill.received) = (1.0, size),
        Op::Range => (bill.get, bill.received) = (1.0, draw.range.1 as f64),
        Op::Head => bill.head = 1.0,
        Op::Put => (bill.put, bill.sent) = (1.0, size),
        Op::Multipart => {
            let parts = draw.size.div_ceil(workload.part_size.max(1)).max(1);
            // It is begun and completed, too.
            (bill.put, bill.sent) = (parts as f64 + 2.0, size);
        }
        Op::Copy => bill.copy = 1.0,
        Op::List => bill.list = 1.0,
        Op::Delete => bill.delete = 1.0,
    }
    bill
}
