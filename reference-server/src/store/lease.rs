//! Leases: what keeps the body of an object on the disk while somebody is about to read it.
//!
//! A look-up takes a lease under the lock that [`super::shared::Shared::read`] holds; the committer
//! passes that lock after each commit, before it asks here what may go. So a body is removed either
//! after its last reader, or before its first, who then finds no row.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::WeakSender;

use super::commit::Intent;
use super::row::GarbageRow;
use crate::sealed::envelope::WriteId;

/// Something to remove, and the row that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Garbage {
    pub(super) key: (u64, u32),
    pub(super) row: GarbageRow,
}

/// The leases of a store.
pub(super) struct Leases {
    state: Mutex<State>,
    committer: WeakSender<Intent>,
}

#[derive(Default)]
struct State {
    held: HashMap<WriteId, u32>,
    /// Garbage that is still leased.
    parked: HashSet<Garbage>,
    /// Garbage whose last lease has gone since.
    released: Vec<Garbage>,
}

impl Leases {
    pub(super) fn new(committer: WeakSender<Intent>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            committer,
        })
    }

    /// Keeps the bodies of the write `id` until the lease is dropped.
    pub(super) fn take(self: &Arc<Self>, id: WriteId) -> Lease {
        *self.lock().held.entry(id).or_default() += 1;
        Lease {
            leases: Arc::clone(self),
            id,
        }
    }

    /// Sorts new garbage: returns what may be removed now, with what was released since, and keeps
    /// the rest until its leases have gone.
    pub(super) fn removable(&self, new: Vec<Garbage>) -> Vec<Garbage> {
        let mut state = self.lock();
        let mut removable = std::mem::take(&mut state.released);
        for garbage in new {
            if state.held.contains_key(&garbage.row.id()) {
                state.parked.insert(garbage);
            } else {
                removable.push(garbage);
            }
        }
        removable
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so a panic elsewhere breaks nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the bodies of one write on the disk.
pub(super) struct Lease {
    leases: Arc<Leases>,
    id: WriteId,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.leases.lock();
        let Some(count) = state.held.get_mut(&self.id) else {
            return;
        };
        *count -= 1;
        if *count > 0 {
            return;
        }
        state.held.remove(&self.id);
        let State {
            held: _,
            parked,
            released,
        } = &mut *state;
        let before = released.len();
        released.extend(parked.extract_if(|garbage| garbage.row.id() == self.id));
        if released.len() > before
            && let Some(committer) = self.leases.committer.upgrade()
        {
            // A full queue is no loss: the committer looks here after each batch.
            drop(committer.try_send(Intent::Reap));
        }
    }
}
