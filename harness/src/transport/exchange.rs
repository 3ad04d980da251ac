//! One request as it is to go out, and one exchange as it went.

use std::time::Duration;

use bytes::Bytes;

use super::head::is_token;
use crate::error::{GivenError, TargetError};

/// A request whose every byte is settled. No `Debug`: it carries keys and signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    pub method: &'static str,
    /// Name in the `Host` header without port: what TLS asks for, whatever address is connected to.
    pub host: String,
    /// Path and query, encoded.
    pub target: String,
    /// All headers in order, names in the case in which they are sent; `Host` and `Content-Length`
    /// among them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// How many bytes at the start of the body are the fields of a form; 0 where it is none.
    pub fields: usize,
    pub body: Bytes,
}

impl SignedRequest {
    /// The request's head, request line to empty line, as it goes over the socket.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    /// Whether every part can travel: no line break in a value, no blank in the target.
    ///
    /// # Errors
    /// What cannot travel, without its value.
    pub fn check(&self) -> Result<(), GivenError> {
        let refuse = |why: String| Err(GivenError::Step { why });
        if self.target.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return refuse("its path or query is not encoded".to_owned());
        }
        for (name, value) in &self.headers {
            if name.is_empty() || !name.bytes().all(is_token) {
                return refuse(format!("`{}` is no header name", name.escape_debug()));
            }
            if value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
                return refuse(format!("the value of {name} holds NUL, CR or LF"));
            }
        }
        Ok(())
    }
}

/// What passed over the socket. No `Debug`: it carries keys and signatures.
pub struct Exchange {
    pub method: &'static str,
    /// The endpoint it went to, as a URL.
    pub endpoint: String,
    /// The request's head as it went over the socket, request line to empty line.
    pub sent_head: Vec<u8>,
    /// The fields of a form as far as they went over the socket; empty where it is none.
    pub sent_fields: Vec<u8>,
    /// Bytes of the request's body, and how many of them were written before the answer ended the
    /// exchange.
    pub request_body: u64,
    pub sent_body: u64,
    /// Statuses of the interim answers (1xx).
    pub interim: Vec<u16>,
    /// Their heads as they came, one after the other.
    pub interim_heads: Vec<u8>,
    pub status: u16,
    /// The answer's head as it came, status line to empty line.
    pub received_head: Vec<u8>,
    /// The answer's headers in order, names in the case in which they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The answer's body, transfer coding removed.
    pub body: Bytes,
    /// Headers after a chunked body.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Bytes that came behind the end of the answer: a body after `HEAD`, or longer than announced.
    pub surplus: Vec<u8>,
    /// Why the body is not whole, when it is not: it ended early, was reset, or ran past a limit.
    pub cut: Option<TargetError>,
    /// From the start to the answer's first byte.
    pub first_byte: Duration,
    /// From the start to the end of the body.
    pub elapsed: Duration,
}

/// The first header of that name, in any case, in a head as it went over the wire.
#[must_use]
pub fn header_in(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    head.lines().skip(1).find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

impl Exchange {
    /// The first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Every header of that name, in any case.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Whether the body came whole, as its framing announced it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.cut.is_none()
    }
}

#[cfg(test)]
impl Exchange {
    /// An answer as it could have come over a socket, to a request of nothing.
    pub(crate) fn answered(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self {
            method: "GET",
            endpoint: "https://localhost".to_owned(),
            sent_head: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            sent_fields: Vec::new(),
            request_body: 0,
            sent_body: 0,
            interim: Vec::new(),
            interim_heads: Vec::new(),
            status,
            received_head: Vec::new(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Bytes::copy_from_slice(body),
            trailers: Vec::new(),
            surplus: Vec::new(),
            cut: None,
            first_byte: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }
}
