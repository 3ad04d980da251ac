//! The only place where this crate reads a clock.
//!
//! It knows wall time; it does not know what that is used for. Deadlines use tokio's timers.

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time. It may jump; never subtract two readings to measure a wait.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock module is where time enters"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Wall time in whole microseconds since 1970, 0 for a clock set before that.
pub(crate) fn now_micros() -> u64 {
    let since_epoch = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}
