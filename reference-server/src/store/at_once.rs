//! Short reads on the thread of the connection that asks.
//!
//! Rows are mostly in memory, and a look-up of them takes microseconds, less than to wake another
//! thread. But a disk can stall. So one thread of the runtime is always kept free of such reads:
//! whoever finds the others taken reads where it may block, and where there is one thread alone, all
//! do. Work that is ready then goes on while a disk stands still.
//!
//! What waits for the network or a timer needs more: the thread that listens for both may be the one
//! that reads, and the runtime wakes another only when it has work for it. So a thread beside the
//! runtime looks every now and then, and while a read lasts gives the runtime a task that does nothing:
//! whoever runs it listens afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

/// How often it is looked whether a read lasts: the longest that the network waits for one.
const LOOK: Duration = Duration::from_millis(100);

/// How many threads of the runtime read now, and how many may.
#[derive(Default)]
pub(super) struct AtOnce {
    reading: Arc<AtomicUsize>,
    most: OnceLock<usize>,
}

/// A thread that may read.
pub(super) struct Turn<'a>(&'a AtomicUsize);

/// Keeps somebody listening while a read lasts, until its store is gone.
fn watch(reading: &Weak<AtomicUsize>, runtime: &Handle) {
    while let Some(reading) = reading.upgrade() {
        if reading.load(Ordering::Relaxed) > 0 {
            runtime.spawn(std::future::ready(()));
        }
        drop(reading);
        std::thread::park_timeout(LOOK);
    }
}

impl AtOnce {
    /// The right to read on this thread; `None` when it has to stay free.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let most = *self.most.get_or_init(|| {
            let Ok(runtime) = Handle::try_current() else {
                return 0;
            };
            let most = runtime.metrics().num_workers() - 1;
            let reading = Arc::downgrade(&self.reading);
            let watching = std::thread::Builder::new().name("store-watch".to_owned());
            // Where no thread is to be had, none reads at once.
            match watching.spawn(move || watch(&reading, &runtime)) {
                Ok(_) => most,
                Err(_) => 0,
            }
        });
        let one_more = |reading| (reading < most).then_some(reading + 1);
        let (set, fetch) = (Ordering::Acquire, Ordering::Relaxed);
        let taken = self.reading.fetch_update(set, fetch, one_more);
        taken.is_ok().then(|| Turn(&self.reading))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(workers: usize) -> usize {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .build()
            .unwrap();
        runtime.block_on(async {
            let at_once = AtOnce::default();
            let taken: Vec<_> = std::iter::from_fn(|| at_once.turn()).collect();
            let most = taken.len();
            drop(taken);
            assert_eq!(at_once.turn().is_some(), most > 0, "a turn ends");
            most
        })
    }

    #[test]
    fn one_thread_stays_free() {
        assert_eq!([1, 2, 4].map(turns), [0, 1, 3]);
        assert!(AtOnce::default().turn().is_none(), "outside of a runtime");
    }
}
