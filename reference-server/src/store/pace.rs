//! What the writers and readers of one store share: the order of write ids, and how large their
//! windows may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::sealed::envelope::WriteId;
use crate::{clock, random};

/// Streams that may use large windows at the same time.
const LARGE_WINDOW_STREAMS: usize = 16;

/// Records of a window.
const SMALL_WINDOW: u64 = 4;
const LARGE_WINDOW: u64 = 16;

/// How far a stream must have come to get large windows.
const LARGE_WINDOW_AFTER: u64 = 1 << 20;

/// Makes ids that rise strictly in this process, also when the clock is set back.
#[derive(Default)]
pub(super) struct WriteIds(AtomicU64);

impl WriteIds {
    pub(super) fn next(&self) -> WriteId {
        let now = clock::now_micros();
        let rise = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise)
            .expect("the closure always gives a value");
        let micros = now.max(last.saturating_add(1));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&micros.to_be_bytes());
        id[8..].copy_from_slice(&random::bytes::<8>());
        WriteId(id)
    }
}

/// Counts a stream for as long as it lives.
pub(super) struct StreamSlot(Arc<AtomicUsize>);

impl StreamSlot {
    pub(super) fn take(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }

    /// The records of the next window of a stream that has passed `passed` bytes.
    pub(super) fn window_records(&self, passed: u64) -> u64 {
        let few = self.0.load(Ordering::Relaxed) <= LARGE_WINDOW_STREAMS;
        if few && passed >= LARGE_WINDOW_AFTER {
            LARGE_WINDOW
        } else {
            SMALL_WINDOW
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_ids_rise_also_when_the_clock_does_not() {
        let ids = WriteIds::default();
        ids.0.store(u64::MAX / 2, Ordering::Relaxed);
        let (first, second) = (ids.next(), ids.next());
        assert_eq!(first.micros(), u64::MAX / 2 + 1);
        assert_eq!(second.micros(), first.micros() + 1);
    }

    #[test]
    fn windows_are_large_only_late_and_among_few() {
        let streams = Arc::default();
        let slot = StreamSlot::take(&streams);
        assert_eq!(slot.window_records(0), 4);
        assert_eq!(slot.window_records(1 << 20), 16);
        let others: Vec<_> = (0..16).map(|_| StreamSlot::take(&streams)).collect();
        assert_eq!(slot.window_records(1 << 20), 4);
        drop(others);
        assert_eq!(slot.window_records(1 << 20), 16);
    }
}
