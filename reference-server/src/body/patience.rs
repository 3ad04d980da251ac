//! How long a client is waited for: for its next bytes, and in proportion to what has passed.
//!
//! Only waiting counts. While the store is at work, no client is slow.

use std::time::Duration;

/// The limits of waiting for one body, or for an answer to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The longest wait for the next bytes.
    pub stall: Duration,
    /// How long is waited in sum before a rate is asked for.
    pub grace: Duration,
    /// The least bytes that must then have come for each second of waiting.
    pub bytes_per_second: u64,
}

/// What was waited for so far, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    waited: Duration,
    passed: u64,
}

/// The client has been too slow for too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

impl Waits {
    /// Counts a wait that `bytes` ended.
    ///
    /// # Errors
    /// [`TooSlow`].
    pub(crate) fn add(
        &mut self,
        waited: Duration,
        bytes: usize,
        patience: &Patience,
    ) -> Result<(), TooSlow> {
        self.waited += waited;
        self.passed += bytes as u64;
        let due = u128::from(patience.bytes_per_second) * self.waited.as_millis() / 1000;
        if self.waited > patience.grace && u128::from(self.passed) < due {
            return Err(TooSlow);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        stall: Duration::from_secs(30),
        grace: Duration::from_secs(60),
        bytes_per_second: 1024,
    };

    /// Whether a body may go on that comes in pieces of `bytes`, one in so many seconds.
    fn goes_on(seconds: u64, bytes: usize, pieces: u64) -> bool {
        let mut waits = Waits::default();
        (0..pieces).all(|_| {
            let waited = Duration::from_secs(seconds);
            waits.add(waited, bytes, &PATIENCE).is_ok()
        })
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow() {
        assert!(goes_on(10, 1, 6), "the grace is over only beyond it");
        assert!(!goes_on(10, 1, 7));
        assert!(!goes_on(1, 1023, 61));
    }

    #[test]
    fn the_least_rate_is_enough_for_ever() {
        assert!(goes_on(1, 1024, 100_000));
        assert!(goes_on(29, 29 * 1024, 10_000));
    }

    #[test]
    fn what_came_fast_is_credit() {
        let mut waits = Waits::default();
        waits.add(Duration::ZERO, 1 << 20, &PATIENCE).unwrap();
        assert!(waits.add(Duration::from_secs(1024), 0, &PATIENCE).is_ok());
        let later = waits.add(Duration::from_secs(1), 0, &PATIENCE);
        assert_eq!(later, Err(TooSlow));
    }
}
