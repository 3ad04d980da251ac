//! Waiting for a point in time more exactly than a timer wheel of milliseconds can.
//!
//! One kernel timer a thread, armed for the earliest of the points that its streams wait for.
//! Where there is no such timer (macOS), the runtime's own has to do, and the lateness that every
//! record carries says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::Stopwatch;

/// The timer of one thread; points in time are counted from the start of its clock.
pub(super) struct Timer {
    clock: Stopwatch,
    kernel: Option<kernel::Alarm>,
    waiting: RefCell<BTreeMap<Entry, Waker>>,
    next: Cell<u64>,
    /// Whoever waits for a point up to this one was woken and waits no more.
    rung: Cell<Duration>,
}

/// A point in time, and a number that tells those who wait for the same one apart.
type Entry = (Duration, u64);

impl Timer {
    /// Must be called within the thread's runtime.
    pub(super) fn new(clock: Stopwatch) -> Self {
        Self {
            clock,
            kernel: kernel::Alarm::new(),
            waiting: RefCell::default(),
            next: Cell::new(0),
            rung: Cell::new(Duration::ZERO),
        }
    }

    /// Waits until `point`.
    pub(super) async fn until(self: &Rc<Self>, point: Duration) {
        let deadline = Deadline::new(Rc::clone(self));
        let never = std::future::pending::<()>();
        deadline.within(point, never).await;
    }

    /// Has `waker` woken at that point.
    fn wait(&self, alarm: &kernel::Alarm, point: Duration, waker: &Waker) -> Entry {
        let entry = (point, self.next.get());
        self.next.set(entry.1 + 1);
        let mut waiting = self.waiting.borrow_mut();
        waiting.insert(entry, waker.clone());
        if waiting.keys().next() == Some(&entry) {
            alarm.arm(point.saturating_sub(self.clock.elapsed()));
        }
        entry
    }

    /// Wakes whoever's time has come; never ends.
    pub(super) async fn drive(&self) {
        let Some(alarm) = &self.kernel else {
            return std::future::pending().await;
        };
        loop {
            alarm.rang().await;
            let now = self.clock.elapsed();
            self.rung.set(now);
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

/// What a stream's requests are given time by, one after the other.
///
/// It stays among the waiting from request to request: its point is moved when it has rung, not
/// each time, and who is polled meanwhile asks neither the clock nor the kernel.
pub(super) struct Deadline {
    timer: Rc<Timer>,
    standing: Cell<Option<Entry>>,
    /// Who is woken then.
    waker: RefCell<Waker>,
}

impl Deadline {
    pub(super) fn new(timer: Rc<Timer>) -> Self {
        Self {
            timer,
            standing: Cell::new(None),
            waker: RefCell::new(Waker::noop().clone()),
        }
    }

    /// Whether it is among the waiting, for this waker; asked with each poll, so that nothing is looked up.
    fn stands(&self, entry: Entry, waker: &Waker) -> bool {
        entry.0 > self.timer.rung.get() && self.waker.borrow().will_wake(waker)
    }

    /// Waits for `work` until `point` at the latest; `None` when the time had come.
    pub(super) async fn within<F: Future>(&self, point: Duration, work: F) -> Option<F::Output> {
        let Some(alarm) = &self.timer.kernel else {
            let left = point.saturating_sub(self.timer.clock.elapsed());
            return tokio::time::timeout(left, work).await.ok();
        };
        let mut work = std::pin::pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.has_come(alarm, point, context.waker()) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Whether the point has come; if not, `waker` is woken by then.
    fn has_come(&self, alarm: &kernel::Alarm, point: Duration, waker: &Waker) -> bool {
        let standing = self.standing.get();
        // One that is earlier rings too early, and is moved then.
        if standing.is_some_and(|own| own.0 <= point && self.stands(own, waker)) {
            return false;
        }
        self.withdraw();
        if self.timer.clock.elapsed() >= point {
            return true;
        }
        self.waker.borrow_mut().clone_from(waker);
        self.standing
            .set(Some(self.timer.wait(alarm, point, waker)));
        false
    }

    fn withdraw(&self) {
        if let Some(entry) = self.standing.take() {
            self.timer.waiting.borrow_mut().remove(&entry);
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.withdraw();
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
        let timer = Rc::new(Timer::new(clock));
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

    #[tokio::test(flavor = "current_thread")]
    async fn work_has_time_until_its_deadline_and_a_deadline_serves_request_after_request() {
        let clock = Stopwatch::start();
        let timer = Rc::new(Timer::new(clock));
        let deadline = Deadline::new(Rc::clone(&timer));
        let requests = async {
            for number in 0..40u64 {
                let point = clock.elapsed() + Duration::from_millis(20);
                if number % 4 == 3 {
                    let never = std::future::pending::<()>();
                    assert_eq!(deadline.within(point, never).await, None);
                    assert!(clock.elapsed() >= point);
                } else {
                    let long = Duration::from_secs(60);
                    let work = timer.until(clock.elapsed() + Duration::from_millis(3));
                    assert_eq!(deadline.within(point + long, work).await, Some(()));
                }
                assert!(timer.waiting.borrow().len() <= 1);
            }
        };
        tokio::select! {
            () = timer.drive() => {}
            () = requests => {}
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("a deadline sleeps on"),
        }
        drop(deadline);
        assert!(timer.waiting.borrow().is_empty());
    }
}
