//! The flags of `ssec test`, and what they come to.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, ValueEnum};
use reports::render::exchanges::Depth;

use crate::command::bench::size;
use crate::command::{Failure, test};
use crate::conformance::budget::Allowance;
use crate::conformance::judge::{Policy, Strictness};
use crate::conformance::runner::AfterFailure;
use crate::conformance::sender::Patience;
use crate::conformance::session::Detail;
use crate::conformance::tries::{Flaky, MAX_RETRIES, Retries};
use crate::random::Seed;
use crate::scenario::ambient::Axes;
use crate::scenario::definition::Level;
use crate::target::bundled::Wish;
use crate::target::declaration::{Declaration, Limits};
use crate::target::profile::Profile;

/// Trials at a time, where nothing says how many.
const JOBS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Longest time for one exchange, where nothing says how long.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is sent again, where nothing says how often.
const RESENDS: u32 = 2;
/// Whose answers are expected, where nothing says whose.
const DIALECT: &str = "aws";

#[derive(Args)]
#[command(group(ArgGroup::new("reached").args(["endpoint", "profile"]).multiple(true)))]
pub(super) struct TestArgs {
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
    /// Print how many requests and bytes the selection would send, and the permissions that it needs;
    /// --json prints them with a policy document
    #[arg(long, conflicts_with = "list")]
    plan: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// Tell one lie on purpose: the bundled server as an impostor
    #[arg(long, value_name = "NAME", conflicts_with = "reached")]
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
    /// Trials at a time [default: the profile's, else 8]
    #[arg(long, short = 'j', value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Start no further trial after one that fails the run
    #[arg(long)]
    fail_fast: bool,
    /// Longest time for one request and its answer [default: the profile's, else 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// Send a request again, at most so often, when no answer came or the target asks to slow down
    /// [default: the profile's, else 2]
    #[arg(long, value_name = "N")]
    resends: Option<u32>,
    /// Try a trial again that fails the run, known to a baseline or not, at most so often; leaks are not
    /// tried again
    #[arg(long, default_value = "0", value_name = "N", value_parser = clap::value_parser!(u32).range(0..=MAX_RETRIES.into()))]
    retries: u32,
    /// Let pass what failed at first and is met at another try; it is told all the same
    #[arg(long, requires = "retries")]
    allow_flaky: bool,
    /// Begin nothing that takes more requests, and stop at so many [default: the profile's, else none]
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// The same of bytes of bodies, both ways, such as 500MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_bytes: Option<u64>,
    /// Tell each trial as it ends with its steps and answers; twice, with whole exchanges, redacted,
    /// which are recorded too
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with_all = ["quiet", "json"])]
    verbose: u8,
    /// Print the conclusion alone, and show no progress
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    /// Print the summary as one line of JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// Write the record here as well
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write JUnit XML here as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Faults that are known, each with an issue and a last day: they fail no run
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Keep no folder of the run below .ssec
    #[arg(long)]
    no_save: bool,
}

#[derive(Args)]
struct TargetArgs {
    /// Judge this endpoint, https://host[:port]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Judge the service that this file tells of; flags win over what it says
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// The endpoint's listener without TLS, for trials that must be refused there
    #[arg(long, value_name = "URL", requires = "reached")]
    http_endpoint: Option<String>,
    /// Region in every signature
    #[arg(long, requires = "reached")]
    region: Option<String>,
    /// Whose exact answers are expected [default: the profile's, else aws]
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// Where buckets are named: in the path, in the host, or each trial both ways [default: the
    /// profile's, else path]
    #[arg(long, value_parser = PossibleValuesParser::new(Axes::STYLES))]
    style: Option<String>,
    /// How bodies are signed; `all` runs each trial each way [default: the profile's, else signed]
    #[arg(long, value_parser = PossibleValuesParser::new(Axes::PAYLOADS))]
    payload: Option<String>,
    /// Domain below which bucket names stand [default: the endpoint's host]
    #[arg(long, value_name = "NAME", requires = "reached")]
    vhost_domain: Option<String>,
    /// Trust the authority in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", requires = "reached")]
    ca: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long, requires = "reached", conflicts_with = "ca")]
    insecure: bool,
    /// Work in this existing bucket instead of one of the run's own
    #[arg(long, value_name = "NAME", requires = "reached")]
    bucket: Option<String>,
    /// Where the endpoint keeps its data, for trials that look at rest
    #[arg(long, value_name = "DIR", requires = "reached")]
    data_dir: Option<PathBuf>,
    /// The file that the endpoint logs to, searched for keys
    #[arg(long, value_name = "FILE", requires = "reached")]
    server_log: Option<PathBuf>,
}

/// A target, what the run varies, and the limits of the target's profile.
struct Told {
    target: test::Wanted,
    axes: Axes,
    limits: Limits,
}

#[derive(Clone, Copy, ValueEnum)]
enum LevelArg {
    Must,
    Should,
    May,
}

impl LevelArg {
    const fn level(self) -> Level {
        match self {
            Self::Must => Level::Must,
            Self::Should => Level::Should,
            Self::May => Level::May,
        }
    }
}

impl TestArgs {
    /// What is asked for; a profile is read below `directory`.
    pub(super) fn options(self, directory: &Path) -> Result<test::Options, Failure> {
        let bundled = self.target.is_bundled();
        let default_level = if bundled { Level::Should } else { Level::Must };
        let told = self.target.told(self.impostor, directory)?;
        let jobs = self.jobs.or(told.limits.parallel);
        let timeout = self.timeout.or(told.limits.timeout);
        let resends = self.resends.or(told.limits.resends);
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
            target: told.target,
            axes: told.axes,
            policy: Policy {
                level: self.level.map_or(default_level, LevelArg::level),
                strict: if self.strict || bundled {
                    Strictness::Strict
                } else {
                    Strictness::Lenient
                },
            },
            seed: self.seed,
            scenarios: self.scenarios,
            jobs: jobs.unwrap_or(JOBS),
            after_failure: if self.fail_fast {
                AfterFailure::Stop
            } else {
                AfterFailure::GoOn
            },
            patience: Patience {
                timeout: timeout.unwrap_or(TIMEOUT),
                retries: resends.unwrap_or(RESENDS),
            },
            retries: retries(self.retries, self.allow_flaky),
            allowance: Allowance {
                requests: self.max_requests.or(told.limits.requests),
                bytes: self.max_bytes.or(told.limits.bytes),
            },
            detail: if self.verbose > 1 {
                Detail::All
            } else {
                Detail::NotPassed
            },
            each: match self.verbose {
                0 => test::Each::Silent,
                1 => test::Each::Told(Depth::Answers),
                _ => test::Each::Told(Depth::Messages),
            },
            summary: match (self.quiet, self.json) {
                (true, _) => test::Summary::Conclusion,
                (false, true) => test::Summary::Json,
                (false, false) => test::Summary::Text,
            },
            save: if self.no_save {
                test::Save::No
            } else {
                test::Save::Yes
            },
            record: self.record,
            junit: self.junit,
            baseline: self.baseline,
        })
    }
}

impl TargetArgs {
    const fn is_bundled(&self) -> bool {
        self.endpoint.is_none() && self.profile.is_none()
    }

    /// What the flags and the profile come to.
    fn told(self, impostor: Option<String>, directory: &Path) -> Result<Told, Failure> {
        let bundled = self.is_bundled();
        let read = self.profile.as_deref();
        let read = read.map(|file| Declaration::read(directory, file));
        let declaration = read.transpose()?.map(Arc::new);
        // Without a profile nothing is declared.
        let told = declaration.as_deref().cloned().unwrap_or_default();
        let style = self.style.as_deref().or(told.style).unwrap_or("path");
        let payload = self.payload.as_deref().or(told.payload);
        let axes = Axes::of(style, payload.unwrap_or("signed"))
            .ok_or_else(|| Failure::bad_input("no such value of --style or --payload"))?;
        let limits = told.limits;
        let style = axes.own_style();
        let dialect = self.dialect.or(told.dialect);
        let dialect = dialect.unwrap_or_else(|| DIALECT.to_owned());
        if bundled {
            let wish = Wish {
                dialect,
                style,
                impostor,
            };
            return Ok(Told {
                target: test::Wanted::Bundled(wish),
                axes,
                limits,
            });
        }
        let endpoint = self.endpoint.or(told.endpoint).ok_or_else(|| {
            Failure::bad_input("the profile names no endpoint").hint("name it with --endpoint")
        })?;
        let region = self.region.or(told.region).ok_or_else(|| {
            Failure::bad_input("--endpoint needs the --region that signatures name")
        })?;
        let profile = Profile {
            endpoint,
            http_endpoint: self.http_endpoint.or(told.http_endpoint),
            region,
            dialect,
            style,
            vhost_domain: self.vhost_domain.or(told.vhost_domain),
            // One flag about trust takes the place of all that the profile says about it.
            insecure: self.insecure || (told.insecure && self.ca.is_none()),
            ca: self.ca.or(told.ca.filter(|_| !self.insecure)),
            bucket: self.bucket.or(told.bucket),
            data_dir: self.data_dir.or(told.data_dir),
            server_log: self.server_log.or(told.server_log),
            declaration,
        };
        Ok(Told {
            target: test::Wanted::Endpoint(profile),
            axes,
            limits,
        })
    }
}

const fn retries(most: u32, allow_flaky: bool) -> Retries {
    Retries {
        most,
        flaky: if allow_flaky {
            Flaky::Allowed
        } else {
            Flaky::Fails
        },
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
    fn durations_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "30", "s", "0s", "-1s", "1h", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
