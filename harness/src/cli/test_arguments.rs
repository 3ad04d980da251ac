//! The flags of `ssec test`, and what they come to.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use reports::render::exchanges::Depth;

use crate::command::{Failure, test};
use crate::conformance::judge::{Policy, Strictness};
use crate::conformance::runner::AfterFailure;
use crate::conformance::sender::Patience;
use crate::conformance::session::Detail;
use crate::random::Seed;
use crate::s3::Style;
use crate::scenario::definition::Level;
use crate::target::bundled::Wish;
use crate::target::profile::Profile;

#[derive(Args)]
#[command(group(ArgGroup::new("kind").args(["endpoint", "impostor"])))]
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
    /// Where the endpoint keeps its data, for trials that look at rest
    #[arg(long, value_name = "DIR", requires = "endpoint")]
    data_dir: Option<PathBuf>,
    /// The file that the endpoint logs to, searched for keys
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    server_log: Option<PathBuf>,
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

impl TestArgs {
    pub(super) fn options(self) -> Result<test::Options, Failure> {
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
            data_dir: self.data_dir,
            server_log: self.server_log,
        }))
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
