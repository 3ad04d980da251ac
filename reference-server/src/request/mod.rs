//! One request as operations see it: who asks, for what, with which headers, over which transport.
//!
//! It knows how S3 addresses buckets and objects, in the path and in the host name. It does not
//! know what any operation means.

pub mod cross_origin;
pub mod form;
pub(crate) mod target;

use http::{HeaderMap, Method};

use form::Form;

use crate::auth::Authenticated;
use crate::body::IncomingBody;

/// A request whose signature has been verified.
pub struct S3Request {
    /// The method as sent.
    pub method: Method,
    /// What the request is about.
    pub resource: Resource,
    /// The query, decoded, in the order sent, without the parameters of a presigned signature.
    pub query: Query,
    /// All headers; a header sent twice has two values. Customer-key headers are marked sensitive.
    pub headers: HeaderMap,
    /// How the request arrived.
    pub transport: Transport,
    /// Who asks, and which headers the signature covers.
    pub authenticated: Authenticated,
    /// The body, not read yet.
    pub body: IncomingBody,
    /// What answers and logs say about the request.
    pub facts: RequestFacts,
    /// What the form asks for, if the request came as one. Its fields are the headers.
    pub form: Option<Form>,
}

/// The part of a request that an error answer or a log line may repeat.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// The method as sent.
    pub method: Method,
    /// The decoded path, without the query. In virtual-host style it starts with the bucket too.
    pub path: String,
    /// The random id of the request.
    pub request_id: RequestId,
}

/// What a request is about. Names are as the client wrote them, decoded once, never normalised:
/// `.` and `..` are names like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The service itself (`GET /`).
    Service,
    /// A bucket.
    Bucket(String),
    /// An object in a bucket.
    Object {
        /// The bucket's name, not checked against the rules for bucket names.
        bucket: String,
        /// The object name, 1 to 1024 bytes of UTF-8.
        name: String,
    },
}

impl Resource {
    /// The bucket's name, if there is one.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service => None,
            Self::Bucket(bucket) | Self::Object { bucket, .. } => Some(bucket),
        }
    }

    /// The object name, if there is one.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Service | Self::Bucket(_) => None,
            Self::Object { name, .. } => Some(name),
        }
    }
}

/// How a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS.
    Tls,
    /// In clear, on the listener beside the TLS one: customer keys must be refused.
    Plain,
    /// In clear, on a server that was told to serve everything so.
    PlainAllowed,
}

impl Transport {
    /// Whether the policy may accept a customer key that came this way.
    pub fn may_carry_customer_keys(self) -> bool {
        match self {
            Self::Tls | Self::PlainAllowed => true,
            Self::Plain => false,
        }
    }
}

/// Query parameters, decoded, in the order sent. `?uploads` and `?uploads=` are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Takes decoded pairs in order.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self { pairs }
    }

    /// The first value of a parameter; empty if it was given without one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the parameter was given, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Marks the values of all customer-key headers, and of `Authorization`, as sensitive, so that
/// printing the headers by accident shows none of them.
pub(crate) fn mark_sensitive(headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        let name = name.as_str();
        let of_ssec =
            name.starts_with("x-amz-") && name.contains("server-side-encryption-customer");
        if of_ssec || name == "authorization" {
            value.set_sensitive(true);
        }
    }
}

/// The random id of one request: `x-amz-request-id`, and the longer `x-amz-id-2` made with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    id: String,
    host_id: String,
}

impl RequestId {
    /// An id from 8 and a host id from 16 random bytes, as hexadecimal digits.
    pub fn from_bytes(bytes: &[u8; 24]) -> Self {
        let (id, host_id) = bytes.split_at(8);
        Self {
            id: hex::encode_upper(id),
            host_id: hex::encode(host_id),
        }
    }

    /// The value of `x-amz-request-id`.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// The value of `x-amz-id-2`.
    pub fn host_id(&self) -> &str {
        &self.host_id
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn no_value_of_a_customer_key_header_is_printed() {
        let mut headers = HeaderMap::new();
        for name in [
            "x-amz-server-side-encryption-customer-algorithm",
            "x-amz-server-side-encryption-customer-key",
            "x-amz-server-side-encryption-customer-key-MD5",
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "x-amz-copy-source-server-side-encryption-customer-key",
            "x-amz-copy-source-server-side-encryption-customer-key-md5",
            "authorization",
        ] {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name.clone(), HeaderValue::from_static("secret-one"));
            headers.append(name, HeaderValue::from_static("secret-two"));
        }
        headers.insert("range", HeaderValue::from_static("bytes=0-1"));
        mark_sensitive(&mut headers);
        let printed = format!("{headers:?}");
        assert!(!printed.contains("secret"), "{printed}");
        assert!(printed.contains("bytes=0-1"), "{printed}");
    }

    #[test]
    fn a_parameter_without_a_value_is_an_empty_one() {
        let pairs = vec![
            ("uploads".to_owned(), String::new()),
            ("a".to_owned(), "1".to_owned()),
        ];
        let query = Query::from_pairs(pairs);
        assert_eq!(query.get("uploads"), Some(""));
        assert_eq!(query.get("a"), Some("1"));
        assert!(query.has("uploads") && !query.has("upload"));
    }

    #[test]
    fn an_id_is_hexadecimal() {
        let id = RequestId::from_bytes(&[0xab; 24]);
        assert_eq!(id.as_str(), "ABABABABABABABAB");
        assert_eq!(id.host_id(), "abababababababababababababababab");
    }
}
