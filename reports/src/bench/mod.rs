//! What a load generator measured: the lines of its record, and what they add up to.
//!
//! [`record`] has the types, [`stream`] writes and reads them, [`run`] is a record read back whole,
//! [`totals`] adds seconds up, [`curve`] does so step by step, [`summary`] is the short JSON; [`bootstrap`] says how sure a ratio is,
//! which [`paired`] arms ask; [`slo`] judges objectives, [`shards`] puts parts together,
//! [`compare`] sets two runs against each other.
//! [`hdr_log`] is the same in another form.
//! Nothing here generates load or knows how a sample came to be.

pub mod bootstrap;
pub mod compare;
pub mod curve;
pub mod draws;
pub mod hdr_log;
pub mod paired;
pub mod record;
pub mod run;
pub mod shards;
pub mod slo;
pub mod stream;
pub mod summary;
pub mod totals;

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) const fn to_float(number: u64) -> f64 {
    number as f64
}
