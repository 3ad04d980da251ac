//! Notices when an exchange stands still for longer than its phase may.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;
use crate::error::{TargetError, Wait};

/// What an exchange is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Sending,
    /// The request is out; nothing, or an interim answer, has come.
    Waiting,
    Head,
    Body,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Sending, Self::Waiting, Self::Head, Self::Body];

    const fn allows(self, limits: &Limits) -> (Wait, Duration) {
        match self {
            Self::Waiting => (Wait::FirstByte, limits.first_byte),
            Self::Sending => (Wait::Sending, limits.idle),
            Self::Head | Self::Body => (Wait::NextByte, limits.idle),
        }
    }
}

/// The phase, and when something last moved.
pub(super) struct Progress {
    limits: Limits,
    started: Instant,
    phase: AtomicU8,
    /// Microseconds from `started`.
    moved: AtomicU64,
    /// Another phase may allow less, so whoever waits for standstill must look again.
    changed: Notify,
}

impl Progress {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            started: Instant::now(),
            phase: AtomicU8::new(Phase::Sending as u8),
            moved: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    /// Something moved.
    pub(super) fn touch(&self) {
        let moved = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.moved.store(moved, Ordering::Relaxed);
    }

    /// Something moved, and `phase` is what the exchange is about now.
    pub(super) fn enter(&self, phase: Phase) {
        self.touch();
        if self.phase.swap(phase as u8, Ordering::Relaxed) != phase as u8 {
            self.changed.notify_one();
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// Waits until nothing has moved for too long.
    pub(super) async fn stands_still(&self) -> TargetError {
        loop {
            let (wait, limit) = self.phase().allows(&self.limits);
            let moved = Duration::from_micros(self.moved.load(Ordering::Relaxed));
            let deadline = self.started + moved + limit;
            if Instant::now() >= deadline {
                return TargetError::TimedOut { wait, limit };
            }
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = self.changed.notified() => {}
            }
        }
    }
}
