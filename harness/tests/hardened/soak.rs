//! A mixed load with customer keys that goes on: every byte that is read is compared, and the server
//! uses no more at the end than it did when it was warm. The short form runs with every `cargo test`,
//! the long one takes 20 minutes: `-- --ignored`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::clock::Stopwatch;
use reports::bench::run::BenchRun;
use reports::histogram::Histogram;

use super::process::{Usage, watch};
use super::served::{ACCESS_KEY_ID, SECRET, Served};

/// Bytes of memory that the last quarter may have more than the second: caches that fill.
const MORE_MEMORY: u64 = 16 << 20;
/// Descriptors that it may have more: a connection that is made anew.
const MORE_DESCRIPTORS: usize = 16;
/// Times the processor time a request that it may take: lists and the database grow a little. Time on
/// the clock says what else the machine does, and is told, not judged.
const MORE_TIME: f64 = 2.0;

const MIX: &str = "get=40,put=20,range=10,head=10,list=3,multipart=3,copy=5";

/// What the server used, so many seconds after the load began.
#[derive(Debug, Clone, Copy)]
struct Reading {
    seconds: f64,
    usage: Usage,
}

/// One quarter of a load.
#[derive(Debug, Clone, Copy)]
struct Quarter {
    memory: u64,
    descriptors: usize,
    ticks: u64,
}

/// The most that a quarter of the readings has, and the processor time that passed in it.
fn quarter(readings: &[Reading], number: usize) -> Quarter {
    let end = readings.last().unwrap().seconds;
    let (from, to) = (end * number as f64 / 4.0, end * (number + 1) as f64 / 4.0);
    let within: Vec<Usage> = readings
        .iter()
        .filter(|reading| (from..=to).contains(&reading.seconds))
        .map(|reading| reading.usage)
        .collect();
    let most = |of: fn(&Usage) -> u64| within.iter().map(of).max().unwrap();
    Quarter {
        memory: most(|usage| usage.memory),
        descriptors: within.iter().map(|usage| usage.descriptors).max().unwrap(),
        ticks: within.last().unwrap().ticks - within[0].ticks,
    }
}

/// Whether the last quarter uses more than the second one, the first that is warm.
fn growth(readings: &[Reading]) -> Result<[Quarter; 2], String> {
    let [warm, last] = [quarter(readings, 1), quarter(readings, 3)];
    let told = format!("{warm:?}, {last:?}");
    if last.memory > warm.memory + MORE_MEMORY {
        return Err(format!("memory grows: {told}"));
    }
    if last.descriptors > warm.descriptors + MORE_DESCRIPTORS {
        return Err(format!("descriptors grow: {told}"));
    }
    // The rate is constant, so quarters have the same number of requests.
    if last.ticks as f64 > warm.ticks as f64 * MORE_TIME + 100.0 {
        return Err(format!("the time of a request grows: {told}"));
    }
    Ok([warm, last])
}

fn load(directory: &Path, served: &Served, rate: u32, seconds: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .args([
            "bench",
            "--sse=c",
            "--ssec-keys=per-object",
            "--verify=full",
        ])
        .args(["--size=1KiB:60,100KiB:35,6MiB:5", "--part-size=5MiB"])
        .args(["--objects=100", "--probe-negative=2%", "--timeout=60s"])
        .args([
            "--concurrency=8",
            "--allow-limited",
            "--record=record.jsonl",
        ])
        .args([&format!("--mix={MIX}"), &format!("--rate={rate}")])
        .args([&format!("--duration={seconds}s"), "--region=us-east-1"])
        .args(["--endpoint", served.endpoint(), "--ca", served.ca()])
        .stdout(File::create(directory.join("said")).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The median of what reads took in these seconds, in milliseconds.
fn median(run: &BenchRun, seconds: std::ops::Range<u32>) -> f64 {
    let mut all = Histogram::new();
    for second in &run.seconds {
        if second.op == "get" && seconds.contains(&second.second) {
            all.merge(&second.service.unpack());
        }
    }
    all.quantile_unguarded(0.5) as f64 / 1000.0
}

fn soak(rate: u32, seconds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let arguments = ["--dumpable", "--data-dir", data.to_str().unwrap()];
    let mut served = Served::start(&arguments);
    let pid = served.child().id();
    let mut bench = load(directory.path(), &served, rate, seconds);
    let (clock, mut readings) = (Stopwatch::start(), Vec::new());
    let patience = Duration::from_secs(2 * seconds + 240);
    let ended = watch(&mut bench, patience, || {
        let seconds = clock.elapsed().as_secs_f64();
        let last = readings.last().map_or(-1.0, |last: &Reading| last.seconds);
        if seconds - last > 0.2 {
            let usage = Usage::of(pid);
            readings.push(Reading { seconds, usage });
        }
    });
    let said = std::fs::read_to_string(directory.path().join("said")).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    let record = File::open(directory.path().join("record.jsonl")).unwrap();
    let run = BenchRun::read(BufReader::new(record)).unwrap();
    let footer = run.footer.as_ref().unwrap();
    assert!(run.damage.is_empty() && footer.failed == 0, "{said}");
    // A slow client offers less than it should; a load that hardly was one proves nothing.
    assert!(footer.ok > u64::from(rate) * seconds / 4, "{said}");
    let [warm, last] = growth(&readings).unwrap_or_else(|why| panic!("{why}\n{said}"));
    let quarter = u32::try_from(seconds / 4).unwrap();
    let medians = [1, 3].map(|number| median(&run, number * quarter..(number + 1) * quarter));
    println!(
        "hardening | soak: {seconds} s of mixed SSE-C load; second and last quarter: {}, {} MiB; \
         {}, {} descriptors; median GET {:.1}, {:.1} ms | {} | 0 | – | 0 |",
        warm.memory >> 20,
        last.memory >> 20,
        warm.descriptors,
        last.descriptors,
        medians[0],
        medians[1],
        footer.ok,
    );
}

#[test]
fn a_load_that_goes_on_makes_nothing_grow() {
    soak(10, 20);
}

#[test]
#[ignore = "long form: 20 minutes"]
fn a_load_of_twenty_minutes_makes_nothing_grow() {
    soak(20, 1200);
}

/// The control: what grows is noticed.
#[test]
fn growth_is_noticed() {
    let readings = |more: Usage| -> Vec<Reading> {
        let reading = |second: u32| Reading {
            seconds: f64::from(second),
            usage: Usage {
                memory: (20 << 20) + u64::from(second) * more.memory,
                descriptors: 20 + second as usize * more.descriptors,
                ticks: 10 * u64::from(second) + u64::from(second.pow(2)) * more.ticks,
            },
        };
        (0..100).map(reading).collect()
    };
    let flat = Usage {
        memory: 0,
        descriptors: 0,
        ticks: 0,
    };
    assert!(growth(&readings(flat)).is_ok());
    let grows = [
        Usage {
            memory: 1 << 20,
            ..flat
        },
        Usage {
            descriptors: 1,
            ..flat
        },
        Usage { ticks: 1, ..flat },
    ];
    for more in grows {
        assert!(growth(&readings(more)).is_err(), "{more:?}");
    }
}
