//! `ssec bench`: puts load on a target and tells what came of it.

mod arguments;
mod calibration;
mod description;
mod knee;
mod live;
mod load;
mod metrics;
mod opening;
mod output;
mod plan;
mod prices;
mod self_test;
mod server;
mod words;
pub mod workload_file;

pub use words::size;

use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reports::bench::record::{Damage, HealthVerdict, KneeVerdict};
use reports::bench::slo::{Judgement, Slo, SloResult};
use reports::bench::summary::Summary;
use reports::record::Cleanup;
use reports::render::bench as text;

pub use self::arguments::Arguments;
use self::arguments::Wanted;
use self::load::Ran;
use self::metrics::Metrics;
use self::opening::Opening;
use self::output::Output;
use super::{Failure, World, memory, signals};
use crate::bench::chores::{self, Chore};
use crate::bench::request::{DATA, Requests};
use crate::bench::runner::End;
use crate::bench::schedule::{Extent, Schedule, Shard};
use crate::bench::workload::{Drawing, Workload};
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::random::Seed;

/// What the command line asks for.
pub struct Options {
    workload: Workload,
    schedule: Schedule,
    extent: Extent,
    concurrency: usize,
    threads: Option<usize>,
    timeout: Duration,
    keepalive: Option<u64>,
    slo: Vec<Slo>,
    knee: Option<knee::Asked>,
    seed: Option<Seed>,
    shard: Option<Shard>,
    start_at: Option<words::Start>,
    summary: Option<PathBuf>,
    record: Option<PathBuf>,
    save: bool,
    allow_limited: bool,
    calibrate: bool,
    plan: bool,
    prices: Option<PathBuf>,
    hdr_log: Option<PathBuf>,
    metrics: Option<SocketAddr>,
    max_bytes: Option<u64>,
    target: Wanted,
}

/// What a run came to.
struct Concluded {
    exit: ExitCode,
    summary: Summary,
    damage: Vec<Damage>,
}

/// Runs the load and writes what came of it.
///
/// # Errors
/// When it could not begin, or what it found cannot be written.
pub fn bench(
    arguments: Arguments,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    // What a page of 2 MiB costs to clear is more than a short run costs else; where there are none, nothing is lost.
    let _ = memory::refuse_huge_pages();
    if arguments.self_test {
        return self_test::self_test(world, out);
    }
    let options = arguments.options(&world.environment)?;
    if options.plan {
        let seed = options.seed.unwrap_or_else(Seed::fresh);
        let drawing = Drawing::new(options.workload.clone(), seed);
        let table = options
            .prices
            .as_ref()
            .map(|path| world.directory.join(path));
        let prices = prices::Prices::read(table.as_deref())?;
        plan::Plan::of(&options, &drawing).write(&prices, out)?;
        return Ok(ExitCode::AsExpected);
    }
    Ok(measure(&options, world, out, notes)?.exit)
}

fn measure(
    options: &Options,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Concluded, Failure> {
    let seed = options.seed.unwrap_or_else(Seed::fresh);
    let drawing = Drawing::new(options.workload.clone(), seed);
    plan::Plan::of(options, &drawing).check(options)?;
    let mut output = Output::create(options, world, seed)?;
    super::runtime()?.block_on(async {
        let mut stop = signals::asked_to_end();
        let opened = opening::open(options, world, seed, &mut output, &mut stop, notes).await;
        let opening = match opened {
            Ok(opening) => opening,
            Err(failure) => {
                // Also a run that never began has a summary: of nothing.
                output.summary(&Summary::of(&[], None))?;
                output.discard();
                return Err(failure);
            }
        };
        let benching = Benching {
            options,
            world,
            seed,
            opening: &opening,
            ceiling: OnceLock::new(),
        };
        benching.run(drawing, output, stop, out, notes).await
    })
}

struct Benching<'a> {
    options: &'a Options,
    world: &'a World,
    seed: Seed,
    opening: &'a Opening,
    /// Requests a second that this client can offer, once that is known.
    ceiling: OnceLock<f64>,
}

impl Benching<'_> {
    fn requests(&self) -> Requests {
        let opening = self.opening;
        let target = opening.target();
        let mut requests = Requests::new(
            target.credentials.clone(),
            target.region.clone(),
            opening.place.clone(),
            Arc::clone(&opening.keys),
            opening.pool.clone(),
            self.world.clock,
        );
        requests.payload = self.options.workload.payload;
        requests.authentication = self.options.workload.authentication;
        requests
    }

    fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.options.threads.unwrap_or_else(processors);
        threads.clamp(1, self.options.concurrency)
    }

    async fn run(
        &self,
        drawing: Drawing,
        mut output: Output,
        mut stop: signals::AskedToEnd,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<Concluded, Failure> {
        let prepared = tokio::select! {
            prepared = self.prepare(&drawing) => prepared,
            () = &mut stop => Err(interrupted()),
        };
        let ran = match prepared {
            Ok(()) => self.measured(drawing, &mut output, &mut stop, notes).await,
            Err(failure) => Err(failure),
        };
        // An upload whose last answer was a success left nothing but its object.
        let all_ended = ran.as_ref().is_ok_and(|_| output.failed() == 0);
        let cleanup = tokio::select! {
            cleanup = self.clean(all_ended) => cleanup?,
            () = signals::asked_to_end() => Cleanup {
                left: vec!["whatever the journal names: a second signal came".to_owned()],
                ..Cleanup::default()
            },
        };
        let ran = match ran {
            Ok(ran) => ran,
            Err(mut failure) => {
                output.summary(&output.totals_so_far(None))?;
                if !cleanup.left.is_empty() {
                    failure.message = format!(
                        "{}; {} could not be removed",
                        failure.message, cleanup.left[0]
                    );
                }
                return Err(failure);
            }
        };
        self.conclude(output, &ran, cleanup, out, notes)
    }

    async fn measured(
        &self,
        drawing: Drawing,
        output: &mut Output,
        stop: &mut signals::AskedToEnd,
        notes: &mut dyn Write,
    ) -> Result<Ran, Failure> {
        if let Some(address) = self.options.metrics {
            let metrics = Metrics::serve(address).await?;
            writeln!(notes, "metrics: http://{}/metrics", metrics.address)?;
            output.show(metrics);
        }
        if self.wants_ceiling()
            && let Some(ceiling) = self.calibrate(stop).await?
        {
            self.ceiling.get_or_init(|| ceiling);
        }
        self.wait_for_start(stop).await?;
        match &self.options.knee {
            Some(asked) => self.find_knee(asked, output, stop, notes).await,
            None => self.load(drawing, output, stop, notes).await,
        }
    }

    /// Puts the objects there that the load will ask for.
    async fn prepare(&self, drawing: &Drawing) -> Result<(), Failure> {
        let workload = drawing.workload();
        self.opening.journal_all(workload)?;
        if !workload.mix.iter().any(|(op, _)| op.needs_objects()) {
            return Ok(());
        }
        let mut uploads = Vec::new();
        for arm in &workload.arms {
            for object in 0..workload.objects {
                let size = drawing.size(object);
                let arm = arm.clone();
                uploads.push(Chore::Upload { arm, object, size });
            }
        }
        let requests = RefCell::new(self.requests());
        let route = &self.opening.routes[0];
        let limit = self.options.timeout;
        let (_, failed) = chores::all(uploads, &requests, route, limit).await;
        match failed.first() {
            None => Ok(()),
            Some(class) => Err(Failure {
                hint: class.contains("AccessDenied").then(|| {
                    "new buckets of AWS refuse SSE-C until PutBucketEncryption allows it".to_owned()
                }),
                ..Failure::new(
                    Problem::NotMeasured,
                    format!(
                        "{} of the objects to be read could not be written: {class}",
                        failed.len()
                    ),
                )
            }),
        }
    }

    /// Removes what the run created, the bucket last.
    async fn clean(&self, all_ended: bool) -> Result<Cleanup, Failure> {
        let opening = self.opening;
        if opening.is_bundled() {
            return Ok(Cleanup::default());
        }
        let workload = &self.options.workload;
        let mut removals = Vec::new();
        let folders = workload.mix.iter().filter_map(|(op, _)| op.writes());
        for folder in folders.chain([DATA]) {
            for arm in &workload.arms {
                for object in 0..workload.objects {
                    let arm = arm.clone();
                    removals.push(Chore::Remove {
                        arm,
                        folder,
                        object,
                    });
                }
            }
        }
        removals.retain(|chore| opening.is_pending(chore));
        let requests = RefCell::new(self.requests());
        let route = &opening.routes[0];
        let limit = self.options.timeout;
        let (done, _) = chores::all(removals, &requests, route, limit).await;
        for chore in &done {
            opening.removed(chore)?;
        }
        if all_ended {
            opening.uploads_ended()?;
        }
        Ok(opening.fixture.remove_all().await?)
    }

    fn conclude(
        &self,
        mut output: Output,
        ran: &Ran,
        cleanup: Cleanup,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<Concluded, Failure> {
        let Ran { finished, health } = ran;
        let (slow, damage) = output.kept(self.opening, finished)?;
        let overheads = output.overheads();
        let judgements = text::judgements(output.header_line(), output.totals(), &overheads);
        let mut exit = self.exit_code(&output, ran, &damage, &cleanup);
        let told = told_by(&judgements);
        // What is broken is told before what is not known.
        if exit != ExitCode::Broken || told == ExitCode::Broken {
            exit = exit.worst(told);
        }
        let footer = output.end(finished, health, cleanup, exit)?;
        let summary = output.totals_so_far(Some(health));
        output.summary(&summary)?;
        let told = text::Told {
            header: output.header_line(),
            totals: output.totals(),
            curve: &output.curve(),
            knee: output.found(),
            overheads: &overheads,
            judgements: &judgements,
            damage: &damage,
            slow: &slow,
            health: Some(health),
            footer: Some(&footer),
        };
        text::tell(&told, out)?;
        writeln!(out, "seed {}", self.seed)?;
        match finished.end {
            End::Died => writeln!(
                notes,
                "error: the target takes no connection any more; the samples so far are kept"
            )?,
            End::Whole | End::Interrupted => {}
        }
        output.close(out, notes)?;
        Ok(Concluded {
            exit,
            summary,
            damage,
        })
    }

    fn exit_code(
        &self,
        output: &Output,
        ran: &Ran,
        damage: &[Damage],
        cleanup: &Cleanup,
    ) -> ExitCode {
        let (attempted, ok) = output.attempted_and_ok();
        let failed = output.failed();
        let mut exit = ExitCode::AsExpected;
        if !damage.is_empty() {
            exit = exit.worst(ExitCode::Broken);
        }
        // An objective for failures says how many are too many; a search goes on until it is missed.
        let searched = output.found();
        let judged = searched.is_some() || self.options.slo.iter().any(Slo::is_of_failures);
        if (failed > 0 && !judged) || !cleanup.left.is_empty() {
            exit = exit.worst(ExitCode::Inconclusive);
        }
        let lost = searched.is_some_and(|knee| knee.verdict == KneeVerdict::Inconclusive);
        let unknown = ran.finished.end == End::Died || attempted == 0 || ok == 0 || lost;
        let limited = ran.health.verdict == HealthVerdict::Limited && !self.options.allow_limited;
        if damage.is_empty() && (unknown || limited) {
            exit = exit.worst(ExitCode::CannotJudge);
        }
        if ran.finished.end == End::Interrupted {
            exit = exit.worst(ExitCode::Interrupted);
        }
        exit
    }
}

/// What objectives come to: what is broken is told before what is not known.
pub(super) fn told_by(judgements: &[Judgement]) -> ExitCode {
    match judgements.iter().map(|one| one.result).max() {
        Some(SloResult::Missed) => ExitCode::Broken,
        Some(SloResult::Undecided) => ExitCode::CannotJudge,
        Some(SloResult::Met) | None => ExitCode::AsExpected,
    }
}

fn interrupted() -> Failure {
    Failure::new(Problem::Interrupted, "interrupted before the load began")
}
