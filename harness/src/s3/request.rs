//! An unsigned request, and how bucket and object name become host and path.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

pub use crate::scenario::definition::Style;
use crate::transport::Endpoint;

/// What SigV4 leaves as it is: letters, digits, `-`, `.`, `_`, `~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// In a path the slash stays as well.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// A bucket of a target, and how it is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub endpoint: Endpoint,
    pub style: Style,
    pub name: String,
    /// In virtual-host style the name that the bucket's is put before; `None` for the endpoint's
    /// host.
    pub domain: Option<String>,
}

impl Bucket {
    /// `b` at `https://h`, for tests.
    #[cfg(test)]
    pub(crate) fn of_tests() -> Self {
        Self {
            endpoint: Endpoint::parse("https://h").unwrap(),
            style: Style::Path,
            name: "b".to_owned(),
            domain: None,
        }
    }

    /// Name for `Host` and TLS, and encoded path of the object called `object` (`""` for the
    /// bucket).
    #[must_use]
    pub fn place(&self, object: &str) -> (String, String) {
        let object = percent_encode(object.as_bytes(), ENCODED_IN_PATH);
        match self.style {
            Style::Path if object.to_string().is_empty() => {
                (self.endpoint.host.clone(), format!("/{}", self.name))
            }
            Style::Path => (
                self.endpoint.host.clone(),
                format!("/{}/{object}", self.name),
            ),
            Style::VirtualHost => {
                let domain = self.domain.as_deref().unwrap_or(&self.endpoint.host);
                (format!("{}.{domain}", self.name), format!("/{object}"))
            }
        }
    }
}

/// A request before it is signed. No `Debug`: its headers may carry a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: &'static str,
    /// The listener it is meant for.
    pub endpoint: Endpoint,
    /// Name for `Host` and TLS, without port.
    pub host: String,
    /// Percent-encoded once.
    pub path: String,
    /// Not encoded; sent in this order.
    pub query: Vec<(String, String)>,
    /// Without `Host`, `Content-Length` and whatever signing adds.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

impl Request {
    /// A request without query, headers and body.
    #[must_use]
    pub fn new(method: &'static str, bucket: &Bucket, object: &str) -> Self {
        let (host, path) = bucket.place(object);
        Self {
            method,
            endpoint: bucket.endpoint.clone(),
            host,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// The query as it is sent, without question mark.
    #[must_use]
    pub fn encoded_query(&self) -> String {
        encode_query(&self.query)
    }
}

/// An object's name as it stands in a path.
#[must_use]
pub fn encode_path(object: &str) -> String {
    percent_encode(object.as_bytes(), ENCODED_IN_PATH).to_string()
}

/// One part of a query, encoded as SigV4 wants it.
#[must_use]
pub fn encode(text: &str) -> String {
    percent_encode(text.as_bytes(), ENCODED).to_string()
}

pub(crate) fn encode_query(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}
