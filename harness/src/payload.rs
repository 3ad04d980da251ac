//! Bodies that describe themselves: a wrong one says what it is instead.
//!
//! Every block of 16 bytes is an invertible function of the run's seed, the body's seed and the
//! block's number, so that each block of a body found anywhere tells where it belongs. Blocks look
//! random: they do not compress, and no block occurs twice.

use bytes::Bytes;

use crate::random::Seed;
use crate::scenario::definition::BodySpec;

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// The bytes of a body.
#[must_use]
pub fn body(run: Seed, spec: BodySpec) -> Bytes {
    let _ = (run, spec);
    Bytes::new()
}

/// A body under its name in the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    pub name: &'a str,
    pub spec: BodySpec,
}

/// What `found` is, in one line, when `expected` (a concatenation, of which `range` was asked) was
/// wanted: `shifted`, `truncated`, `another body`, `ciphertext-like`, … `others` are the trial's other bodies.
#[must_use]
pub fn describe(run: Seed, found: &[u8], expected: &[u8], bodies: &[Named<'_>]) -> String {
    let _ = (run, found, expected, bodies);
    String::new()
}

/// The first body of which a block stands in `haystack`, and where.
#[must_use]
pub fn find_plaintext<'a>(
    run: Seed,
    haystack: &[u8],
    bodies: &[Named<'a>],
) -> Option<(Named<'a>, usize)> {
    let _ = (run, haystack, bodies);
    None
}
