//! What the system says of another process, and waiting for it.

use std::process::{Child, ExitStatus};
use std::time::Duration;

use harness::clock::Stopwatch;

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident bytes.
    pub(crate) memory: u64,
    /// Open files, connections among them.
    pub(crate) descriptors: usize,
    /// Processor time since its start, in ticks of the system.
    pub(crate) ticks: u64,
}

impl Usage {
    /// Of a process of ours that may be looked at (`ssec serve --dumpable`).
    pub(crate) fn of(pid: u32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // Behind the name, which may hold anything: utime and stime are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        Self {
            memory: memory(pid, "VmRSS:").unwrap(),
            descriptors: std::fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .count(),
            ticks: ticks.map(|field| field.parse::<u64>().unwrap()).sum(),
        }
    }
}

/// Bytes of a field of the process's memory; none of a process that ended.
fn memory(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The most that it had resident, in bytes, as far as it was seen.
    pub(crate) most_memory: u64,
}

/// Waits for a process of ours to end by itself, calling `meanwhile` about every 10 ms. One that
/// takes longer than `patience` is killed, and the test fails.
#[track_caller]
pub(crate) fn watch(child: &mut Child, patience: Duration, mut meanwhile: impl FnMut()) -> Ended {
    let (clock, mut most_memory) = (Stopwatch::start(), 0);
    loop {
        most_memory = memory(child.id(), "VmHWM:").unwrap_or(0).max(most_memory);
        if let Some(status) = child.try_wait().unwrap() {
            return Ended {
                status,
                most_memory,
            };
        }
        if clock.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within {patience:?}");
        }
        meanwhile();
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
