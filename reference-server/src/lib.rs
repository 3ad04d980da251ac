//! An S3 server that is strict about SSE-C and seals every object at rest.

pub mod auth;
pub mod body;
pub mod bucket_policy;
pub mod byte_range;
pub mod checksum;
mod clock;
pub mod config;
pub mod connection;
pub mod impostor;
mod json;
pub mod operation;
mod private_file;
mod random;
pub mod request;
pub mod response;
pub mod s3_error;
pub mod sealed;
pub mod seam;
pub mod server;
pub mod service;
pub mod ssec;
pub mod store;
mod tls;
pub mod xml;

pub use config::Config;
pub use server::{Running, Server};
