//! Waiting for a point in time more exactly than a timer wheel of milliseconds can.
//!
//! One kernel timer a thread, armed for the earliest of the points that its streams wait for.
//! Where there is no such timer (macOS), the runtime's own has to do, and the lateness that every
//! record carries says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::Stopwatch;

/// The timer of one thread; points in time are counted from the start of its clock.
pub(super) struct Timer {
    clock: Stopwatch,
    kernel: Option<kernel::Alarm>,
    waiting: RefCell<BTreeMap<(Duration, u64), Waker>>,
    next: Cell<u64>,
}

impl Timer {
    /// Must be called within the thread's runtime.
    pub(super) fn new(clock: Stopwatch) -> Self {
        Self {
            clock,
            kernel: kernel::Alarm::new(),
            waiting: RefCell::default(),
            next: Cell::new(0),
        }
    }

    /// Waits until `point`.
    pub(super) async fn until(&self, point: Duration) {
        let Some(alarm) = &self.kernel else {
            let left = point.saturating_sub(self.clock.elapsed());
            return tokio::time::sleep(left).await;
        };
        let entry = (point, self.next.get());
        self.next.set(entry.1 + 1);
        let place = Place { timer: self, entry };
        poll_fn(|context| {
            let now = self.clock.elapsed();
            if now >= point {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            waiting.insert(place.entry, context.waker().clone());
            if waiting.keys().next() == Some(&place.entry) {
                alarm.arm(point - now);
            }
            Poll::Pending
        })
        .await;
    }

    /// Wakes whoever's time has come; never ends.
    pub(super) async fn drive(&self) {
        let Some(alarm) = &self.kernel else {
            return std::future::pending().await;
        };
        loop {
            alarm.rang().await;
            let now = self.clock.elapsed();
            let mut waiting = self.waiting.borrow_mut();
            while let Some(first) = waiting.first_entry() {
                let (point, _) = *first.key();
                if point > now {
                    alarm.arm(point - now);
                    break;
                }
                first.remove().wake();
            }
        }
    }
}

/// Somebody who waits; gone from the list when dropped.
struct Place<'a> {
    timer: &'a Timer,
    entry: (Duration, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.timer.waiting.borrow_mut().remove(&self.entry);
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    /// `timerfd` on the runtime's own poll.
    pub(super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        #[expect(
            deprecated,
            reason = "unsound for types that lie about their descriptor; `OwnedFd` does not"
        )]
        pub(super) fn new() -> Option<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
            AsyncFd::new(fd).ok().map(Self)
        }

        pub(super) fn arm(&self, left: Duration) {
            // Nothing at all would disarm it.
            let left = left.max(Duration::from_nanos(1));
            let value = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: left.subsec_nanos().into(),
                },
            };
            let armed = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &value);
            armed.expect("the descriptor is a timer and the time is valid");
        }

        pub(super) async fn rang(&self) {
            let Ok(mut guard) = self.0.readable().await else {
                return std::future::pending().await;
            };
            let mut count = [0; 8];
            // It may have been armed anew since it rang; then there is nothing to read.
            let _ = rustix::io::read(&self.0, &mut count);
            guard.clear_ready();
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::time::Duration;

    /// There is none.
    pub(super) struct Alarm;

    impl Alarm {
        pub(super) const fn new() -> Option<Self> {
            None
        }

        pub(super) fn arm(&self, _left: Duration) {}

        pub(super) async fn rang(&self) {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    #[tokio::test(flavor = "current_thread")]
    async fn everybody_is_woken_once_his_time_has_come_and_none_before() {
        let clock = Stopwatch::start();
        let timer = Timer::new(clock);
        let points = [7, 3, 30, 3, 0, 15].map(Duration::from_millis);
        let waits = points.map(|point| {
            let timer = &timer;
            async move {
                timer.until(point).await;
                assert!(clock.elapsed() >= point);
            }
        });
        tokio::select! {
            () = timer.drive() => {}
            _ = join_all(waits) => {}
            () = tokio::time::sleep(Duration::from_secs(30)) => panic!("somebody sleeps on"),
        }
        assert!(timer.waiting.borrow().is_empty());
    }
}
