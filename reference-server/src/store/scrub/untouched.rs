//! The file of the metadata as a scrub opens it: to open a database is to check and perhaps to repair
//! it, and what that writes stays in memory. The file itself is only read.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

use crate::store::disk::open_regular;

/// Bytes of a block; what is written is kept by blocks.
const BLOCK: usize = 4096;

/// A file of which every change is kept in memory.
#[derive(Debug)]
pub(super) struct Untouched {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    length: u64,
    /// Where the bytes of the file end, so far as they still count.
    of_file: u64,
    /// Blocks that were written, by their number.
    written: HashMap<u64, Box<[u8; BLOCK]>>,
}

impl Untouched {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let length = file.metadata()?.len();
        let state = Mutex::new(State {
            length,
            of_file: length,
            written: HashMap::new(),
        });
        Ok(Self { file, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block as the file has it, with zeros behind its end.
    fn block_of_file(&self, number: u64, state: &State) -> io::Result<Box<[u8; BLOCK]>> {
        let mut block = Box::new([0; BLOCK]);
        let offset = number * BLOCK as u64;
        let there = state.of_file.saturating_sub(offset).min(BLOCK as u64);
        let there = usize::try_from(there).expect("a block is small");
        self.file.read_exact_at(&mut block[..there], offset)?;
        Ok(block)
    }
}

/// The pieces of blocks that make up a range: the block's number, where in it, and where in the range.
fn pieces(
    offset: u64,
    length: usize,
) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let position = offset + done as u64;
        let inside = usize::try_from(position % BLOCK as u64).expect("a block is small");
        let end = length.min(done + BLOCK - inside);
        let piece = (position / BLOCK as u64, inside, done..end);
        done = end;
        Some(piece)
    })
}

impl StorageBackend for Untouched {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > state.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let there = state.of_file.saturating_sub(offset).min(out.len() as u64);
        let there = usize::try_from(there).expect("a part of what is in memory");
        self.file.read_exact_at(&mut out[..there], offset)?;
        out[there..].fill(0);
        for (number, inside, range) in pieces(offset, out.len()) {
            if let Some(block) = state.written.get(&number) {
                let end = inside + range.len();
                out[range].copy_from_slice(&block[inside..end]);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        if length < state.length {
            state.of_file = state.of_file.min(length);
            let (last, inside) = (length / BLOCK as u64, length % BLOCK as u64);
            state.written.retain(|number, _| *number <= last);
            if let Some(block) = state.written.get_mut(&last) {
                block[usize::try_from(inside).expect("a block is small")..].fill(0);
            }
        }
        state.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > state.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, inside, range) in pieces(offset, bytes.len()) {
            if !state.written.contains_key(&number) {
                let block = self.block_of_file(number, &state)?;
                state.written.insert(number, block);
            }
            let block = state.written.get_mut(&number);
            let block = block.expect("it was put there");
            block[inside..inside + range.len()].copy_from_slice(&bytes[range]);
        }
        Ok(())
    }

    // The lock of the data directory keeps every server out.

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, u8, usize),
        Length(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let write = (0..20_000_usize, any::<u8>(), 0..9_000_usize);
        let write = write.prop_map(|(offset, fill, length)| Step::Write(offset, fill, length));
        let length = (0..20_000_usize).prop_map(Step::Length);
        prop::collection::vec(prop_oneof![3 => write, 1 => length], 0..12)
    }

    proptest! {
        /// It reads as a file that was changed in the same way, and the file is what it was.
        #[test]
        fn it_is_like_a_file_and_the_file_stays(steps in steps(), length in 0..20_000_usize) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("file");
            let original: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            std::fs::write(&path, &original).unwrap();
            let (file, mut expected) = (Untouched::open(&path).unwrap(), original.clone());
            for step in steps {
                match step {
                    Step::Length(length) => {
                        file.set_len(length as u64).unwrap();
                        expected.resize(length, 0);
                    }
                    Step::Write(offset, fill, length) => {
                        let fits = offset + length <= expected.len();
                        let bytes = vec![fill; length];
                        prop_assert_eq!(file.write(offset as u64, &bytes).is_ok(), fits);
                        if fits {
                            expected[offset..offset + length].fill(fill);
                        }
                    }
                }
            }
            let mut all = vec![0; expected.len()];
            file.read(0, &mut all).unwrap();
            prop_assert!(all == expected);
            prop_assert!(file.read(1, &mut all).is_err() || all.is_empty());
            prop_assert!(std::fs::read(&path).unwrap() == original);
        }
    }
}
