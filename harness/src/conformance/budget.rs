//! How much of a target one run may take: requests, and bytes of bodies both ways.
//!
//! Requests of a trial are refused once it is spent, and those that find out what the target offers; the
//! plain ones around both, and what removes things after, are counted and always sent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::GivenError;

/// What the user allows; `None` sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Requests, repetitions included (`--max-requests`).
    pub requests: Option<u64>,
    /// Bytes of bodies, sent and received (`--max-bytes`). The answers to requests that are out when
    /// it is spent come on top.
    pub bytes: Option<u64>,
}

impl Allowance {
    /// Whether so much is within it.
    ///
    /// # Errors
    /// Names the limit that is exceeded.
    pub const fn holds(self, requests: u64, bytes: u64) -> Result<(), GivenError> {
        if let Some(most) = self.requests
            && requests > most
        {
            return Err(GivenError::OverLimit {
                flag: "--max-requests",
                most,
            });
        }
        if let Some(most) = self.bytes
            && bytes > most
        {
            return Err(GivenError::OverLimit {
                flag: "--max-bytes",
                most,
            });
        }
        Ok(())
    }
}

/// What a run has taken so far; shared by reference between trials.
#[derive(Debug, Default)]
pub struct Budget {
    allowance: Allowance,
    requests: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicBool,
}

impl Budget {
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            ..Self::default()
        }
    }

    /// Takes a request whose body has that many bytes.
    ///
    /// # Errors
    /// When it is not allowed any more: it must not be sent, and no later one is.
    pub fn take(&self, body: u64) -> Result<(), GivenError> {
        // Each takes first and looks then, so that of two at once one sees the other.
        let requests = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(body, Ordering::Relaxed);
        // What was refused stays taken: a smaller one that comes later is refused, too.
        let held = self.allowance.holds(requests, bytes.saturating_add(body));
        if held.is_err() {
            self.refused.store(true, Ordering::Relaxed);
        }
        held
    }

    /// Counts a request that is sent in any case.
    pub fn count(&self, body: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.received(body);
    }

    /// Counts bytes that came back.
    pub fn received(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether a request was refused: nothing further is judged.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(requests: Option<u64>, bytes: Option<u64>, body: u64, taken: u64, flag: &str) {
        let budget = Budget::new(Allowance { requests, bytes });
        for _ in 0..taken {
            assert_eq!(budget.take(body), Ok(()));
        }
        assert!(!budget.is_spent());
        let refused = budget.take(body).expect_err("one too many");
        assert!(refused.to_string().contains(flag), "{refused}");
        assert!(budget.is_spent());
        // A smaller one that would fit is not let through either.
        assert!(budget.take(0).is_err());
    }

    #[test]
    fn what_is_spent_is_refused_and_stays_so() {
        check(Some(3), None, 10, 3, "--max-requests");
        check(None, Some(30), 10, 3, "--max-bytes");
        check(Some(0), None, 0, 0, "--max-requests");
        check(Some(9), Some(25), 10, 2, "--max-bytes");
        assert_eq!(Budget::default().take(u64::MAX), Ok(()));
    }

    #[test]
    fn answers_and_what_is_sent_in_any_case_count() {
        let budget = Budget::new(Allowance {
            requests: Some(2),
            bytes: Some(100),
        });
        budget.count(0);
        budget.received(99);
        assert_eq!(budget.take(1), Ok(()));
        assert!(budget.take(0).is_err());
        budget.count(0);
        assert!(budget.is_spent());
    }

    #[test]
    fn two_at_once_do_not_take_the_last_one_both() {
        let budget = Budget::new(Allowance {
            requests: Some(100),
            bytes: None,
        });
        let taken: usize = std::thread::scope(|scope| {
            let take = || (0..100).filter(|_| budget.take(0).is_ok()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert!(taken <= 100, "{taken}");
    }
}
