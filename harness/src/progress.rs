//! A line that tells how far a run has come; on a terminal only, and never part of the output.

use indicatif::{ProgressBar, ProgressStyle};
use reports::record::CaseRecord;
use reports::verdict::Verdict;

/// Progress of a run of trials.
pub struct Progress {
    bar: ProgressBar,
    broken: u64,
}

impl Progress {
    /// A line for `total` trials.
    #[must_use]
    pub fn on_terminal(total: usize) -> Self {
        let bar = ProgressBar::new(total as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len}, {eta} left {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, broken: 0 }
    }

    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            broken: 0,
        }
    }

    /// One more trial has ended.
    pub fn ended(&mut self, case: &CaseRecord) {
        if matches!(case.verdict, Verdict::Leak | Verdict::Fail) {
            self.broken += 1;
            self.bar.set_message(format!("{} failed", self.broken));
        }
        self.bar.inc(1);
    }

    /// Lets `write` use the terminal without the line in its way.
    pub fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
