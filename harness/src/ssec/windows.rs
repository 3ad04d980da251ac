//! Windows of 16 bytes: where they begin in a form, and a sieve that spares nearly all of a haystack
//! the look-up.

/// Bytes that are compared at once: enough that chance never matches them.
pub(super) const WINDOW: usize = 16;
/// Every piece of `WINDOW + STRIDE - 1` bytes of a form holds a window that begins at a multiple
/// of this.
const STRIDE: usize = 4;

/// Where the windows of a form of `length` bytes begin: the last one as well, so that a cut form
/// is found from both ends.
pub(super) fn offsets(length: usize) -> impl Iterator<Item = usize> {
    let last = length - WINDOW;
    (0..last).step_by(STRIDE).chain([last])
}

pub(super) fn window(bytes: &[u8], at: usize) -> u128 {
    u128::from_le_bytes(
        bytes[at..at + WINDOW]
            .try_into()
            .expect("a window is 16 bytes"),
    )
}

pub(super) fn is_one_byte_repeated(window: u128) -> bool {
    window == window.rotate_left(8)
}

/// Two bits for each window, in a word for at most 4 of them.
#[derive(Default)]
pub(super) struct Sieve {
    words: Vec<u64>,
}

impl Sieve {
    /// Whether nothing was ever let in.
    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether so many windows are too many for it.
    pub(super) const fn is_full(&self, windows: usize) -> bool {
        self.words.is_empty() || windows > self.words.len() * 4
    }

    /// An empty one, twice as large as `windows` need: a run with many keys does not rebuild it for
    /// each.
    pub(super) fn for_windows(windows: usize) -> Self {
        let words = (windows / 2).next_power_of_two().max(64);
        Self {
            words: vec![0; words],
        }
    }

    pub(super) fn let_in(&mut self, window: u128) {
        let (word, bits) = self.place(window);
        self.words[word] |= bits;
    }

    /// False of nearly every window that was never let in.
    pub(super) fn lets_through(&self, window: u128) -> bool {
        let (word, bits) = self.place(window);
        self.words[word] & bits == bits
    }

    /// The word (their number is a power of two) and the bits in it that stand for a window:
    /// multiplicative hashing of both halves.
    fn place(&self, window: u128) -> (usize, u64) {
        let (low, high) = (window as u64, (window >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (1 << (mixed >> 58)) | (1 << ((mixed >> 52) & 63));
        ((mixed >> 20) as usize & (self.words.len() - 1), bits)
    }
}
