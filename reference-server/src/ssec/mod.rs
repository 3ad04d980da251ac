//! Server-side encryption with customer keys: what a request shows, and what that entitles it to.
//!
//! `headers` reads the three headers, `policy` decides, `refusal` words the answer, `dialect` holds
//! what legitimately differs between providers. Nothing here touches a socket, a file or a clock.

pub mod customer_key;
pub mod dialect;
pub mod headers;
pub mod policy;
pub mod refusal;
