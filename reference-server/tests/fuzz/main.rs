//! What a hostile client could send, made from small seeds by chance that repeats: no panic, no
//! hang, no 5xx, and nothing is changed by what was refused.
//!
//! A number chooses the changes; only the signatures in the requests are of the present. The short
//! form runs with every `cargo test`; the long form is `-- --ignored`.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

#[path = "../client/mod.rs"]
mod client;
mod documents;
mod ground;
mod mutation;
#[path = "../one_body/mod.rs"]
mod one_body;
mod sealed;
mod signatures;
mod triple;

/// How many times longer the long form is, and the number it starts from.
const LONG: u64 = 40;
const SHORT_SEED: u64 = 1;
const LONG_SEED: u64 = 2;

/// Two tests of one target: the short form and the long one, each of which tells its line.
macro_rules! target {
    ($short:ident, $long:ident, $what:literal, $rounds:literal, $run:path) => {
        #[tokio::test]
        async fn $short() {
            let (tried, refused) = $run($crate::SHORT_SEED, $rounds).await;
            println!(
                "hardening | fuzz: {}, {refused} refused | {tried} | – | – | 0 |",
                $what
            );
        }

        #[tokio::test]
        #[ignore = "long form: minutes"]
        async fn $long() {
            let (tried, refused) = $run($crate::LONG_SEED, $rounds * $crate::LONG).await;
            println!(
                "hardening | fuzz: {}, {refused} refused | {tried} | – | – | 0 |",
                $what
            );
        }
    };
}
use target;
