//! Bodies that describe themselves: a wrong one says what it is instead.
//!
//! Every block of 16 bytes is an invertible function of the run's seed, the body's seed and the
//! block's number, so that each block of a body found anywhere tells where it belongs. Blocks look
//! random: they do not compress, and no block occurs twice.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::random::{Seed, mix};
use crate::scenario::definition::{BodySpec, RangeSpec};

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// Rounds of the Feistel network that makes a block; four mix both halves into each other.
const ROUNDS: usize = 4;

/// What the second half of a block is before it is mixed: tells a block from chance.
const MARK: u64 = 0x5353_452d_4320_626f;

/// A body under its name in the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    pub name: &'a str,
    pub spec: BodySpec,
}

/// The bytes of a body.
#[must_use]
pub fn body(run: Seed, spec: BodySpec) -> Bytes {
    let cipher = Cipher::new(run, spec.seed);
    let size = usize::try_from(spec.size).expect("bodies are made in memory");
    let mut bytes = BytesMut::with_capacity(size.next_multiple_of(BLOCK));
    let mut number = 0;
    while bytes.len() < size {
        bytes.extend_from_slice(&cipher.block(number));
        number += 1;
    }
    bytes.truncate(size);
    bytes.freeze()
}

/// The number of a block within the body with this seed, if it is one of that body's.
#[must_use]
pub fn position(run: Seed, seed: u64, block: [u8; BLOCK]) -> Option<u64> {
    Cipher::new(run, seed).number(block)
}

/// The part of `size` bytes that `range` asks for, or `None` when it cannot be satisfied (RFC
/// 9110).
#[must_use]
pub fn part(range: RangeSpec, size: u64) -> Option<Range<u64>> {
    match range {
        RangeSpec::Bounded { first, last } if first <= last && first < size => {
            Some(first..last.saturating_add(1).min(size))
        }
        RangeSpec::From { first } if first < size => Some(first..size),
        RangeSpec::Suffix { length } if length > 0 && size > 0 => {
            Some(size.saturating_sub(length)..size)
        }
        RangeSpec::Bounded { .. } | RangeSpec::From { .. } | RangeSpec::Suffix { .. } => None,
    }
}

/// The invertible function behind the blocks of one body.
struct Cipher {
    keys: [u64; ROUNDS],
}

impl Cipher {
    fn new(run: Seed, seed: u64) -> Self {
        let base = mix(mix(run.0).wrapping_add(seed));
        let round = |n: usize| mix(base ^ mix(n as u64 + 1));
        Self {
            keys: std::array::from_fn(round),
        }
    }

    fn block(&self, number: u64) -> [u8; BLOCK] {
        let (mut left, mut right) = (number, MARK);
        for key in self.keys {
            (left, right) = (right, left ^ mix(right ^ key));
        }
        let mut block = [0; BLOCK];
        block[..8].copy_from_slice(&left.to_le_bytes());
        block[8..].copy_from_slice(&right.to_le_bytes());
        block
    }

    /// The number of the block, if it is one of this body's.
    fn number(&self, block: [u8; BLOCK]) -> Option<u64> {
        let (left, right) = block.split_at(8);
        let half = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("half of 16 is 8"));
        let (mut left, mut right) = (half(left), half(right));
        for key in self.keys.iter().rev() {
            (left, right) = (right ^ mix(left ^ key), left);
        }
        (right == MARK).then_some(left)
    }
}

/// The first body of which a block stands in `haystack`, and where it stands. A body of less than a
/// block is found only where it is all there is, and one of less than 8 bytes not at all: chance
/// makes those.
#[must_use]
pub fn find_plaintext<'a>(
    run: Seed,
    haystack: &[u8],
    bodies: &[Named<'a>],
) -> Option<(Named<'a>, usize)> {
    const LEAST: u64 = 8;
    bodies.iter().find_map(|body| {
        if body.spec.size < BLOCK as u64 {
            let whole = self::body(run, body.spec);
            return (body.spec.size >= LEAST && whole == haystack).then_some((*body, 0));
        }
        let cipher = Cipher::new(run, body.spec.seed);
        let blocks = body.spec.size / BLOCK as u64;
        haystack
            .windows(BLOCK)
            .position(|window| {
                let block = window.try_into().expect("windows are of a block's size");
                cipher.number(block).is_some_and(|number| number < blocks)
            })
            .map(|at| (*body, at))
    })
}

/// What `found` is, in one line, when `expected` was wanted. `bodies` are all that the trial
/// declares.
#[must_use]
pub fn describe(run: Seed, found: &[u8], expected: &[u8], bodies: &[Named<'_>]) -> String {
    if found == expected {
        return format!("as expected, {} bytes", found.len());
    }
    if found.is_empty() {
        return format!("empty, not {} bytes", expected.len());
    }
    if let Some(body) = bodies
        .iter()
        .find(|body| body.spec.size > 0 && self::body(run, body.spec) == found)
    {
        return format!("all of body `{}` instead", body.name);
    }
    let same = found
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    if same == found.len() {
        return format!(
            "truncated after {} of {} bytes",
            found.len(),
            expected.len()
        );
    }
    if same == expected.len() {
        let extra = found.len() - expected.len();
        return format!(
            "right, then {extra} bytes more: {}",
            kind(run, &found[same..], bodies)
        );
    }
    let length = if found.len() == expected.len() {
        String::new()
    } else {
        format!(" ({} bytes, not {})", found.len(), expected.len())
    };
    let wrong = found.len().min(expected.len())
        - same
        - found[same..]
            .iter()
            .zip(&expected[same..])
            .filter(|(a, b)| a == b)
            .count();
    let what = kind(run, &found[same..], bodies);
    if wrong == 1 && length.is_empty() {
        return format!("one byte differs, at {same}");
    }
    format!("differs from byte {same}{length}: {what}")
}

/// What the bytes at the beginning of `bytes` are.
fn kind(run: Seed, bytes: &[u8], bodies: &[Named<'_>]) -> String {
    const LOOKED_AT: usize = 4096;
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let ciphers: Vec<_> = bodies
        .iter()
        .map(|body| (body.name, Cipher::new(run, body.spec.seed)))
        .collect();
    for (at, window) in start.windows(BLOCK).enumerate() {
        let block: [u8; BLOCK] = window.try_into().expect("windows are of a block's size");
        let known = ciphers
            .iter()
            .find_map(|(name, cipher)| Some((name, cipher.number(block)?)));
        if let Some((name, number)) = known {
            let belongs = number.saturating_mul(BLOCK as u64);
            // The first whole block may begin some bytes in: it tells where those belong.
            return match belongs.checked_sub(at as u64) {
                Some(offset) => format!("what belongs at {offset} of body `{name}`"),
                None => format!("{at} strange bytes, then body `{name}` from {belongs}"),
            };
        }
    }
    if start.iter().all(|byte| *byte == start[0]) {
        return format!("bytes of value {:#04x}", start[0]);
    }
    if start
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    {
        // Not what it says: it may be a key, and a part of one is none that a redactor knows.
        return "text".to_owned();
    }
    if looks_random(start) {
        "ciphertext-like".to_owned()
    } else {
        "no block of any body".to_owned()
    }
}

/// Whether the bytes are spread as those of ciphertext are: about as many distinct values as
/// chance gives.
fn looks_random(bytes: &[u8]) -> bool {
    const FEWEST: usize = 64;
    if bytes.len() < FEWEST {
        return false;
    }
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let chance = 256.0 * (1.0 - (255.0_f64 / 256.0).powf(bytes.len() as f64));
    distinct as f64 > chance * 0.85
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUN: Seed = Seed(7);

    const fn spec(size: u64, seed: u64) -> BodySpec {
        BodySpec { size, seed }
    }

    const SMALL: Named<'static> = Named {
        name: "small",
        spec: spec(1000, 1),
    };
    const LARGE: Named<'static> = Named {
        name: "large",
        spec: spec(200_000, 2),
    };
    const BOTH: [Named<'static>; 2] = [SMALL, LARGE];

    fn made(named: Named<'_>) -> Vec<u8> {
        body(RUN, named.spec).to_vec()
    }

    #[test]
    fn a_body_is_a_function_of_its_seeds_and_a_shorter_one_its_start() {
        for size in [0, 1, 15, 16, 17, 65_535, 65_536, 65_537] {
            assert_eq!(body(RUN, spec(size, 3)).len() as u64, size);
        }
        assert_eq!(body(RUN, spec(100, 3)), body(RUN, spec(5000, 3))[..100]);
        assert_ne!(body(RUN, spec(100, 3)), body(RUN, spec(100, 4)));
        assert_ne!(body(RUN, spec(100, 3)), body(Seed(8), spec(100, 3)));
    }

    #[test]
    fn no_block_stands_twice() {
        let bytes = made(LARGE);
        let blocks: std::collections::HashSet<&[u8]> = bytes.chunks_exact(BLOCK).collect();
        assert_eq!(blocks.len(), bytes.len() / BLOCK);
        assert!(looks_random(&bytes));
    }

    #[test]
    fn ranges_are_cut_as_rfc_9110_has_it() {
        use RangeSpec as R;
        assert_eq!(part(R::Bounded { first: 0, last: 99 }, 1000), Some(0..100));
        assert_eq!(
            part(
                R::Bounded {
                    first: 10,
                    last: u64::MAX
                },
                20
            ),
            Some(10..20)
        );
        assert_eq!(
            part(
                R::Bounded {
                    first: 20,
                    last: 30
                },
                20
            ),
            None
        );
        assert_eq!(part(R::Bounded { first: 3, last: 2 }, 20), None);
        assert_eq!(part(R::From { first: 5 }, 20), Some(5..20));
        assert_eq!(part(R::From { first: 20 }, 20), None);
        assert_eq!(part(R::Suffix { length: 5 }, 20), Some(15..20));
        assert_eq!(part(R::Suffix { length: 50 }, 20), Some(0..20));
        assert_eq!(part(R::Suffix { length: 0 }, 20), None);
        assert_eq!(part(R::Suffix { length: 5 }, 0), None);
    }

    #[track_caller]
    fn check(found: &[u8], expected: &str) {
        assert_eq!(describe(RUN, found, &made(LARGE), &BOTH), expected);
    }

    #[test]
    fn damage_is_named() {
        let large = made(LARGE);
        check(&large, "as expected, 200000 bytes");
        check(&[], "empty, not 200000 bytes");
        check(&made(SMALL), "all of body `small` instead");
        check(&large[..70_000], "truncated after 70000 of 200000 bytes");
        check(
            &large[65_536..],
            "differs from byte 0 (134464 bytes, not 200000): what belongs at 65536 of body `large`",
        );
        check(
            &large[5..],
            "differs from byte 0 (199995 bytes, not 200000): what belongs at 5 of body `large`",
        );
        let mut flipped = large.clone();
        flipped[77_777] ^= 1;
        check(&flipped, "one byte differs, at 77777");
        let mut swapped = large.clone();
        swapped[65_536..131_072].copy_from_slice(&large[..65_536]);
        check(
            &swapped,
            "differs from byte 65536: what belongs at 0 of body `large`",
        );
        let sealed = body(Seed(99), spec(200_000, 2));
        check(&sealed, "differs from byte 0: ciphertext-like");
        check(
            &[large.as_slice(), &[0; 9]].concat(),
            "right, then 9 bytes more: bytes of value 0x00",
        );
        check(
            &[&[1, 2, 3], large.as_slice()].concat(),
            "differs from byte 0 (200003 bytes, not 200000): 3 strange bytes, then body `large` from 0",
        );
        check(
            b"<Error><Code>NoSuchKey</Code></Error>",
            "differs from byte 0 (37 bytes, not 200000): text",
        );
        check(
            &[0; 64],
            "differs from byte 0 (64 bytes, not 200000): bytes of value 0x00",
        );
    }

    #[test]
    fn plaintext_is_found_wherever_it_stands() {
        let hidden = [b"<Error>".as_slice(), &made(SMALL)[17..60], b"</Error>"].concat();
        assert_eq!(find_plaintext(RUN, &hidden, &BOTH), Some((SMALL, 7 + 15)));
        assert_eq!(find_plaintext(RUN, &made(LARGE), &[SMALL]), None);
        assert_eq!(find_plaintext(Seed(8), &hidden, &BOTH), None);
        assert_eq!(find_plaintext(RUN, b"", &BOTH), None);
    }

    #[test]
    fn a_tiny_body_is_found_only_alone() {
        let ten = Named {
            name: "ten",
            spec: spec(10, 5),
        };
        assert_eq!(find_plaintext(RUN, &made(ten), &[ten]), Some((ten, 0)));
        assert_eq!(
            find_plaintext(RUN, &[made(ten), vec![0]].concat(), &[ten]),
            None
        );
        let one = Named {
            name: "one",
            spec: spec(1, 5),
        };
        assert_eq!(find_plaintext(RUN, &made(one), &[one]), None);
        let none = Named {
            name: "none",
            spec: spec(0, 5),
        };
        assert_eq!(find_plaintext(RUN, &[], &[none]), None);
    }

    proptest! {
        #[test]
        fn a_block_tells_its_number(run: u64, seed: u64, number: u64) {
            let cipher = Cipher::new(Seed(run), seed);
            prop_assert_eq!(cipher.number(cipher.block(number)), Some(number));
            let stranger = Cipher::new(Seed(run), seed.wrapping_add(1));
            prop_assert_eq!(stranger.number(cipher.block(number)), None);
        }

        #[test]
        fn any_bytes_can_be_described(found in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(!describe(RUN, &found, &made(SMALL), &BOTH).is_empty());
        }
    }
}
