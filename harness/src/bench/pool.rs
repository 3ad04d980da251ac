//! Bodies for load: every byte is a function of seed, object and offset, made once and shared.
//!
//! One pool of self-describing blocks ([`crate::payload`]) is made at the start. An object's body
//! is the pool read round and round from the object's own block on. So sending copies nothing,
//! checking compares with bytes that are there already, and any block found anywhere tells which
//! object and offset it belongs to. The pool's length is prime in blocks: no two of its first
//! 262,139 objects begin alike, and no two parts of equal length can change places unnoticed.

use bytes::Bytes;

use crate::payload::{self, BLOCK};
use crate::random::Seed;
use crate::scenario::definition::BodySpec;

/// Blocks of the pool: the greatest prime below 2^18, just under 4 MiB.
const BLOCKS: u64 = 262_139;
/// Bytes of the pool.
const BYTES: u64 = BLOCKS * BLOCK as u64;
/// Blocks between the beginnings of two objects of neighbouring numbers; no multiple of the prime.
const STRIDE: u64 = 65_537;
/// The pool's own number among the bodies of the run.
const POOL: u64 = 0x706f_6f6c;
/// Bytes of a wrong body that are looked at to say what they are.
pub const WINDOW: usize = 256;

/// The shared bytes. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    bytes: Bytes,
    seed: Seed,
}

/// What a body turned out to be where it was not what had been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first byte that differs, from the start of the object.
    pub offset: u64,
    /// Bytes from there on.
    pub window: Vec<u8>,
    /// How many bytes of what came differ in all.
    pub bytes: u64,
    /// Bits that differ in the first of them.
    pub bits: u32,
}

impl Pool {
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let spec = BodySpec {
            size: BYTES,
            seed: POOL,
        };
        Self {
            bytes: payload::body(seed, spec),
            seed,
        }
    }

    /// Where in the pool the body of an object stands at `offset`.
    fn place(object: u64, offset: u64) -> usize {
        let start = (object % BLOCKS) * STRIDE % BLOCKS * BLOCK as u64;
        usize::try_from((start + offset % BYTES) % BYTES).expect("the pool is in memory")
    }

    /// The next bytes of an object's body from `offset` on, at most `most`, without copying.
    #[must_use]
    pub fn slice(&self, object: u64, offset: u64, most: u64) -> Bytes {
        let from = Self::place(object, offset);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let to = from.saturating_add(most).min(self.bytes.len());
        self.bytes.slice(from..to)
    }

    /// The index of the first byte of `found` that is not the object's from `offset` on.
    #[must_use]
    pub fn first_difference(&self, object: u64, offset: u64, found: &[u8]) -> Option<usize> {
        let mut done = 0;
        while done < found.len() {
            let from = Self::place(object, offset + done as u64);
            let length = (self.bytes.len() - from).min(found.len() - done);
            let (ours, theirs) = (
                &self.bytes[from..from + length],
                &found[done..done + length],
            );
            if ours != theirs {
                let at = ours.iter().zip(theirs).position(|(a, b)| a != b);
                return at.map(|at| done + at);
            }
            done += length;
        }
        None
    }

    /// Takes what came into account: begins the difference, or adds to it.
    pub fn compare(
        &self,
        object: u64,
        offset: u64,
        found: &[u8],
        difference: &mut Option<Difference>,
    ) {
        let Some(first) = self.first_difference(object, offset, found) else {
            return;
        };
        let wrong = (first..found.len())
            .filter(|at| found[*at] != self.byte(object, offset + *at as u64))
            .count() as u64;
        match difference {
            Some(difference) => difference.bytes += wrong,
            None => {
                let end = found.len().min(first + WINDOW);
                let right = self.byte(object, offset + first as u64);
                *difference = Some(Difference {
                    offset: offset + first as u64,
                    window: found[first..end].to_vec(),
                    bytes: wrong,
                    bits: (found[first] ^ right).count_ones(),
                });
            }
        }
    }

    fn byte(&self, object: u64, offset: u64) -> u8 {
        self.bytes[Self::place(object, offset)]
    }

    /// What kind of damage a difference is, in a few words. `objects` is how many there are.
    #[must_use]
    pub fn describe(&self, object: u64, objects: u64, difference: &Difference) -> String {
        if difference.bytes == 1 {
            let bits = difference.bits;
            let plural = if bits == 1 { "bit" } else { "bits" };
            return format!("one byte differs, {bits} {plural} flipped");
        }
        let window = &difference.window;
        if window.iter().all(|byte| *byte == 0) {
            return format!("{} bytes differ, zeros stand there", difference.bytes);
        }
        match self.belongs(window) {
            Some((at, place)) => {
                self.displaced(object, objects, difference, place_before(place, at))
            }
            None => format!("{} bytes differ, of no object's body", difference.bytes),
        }
    }

    /// The first block of the pool in `window`: where in the window, and where in the pool.
    fn belongs(&self, window: &[u8]) -> Option<(u64, u64)> {
        window.windows(BLOCK).enumerate().find_map(|(at, block)| {
            let block = block.try_into().expect("windows are of a block's size");
            let number = payload::position(self.seed, POOL, block)?;
            (number < BLOCKS).then_some((at as u64, number * BLOCK as u64))
        })
    }

    fn displaced(&self, object: u64, objects: u64, difference: &Difference, place: u64) -> String {
        let here = Self::place(object, difference.offset) as u64;
        let moved = (place + BYTES - here) % BYTES;
        let other = (0..objects.min(BLOCKS)).find(|other| {
            *other != object && Self::place(*other, difference.offset) as u64 == place
        });
        match other {
            Some(other) => format!("bytes of object {other} stand there"),
            None => {
                let offset = (difference.offset + moved) % BYTES;
                format!("bytes that belong at {offset} of the same object, or of another's range")
            }
        }
    }

    /// The object whose body begins with these bytes; for a server that stores no bodies.
    #[must_use]
    pub fn object_of(&self, start: &[u8; BLOCK]) -> Option<u64> {
        let number = payload::position(self.seed, POOL, *start)?;
        Some(number % BLOCKS * power(STRIDE, BLOCKS - 2) % BLOCKS)
    }
}

/// `base` to the power of `exponent`, modulo the prime; to the prime less two it is the inverse.
const fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut product = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product = product * base % BLOCKS;
        }
        base = base * base % BLOCKS;
        exponent >>= 1;
    }
    product
}

/// The pool's place `back` bytes before another.
const fn place_before(place: u64, back: u64) -> u64 {
    (place + BYTES - back % BYTES) % BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pool: &Pool, object: u64, size: u64) -> Vec<u8> {
        let mut made = Vec::new();
        while (made.len() as u64) < size {
            let left = size - made.len() as u64;
            made.extend_from_slice(&pool.slice(object, made.len() as u64, left));
        }
        made
    }

    #[test]
    fn a_body_is_checked_wherever_it_is_cut() {
        let pool = Pool::new(Seed(3));
        let whole = body(&pool, 5, BYTES + 1000);
        assert_eq!(pool.first_difference(5, 0, &whole), None);
        assert_eq!(pool.first_difference(5, 77, &whole[77..5000]), None);
        let around = usize::try_from(BYTES).unwrap() - 9;
        assert_eq!(
            pool.first_difference(5, around as u64, &whole[around..]),
            None
        );
        let mut wrong = whole;
        wrong[around + 20] ^= 1;
        assert_eq!(
            pool.first_difference(5, around as u64, &wrong[around..]),
            Some(20)
        );
        assert_eq!(pool.object_of(wrong[..16].try_into().unwrap()), Some(5));
    }

    #[track_caller]
    fn check(pool: &Pool, found: &[u8], offset: u64, says: &str) {
        let mut difference = None;
        for (number, piece) in found.chunks(1000).enumerate() {
            pool.compare(2, number as u64 * 1000, piece, &mut difference);
        }
        let difference = difference.unwrap();
        assert_eq!(difference.offset, offset);
        assert_eq!(pool.describe(2, 10, &difference), says);
    }

    #[test]
    fn damage_is_named() {
        let pool = Pool::new(Seed(3));
        let right = body(&pool, 2, 4096);
        let mut flipped = right.clone();
        flipped[1234] ^= 4;
        check(&pool, &flipped, 1234, "one byte differs, 1 bit flipped");
        let mut zeros = right.clone();
        zeros[1024..2048].fill(0);
        let differ = right[1024..2048].iter().filter(|byte| **byte != 0).count();
        let first = (1024..).find(|at| right[*at] != 0).unwrap() as u64;
        check(
            &pool,
            &zeros,
            first,
            &format!("{differ} bytes differ, zeros stand there"),
        );
        check(
            &pool,
            &body(&pool, 7, 4096),
            0,
            "bytes of object 7 stand there",
        );
        let mut torn = right.clone();
        torn[1024..2048].copy_from_slice(&right[..1024]);
        check(
            &pool,
            &torn,
            1024,
            "bytes that belong at 0 of the same object, or of another's range",
        );
        let strange = payload::body(
            Seed(99),
            BodySpec {
                size: 4096,
                seed: 1,
            },
        );
        let mut difference = None;
        pool.compare(2, 0, &strange, &mut difference);
        let says = pool.describe(2, 10, &difference.unwrap());
        assert!(says.ends_with("of no object's body"), "{says}");
    }
}
