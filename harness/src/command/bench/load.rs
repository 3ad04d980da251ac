//! Putting the load on, once everything stands: one schedule from its start to its end.

use std::io::Write;
use std::sync::Arc;

use reports::bench::record::Health;

use super::output::Output;
use super::{Benching, Failure, interrupted, live};
use crate::bench::connection::read_buffer;
use crate::bench::health::{self, Measured};
use crate::bench::runner::{self, Finished, Load, NotRun, Seconds};
use crate::bench::schedule::{Arrivals, Extent, Schedule, Shard};
use crate::bench::worker::Shared;
use crate::bench::workload::Drawing;
use crate::command::signals::AskedToEnd;
use crate::problem::Problem;

/// Load that was put on, and how the client bore it.
pub(super) struct Ran {
    pub(super) finished: Finished,
    pub(super) health: Health,
}

impl Benching<'_> {
    /// The schedule that was asked for.
    pub(super) async fn load(
        &self,
        drawing: Drawing,
        output: &mut Output,
        stop: &mut AskedToEnd,
        notes: &mut dyn Write,
    ) -> Result<Ran, Failure> {
        let options = self.options;
        output.header(self.opening)?;
        output.steps(&options.schedule)?;
        let mut progress = live::Live::new(self.world.terminal, notes);
        let mut take = |seconds: &Seconds| {
            let lines = output.seconds(seconds)?;
            progress.tell(&lines);
            Ok::<(), Failure>(())
        };
        let schedule = options.schedule.clone();
        let ran = self
            .run_schedule(schedule, options.extent, drawing, stop, &mut take)
            .await;
        progress.end();
        ran
    }

    /// Waits for the time at which the load is to begin.
    pub(super) async fn wait_for_start(&self, stop: &mut AskedToEnd) -> Result<(), Failure> {
        let Some(start) = self.options.start_at else {
            return Ok(());
        };
        let left = start.left(self.world.clock.now());
        tokio::select! {
            () = tokio::time::sleep(left) => Ok(()),
            () = &mut *stop => Err(interrupted()),
        }
    }

    /// One schedule from its start to its end; each whole second goes to `take`.
    pub(super) async fn run_schedule(
        &self,
        schedule: Schedule,
        extent: Extent,
        drawing: Drawing,
        stop: &mut AskedToEnd,
        take: &mut dyn FnMut(&Seconds) -> Result<(), Failure>,
    ) -> Result<Ran, Failure> {
        let options = self.options;
        let shard = options.shard.unwrap_or(Shard::WHOLE);
        let open = schedule != Schedule::Closed;
        let shared = Shared {
            arrivals: Arrivals::new(schedule.clone(), extent, shard, self.seed),
            drawing,
            routes: self.opening.routes.clone(),
            timeout: options.timeout,
            keepalive: options.keepalive,
            read_buffer: read_buffer(options.concurrency),
            end: extent.end().filter(|_| open),
        };
        let load = Load {
            shared: Arc::new(shared),
            schedule,
            concurrency: options.concurrency,
            threads: self.threads(),
            warmup: extent.warmup,
            requests: &|| self.requests(),
        };
        let mut answered = 0;
        let mut counted = |seconds: &Seconds| {
            let measured = seconds.iter().filter(|(slot, _)| !slot.warmup);
            answered += measured.map(|(_, counts)| counts.answered()).sum::<u64>();
            take(seconds)
        };
        let ran = runner::run(&load, stop, &mut counted).await;
        let finished = ran.map_err(|reason| match reason {
            NotRun::Sink(failure) => failure,
            NotRun::NotBegun(reason) => not_begun(&reason),
        })?;
        #[expect(clippy::cast_precision_loss, reason = "a rate of requests")]
        let reached = answered as f64 / finished.measured.as_secs_f64().max(1e-9);
        // Of a divided run, this process offers its part.
        let part = |rate: f64| rate / f64::from(shard.count);
        let offered = load.schedule.highest_rate().map_or(reached, part);
        let health = health::judge(&Measured {
            before: finished.before,
            after: finished.after,
            wall: finished.measured,
            threads: self.threads(),
            lateness: &finished.lateness,
            ceiling: self.ceiling.get().map(|ceiling| (*ceiling, offered)),
        });
        Ok(Ran { finished, health })
    }
}

pub(super) fn not_begun(reason: &runner::NotBegun) -> Failure {
    let problem = match reason {
        runner::NotBegun::Interrupted => Problem::Interrupted,
        runner::NotBegun::Connections { .. } => Problem::NotMeasured,
        runner::NotBegun::Threads(_) => Problem::Machine,
    };
    Failure::new(problem, reason.to_string())
}
