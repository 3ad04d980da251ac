//! Every wait and every size of an exchange, by name.

use std::time::Duration;

/// What one exchange may take. All of it is enforced by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until TCP is connected, name resolution included.
    pub connect: Duration,
    /// Until TLS stands.
    pub handshake: Duration,
    /// From the request's last byte to the answer's first.
    pub first_byte: Duration,
    /// Between two bytes of the answer, or two writes of the request that make progress.
    pub idle: Duration,
    /// The whole exchange (`--timeout`).
    pub exchange: Duration,
    /// Bytes of one answer head, status line to empty line.
    pub head: usize,
    /// Bytes of the answer's body that are kept; one more and the answer is cut there.
    pub body: usize,
}

impl Limits {
    /// Of an answer that should be small: error documents, lists, heads.
    pub const SMALL_BODY: usize = 8 * 1024 * 1024;

    /// Room beside an expected body, for error documents and for a server that sends too much.
    pub const BODY_SLACK: usize = 1024 * 1024;

    /// The usual limits, with `exchange` for the whole.
    #[must_use]
    pub const fn within(exchange: Duration) -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            exchange,
            head: 64 * 1024,
            body: Self::SMALL_BODY,
        }
    }

    /// With room for a body of `expected` bytes.
    #[must_use]
    pub fn for_body(mut self, expected: u64) -> Self {
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        self.body = expected
            .saturating_add(Self::BODY_SLACK)
            .max(Self::SMALL_BODY);
        self
    }
}
