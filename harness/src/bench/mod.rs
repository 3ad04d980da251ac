//! The load generator: arrivals of a schedule, served by streams, folded into histograms.
//!
//! Honest first: latency counts from the intended start, every arrival ends in exactly one bin,
//! nothing is sent again, nothing is hidden, and reads are checked byte by byte. It knows neither
//! the command line nor where results are written.

pub mod chores;
pub mod connection;
pub mod customer_keys;
pub mod exchange;
pub mod health;
pub mod judge;
pub mod knee;
mod multipart;
pub mod null_server;
pub mod outgoing;
pub mod pool;
pub mod request;
pub mod runner;
pub mod schedule;
pub mod signer;
pub mod tally;
mod timer;
pub mod tls;
pub mod worker;
pub mod workload;

pub use multipart::MAX_PARTS;
