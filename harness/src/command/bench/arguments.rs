//! The flags of `ssec bench`, and what they come to.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use reports::bench::record::arm_names;
use reports::bench::slo::Slo;

use super::words::{self, Mix, Steps};
use super::{Failure, Options, knee};
use crate::bench::schedule::{Extent, Schedule, Shard};
use crate::bench::workload::{
    Access, Arm, Authentication, KeyScheme, MAX_OBJECTS, MAX_PUT, Op, PayloadMode, Sizes, Sse,
    Verify, Workload,
};
use crate::environment::Environment;
use crate::random::Seed;
use crate::s3::Style;

/// Most streams.
const MAX_CONCURRENCY: usize = 100_000;
/// How long a run measures when neither time nor number says it.
const USUAL_DURATION: Duration = Duration::from_secs(10);
/// The same for two arms: an interval needs more seconds than a percentile.
const USUAL_DURATION_OF_ARMS: Duration = Duration::from_secs(30);

/// Measure throughput and latency; without --endpoint, of the server that this binary carries
#[derive(clap::Args)]
pub struct Arguments {
    /// A workload file; the flags beside it win over what it says
    #[arg(value_name = "WORKLOAD.yaml")]
    file: Option<PathBuf>,
    /// Measure a server of known faults: expected beside measured, in half a minute
    #[arg(long, exclusive = true)]
    pub(super) self_test: bool,
    /// The measured operation: get, put, head, delete, list, range, multipart or copy
    #[arg(long, value_parser = words::op, conflicts_with = "mix")]
    op: Option<Op>,
    /// Several operations by weight, such as get=45,put=15
    #[arg(long, value_parser = words::mix)]
    mix: Option<Mix>,
    /// Size of objects: 4KiB, 4KiB..1MiB, or 4KiB:90,1MiB:10
    #[arg(long, default_value = "4KiB", value_parser = words::sizes)]
    size: Sizes,
    /// How many objects there are
    #[arg(long, default_value = "256", value_name = "N")]
    objects: u64,
    /// Which are asked for: once, uniform, seq or zipf:S
    #[arg(long, default_value = "uniform", value_parser = words::access)]
    access: Access,
    /// Bytes of a range, for --op range
    #[arg(long, default_value = "64KiB", value_parser = words::size, value_name = "SIZE")]
    range_size: u64,
    /// Bytes of a part, for --op multipart
    #[arg(long, default_value = "8MiB", value_parser = words::size, value_name = "SIZE")]
    part_size: u64,
    /// Server-side encryption: none or c
    #[arg(long, default_value = "none", value_parser = PossibleValuesParser::new(["none", "c"]))]
    sse: String,
    /// Two arms interleaved over the same seconds, such as plain,ssec
    #[arg(long, value_parser = words::arms, conflicts_with = "sse", value_name = "BASE,OTHER")]
    arms: Option<words::Arms>,
    /// Customer keys: fixed, per-object or pool:N
    #[arg(long, default_value = "fixed", value_parser = words::keys)]
    ssec_keys: KeyScheme,
    /// Share of reads with another key or none, which must be refused, such as 0.1%
    #[arg(long, default_value = "0", value_parser = words::share, value_name = "SHARE")]
    probe_negative: f64,
    /// How bodies travel: unsigned, signed or crc64nvme
    #[arg(long, default_value = "unsigned",
          value_parser = PossibleValuesParser::new(["unsigned", "signed", "crc64nvme"]))]
    payload: String,
    /// Sign in the URL and not in the header
    #[arg(long)]
    presigned: bool,
    /// Streams: connections with one request at a time each
    #[arg(long, short = 'c', default_value = "8", value_name = "N")]
    concurrency: NonZeroUsize,
    /// Threads of the client [default: one a processor, at most one a stream]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Time to measure [default: 10s, of two arms 30s, unless --requests is given]
    #[arg(long, value_parser = words::duration)]
    duration: Option<Duration>,
    /// Requests to measure
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Time at the start that does not count
    #[arg(long, default_value = "0s", value_parser = words::duration, value_name = "DURATION")]
    warmup: Duration,
    /// The longest that one request and its answer may take, a new connection included
    #[arg(long, default_value = "30s", value_parser = words::duration, value_name = "DURATION")]
    timeout: Duration,
    /// Measured requests are never sent again; 0 is the only value
    #[arg(long, default_value = "0", value_parser = PossibleValuesParser::new(["0"]))]
    retries: String,
    /// Open loop: so many requests a second, whatever the target does
    #[arg(long, value_parser = words::rate, conflicts_with = "rate_steps")]
    rate: Option<f64>,
    /// How they arrive: const or poisson
    #[arg(long, default_value = "const", requires = "rate",
          value_parser = PossibleValuesParser::new(["const", "poisson"]))]
    arrivals: String,
    /// Open loop: one rate after the other, such as 100,200,400@30s
    #[arg(long, value_parser = words::steps, conflicts_with_all = ["duration", "requests", "warmup"])]
    rate_steps: Option<Steps>,
    /// How bodies that are read are checked: full, sample:P, length or off
    #[arg(long, default_value = "full", value_parser = words::verify)]
    verify: Verify,
    /// Requests that a connection carries before a new one is made [default: no end]
    #[arg(long, value_name = "N")]
    keepalive: Option<u64>,
    /// What must be met, such as get.p99<50ms, error_rate<0.1% or ssec.overhead.get<15%
    #[arg(long, value_name = "OBJECTIVE")]
    slo: Vec<String>,
    /// Search for the highest load that meets these, such as 'p99<50ms,err<0.1%': each step lasts
    /// --duration, the first offers --rate; failures that nothing bounds must be below 1 %
    #[arg(long, value_name = "OBJECTIVES", value_parser = words::objectives, conflicts_with_all = ["rate_steps", "requests", "slo",
          "shard", "max_requests", "max_bytes"])]
    find_knee: Option<words::Objectives>,
    /// Repeat the schedule, objects and bodies of an earlier run
    #[arg(long, value_name = "HEX")]
    seed: Option<Seed>,
    /// This process's part of a divided run, such as 0/4; with /4 the scheduler's environment says
    /// which (JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID)
    #[arg(long, value_parser = words::shard, value_name = "I/N", requires = "seed")]
    shard: Option<words::Part>,
    /// Begin the load then: a point in time (RFC 3339), or +30s
    #[arg(long, value_parser = words::start, value_name = "TIME")]
    start_at: Option<words::Start>,
    /// Write the summary as JSON, whatever the exit code
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Write the record here as well
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the histograms of each second in HdrHistogram's log format
    #[arg(long, value_name = "FILE")]
    hdr_log: Option<PathBuf>,
    /// Serve the totals at http://ADDR/metrics for Prometheus while the load is on; port 0 picks one
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Keep no folder of the run below .ssec
    #[arg(long)]
    no_save: bool,
    /// A result that the client itself held back is no failure
    #[arg(long)]
    allow_limited: bool,
    /// First find out how much this client can offer, against a server that does nothing; a load near
    /// that is limited by the client [always with --find-knee and for rates from 1000/s on]
    #[arg(long)]
    calibrate: bool,
    /// Print how many requests and bytes the run would send and what they cost, and send nothing
    #[arg(long)]
    plan: bool,
    /// The table of prices for --plan [default: Amazon S3's of July 2026]
    #[arg(long, value_name = "FILE", requires = "plan")]
    prices: Option<PathBuf>,
    /// Refuse a run that would move more bytes of bodies
    #[arg(long, value_parser = words::size, value_name = "SIZE")]
    max_bytes: Option<u64>,
    /// End after so many measured requests at the latest
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(clap::Args)]
struct TargetArguments {
    /// Measure this endpoint, https://host[:port]; several share the streams
    #[arg(long, value_name = "URL")]
    endpoint: Vec<String>,
    /// Region in every signature [default: AWS_REGION, or us-east-1]
    #[arg(long, requires = "endpoint")]
    region: Option<String>,
    /// How buckets are addressed: path or vhost
    #[arg(long, default_value = "path", value_parser = PossibleValuesParser::new(["path", "vhost"]))]
    style: String,
    /// Trust the authority in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    ca: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long, requires = "endpoint", conflicts_with = "ca")]
    insecure: bool,
    /// Work in this existing bucket instead of one of the run's own
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    bucket: Option<String>,
    /// Put all objects below this; a bucket that is not empty needs it
    #[arg(long, value_name = "TEXT", requires = "bucket")]
    prefix: Option<String>,
    /// The bundled server without TLS
    #[arg(long, conflicts_with = "endpoint")]
    plain_http: bool,
}

/// The target that is asked for.
pub(super) struct Wanted {
    pub(super) endpoints: Vec<String>,
    pub(super) region: Option<String>,
    pub(super) style: Style,
    pub(super) ca: Option<PathBuf>,
    pub(super) insecure: bool,
    pub(super) bucket: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) plain_http: bool,
}

impl Arguments {
    /// What the flags come to.
    ///
    /// # Errors
    /// When they contradict each other, or ask for what S3 does not have.
    pub fn options(self, environment: &Environment) -> Result<Options, Failure> {
        // Files are replaced by their flags before the command line is read.
        if let Some(other) = &self.file {
            let words = format!("{} is no workload: its name ends in .yaml", other.display());
            return Err(Failure::bad_input(words));
        }
        let workload = self.workload()?;
        let slo: Result<Vec<Slo>, _> = self.slo.iter().map(|text| Slo::parse(text)).collect();
        let slo = slo.map_err(|error| Failure::bad_input(error.to_string()))?;
        let shard = self.shard.map(|part| part.shard(environment)).transpose();
        let shard = shard.map_err(Failure::bad_input)?;
        self.target.check_shared(shard)?;
        let schedule = schedule(self.rate, &self.arrivals, self.rate_steps);
        let duration = self.find_knee.as_ref().map(|_| knee::USUAL_STEP);
        let extent = Extent {
            warmup: self.warmup,
            duration: self.duration.or(duration),
            requests: least(self.requests, self.max_requests),
        };
        let extent = whole(extent, self.requests, &schedule, &workload)?;
        let search = |words::Objectives(slo)| {
            knee::Asked::of(slo, self.rate, &self.arrivals, extent, &workload)
        };
        let knee = self.find_knee.map(search).transpose()?;
        if self.concurrency.get() > MAX_CONCURRENCY {
            let words = format!("--concurrency is at most {MAX_CONCURRENCY}");
            return Err(Failure::bad_input(words));
        }
        Ok(Options {
            workload,
            schedule,
            extent,
            concurrency: self.concurrency.get(),
            threads: self.threads.map(NonZeroUsize::get),
            timeout: self.timeout,
            slo,
            knee,
            keepalive: self.keepalive,
            seed: self.seed,
            shard,
            start_at: self.start_at,
            summary: self.summary,
            record: self.record,
            save: !self.no_save,
            allow_limited: self.allow_limited,
            calibrate: self.calibrate,
            plan: self.plan,
            prices: self.prices,
            hdr_log: self.hdr_log,
            metrics: self.metrics,
            max_bytes: self.max_bytes,
            target: self.target.wanted(),
        })
    }

    fn workload(&self) -> Result<Workload, Failure> {
        let mix = match (self.op, &self.mix) {
            (Some(op), None) => vec![(op, 1)],
            (None, Some(Mix(mix))) => mix.clone(),
            (None, None) | (Some(_), Some(_)) => {
                let what = Failure::bad_input("nothing says what to measure");
                return Err(what.hint("pass --op get, or --mix get=45,put=15"));
            }
        };
        let arms = arms(self.arms.as_ref(), &self.sse);
        let workload = Workload {
            mix,
            arms,
            sizes: self.size.clone(),
            objects: self.objects,
            access: self.access,
            range_size: self.range_size,
            part_size: self.part_size,
            keys: self.ssec_keys,
            payload: payload(&self.payload),
            authentication: if self.presigned {
                Authentication::Presigned
            } else {
                Authentication::Header
            },
            verify: self.verify,
            probe_negative: self.probe_negative,
        };
        check(&workload)?;
        Ok(workload)
    }
}

impl TargetArguments {
    /// Shards of one run work in one bucket, which none of them may make or find empty.
    fn check_shared(&self, shard: Option<Shard>) -> Result<(), Failure> {
        if shard.is_some() && !self.endpoint.is_empty() && self.prefix.is_none() {
            let words = "--shard needs --bucket and --prefix: the shards share a bucket";
            return Err(Failure::bad_input(words));
        }
        Ok(())
    }

    fn wanted(self) -> Wanted {
        Wanted {
            endpoints: self.endpoint,
            region: self.region,
            style: match self.style.as_str() {
                "vhost" => Style::VirtualHost,
                _ => Style::Path,
            },
            ca: self.ca,
            insecure: self.insecure,
            bucket: self.bucket,
            prefix: self.prefix,
            plain_http: self.plain_http,
        }
    }
}

fn payload(word: &str) -> PayloadMode {
    match word {
        "signed" => PayloadMode::Signed,
        "crc64nvme" => PayloadMode::Crc64Nvme,
        _ => PayloadMode::Unsigned,
    }
}

fn schedule(rate: Option<f64>, arrivals: &str, steps: Option<Steps>) -> Schedule {
    match (rate, steps) {
        (Some(rate), _) if arrivals == "poisson" => Schedule::Poisson { rate },
        (Some(rate), _) => Schedule::Constant { rate },
        (None, Some(Steps { rates, each })) => Schedule::Steps { rates, each },
        (None, None) => Schedule::Closed,
    }
}

/// How long the run is, with what follows from schedule and workload.
fn whole(
    mut extent: Extent,
    requests: Option<u64>,
    schedule: &Schedule,
    workload: &Workload,
) -> Result<Extent, Failure> {
    if let Schedule::Steps { rates, each } = schedule {
        let steps = u32::try_from(rates.len()).unwrap_or(u32::MAX);
        extent.duration = Some(each.saturating_mul(steps));
    }
    let deletes = workload.mix.iter().any(|(op, _)| *op == Op::Delete);
    if workload.access == Access::Once || deletes {
        let arms = workload.arms.len() as u64;
        extent.requests = least(extent.requests, Some(workload.objects * arms));
    }
    if extent.duration.is_none() && requests.is_none() {
        extent.duration = Some(if workload.arms.len() > 1 {
            USUAL_DURATION_OF_ARMS
        } else {
            USUAL_DURATION
        });
    }
    if extent.duration.is_some_and(|duration| duration.is_zero()) {
        return Err(Failure::bad_input("--duration 0s measures nothing"));
    }
    if extent.requests == Some(0) {
        return Err(Failure::bad_input("no request is left to measure"));
    }
    Ok(extent)
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn arms(asked: Option<&words::Arms>, sse: &str) -> Vec<Arm> {
    let Some(words::Arms(asked)) = asked else {
        let (name, sse) = match sse {
            "c" => ("ssec", Sse::Customer),
            _ => ("plain", Sse::None),
        };
        return vec![Arm {
            name: name.to_owned(),
            sse,
        }];
    };
    let names = arm_names(&asked.map(|sse| match sse {
        Sse::None => "plain",
        Sse::Customer => "ssec",
    }));
    let arms = names.into_iter().zip(*asked);
    arms.map(|(name, sse)| Arm { name, sse }).collect()
}

/// What flags say one by one may still not go together.
fn check(workload: &Workload) -> Result<(), Failure> {
    let asks = |wanted: Op| workload.mix.iter().any(|(op, _)| *op == wanted);
    let largest = workload.sizes.largest();
    if !(1..=MAX_OBJECTS).contains(&workload.objects) {
        let words = format!("--objects is 1 to {MAX_OBJECTS}");
        return Err(Failure::bad_input(words));
    }
    if largest > MAX_PUT && workload.mix.iter().any(|(op, _)| *op != Op::Multipart) {
        let words = format!("objects of {largest} bytes: one request takes at most 5 GiB");
        return Err(Failure::bad_input(words).hint("use --op multipart alone"));
    }
    if asks(Op::Multipart) {
        if workload.part_size < 5 << 20 {
            return Err(Failure::bad_input("--part-size is at least 5MiB"));
        }
        if largest.div_ceil(workload.part_size) > crate::bench::MAX_PARTS {
            let words = "the largest object has more than 10000 parts";
            return Err(Failure::bad_input(words).hint("pass a larger --part-size"));
        }
    }
    let small = match &workload.sizes {
        Sizes::Fixed(size) | Sizes::Between(size, _) => *size == 0,
        Sizes::Weighted(list) => list.iter().any(|(size, _)| *size == 0),
    };
    if asks(Op::Range) && (small || workload.range_size == 0) {
        return Err(Failure::bad_input("there is no range of nothing"));
    }
    let keyed = workload.arms.iter().any(|arm| arm.sse == Sse::Customer);
    if workload.probe_negative > 0.0 && !keyed {
        let words = "--probe-negative needs objects with customer keys";
        return Err(Failure::bad_input(words).hint("pass --sse c"));
    }
    if asks(Op::Delete) && workload.mix.len() > 1 {
        let words = "delete cannot be mixed: other operations would miss what it removed";
        return Err(Failure::bad_input(words));
    }
    Ok(())
}
