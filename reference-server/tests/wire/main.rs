//! The front over the wire: bytes in, bytes out, nothing of the server's own encoders between.

mod auth;
mod body;
mod connection;
mod raw_client;
