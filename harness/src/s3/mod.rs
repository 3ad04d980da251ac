//! S3 as a client speaks it: requests, signatures, and the XML that comes back.
//!
//! Written from the AWS pages, beside the reference server's own and sharing nothing with it.

pub mod bucket_document;
pub mod checksum;
pub mod error_document;
pub mod form;
pub mod operation;
pub mod permission;
pub mod request;
pub mod sign;

pub use request::{Bucket, Request, Style};
pub use sign::{Payload, Signer};
