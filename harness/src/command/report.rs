//! `ssec report RUN…`: recorded runs once more, from the record alone, in other forms.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use reports::bench::paired::overheads;
use reports::bench::run::BenchRun;
use reports::bench::shards;
use reports::bench::slo::Slo;
use reports::render::bench as bench_text;
use reports::render::{badge, baseline, github, html, json, junit, markdown, tap, text};
use reports::run::Run;

use super::bench::told_by;
use super::recorded::{self, Recorded};
use super::{Failure, World};
use crate::exit_code::ExitCode;
use crate::problem::Problem;

/// The file that a GitHub job's summary is appended to.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Which runs, in which forms; without any form, text on standard output.
#[derive(clap::Args)]
pub struct Arguments {
    /// A run's folder, its run.jsonl, or latest
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// One self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Markdown, for a pull request
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// JSON for a shields.io endpoint badge
    #[arg(long, value_name = "FILE")]
    pub badge: Option<PathBuf>,
    /// A baseline of what broke, to be completed with issues and dates
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Test Anything Protocol 14
    #[arg(long, value_name = "FILE")]
    pub tap: Option<PathBuf>,
    /// Print the summary as JSON, a line a run
    #[arg(long, conflicts_with_all = ["github", "summary"])]
    pub json: bool,
    /// GitHub annotations on standard output, and Markdown appended to $GITHUB_STEP_SUMMARY
    #[arg(long)]
    pub github: bool,
    /// The short JSON of a bench record; the shards of one run are merged
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// An objective for a bench record, as get.p99<50ms; exit code 1 if it is missed
    #[arg(long, value_name = "OBJECTIVE")]
    pub slo: Vec<String>,
}

type Renderer = fn(&Run, &mut dyn Write) -> io::Result<()>;
type BenchRenderer = fn(&BenchRun, &mut dyn Write) -> io::Result<()>;

/// Renders the runs. A record without its end is rendered as far as it goes, called incomplete,
/// and ends with 3.
///
/// # Errors
/// When a run cannot be read, or a file cannot be written.
pub fn report(
    arguments: &Arguments,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let files: Vec<(&PathBuf, Renderer)> = [
        (&arguments.html, html::render as Renderer),
        (&arguments.junit, junit::render),
        (&arguments.markdown, markdown::render),
        (&arguments.badge, badge::render),
        (&arguments.tap, tap::render),
        (&arguments.baseline, baseline::render),
    ]
    .into_iter()
    .filter_map(|(file, renderer)| Some((file.as_ref()?, renderer)))
    .collect();
    let mut runs = Vec::new();
    let mut benches = Vec::new();
    for name in &arguments.runs {
        match recorded::read_either(name, world)? {
            Recorded::Conformance(run) => runs.push(*run),
            Recorded::Bench(bench) => benches.push(*bench),
        }
    }
    if !benches.is_empty() {
        if !runs.is_empty() {
            let message = "bench records and conformance runs are reported apart";
            return Err(Failure::new(Problem::Record, message));
        }
        return report_bench(arguments, benches, world, out);
    }
    if arguments.summary.is_some() || !arguments.slo.is_empty() {
        return Err(Failure::bad_input(
            "--summary and --slo are of bench records, and this is a conformance run",
        ));
    }
    if !files.is_empty() && runs.len() != 1 {
        return Err(Failure::bad_input("a file holds the report of one run")
            .hint("write files for each run, or lay the runs side by side: ssec matrix"));
    }
    let mut code = ExitCode::AsExpected;
    for run in runs {
        code = code.worst(recorded::judged(&[&run]));
        for (path, renderer) in &files {
            recorded::write(path, world, |to| renderer(&run, to))?;
        }
        if arguments.github {
            github::render(&run, out)?;
            summarise(world, |to| markdown::render(&run, to))?;
        } else if arguments.json {
            json::render(&run, out)?;
        } else if files.is_empty() {
            text::paint(&run, world.palette, out)?;
        }
    }
    Ok(code)
}

/// Reports one bench record, or the shards of one run put together.
fn report_bench(
    arguments: &Arguments,
    mut parts: Vec<BenchRun>,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let forms = [
        ("--junit", arguments.junit.is_some()),
        ("--badge", arguments.badge.is_some()),
        ("--tap", arguments.tap.is_some()),
    ];
    if let Some((form, _)) = forms.into_iter().find(|(_, asked)| *asked) {
        let message = format!("{form} is of conformance runs, and this is a bench record");
        return Err(Failure::bad_input(message)
            .hint("a bench record becomes text, --html, --markdown, --github or --summary"));
    }
    let mut run = if parts.len() == 1 {
        parts.remove(0)
    } else {
        shards::merge(&parts).map_err(|error| Failure::bad_input(error.to_string()))?
    };
    for text in &arguments.slo {
        Slo::parse(text)
            .and_then(|slo| slo.check(&run.header))
            .map_err(|error| Failure::bad_input(error.to_string()))?;
        run.header.slo.push(text.clone());
    }
    let files: Vec<(&PathBuf, BenchRenderer)> = [
        (
            &arguments.summary,
            (|run, to| run.summary().write(to)) as BenchRenderer,
        ),
        (&arguments.html, html::bench::render),
        (&arguments.markdown, markdown::bench::render),
    ]
    .into_iter()
    .filter_map(|(file, renderer)| Some((file.as_ref()?, renderer)))
    .collect();
    for (path, renderer) in &files {
        recorded::write(path, world, |to| renderer(&run, to))?;
    }
    if arguments.github {
        summarise(world, |to| markdown::bench::render(&run, to))?;
    }
    if arguments.json {
        run.summary().write_line(out)?;
    } else if files.is_empty() && !arguments.github {
        bench_text::render(&run, out)?;
    }
    let overheads = overheads(&run.header, &run.seconds);
    let judged = told_by(&bench_text::judgements(
        &run.header,
        &run.totals(),
        &overheads,
    ));
    Ok(if judged == ExitCode::AsExpected && !run.is_complete() {
        ExitCode::CannotJudge
    } else {
        judged
    })
}

/// Appends to the job's summary, if there is a job.
fn summarise(
    world: &World,
    renderer: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = world.environment.get(STEP_SUMMARY) else {
        return Ok(());
    };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(world.directory.join(path))
        .and_then(|mut file| {
            let mut text = Vec::new();
            renderer(&mut text)?;
            file.write_all(&text)
        });
    written.map_err(|error| Failure::unwritable(path.as_ref(), &error))
}
