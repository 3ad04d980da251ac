//! Damage at rest: whatever happens to stored bytes, a read fails or gives exactly what was
//! written. Not one wrong byte reaches a reader, and nothing else suffers.
//!
//! The short form runs with every `cargo test`; the long form is `-- --ignored`.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

#[path = "../client/mod.rs"]
mod client;
mod metadata;
#[path = "../one_body/mod.rs"]
mod one_body;
mod sealed_reader;
mod served;

/// A body in which no 8 bytes repeat.
fn body(size: usize, seed: u64) -> Vec<u8> {
    (seed << 32..)
        .flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
        .take(size)
        .collect()
}
