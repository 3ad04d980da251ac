//! Waiting for what must happen, however slow the machine is.

use std::time::Duration;

use harness::clock::Stopwatch;

/// The longest that something may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `holds`; looks often and gives up late.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = Stopwatch::start();
    while !holds() {
        assert!(clock.elapsed() < PATIENCE, "{what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
