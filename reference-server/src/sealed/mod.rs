//! The `ssec/1` format: how the bytes of one body are sealed at rest, and under which key.
//!
//! A body is cut into records of 64 KiB, each sealed with AES-256-GCM under a data key that is
//! derived from the holder's key and from everything known when the write starts, and is stored
//! nowhere. This module knows bytes and keys. It does not know files, rows or requests; the store
//! puts the envelope into a row and the records into a file.

pub mod checksum;
pub mod data_key;
pub mod envelope;
pub mod record;
pub mod seal;
pub mod unseal;

/// The bytes at rest are not what was written: damaged, exchanged, cut or forged.
///
/// It says nothing more on purpose: whoever reads it learns that a tag did not verify, not where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes at rest are damaged")]
pub struct Damaged;

/// The key shown is not the one under which the object was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object was written under another key")]
pub struct WrongKey;

#[cfg(test)]
mod tests;
