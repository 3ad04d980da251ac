//! The one place where randomness enters: secret bytes from the operating system, and a seeded
//! generator for what a run must be able to repeat (bodies, names, order).
//!
//! Customer keys come from [`fill_secret`] only; nothing secret is ever derived from a [`Seed`].

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Fills `bytes` from the operating system's generator.
///
/// # Panics
/// When the operating system has no randomness to give; nothing can be done without it.
pub fn fill_secret(bytes: &mut [u8]) {
    SystemRandom::new()
        .fill(bytes)
        .expect("the operating system provides randomness");
}

/// A run's public seed: bodies, names and order repeat from it. Printed as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed that no run had before, for all practical purposes.
    #[must_use]
    pub fn fresh() -> Self {
        let mut bytes = [0; 8];
        fill_secret(&mut bytes);
        Self(u64::from_le_bytes(bytes))
    }

    /// A generator of its own for one purpose, such as `names`; the same label gives the same
    /// sequence.
    #[must_use]
    pub fn generator(self, label: &str) -> Generator {
        let mut state = mix(self.0);
        for byte in label.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Generator { state }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    /// 1 to 16 hex digits.
    fn from_str(text: &str) -> Result<Self, SeedError> {
        let digits = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(value) if digits => Ok(Self(value)),
            Ok(_) | Err(_) => Err(SeedError),
        }
    }
}

/// The text is not a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a seed is 1 to 16 hex digits, as a run prints it")]
pub struct SeedError;

/// A repeatable sequence (SplitMix64); fit for names and order, not for secrets.
#[derive(Debug, Clone)]
pub struct Generator {
    state: u64,
}

impl Generator {
    #[must_use]
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    #[must_use]
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        let wide = u128::from(self.next_u64()) * (bound as u128);
        usize::try_from(wide >> 64).expect("the product's upper half is below the bound")
    }

    /// Lower-case letters and digits, fit for bucket and object names.
    #[must_use]
    pub fn name(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        (0..length)
            .map(|_| char::from(LETTERS[self.below(LETTERS.len())]))
            .collect()
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last + 1);
            items.swap(last, chosen);
        }
    }
}

/// A bijection of 64 bits that spreads every input bit (the finaliser of SplitMix64).
#[must_use]
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reads_back_as_it_was_printed() {
        for value in [0, 1, u64::MAX, 0x7f3a] {
            assert_eq!(Seed(value).to_string().parse(), Ok(Seed(value)));
        }
        for wrong in ["", "g", "+1", "0x1", "12345678123456781"] {
            assert_eq!(wrong.parse::<Seed>(), Err(SeedError), "{wrong}");
        }
    }

    /// The first outputs of SplitMix64 from state 0, as published with the xoshiro generators.
    #[test]
    fn the_generator_is_splitmix64() {
        let mut generator = Generator { state: 0 };
        assert_eq!(generator.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(generator.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn the_same_label_repeats_and_another_differs() {
        let names = |label| Seed(7).generator(label).name(20);
        assert_eq!(names("bucket"), names("bucket"));
        assert_ne!(names("bucket"), names("order"));
        let mut items: Vec<u32> = (0..100).collect();
        Seed(7).generator("order").shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_ne!(items, sorted);
    }
}
