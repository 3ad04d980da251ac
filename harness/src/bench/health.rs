//! Whether the client was the bottleneck: processor time, waiting for a processor, late timers.
//!
//! Reads `/proc`; where it is not there (macOS), the figures that need it are left out and the
//! verdict rests on the others.

use std::fs;
use std::time::Duration;

use reports::bench::record::{Health, HealthVerdict};
use reports::histogram::{Histogram, Packed};
use rustix::time::{ClockId, clock_gettime};

/// Share of their time that the load's threads may be busy before the figures are doubted.
const BUSY_SUSPECT: f64 = 0.75;
/// Beyond this the threads were the limit.
const BUSY_LIMITED: f64 = 0.92;
/// Share of their time that threads may stand ready without a processor.
const WAITING_SUSPECT: f64 = 0.10;
/// Lateness of the timer, 99th percentile, that is doubted.
const LATE_SUSPECT: Duration = Duration::from_millis(10);
/// Beyond this the schedule was not kept.
const LATE_LIMITED: Duration = Duration::from_millis(100);
/// Share of the machine that a hypervisor may take.
const STEAL_SUSPECT: f64 = 0.05;
/// Clock ticks a second in `/proc/stat`; fixed on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// The machine's counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    cpu: Duration,
    run_queue: Option<Duration>,
    steal: Option<f64>,
}

impl Reading {
    /// Reads them now.
    #[must_use]
    pub fn now() -> Self {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(used.tv_nsec).unwrap_or(0);
        Self {
            cpu: Duration::new(seconds, nanos),
            run_queue: run_queue(),
            steal: fs::read_to_string("/proc/stat")
                .ok()
                .and_then(|s| steal(&s)),
        }
    }
}

impl Reading {
    /// Processor time of this process since an earlier reading.
    #[must_use]
    pub fn cpu_since(&self, earlier: &Self) -> Duration {
        self.cpu.saturating_sub(earlier.cpu)
    }

    /// With the waiting of an earlier reading, for when the threads that waited have ended.
    #[must_use]
    pub fn with_run_queue_of(mut self, earlier: &Self) -> Self {
        self.run_queue = self.run_queue.max(earlier.run_queue);
        self
    }
}

/// How long this process's threads stood ready without a processor.
fn run_queue() -> Option<Duration> {
    let mut total = None;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let Ok(task) = task else { continue };
        // A thread may end between the list and the read.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
            continue;
        };
        if let Some(waited) = waited(&text) {
            *total.get_or_insert(Duration::ZERO) += waited;
        }
    }
    total
}

/// The second number of `schedstat`: nanoseconds on a run queue.
fn waited(schedstat: &str) -> Option<Duration> {
    let nanos = schedstat.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// Seconds of steal, from the first line of `/proc/stat`.
fn steal(stat: &str) -> Option<f64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: f64 = line.split_whitespace().nth(7)?.parse().ok()?;
    Some(ticks / TICKS)
}

/// What a run's health is judged by.
pub struct Measured<'a> {
    pub before: Reading,
    pub after: Reading,
    pub wall: Duration,
    pub threads: usize,
    pub lateness: &'a Histogram,
    /// Requests a second against a target that does nothing, and those that the run offered.
    pub ceiling: Option<(f64, f64)>,
}

/// Judges the client. Pure but for the number of processors.
#[must_use]
pub fn judge(measured: &Measured<'_>) -> Health {
    let wall = measured.wall.as_secs_f64().max(1e-9);
    let cpu = (measured.after.cpu.saturating_sub(measured.before.cpu)).as_secs_f64();
    let waited = measured.after.run_queue.zip(measured.before.run_queue);
    let waited = waited.map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    let stolen = measured.after.steal.zip(measured.before.steal);
    let stolen = stolen.map(|(after, before)| (after - before).max(0.0));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found = Findings::default();

    let threads = measured.threads.max(1) as f64;
    let busy = cpu / (wall * threads);
    let percent = |share: f64| share * 100.0;
    let told = format!("its threads were busy {:.0} % of the time", percent(busy));
    found.weigh(busy, BUSY_SUSPECT, BUSY_LIMITED, &told);
    if let Some(waited) = waited {
        let share = waited / (wall * threads);
        let told = format!(
            "its threads waited for a processor {:.0} % of the time",
            percent(share)
        );
        found.weigh(share, WAITING_SUSPECT, f64::INFINITY, &told);
    }
    if let Some(late) = measured.lateness.quantile(0.99) {
        let late = Duration::from_micros(late);
        let told = format!(
            "its timer was {} ms late at the 99th percentile",
            late.as_millis()
        );
        found.weigh(
            late.as_secs_f64(),
            LATE_SUSPECT.as_secs_f64(),
            LATE_LIMITED.as_secs_f64(),
            &told,
        );
    }
    if let Some(stolen) = stolen {
        let share = stolen / (wall * processors as f64);
        let told = format!("the hypervisor took {:.0} % of the machine", percent(share));
        found.weigh(share, STEAL_SUSPECT, f64::INFINITY, &told);
    }
    if let Some((ceiling, reached)) = measured.ceiling {
        let told = format!(
            "{reached:.0} requests a second, of {ceiling:.0} that it manages against a target that \
             does nothing"
        );
        found.weigh(reached / ceiling.max(1e-9), 0.8, 0.95, &told);
    }
    Health {
        verdict: found.verdict,
        reasons: found.reasons,
        cpu_seconds: cpu,
        wall_seconds: wall,
        processors: u32::try_from(processors).unwrap_or(u32::MAX),
        run_queue_seconds: waited,
        steal_seconds: stolen,
        lateness: Packed::of(measured.lateness),
        ceiling: measured.ceiling.map(|(ceiling, _)| ceiling),
    }
}

struct Findings {
    verdict: HealthVerdict,
    reasons: Vec<String>,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            verdict: HealthVerdict::Ok,
            reasons: Vec::new(),
        }
    }
}

impl Findings {
    fn weigh(&mut self, value: f64, suspect: f64, limited: f64, told: &str) {
        let verdict = if value >= limited {
            HealthVerdict::Limited
        } else if value >= suspect {
            HealthVerdict::Suspect
        } else {
            return;
        };
        self.verdict = self.verdict.max(verdict);
        self.reasons.push(told.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn reading(cpu: u64, run_queue: u64) -> Reading {
        Reading {
            cpu: Duration::from_secs(cpu),
            run_queue: Some(Duration::from_secs(run_queue)),
            steal: None,
        }
    }

    #[track_caller]
    fn check(cpu: u64, waited: u64, late: Duration, verdict: HealthVerdict, reasons: usize) {
        let mut lateness = Histogram::new();
        for _ in 0..2000 {
            lateness.record(u64::try_from(late.as_micros()).unwrap());
        }
        let health = judge(&Measured {
            before: reading(1, 1),
            after: reading(1 + cpu, 1 + waited),
            wall: Duration::from_secs(10),
            threads: 2,
            lateness: &lateness,
            ceiling: None,
        });
        assert_eq!(health.verdict, verdict, "{:?}", health.reasons);
        assert_eq!(health.reasons.len(), reasons);
    }

    #[test]
    fn the_verdict_follows_the_worst_finding() {
        use HealthVerdict::{Limited, Ok, Suspect};
        let prompt = Duration::from_micros(200);
        check(4, 0, prompt, Ok, 0);
        check(16, 0, prompt, Suspect, 1);
        check(19, 0, prompt, Limited, 1);
        check(4, 3, prompt, Suspect, 1);
        check(4, 0, Duration::from_millis(20), Suspect, 1);
        check(16, 0, Duration::from_millis(200), Limited, 2);
    }

    #[test]
    fn a_load_near_what_the_client_can_offer_is_the_clients() {
        let offered = |reached| {
            judge(&Measured {
                before: reading(1, 1),
                after: reading(2, 1),
                wall: Duration::from_secs(10),
                threads: 2,
                lateness: &Histogram::new(),
                ceiling: Some((10_000.0, reached)),
            })
        };
        assert_eq!(offered(5000.0).verdict, HealthVerdict::Ok);
        assert_eq!(offered(8500.0).verdict, HealthVerdict::Suspect);
        let limited = offered(50_000.0);
        assert_eq!(limited.verdict, HealthVerdict::Limited);
        assert_eq!(limited.ceiling, Some(10_000.0));
        assert!(limited.reasons[0].contains("50000 requests a second, of 10000"));
    }

    #[test]
    fn the_kernels_lines_are_read() {
        assert_eq!(waited("12 34 5\n"), Some(Duration::from_nanos(34)));
        assert_eq!(steal("cpu  1 2 3 4 5 6 7 250 0 0\ncpu0 1\n"), Some(2.5));
        assert_eq!(waited(""), None);
        assert_eq!(steal("intr 1"), None);
    }
}
