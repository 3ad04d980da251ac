//! Bytes to the target and back: one HTTP/1.1 exchange at a time, nothing hidden.
//!
//! It knows connections, TLS, limits and framing. It does not know S3: what it sends was signed
//! elsewhere, what it receives is judged elsewhere.

pub mod client;
mod connect;
pub mod curl_command;
pub mod endpoint;
pub mod exchange;
mod head;
mod incoming;
pub mod limits;
mod progress;
#[cfg(test)]
mod tests;
pub mod tls;

pub use client::{Client, Line};
pub use endpoint::Endpoint;
pub use exchange::{Exchange, SignedRequest, header_in};
pub use limits::Limits;
pub use tls::TlsSettings;
