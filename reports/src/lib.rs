//! Records of `ssec` runs and the renderers that turn them into reports.
//!
//! A run is a stream of JSON lines ([`record`]): one header, one line a trial as it ends, one
//! footer. [`stream`] writes and reads it, [`run`] is a stream read back whole, and the modules
//! of [`render`] turn that into something for people or for CI. Nothing here knows how a trial is
//! run: no network, no clock, no YAML, and no customer key, for what arrives is redacted already.

pub mod answers;
pub mod bench;
pub mod compare;
pub mod histogram;
pub mod journal;
mod lines;
pub mod matrix;
pub mod observed;
pub mod plan;
mod printable;
pub mod record;
pub mod render;
pub mod run;
pub mod siblings;
pub mod signature;
pub mod stream;
pub mod verdict;
