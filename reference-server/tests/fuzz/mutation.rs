//! Seeds, and what is done to them: the same number gives the same changes.

use std::fs;
use std::path::Path;

/// What parsers stumble over: limits of numbers, ends of lines, brackets of every grammar here.
const TOKENS: [&[u8]; 28] = [
    b"0",
    b"-1",
    b"+1",
    b"10001",
    b"2147483648",
    b"4294967296",
    b"9223372036854775808",
    b"18446744073709551616",
    b"ffffffffffffffff",
    b"0x1",
    b"1e9",
    b"\0",
    b"%00",
    b"%",
    b"%2",
    b"\r\n",
    b"\r\n\r\n",
    b";",
    b"=",
    b"\"",
    b"<",
    b"&amp;",
    b"&#0;",
    b"]]>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"--",
    b"\xc3\xa9",
    b"\xff",
];

/// No change makes a text longer than this by itself, so that repeats of repeats stay small.
const GROWTH: usize = 4_096;

/// A seed of the corpus, with the name of its file.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Seed {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

/// The committed seeds of one target, by name.
pub(crate) fn corpus(target: &str) -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut seeds: Vec<_> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| Seed {
            name: entry.file_name().into_string().unwrap(),
            bytes: fs::read(entry.path()).unwrap(),
        })
        .collect();
    assert!(!seeds.is_empty(), "no seeds for {target}");
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    seeds
}

/// SplitMix64 (Steele, Lea, Flood 2014), and the changes that it chooses.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    /// One to four changes; `donors` lend pieces.
    pub(crate) fn mutated(&mut self, bytes: &[u8], donors: &[Seed]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut changed, donors);
        }
        changed
    }

    fn change(&mut self, bytes: &mut Vec<u8>, donors: &[Seed]) {
        let start = self.below(bytes.len() + 1);
        let end = (start + 1 + self.below(16)).min(bytes.len());
        match self.below(7) {
            0 if start < bytes.len() => bytes[start] ^= 1 << self.below(8),
            1 if start < bytes.len() => bytes[start] = u8::try_from(self.below(256)).unwrap(),
            2 => drop(bytes.drain(start..end)),
            3 => bytes.truncate(start),
            4 => {
                let piece = bytes[start..end].to_vec();
                let times = 1 + self.below(GROWTH / 16);
                bytes.splice(end..end, piece.repeat(times));
            }
            5 if !donors.is_empty() => {
                let donor = &donors[self.below(donors.len())].bytes;
                let from = self.below(donor.len());
                let piece = &donor[from..(from + 64).min(donor.len())];
                bytes.splice(start..end, piece.iter().copied());
            }
            _ => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(start..start, token.iter().copied());
            }
        }
    }
}
