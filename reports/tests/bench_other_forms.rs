//! What other programs read of a load: `HdrHistogram`'s interval log, read by its own library, and the
//! text that Prometheus scrapes.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use reports::bench::hdr_log::HdrLog;
use reports::bench::record::Second;
use reports::bench::run::BenchRun;
use reports::histogram::Packed;
use reports::render::exposition;

#[path = "bench/simulated.rs"]
mod simulated;

use simulated::{header, histogram, run, second, written};

const GET: (&str, &str) = ("get", "ssec");

fn seconds() -> Vec<Second> {
    let mut warm = second(0, GET, &[70; 5]);
    warm.warmup = true;
    let mut busy = second(2, GET, &[1500, 2500, 99_000]);
    busy.failed.insert("503 SlowDown".to_owned(), 2);
    let failed = Packed::of(&histogram(&[700; 2]));
    busy.failed_response
        .insert("503 SlowDown".to_owned(), failed);
    busy.unserved = 1;
    busy.unserved_wait = Some(Packed::of(&histogram(&[400_000])));
    busy.attempted += 3;
    vec![warm, second(1, GET, &[500; 40]), busy]
}

#[test]
fn the_log_is_read_by_the_librarys_own_reader() {
    let mut bytes = Vec::new();
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let mut log = HdrLog::begin(&mut bytes, started).unwrap();
    for second in seconds() {
        log.append(&second).unwrap();
    }
    let mut found = Vec::new();
    let (mut start, mut base) = (None, None);
    for entry in IntervalLogIterator::new(&bytes) {
        match entry.unwrap() {
            LogEntry::StartTime(time) => start = Some(time),
            LogEntry::BaseTime(time) => base = Some(time),
            LogEntry::Interval(interval) => {
                let raw = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let read: hdrhistogram::Histogram<u64> = Deserializer::new()
                    .deserialize(&mut raw.as_slice())
                    .unwrap();
                let at = interval.start_timestamp().as_secs();
                let tag = interval.tag().unwrap().as_str().to_owned();
                assert_eq!(interval.duration(), Duration::from_secs(1));
                found.push((at, tag, read.len(), read.max(), interval.max()));
            }
        }
    }
    assert_eq!(start, Some(Duration::from_secs(1_795_000_000)));
    assert_eq!(base, start);
    let told: Vec<(u64, &str, u64, u64)> = found
        .iter()
        .map(|(at, tag, count, max, _)| (*at, tag.as_str(), *count, *max))
        .collect();
    let expected = [
        (1, "get/ssec/response", 40, 500),
        (1, "get/ssec/service", 40, 500),
        (2, "get/ssec/response", 3, 99_007),
        (2, "get/ssec/service", 3, 99_007),
        (2, "get/ssec/unserved", 1, 400_127),
        (2, "get/ssec/failed/503-SlowDown", 2, 700),
    ];
    assert_eq!(told, expected);
    // The fourth column is for people: milliseconds.
    assert!((found[0].4 - 0.5).abs() < 1e-9);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("MaxValueDivisor").count(), 1, "{text}");
}

/// Takes so many bytes, then is full.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told() {
    assert!(HdrLog::begin(Full(10), SystemTime::UNIX_EPOCH).is_err());
    let mut log = HdrLog::begin(Full(600), SystemTime::UNIX_EPOCH).unwrap();
    let told = (0..20).map(|at| log.append(&second(at, GET, &[500; 40])));
    let error = told.collect::<io::Result<Vec<()>>>().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn prometheus_finds_every_bin_and_buckets_that_add_up() {
    let record = written(&run(header(&[GET]), seconds()));
    let mut totals = BenchRun::read(record.as_slice()).unwrap().totals();
    let hostile = "x\"} 1\nssec_bench_requests_total{op=\"y\r".to_owned();
    totals[0].failed.insert(hostile, 7);
    let mut out = Vec::new();
    exposition::render(&totals, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let labels = "op=\"get\",arm=\"ssec\"";
    for line in [
        format!("ssec_bench_requests_total{{{labels},outcome=\"ok\"}} 43"),
        format!("ssec_bench_requests_total{{{labels},outcome=\"unserved\"}} 1"),
        format!("ssec_bench_requests_total{{{labels},outcome=\"503 SlowDown\"}} 2"),
        format!("ssec_bench_body_bytes_total{{{labels}}} {}", 43 * 4096),
        format!("ssec_bench_response_seconds_bucket{{{labels},le=\"0.0005\"}} 40"),
        format!("ssec_bench_response_seconds_bucket{{{labels},le=\"0.0025\"}} 42"),
        format!("ssec_bench_response_seconds_bucket{{{labels},le=\"0.1\"}} 43"),
        format!("ssec_bench_response_seconds_bucket{{{labels},le=\"+Inf\"}} 44"),
        format!("ssec_bench_response_seconds_count{{{labels}}} 44"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // What a target says stays within its quotes, on its line.
    let hostile: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("op=\\\"y"))
        .collect();
    assert_eq!(hostile.len(), 1, "{text}");
    assert!(hostile[0].ends_with("?\"} 7"), "{text}");
}
