//! SSE-C as a client sees it: customer keys, the three headers, and every way to spoil them.

pub mod customer_key;
mod escapes;
pub mod forms;
pub mod headers;
mod hit;
pub mod keyring;
pub mod mutation;
mod spellings;
mod windows;
pub mod wire;

pub use customer_key::CustomerKey;
pub use headers::SsecHeaders;
pub use keyring::{Keyring, TrialKeys};
