//! How a step waits whose answer may take its time (`eventually`): when it asks again, and what
//! ends it. Pure but for the clock that it reads.

use std::time::Duration;

use crate::check::{Check, Weight};
use crate::clock::Stopwatch;

/// Before the second question; doubled for each further one.
const FIRST: Duration = Duration::from_millis(100);
/// No wait between two questions is longer.
const LONGEST: Duration = Duration::from_secs(2);

/// One step's waiting.
pub struct Waiting {
    /// `None` for a step that takes its first answer.
    limit: Option<Duration>,
    watch: Stopwatch,
    answers: u32,
}

impl Waiting {
    /// Waits for that many seconds, if any; they begin now.
    #[must_use]
    pub fn new(seconds: Option<u32>) -> Self {
        Self {
            limit: seconds.map(|seconds| Duration::from_secs(seconds.into())),
            watch: Stopwatch::start(),
            answers: 0,
        }
    }

    /// After an answer: how long to wait before asking again, `None` if this one is the last.
    pub fn pause(&mut self) -> Option<Duration> {
        self.answers += 1;
        let wait = wait_after(self.answers);
        let limit = self.limit?;
        (self.watch.elapsed() + wait <= limit).then_some(wait)
    }

    /// What a report says of it, where it asked more than once.
    #[must_use]
    pub fn words(&self, action: &str) -> Option<String> {
        let limit = self.limit.filter(|_| self.answers > 1)?;
        let took = self.watch.elapsed().as_secs_f64();
        Some(format!(
            "{action}: asked {} times, over {took:.1} s of {} s",
            self.answers,
            limit.as_secs()
        ))
    }
}

fn wait_after(answers: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(answers.saturating_sub(1));
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// Whether the next answer may be another one. What gave a key or plaintext away has done so, and
/// what is as expected needs no other.
#[must_use]
pub fn may_still_come(checks: &[Check]) -> bool {
    let broken = || checks.iter().filter(|check| !check.ok);
    let is_final = |check: &Check| matches!(check.weight, Weight::Leak | Weight::Downgrade);
    broken().next().is_some() && !broken().any(is_final)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_doubled_up_to_the_longest() {
        let waits: Vec<u128> = (1..=7).map(|n| wait_after(n).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(wait_after(u32::MAX), LONGEST);
    }

    #[test]
    fn only_a_step_that_may_wait_does() {
        let mut at_once = Waiting::new(None);
        assert_eq!(at_once.pause(), None);
        assert_eq!(at_once.words("GET doc"), None);
        let mut waiting = Waiting::new(Some(60));
        assert_eq!(waiting.pause(), Some(FIRST));
        assert_eq!(waiting.words("GET doc"), None);
        assert_eq!(waiting.pause(), Some(FIRST * 2));
        let words = waiting.words("GET doc").unwrap();
        assert!(words.starts_with("GET doc: asked 2 times"), "{words}");
        let mut over = Waiting::new(Some(0));
        assert_eq!(over.pause(), None);
    }

    #[test]
    fn a_leak_is_final() {
        let check = |weight, ok| Check::new("c", weight, ok);
        assert!(may_still_come(&[check(Weight::Requirement, false)]));
        assert!(!may_still_come(&[check(Weight::Requirement, true)]));
        let leak = check(Weight::Leak, false);
        assert!(!may_still_come(&[check(Weight::Requirement, false), leak]));
    }
}
