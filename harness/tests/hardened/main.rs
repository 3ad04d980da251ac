//! What needs a real process, and cannot be tried on a part of one: disks that are full, crowds of
//! clients, targets that mean harm, an hour of work. Each prints what it tried, for the table of
//! `hardening.sh`. Linux alone tells what a process uses.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]
#![expect(
    clippy::print_stdout,
    reason = "the table of hardening.sh is made of what is printed"
)]

mod client;
mod crowds;
mod full_disk;
mod hostile_targets;
#[path = "../patience/mod.rs"]
mod patience;
mod process;
mod proxy;
#[path = "../served/mod.rs"]
#[expect(dead_code, reason = "these tests need its server alone")]
mod served;
mod soak;
