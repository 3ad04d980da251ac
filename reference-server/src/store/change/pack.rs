//! Changes of packs: how many of their bodies live. Counted once a transaction, however many of its
//! changes touch a pack.

use redb::ReadableTable as _;

use super::Change;
use crate::sealed::record::stored_length;
use crate::store::row::{GarbageRow, ObjectRow, PackId, PackRow, Place};

/// What the changes of one transaction come to for one pack.
#[derive(Clone, Copy, Default)]
pub(super) struct PackChange {
    come: PackRow,
    gone: PackRow,
}

impl Change<'_> {
    /// A row names a body in a pack.
    pub(super) fn comes(&mut self, row: &ObjectRow) {
        if let Place::Pack(place) = row.place {
            let change = self.pack_changes.entry(place.pack).or_default();
            change.come.count += 1;
            change.come.bytes += stored_length(row.size);
        }
    }

    /// No row names a body in `pack` any more.
    pub(super) fn goes(&mut self, pack: PackId, size: u64) {
        let change = self.pack_changes.entry(pack).or_default();
        change.gone.count += 1;
        change.gone.bytes += stored_length(size);
    }

    /// Writes down what lives in each pack that changed. One in which nothing lives goes, unless it
    /// is still appended to. `retired` packs are looked at too: perhaps nothing ever lived in them.
    pub(in crate::store) fn count_packs(
        &mut self,
        current: Option<PackId>,
        retired: &[PackId],
    ) -> Result<(), redb::StorageError> {
        // The current one may hold nothing but what was refused; without a row it would be a file that
        // nothing names.
        for pack in retired.iter().chain(current.as_ref()) {
            self.pack_changes.entry(*pack).or_default();
        }
        for (pack, change) in std::mem::take(&mut self.pack_changes) {
            let id = pack.0.number();
            let row = self.packs.get(id)?;
            let row = row.map(|row| PackRow::open(&self.shared.mac, id, row.value()));
            let known = row.is_some();
            // What does not verify cannot be counted on; the next start counts anew.
            let Ok(before) = row.unwrap_or(Ok(PackRow::default())) else {
                continue;
            };
            let PackChange { come, gone } = change;
            // A pack whose row is gone may hold more than this transaction knows of.
            if !known && gone.count > come.count {
                continue;
            }
            if known && Some(pack) == current && (come.count, gone.count) == (0, 0) {
                continue;
            }
            let after = PackRow {
                bytes: (before.bytes + come.bytes).saturating_sub(gone.bytes),
                count: (before.count + come.count).saturating_sub(gone.count),
            };
            if after.count == 0 && Some(pack) != current {
                self.packs.remove(id)?;
                self.discard(GarbageRow::Pack(pack))?;
            } else {
                let sealed = after.seal(&self.shared.mac, id);
                self.packs.insert(id, sealed.as_slice())?;
            }
        }
        Ok(())
    }
}
