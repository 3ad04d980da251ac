//! The one place where time enters: wall clock for signatures and records, monotonic for durations.
//!
//! A [`Clock`] is handed in, so that a test can sign at a published date and a run an hour off can
//! be played. Timeouts are tokio's own and do not pass through here.

use std::time::{Duration, Instant, SystemTime};

/// The wall clock, shifted or fixed when a test wants it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    System,
    Fixed(SystemTime),
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands still at `at`.
    #[must_use]
    pub const fn fixed(at: SystemTime) -> Self {
        Self(Kind::Fixed(at))
    }

    /// Now, for signatures and records.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is where wall time enters"
    )]
    pub fn now(&self) -> SystemTime {
        match self.0 {
            Kind::System => SystemTime::now(),
            Kind::Fixed(at) => at,
        }
    }

    /// Now as RFC 3339 in UTC with milliseconds, for records.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        rfc3339(self.now())
    }
}

/// `at` as RFC 3339 in UTC with milliseconds, such as `2013-05-24T00:00:00.000Z`.
#[must_use]
pub fn rfc3339(at: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

/// `at` as SigV4 writes it, such as `20130524T000000Z`.
#[must_use]
pub fn amz_date(at: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Measures elapsed time on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is where monotonic time enters"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_the_documents_write_them() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        assert_eq!(rfc3339(at), "2013-05-24T00:00:00.000Z");
        assert_eq!(amz_date(at), "20130524T000000Z");
        assert_eq!(Clock::fixed(at).rfc3339(), "2013-05-24T00:00:00.000Z");
    }
}
