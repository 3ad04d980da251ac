//! The command line: flags become options here, and strings go no further.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::command::{self, Failure, World, test};
use crate::conformance::judge::{Policy, Strictness};
use crate::conformance::runner::AfterFailure;
use crate::conformance::sender::Patience;
use crate::conformance::session::Detail;
use crate::exit_code::ExitCode;
use crate::random::Seed;
use crate::s3::Style;
use crate::scenario::definition::Level;
use crate::target::bundled::Wish;
use crate::target::profile::Profile;

/// Tells whether an S3 endpoint keeps the promise of SSE-C.
#[derive(Parser)]
#[command(name = "ssec", version, about, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected; 1 a requirement failed; 2 bad arguments or \
scenario; 3 the target could not be judged; 4 nothing selected; 5 only blocked or error; 70 a bug \
of ssec; 130 interrupted.";

#[derive(Subcommand)]
enum Command {
    /// Judge a target; without --endpoint, the server that this binary carries
    Test(Box<TestArgs>),
    /// Measure throughput and latency of a target, with or without SSE-C
    Bench(Box<command::bench::Arguments>),
    /// Serve S3 with strict SSE-C until interrupted
    Serve(Box<ServeArgs>),
    /// Show a trial's steps, what their answers must be, and why
    Explain(ExplainArgs),
    /// Read and lint scenarios, dialects and workloads; no network
    Check {
        /// Catalogue folders, suite, dialect or workload files; none check the binary's own
        paths: Vec<PathBuf>,
    },
    /// Sum up recorded runs once more, or write one in another form
    Report(command::report::Arguments),
    /// Lay runs side by side: where targets disagree, and what each answered
    Matrix(command::matrix::Arguments),
    /// Tell what became better or worse between two runs
    Compare(command::compare::Arguments),
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
}

#[derive(Args)]
#[command(group(ArgGroup::new("kind").args(["endpoint", "impostor"])))]
struct TestArgs {
    /// Run trials whose name contains any of these
    filter: Vec<String>,
    /// Filters and skips are whole names
    #[arg(long)]
    exact: bool,
    /// Leave out trials whose name contains this
    #[arg(long, value_name = "FILTER")]
    skip: Vec<String>,
    /// Run only trials with this tag
    #[arg(long)]
    tag: Vec<String>,
    /// Print the names of the selected trials
    #[arg(long)]
    list: bool,
    /// Print how many requests and bytes the selection would send
    #[arg(long, conflicts_with = "list")]
    plan: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// Tell one lie on purpose: the bundled server as an impostor
    #[arg(long, value_name = "NAME")]
    impostor: Option<String>,
    /// Lowest level that counts [default: should for the bundled server, else must]
    #[arg(long)]
    level: Option<LevelArg>,
    /// Another answer than the dialect's own counts too [the bundled server's default]
    #[arg(long)]
    strict: bool,
    /// Repeat the bodies and names of an earlier run
    #[arg(long, value_name = "HEX")]
    seed: Option<Seed>,
    /// Use the catalogue in this folder instead of the binary's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Trials at a time
    #[arg(long, short = 'j', default_value = "8", value_name = "N")]
    jobs: NonZeroUsize,
    /// Start no further trial after one that fails the run
    #[arg(long)]
    fail_fast: bool,
    /// Longest time for one request and its answer
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,
    /// Send a request again, at most so often, when no answer came
    #[arg(long, default_value = "2", value_name = "N")]
    retries: u32,
    /// Tell each trial as it ends; twice, record the exchanges of passed trials too
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Write the record here as well
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write JUnit XML here as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Keep no folder of the run below .ssec
    #[arg(long)]
    no_save: bool,
}

#[derive(Args)]
struct TargetArgs {
    /// Judge this endpoint, https://host[:port]
    #[arg(long, value_name = "URL", requires = "region")]
    endpoint: Option<String>,
    /// The endpoint's listener without TLS, for trials that must be refused there
    #[arg(long, value_name = "URL", requires = "endpoint")]
    http_endpoint: Option<String>,
    /// Region in every signature
    #[arg(long, requires = "endpoint")]
    region: Option<String>,
    /// Whose exact answers are expected
    #[arg(long, default_value = "aws", value_name = "NAME")]
    dialect: String,
    /// How buckets are addressed
    #[arg(long, default_value = "path")]
    style: StyleArg,
    /// Domain below which bucket names stand [default: the endpoint's host]
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    vhost_domain: Option<String>,
    /// Trust the authority in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    ca: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long, requires = "endpoint", conflicts_with = "ca")]
    insecure: bool,
    /// Work in this existing bucket instead of one of the run's own
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    bucket: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum LevelArg {
    Must,
    Should,
    May,
}

#[derive(Clone, Copy, ValueEnum)]
enum StyleArg {
    Path,
    Vhost,
}

#[derive(Args)]
struct ServeArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// A second listener without TLS, where SSE-C is refused
    #[arg(long, value_name = "ADDR")]
    also_http: Option<SocketAddr>,
    /// Serve everything without TLS, customer keys too
    #[arg(long, conflicts_with_all = ["also_http", "tls_cert", "tls_key", "tls_name"])]
    plain_http: bool,
    /// Where to keep objects, credentials and the local authority [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Whose answers to give
    #[arg(long, default_value = "aws", value_parser = PossibleValuesParser::new(["aws", "ovh"]))]
    dialect: String,
    /// Certificate chain, PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "tls_name"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A further name or address for the certificate of the local authority
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// The access key id to accept; its secret comes from SSEC_SECRET_ACCESS_KEY
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Create this bucket at the start
    #[arg(long, value_name = "NAME")]
    bucket: Vec<String>,
    /// New buckets refuse SSE-C
    #[arg(long)]
    block_ssec: bool,
    /// Tell one lie on purpose
    #[arg(long, value_name = "NAME")]
    impostor: Option<String>,
    /// List the impostors, one a line: its name, blanks, its lie
    #[arg(long)]
    list_impostors: bool,
}

#[derive(Args)]
struct ExplainArgs {
    /// The trial's whole name
    name: String,
    /// Whose exact answers are expected
    #[arg(long, default_value = "aws", value_name = "NAME")]
    dialect: String,
    /// Use the catalogue in this folder instead of the binary's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
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
    let parsed = expanded.map(Cli::try_parse_from);
    let result = match parsed {
        Err(mistakes) => Err(mistakes),
        Ok(Ok(cli)) => dispatch(cli.command, world, out, notes),
        Ok(Err(usage)) => {
            let text = usage.render();
            let (code, told) = if usage.use_stderr() {
                (ExitCode::BadInput, write!(notes, "{text}"))
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

fn tell(failure: &Failure, notes: &mut dyn Write) -> std::io::Result<()> {
    // Diagnostics are drawn and begin with their own `error`.
    if failure.message.starts_with("error") {
        writeln!(notes, "{}", failure.message)?;
    } else {
        writeln!(notes, "error: {}", failure.message)?;
    }
    match &failure.hint {
        Some(hint) => writeln!(notes, "  help: {hint}"),
        None => Ok(()),
    }
}

fn dispatch(
    command: Command,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Test(args) => test::test(&args.options()?, world, out, notes),
        Command::Bench(args) => command::bench::bench(*args, world, out, notes),
        Command::Serve(args) if args.list_impostors => command::serve::list_impostors(out),
        Command::Serve(args) => command::serve::serve(args.options()?, world, out, notes),
        Command::Explain(args) => {
            let scenarios = args.scenarios.as_deref();
            command::explain::explain(&args.name, &args.dialect, scenarios, world, out)
        }
        Command::Check { paths } => {
            let paths: Vec<PathBuf> = paths.iter().map(|p| world.directory.join(p)).collect();
            Ok(command::check::check(&paths, out)?)
        }
        Command::Report(args) => command::report::report(&args, world, out),
        Command::Matrix(args) => command::matrix::matrix(&args, world, out),
        Command::Compare(args) => command::compare::compare(&args, world, out),
        Command::Clean { run } => command::clean::clean(&run, world, out),
        Command::Key { name } => command::key::key(&name, out),
    }
}

impl TestArgs {
    fn options(self) -> Result<test::Options, Failure> {
        let bundled = self.target.endpoint.is_none();
        let default_level = if bundled { Level::Should } else { Level::Must };
        let target = self.target.wanted(self.impostor)?;
        Ok(test::Options {
            selection: test::Selection {
                filters: self.filter,
                exact: self.exact,
                skip: self.skip,
                tags: self.tag,
            },
            mode: match (self.list, self.plan) {
                (true, _) => test::Mode::List,
                (false, true) => test::Mode::Plan,
                (false, false) => test::Mode::Run,
            },
            target,
            policy: Policy {
                level: self.level.map_or(default_level, |level| match level {
                    LevelArg::Must => Level::Must,
                    LevelArg::Should => Level::Should,
                    LevelArg::May => Level::May,
                }),
                strict: if self.strict || bundled {
                    Strictness::Strict
                } else {
                    Strictness::Lenient
                },
            },
            seed: self.seed,
            scenarios: self.scenarios,
            jobs: self.jobs,
            after_failure: if self.fail_fast {
                AfterFailure::Stop
            } else {
                AfterFailure::GoOn
            },
            patience: Patience {
                timeout: self.timeout,
                retries: self.retries,
            },
            detail: if self.verbose > 1 {
                Detail::All
            } else {
                Detail::NotPassed
            },
            each: if self.verbose > 0 {
                test::Each::Told
            } else {
                test::Each::Silent
            },
            save: if self.no_save {
                test::Save::No
            } else {
                test::Save::Yes
            },
            record: self.record,
            junit: self.junit,
        })
    }
}

impl TargetArgs {
    fn wanted(self, impostor: Option<String>) -> Result<test::Wanted, Failure> {
        let style = match self.style {
            StyleArg::Path => Style::Path,
            StyleArg::Vhost => Style::VirtualHost,
        };
        let Some(endpoint) = self.endpoint else {
            return Ok(test::Wanted::Bundled(Wish {
                dialect: self.dialect,
                style,
                impostor,
            }));
        };
        let region = self.region.ok_or_else(|| {
            Failure::bad_input("--endpoint needs the --region that signatures name")
        })?;
        Ok(test::Wanted::Endpoint(Profile {
            endpoint,
            http_endpoint: self.http_endpoint,
            region,
            dialect: self.dialect,
            style,
            vhost_domain: self.vhost_domain,
            ca: self.ca,
            insecure: self.insecure,
            bucket: self.bucket,
        }))
    }
}

impl ServeArgs {
    fn options(self) -> Result<command::serve::Options, Failure> {
        command::serve::options(command::serve::Asked {
            listen: self.listen,
            also_http: self.also_http,
            plain_http: self.plain_http,
            data_dir: self.data_dir,
            dialect: self.dialect,
            certificate: self.tls_cert.zip(self.tls_key),
            names: self.tls_name,
            access_key_id: self.access_key_id,
            buckets: self.bucket,
            block_ssec: self.block_ssec,
            impostor: self.impostor,
        })
    }
}

/// Reads `500ms`, `30s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "write it as 30s".to_owned())?;
    let duration = match unit.trim() {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" | "min" => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err("write it as 500ms, 30s or 2m".to_owned()),
    };
    if duration.is_zero() {
        return Err("it must be longer than nothing".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "30", "s", "0s", "-1s", "1h", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
