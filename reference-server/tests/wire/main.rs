//! The front over the wire: bytes in, bytes out, nothing of the server's own encoders between.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod access;
mod auth;
mod aws_chunked;
mod body;
mod connection;
mod event_log;
mod hostile;
mod probe;
mod raw_client;
mod s3s_holes;
mod signed_request;
mod start;
