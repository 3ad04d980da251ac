//! How often the store waited for the disk: what group commit is there to keep low.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a store has made durable since it was opened, and by how many syncs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durability {
    /// Changes that were answered: objects, deletions, parts, settings.
    pub changes: u64,
    /// Transactions of the metadata; one sync each.
    pub commits: u64,
    /// Syncs of packs.
    pub packs: u64,
    /// Syncs of bodies that have files of their own.
    pub bodies: u64,
    /// Syncs of directories.
    pub directories: u64,
}

impl Durability {
    /// All syncs.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.commits + self.packs + self.bodies + self.directories
    }
}

/// Counts syncs as they happen, also those that fail.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    changes: AtomicU64,
    commits: AtomicU64,
    packs: AtomicU64,
    bodies: AtomicU64,
    directories: AtomicU64,
}

impl Syncs {
    /// A transaction of so many changes.
    pub(super) fn commit(&self, changes: usize) {
        self.changes.fetch_add(changes as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pack(&self, synced: io::Result<()>) -> io::Result<()> {
        self.packs.fetch_add(1, Ordering::Relaxed);
        synced
    }

    pub(super) fn body(&self, synced: io::Result<()>) -> io::Result<()> {
        self.bodies.fetch_add(1, Ordering::Relaxed);
        synced
    }

    pub(super) fn directory(&self, synced: io::Result<()>) -> io::Result<()> {
        self.directories.fetch_add(1, Ordering::Relaxed);
        synced
    }

    pub(super) fn so_far(&self) -> Durability {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Durability {
            changes: read(&self.changes),
            commits: read(&self.commits),
            packs: read(&self.packs),
            bodies: read(&self.bodies),
            directories: read(&self.directories),
        }
    }
}
