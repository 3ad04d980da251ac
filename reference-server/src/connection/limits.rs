//! The limits of a connection, each with its name and its number.

use std::time::Duration;

/// The longest request head in bytes, request line and headers together: 431 beyond it.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How long a request's head may take from its first byte.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection may stay open between two requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request's body may stand still: 400 RequestTimeout beyond it.
pub const BODY_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the server may wait for a client, all waits for one body or one answer together, before
/// that must pass at [`MIN_RATE`]: else a byte in 29 seconds would hold a connection for ever.
pub const RATE_GRACE: Duration = Duration::from_secs(60);
/// The least bytes for each second that the server has waited, once that is more than
/// [`RATE_GRACE`]: 400 RequestTimeout for a body below it, the end of the connection for an answer.
pub const MIN_RATE: u64 = 1024;
/// How long a client may refuse to take any byte of an answer.
pub const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How many connections are served at once on one listener; more wait to be accepted.
pub const MAX_CONNECTIONS: usize = 4096;
/// How long requests may run on after a shutdown was asked for.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an unread body is still taken after its request was refused, so that the client gets
/// to read the answer before the connection is reset.
pub const MAX_LINGER_BYTES: u64 = 16 * 1024 * 1024;
/// How long that may take.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

/// The limits that a server runs with. Tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`HEADER_TIMEOUT`].
    pub header_timeout: Duration,
    /// See [`IDLE_TIMEOUT`].
    pub idle_timeout: Duration,
    /// See [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout: Duration,
    /// See [`BODY_STALL_TIMEOUT`].
    pub body_stall_timeout: Duration,
    /// See [`RATE_GRACE`].
    pub rate_grace: Duration,
    /// See [`MIN_RATE`].
    pub min_rate: u64,
    /// See [`WRITE_STALL_TIMEOUT`].
    pub write_stall_timeout: Duration,
    /// See [`MAX_CONNECTIONS`].
    pub max_connections: usize,
    /// See [`DRAIN_TIMEOUT`].
    pub drain_timeout: Duration,
}

impl Limits {
    /// The numbers above.
    pub const STANDARD: Self = Self {
        header_timeout: HEADER_TIMEOUT,
        idle_timeout: IDLE_TIMEOUT,
        handshake_timeout: HANDSHAKE_TIMEOUT,
        body_stall_timeout: BODY_STALL_TIMEOUT,
        rate_grace: RATE_GRACE,
        min_rate: MIN_RATE,
        write_stall_timeout: WRITE_STALL_TIMEOUT,
        max_connections: MAX_CONNECTIONS,
        drain_timeout: DRAIN_TIMEOUT,
    };
}
