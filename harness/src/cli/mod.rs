//! The command line: flags become options here, and strings go no further.

mod serve_arguments;
mod test_arguments;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use reports::render::palette::Palette;

use self::serve_arguments::ServeArgs;
use self::test_arguments::TestArgs;
use crate::command::{self, Failure, World, examples, test};
use crate::exit_code::ExitCode;
use crate::problem::Problem;

/// Tells whether an S3 endpoint keeps the promise of SSE-C, and how fast.
#[derive(Parser)]
#[command(
    name = "ssec",
    version,
    about = "tells whether an S3 endpoint keeps the promise of SSE-C"
)]
#[command(max_term_width = 100)]
struct Cli {
    /// Colours: auto uses them on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge a target; without --endpoint, the server that this binary carries
    Test(Box<TestArgs>),
    /// Measure throughput and latency of a target, with or without SSE-C
    Bench(Box<command::bench::Arguments>),
    /// Serve S3 with strict SSE-C until interrupted
    Serve(Box<ServeArgs>),
    /// Show a trial's steps, what their answers must be, and why; or what an error means
    Explain(ExplainArgs),
    /// Read and lint scenarios, dialects, workloads and profiles; no network
    Check {
        /// Catalogue folders, suite, dialect, workload or profile files; none check the binary's own
        paths: Vec<PathBuf>,
    },
    /// Write scenarios, dialects and other YAML files in their one form; comments stay
    Fmt(command::fmt::Arguments),
    /// Sum up recorded runs once more, or write one in another form
    Report(command::report::Arguments),
    /// Lay runs side by side: where targets disagree, and what each answered
    Matrix(command::matrix::Arguments),
    /// Tell what became better or worse between two runs
    Compare(command::compare::Arguments),
    /// Make a dialect of what a run was answered, with a redacted capture of each answer
    Evidence(command::evidence::Arguments),
    /// Remove what a killed run left on its target
    Clean {
        /// A run's folder, or latest
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Print a fresh customer key and its MD5 as shell exports
    Key {
        /// Its name in the variables
        #[arg(default_value = "alice")]
        name: String,
    },
    /// Print what makes a shell complete commands and flags
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages, one a command
    Man {
        /// Where to, made if it is missing
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// The world as this choice leaves it.
    fn of(self, world: &World) -> World {
        let palette = match self {
            Self::Auto => world.palette,
            Self::Always => Palette::Ansi,
            Self::Never => Palette::Plain,
        };
        World {
            palette,
            ..world.clone()
        }
    }
}

/// The command line with the examples of every command in its help.
fn grammar() -> clap::Command {
    let mut grammar = Cli::command().override_help(examples::overview());
    let names: Vec<String> = grammar
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        grammar = grammar.mut_subcommand(&name, |c| c.after_help(examples::section(&name)));
    }
    grammar
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut grammar = grammar();
    let matches = grammar.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))
}

#[derive(Args)]
struct ExplainArgs {
    /// The trial's whole name, or the code of an error, such as E102
    #[arg(required_unless_present = "errors")]
    name: Option<String>,
    /// List every error: its code, blanks, its meaning
    #[arg(long, conflicts_with = "name")]
    errors: bool,
    /// Whose exact answers are expected
    #[arg(long, default_value = "aws", value_name = "NAME")]
    dialect: String,
    /// Use the catalogue in this folder instead of the binary's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// Whether a command line is understood, without running it: what documents and packages tell to
/// type is held against this.
///
/// # Errors
/// What is wrong with it, as the command would say.
pub fn understands(arguments: Vec<OsString>) -> Result<(), String> {
    match parse(arguments) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Every long flag of every command, with its two hyphens.
#[must_use]
pub fn flags() -> BTreeSet<String> {
    let mut grammar = grammar();
    grammar.build();
    let commands = grammar.get_subcommands().chain([&grammar]);
    let arguments = commands.flat_map(clap::Command::get_arguments);
    let names = arguments.filter_map(clap::Arg::get_long);
    names.map(|name| format!("--{name}")).collect()
}

/// Reads the arguments and runs the command they name; tells a failure on `notes`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> ExitCode {
    let arguments = arguments.into_iter().collect();
    let expanded = command::bench::workload_file::expand(arguments, &world.directory);
    let parsed = expanded.map(parse);
    let result = match parsed {
        Err(mistakes) => Err(mistakes),
        Ok(Ok(cli)) => dispatch(cli.command, &cli.color.of(world), out, notes),
        Ok(Err(usage)) => {
            let text = usage.render();
            let (code, told) = if usage.use_stderr() {
                (
                    ExitCode::BadInput,
                    write!(notes, "{}", coded(&text.to_string())),
                )
            } else {
                (ExitCode::AsExpected, write!(out, "{text}"))
            };
            told.map(|()| code).map_err(Failure::from)
        }
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            // Where not even this can be written, the exit code has to do.
            let _ = tell(&failure, notes);
            failure.code
        }
    }
}

/// The usage error of the grammar with its code, as every other error has one. A command line
/// without a command is answered with the help alone.
fn coded(usage: &str) -> String {
    let code = Problem::Usage.code();
    match usage.strip_prefix("error: ") {
        Some(rest) => format!("error[{code}]: {rest}  more: ssec explain {code}\n"),
        None => usage.to_owned(),
    }
}

fn tell(failure: &Failure, notes: &mut dyn Write) -> std::io::Result<()> {
    let code = failure.problem.code();
    // Mistakes in files are drawn, and each begins with `error` and a code of its own.
    if failure.problem == Problem::Mistakes {
        writeln!(notes, "{}", failure.message)?;
    } else {
        writeln!(notes, "error[{code}]: {}", failure.message)?;
    }
    if let Some(hint) = &failure.hint {
        writeln!(notes, "  help: {hint}")?;
    }
    writeln!(notes, "  more: ssec explain {code}")
}

fn dispatch(
    command: Command,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Test(args) => test::test(&args.options(&world.directory)?, world, out, notes),
        Command::Bench(args) => command::bench::bench(*args, world, out, notes),
        Command::Serve(args) if args.list_impostors => command::serve::list_impostors(out),
        Command::Serve(args) => match args.scrub() {
            Some((directory, dialect)) => {
                command::serve_scrub::scrub(directory, dialect, world, out)
            }
            None => command::serve::serve(args.options()?, world, out, notes),
        },
        Command::Explain(args) => {
            let scenarios = args.scenarios.as_deref();
            match args.name.as_deref() {
                None => command::errors::list(out),
                Some(code) if command::errors::is_code(code) => command::errors::explain(code, out),
                Some(name) => command::explain::explain(name, &args.dialect, scenarios, world, out),
            }
        }
        Command::Check { paths } => {
            let paths: Vec<PathBuf> = paths.iter().map(|p| world.directory.join(p)).collect();
            Ok(command::check::check(&paths, out)?)
        }
        Command::Fmt(args) => command::fmt::fmt(&args, world, out),
        Command::Report(args) => command::report::report(&args, world, out),
        Command::Matrix(args) => command::matrix::matrix(&args, world, out),
        Command::Compare(args) => command::compare::compare(&args, world, out),
        Command::Evidence(args) => command::evidence::evidence(&args, world, out),
        Command::Clean { run } => command::clean::clean(&run, world, out),
        Command::Key { name } => command::key::key(&name, out),
        Command::Completions { shell } => {
            command::completions::completions(shell, &mut grammar(), out)
        }
        Command::Man { directory } => {
            command::man::man(&world.directory.join(directory), grammar(), out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        grammar().debug_assert();
    }

    /// An example that the command line refuses would teach a mistake.
    #[test]
    fn every_example_is_understood_and_is_of_its_command() {
        for example in examples::ALL {
            let line = example.line.split(" | ").next().unwrap_or_default();
            let words = line.split(' ').map(|word| word.trim_matches('\''));
            let words: Vec<OsString> = words.map(OsString::from).collect();
            assert_eq!(words.get(1).and_then(|w| w.to_str()), Some(example.command));
            if let Err(error) = parse(words) {
                panic!("{}: {error}", example.line);
            }
        }
        let wrong = parse(
            ["ssec", "key", "--no-such-flag"]
                .map(OsString::from)
                .to_vec(),
        );
        assert!(wrong.is_err());
    }

    #[test]
    fn every_command_has_an_example_and_every_example_a_command() {
        let grammar = grammar();
        let shown = grammar.get_subcommands().filter(|c| !c.is_hide_set());
        let commands: Vec<&str> = shown.map(clap::Command::get_name).collect();
        let mut taught: Vec<&str> = examples::ALL.iter().map(|e| e.command).collect();
        taught.dedup();
        assert_eq!(taught, commands, "in the order of the help");
    }
}
