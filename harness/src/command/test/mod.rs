//! `ssec test`: selects trials, makes the target ready, runs them, cleans up, sums up.

mod baseline;
mod excerpt;
mod opening;
mod plan;
mod recorder;
mod selection;

pub use opening::{Opening, open};
pub use selection::Selection;

use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use reports::record::{CaseRecord, Cleanup, FORMAT, RunFooter, RunHeader, Tool};
use reports::render::exchanges::{self, Depth};
use reports::render::palette::Palette;
use reports::render::{json, junit, text};
use reports::run::{AllRan, Conclusion, Run, Tally};
use reports::verdict::Verdict;

use self::baseline::Baseline;
use self::recorder::Recorder;
use super::run_directory::RunDirectory;
use super::signals::{self, AskedToEnd};
use super::{Failure, Terminal, World};
use crate::conformance::budget::Allowance;
use crate::conformance::judge::{Policy, Strictness};
use crate::conformance::runner::{self, AfterFailure, Counts, Ended, Plan};
use crate::conformance::sender::Patience;
use crate::conformance::session::Detail;
use crate::conformance::tries::Retries;
use crate::error::{Error, GivenError};
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::progress::Progress;
use crate::random::Seed;
use crate::scenario::ambient::Axes;
use crate::scenario::catalog::Catalog;
use crate::scenario::definition::Trial;
use crate::target::Origin;
use crate::target::bundled::{self, Wish};
use crate::target::profile::Profile;

/// What is asked of `ssec test`.
pub struct Options {
    pub selection: Selection,
    pub mode: Mode,
    pub target: Wanted,
    /// What the run varies for all trials.
    pub axes: Axes,
    pub policy: Policy,
    /// The seed to repeat; none draws a fresh one.
    pub seed: Option<Seed>,
    /// A catalogue in place of the binary's own.
    pub scenarios: Option<PathBuf>,
    pub jobs: NonZeroUsize,
    pub after_failure: AfterFailure,
    pub patience: Patience,
    /// How much of the target the run may take.
    pub allowance: Allowance,
    pub detail: Detail,
    /// How often a trial that fails the run is tried again.
    pub retries: Retries,
    /// Whether each trial is told as it ends.
    pub each: Each,
    pub summary: Summary,
    pub save: Save,
    /// Faults that are known.
    pub baseline: Option<PathBuf>,
    /// A further place for the record.
    pub record: Option<PathBuf>,
    /// A further place for the JUnit file.
    pub junit: Option<PathBuf>,
}

/// What is done with the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Run,
    /// Names only, as libtest lists them.
    List,
    /// What would be sent, and how much of it.
    Plan,
}

/// Which target.
#[derive(Debug, Clone)]
pub enum Wanted {
    Bundled(Wish),
    Endpoint(Profile),
}

impl Wanted {
    fn dialect(&self) -> &str {
        match self {
            Self::Bundled(wish) => &wish.dialect,
            Self::Endpoint(profile) => &profile.dialect,
        }
    }
}

/// Whether each trial is told as it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    Told(Depth),
    Silent,
}

/// What is printed at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// For people, and the run's folder on the last line.
    Text,
    /// The last line of that summary alone.
    Conclusion,
    /// One line for scripts.
    Json,
}

impl Summary {
    fn write(self, run: &Run, palette: Palette, to: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Self::Text => text::paint(run, palette, to),
            Self::Conclusion => text::conclude(run, palette, to),
            Self::Json => json::render(run, to),
        }
    }
}

/// Whether the run is kept in a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    Yes,
    No,
}

/// Runs the command.
///
/// # Errors
/// Why nothing was run, or a fault of ours.
pub fn test(
    options: &Options,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let catalog = match &options.scenarios {
        Some(folder) => Catalog::read(&world.directory.join(folder))?,
        None => Catalog::embedded()?,
    };
    let oracle = catalog
        .oracle(options.target.dialect())
        .map_err(|unknown| Failure::new(Problem::UnknownName, unknown.to_string()));
    if let Wanted::Bundled(wish) = &options.target {
        bundled::check(wish)?;
    }
    let oracle = oracle?;
    let trials = options.axes.expand(catalog.trials());
    let selected = options.selection.of(&trials);
    if selected.is_empty() {
        let message = format!("no trial matches {}", options.selection.words().join(" "));
        return Err(Failure::new(Problem::NothingSelected, message)
            .hint("`ssec test --list` prints all names"));
    }
    match options.mode {
        Mode::List => {
            for trial in &selected {
                writeln!(out, "{}: test", trial.name)?;
            }
            return Ok(ExitCode::AsExpected);
        }
        Mode::Plan => {
            plan::write(&selected, options, out)?;
            return Ok(ExitCode::AsExpected);
        }
        Mode::Run => plan::check(&selected, options)?,
    }
    let mut baseline = match &options.baseline {
        Some(file) => Baseline::read(&world.directory.join(file))?,
        None => Baseline::default(),
    };
    let sinks = Sinks::create(options, world)?;
    let seed = options.seed.unwrap_or_else(Seed::fresh);
    let plan = Plan {
        trials: selected,
        jobs: options.jobs,
        after_failure: options.after_failure,
    };
    super::runtime()?.block_on(async {
        let mut stop = signals::asked_to_end();
        let opening = open(options, world, oracle, seed, &mut stop).await?;
        if let Some(note) = opening.session.target().readable_on_the_way() {
            writeln!(notes, "{note}")?;
        }
        if opening.session.fixture.allows_ssec() {
            writeln!(
                notes,
                "note: new buckets of this target block SSE-C; the run allowed it in its own"
            )?;
        }
        let judging = Judging {
            options,
            world,
            catalog: &catalog,
            trials: &trials,
            plan: &plan,
        };
        let result = judging
            .run(&opening, &mut baseline, stop, sinks, out, notes)
            .await;
        if let Some(bundled) = opening.bundled {
            bundled.stop().await;
        }
        result
    })
}

/// The files that the user named, made before anything is sent.
struct Sinks {
    record: Option<File>,
    junit: Option<File>,
}

impl Sinks {
    fn create(options: &Options, world: &World) -> Result<Self, Failure> {
        let create = |path: &Option<PathBuf>| -> Result<Option<File>, Failure> {
            let Some(path) = path else { return Ok(None) };
            let file = File::create(world.directory.join(path))
                .map_err(|error| Failure::unwritable(path, &error))?;
            Ok(Some(file))
        };
        Ok(Self {
            record: create(&options.record)?,
            junit: create(&options.junit)?,
        })
    }
}

/// One run of the command, once its target stands.
struct Judging<'a> {
    options: &'a Options,
    world: &'a World,
    catalog: &'a Catalog,
    /// All that the catalogue and the axes make, of which the plan has a selection.
    trials: &'a [Arc<Trial>],
    plan: &'a Plan,
}

impl Judging<'_> {
    async fn run(
        &self,
        opening: &Opening,
        baseline: &mut Baseline,
        stop: AskedToEnd,
        sinks: Sinks,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<ExitCode, Failure> {
        let session = &opening.session;
        let today = self.world.clock.rfc3339();
        let today = today.split('T').next().unwrap_or_default();
        let apply = &mut |case: &mut CaseRecord| baseline.apply(case, today);
        let ran = self.trials(opening, apply, stop, sinks.record, out).await;
        // Whatever happened, what was created goes; a second signal leaves it for `ssec clean`.
        let cleanup = tokio::select! {
            cleanup = session.fixture.remove_all() => cleanup?,
            () = signals::asked_to_end() => Cleanup {
                left: vec!["whatever the journal names: a second signal came".to_owned()],
                ..Cleanup::default()
            },
        };
        let (recorder, ended) = ran?;
        if ended == Ended::Limited {
            let left = self.plan.trials.len() - recorder.cases().len();
            writeln!(
                notes,
                "note: the limit of requests or bytes is reached; {left} trials were not begun"
            )?;
        }
        // A name of another axis than this run's is one of the catalogue too.
        let all = Axes::all().expand(self.catalog.trials());
        let known: Vec<_> = all.iter().chain(self.trials).cloned().collect();
        let out_of_date = baseline.out_of_date(&known, today);
        for entry in &out_of_date {
            writeln!(notes, "baseline: {entry}")?;
        }
        let stale = !out_of_date.is_empty();
        let footer = self.footer(recorder.cases(), ended, cleanup, stale);
        let exit = footer.0;
        let run = recorder.end(footer.1)?;
        let mut summary = Vec::new();
        let told = self.options.summary;
        told.write(&run, self.world.palette, &mut summary)?;
        session.redactor().scan(&summary).map_err(Error::from)?;
        out.write_all(&summary)?;
        self.junit(opening, &run, sinks.junit)?;
        if let Some(directory) = &opening.directory {
            if let Err(error) = directory.make_latest() {
                writeln!(notes, "note: .ssec/latest could not be moved: {error}")?;
            }
            if told == Summary::Text {
                writeln!(out, "{}", directory.name.display())?;
            }
        }
        Ok(exit)
    }

    /// Runs the trials and records each as it ends.
    async fn trials(
        &self,
        opening: &Opening,
        apply: &mut dyn FnMut(&mut CaseRecord),
        stop: AskedToEnd,
        record: Option<File>,
        out: &mut dyn Write,
    ) -> Result<(Recorder, Ended), Failure> {
        let mut sinks: Vec<File> = record.into_iter().collect();
        if let Some(directory) = &opening.directory {
            sinks.push(directory.file("run.jsonl")?);
        }
        let header = self.header(opening);
        let mut recorder = Recorder::start(Arc::clone(&opening.session), sinks, header)?;
        let mut progress = match (self.world.terminal, self.options.summary) {
            (Terminal::Yes, Summary::Text | Summary::Json) => {
                Progress::on_terminal(self.plan.trials.len())
            }
            (Terminal::Yes, Summary::Conclusion) | (Terminal::No, _) => Progress::hidden(),
        };
        let (each, palette) = (self.options.each, self.world.palette);
        let mut on_case = |mut case: CaseRecord| -> Result<Counts, Error> {
            apply(&mut case);
            let counts = if case.counts { Counts::Yes } else { Counts::No };
            case.excerpt = excerpt::of(&case, self.catalog);
            progress.ended(&case);
            let mut shown = Vec::new();
            let drawn = match each {
                Each::Told(depth) => exchanges::render(&case, depth, palette, &mut shown),
                Each::Silent => Ok(()),
            };
            // What the record refuses to hold is not shown either.
            recorder.case(case)?;
            opening.session.redactor().scan(&shown)?;
            let told = drawn.and_then(|()| progress.beside(|| out.write_all(&shown)));
            told.map(|()| counts).map_err(|error| {
                let (what, why) = ("to standard output".to_owned(), error.to_string());
                GivenError::Output { what, why }.into()
            })
        };
        let ended = runner::run(&opening.session, self.plan, stop, &mut on_case).await;
        progress.finish();
        Ok((recorder, ended?))
    }

    fn header(&self, opening: &Opening) -> RunHeader {
        let session = &opening.session;
        let target = session.target();
        RunHeader {
            format: FORMAT,
            tool: Tool {
                name: "ssec".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                catalogue: self.catalog.digest().to_owned(),
            },
            target: reports::record::Target {
                endpoint: target.label.clone(),
                region: target.region.clone(),
                dialect: target.dialect.clone(),
                style: session.axes.style_word().to_owned(),
                payload: Some(session.axes.payload_word())
                    .filter(|word| *word != "signed")
                    .map(str::to_owned),
                profile: target.declaration.as_ref().map(|told| told.name.clone()),
                server: opening.server.clone(),
                impostor: match &target.origin {
                    Origin::Bundled { impostor } => impostor.clone(),
                    Origin::Endpoint { .. } => None,
                },
                support: session.offer.to_words(),
            },
            seed: session.seed.to_string(),
            level: session.policy.level.to_string(),
            strict: session.policy.strict == Strictness::Strict,
            selection: reports::record::Selection {
                filters: self.options.selection.words(),
                selected: self.plan.trials.len(),
                total: self.trials.len(),
            },
            started: self.world.clock.rfc3339(),
        }
    }

    fn footer(
        &self,
        cases: &[CaseRecord],
        ended: Ended,
        cleanup: Cleanup,
        stale_baseline: bool,
    ) -> (ExitCode, RunFooter) {
        let whole = ended == Ended::Whole && self.plan.trials.len() == self.trials.len();
        let all_ran = if whole { AllRan::Yes } else { AllRan::No };
        let mut exit = exit_code(cases, ended, &cleanup);
        if stale_baseline {
            exit = exit.worst(ExitCode::BaselineStale);
        }
        let footer = RunFooter {
            finished: self.world.clock.rfc3339(),
            counts: Tally::of(cases).to_counts(),
            conclusion: Conclusion::of(cases, all_ran).words().to_owned(),
            exit: exit.number(),
            interrupted: ended == Ended::Interrupted,
            cleanup,
        };
        (exit, footer)
    }

    fn junit(&self, opening: &Opening, run: &Run, named: Option<File>) -> Result<(), Failure> {
        let mut file = Vec::new();
        junit::render(run, &mut file)?;
        opening
            .session
            .redactor()
            .scan(&file)
            .map_err(Error::from)?;
        let kept = opening.directory.as_ref();
        let kept = kept.map(|directory: &RunDirectory| directory.file("junit.xml"));
        for mut sink in kept.transpose()?.into_iter().chain(named) {
            sink.write_all(&file)?;
        }
        Ok(())
    }
}

/// What the run's verdicts add up to.
fn exit_code(cases: &[CaseRecord], ended: Ended, cleanup: &Cleanup) -> ExitCode {
    let mut exit = ExitCode::AsExpected;
    for case in cases.iter().filter(|case| case.counts) {
        exit = exit.worst(match case.verdict {
            Verdict::Leak | Verdict::Fail | Verdict::Deviates => ExitCode::Broken,
            Verdict::Error | Verdict::Blocked => ExitCode::Inconclusive,
            Verdict::Unsupported | Verdict::Observed | Verdict::Pass => ExitCode::AsExpected,
        });
    }
    let unsupported = |case: &CaseRecord| case.verdict == Verdict::Unsupported;
    if !cases.is_empty() && cases.iter().all(unsupported) {
        exit = exit.worst(ExitCode::CannotJudge);
    }
    if !cleanup.left.is_empty() {
        exit = exit.worst(ExitCode::Inconclusive);
    }
    match ended {
        Ended::Whole | Ended::FailedFast => exit,
        Ended::Limited => exit.worst(ExitCode::Inconclusive),
        Ended::Interrupted => exit.worst(ExitCode::Interrupted),
    }
}
