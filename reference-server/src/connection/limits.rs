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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, shown: &str, holds: bool) {
        assert!(holds, "{name} is not {shown}");
        let row = format!("\n| `{name}` | {shown} |");
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&row), "the README has no row {row}");
    }

    #[test]
    fn the_readme_tells_each_limit_with_its_number() {
        let check_time = |name, seconds, time: Duration| {
            check(name, &format!("{seconds} s"), time.as_secs() == seconds);
        };
        check_time("HEADER_TIMEOUT", 20, HEADER_TIMEOUT);
        check_time("IDLE_TIMEOUT", 75, IDLE_TIMEOUT);
        check_time("HANDSHAKE_TIMEOUT", 10, HANDSHAKE_TIMEOUT);
        check_time("BODY_STALL_TIMEOUT", 30, BODY_STALL_TIMEOUT);
        check_time("RATE_GRACE", 60, RATE_GRACE);
        check_time("WRITE_STALL_TIMEOUT", 60, WRITE_STALL_TIMEOUT);
        check_time("DRAIN_TIMEOUT", 10, DRAIN_TIMEOUT);
        check_time("LINGER_TIMEOUT", 5, LINGER_TIMEOUT);
        check("MAX_HEADER_BYTES", "64 KiB", MAX_HEADER_BYTES == 64 << 10);
        check("MIN_RATE", "1 KiB/s", MIN_RATE == 1 << 10);
        check("MAX_CONNECTIONS", "4,096", MAX_CONNECTIONS == 4_096);
        check("MAX_LINGER_BYTES", "16 MiB", MAX_LINGER_BYTES == 16 << 20);
    }
}
