//! Damage to inputs, the same from the same seed.

/// Texts that readers get wrong: ends of number ranges, ways out of markup, bytes that are no UTF-8.
const TOKENS: [&[u8]; 26] = [
    b"0",
    b"-1",
    b"255",
    b"65536",
    b"4294967295",
    b"9223372036854775807",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e308",
    b"0.00001",
    b"null",
    b"\"\"",
    b"{}",
    b"[",
    b"<img src=x>",
    b"</script>",
    b"]]>",
    b"&#x0;",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\0",
    b"\r\n\r\n",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x94\x91",
    b"\\ud800",
];

/// Bytes that a mutant may have more than its seed, about.
const MAX_GROWTH: usize = 4096;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// One of `seeds`, damaged in one to four places; sometimes with a part of another one.
    pub(crate) fn mutant(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        let most = bytes.len() + MAX_GROWTH;
        for _ in 0..=self.below(4) {
            let other = &seeds[self.below(seeds.len())];
            self.damage(&mut bytes, other);
        }
        bytes.truncate(most);
        bytes
    }

    fn damage(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let (from, to) = self.range(bytes.len());
        match self.below(8) {
            0 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
            1 => bytes.truncate(from),
            2 => drop(bytes.drain(from..to)),
            3 => {
                let again = bytes[from..to].repeat(1 + self.below(3));
                bytes.splice(to..to, again);
            }
            4 => {
                let (start, end) = self.range(other.len());
                bytes.splice(from..to, other[start..end].iter().copied());
            }
            5 => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(from..from, token.iter().copied());
            }
            // The rest stays well-formed more often than not, and comes further into a reader.
            _ => self.other_number(bytes, from),
        }
    }

    /// A short part, or now and then a long one.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let longest = if self.below(8) == 0 { length } else { 24 };
        let to = (from + self.below(longest + 1)).min(length);
        (from, to)
    }

    /// Puts another token in place of the first number behind `from`.
    fn other_number(&mut self, bytes: &mut Vec<u8>, from: usize) {
        let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit) else {
            return;
        };
        let start = from + start;
        let digits = bytes[start..].iter().take_while(|b| b.is_ascii_digit());
        let end = start + digits.count();
        let token = TOKENS[self.below(TOKENS.len())];
        bytes.splice(start..end, token.iter().copied());
    }
}
