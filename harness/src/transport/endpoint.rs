//! Where the target listens, and what it is called.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::error::GivenError;

/// One listener of the target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub tls: bool,
    /// A DNS name, or an IP address without brackets.
    pub host: String,
    pub port: u16,
    /// Connect here instead of asking DNS for `host`.
    pub address: Option<SocketAddr>,
}

impl Endpoint {
    /// Reads `https://host`, `http://host:port`, `https://[::1]:8443`.
    ///
    /// # Errors
    /// When the URL has another scheme, no host, or a user, path, query or fragment.
    pub fn parse(text: &str) -> Result<Self, GivenError> {
        let refuse = |why: &str| GivenError::Endpoint {
            url: text.to_owned(),
            why: why.to_owned(),
        };
        let url = url::Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(refuse(&format!("its scheme is {other}, not https or http"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GivenError::Endpoint {
                url: "the given URL".to_owned(),
                why: "it holds a user name or password".to_owned(),
            });
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a path; the bucket is not part of it"));
        }
        let host = match url.host() {
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(address)) => address.to_string(),
            Some(url::Host::Ipv6(address)) => address.to_string(),
            None => return Err(refuse("it has no host")),
        };
        let port = url
            .port_or_known_default()
            .ok_or_else(|| refuse("it has no port"))?;
        Ok(Self {
            tls,
            host,
            port,
            address: None,
        })
    }

    /// What stands in the `Host` header for this endpoint under another name (such as
    /// `bucket.host`): the port follows unless it is the scheme's own.
    #[must_use]
    pub fn authority_of(&self, name: &str) -> String {
        let name = match name.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(_)) | Err(_) => name.to_owned(),
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => name,
            (_, port) => format!("{name}:{port}"),
        }
    }

    /// `Host` for requests to the endpoint itself.
    #[must_use]
    pub fn authority(&self) -> String {
        self.authority_of(&self.host)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, tls: bool, host: &str, port: u16, authority: &str) {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(
            (endpoint.tls, endpoint.host.as_str(), endpoint.port),
            (tls, host, port)
        );
        assert_eq!(endpoint.authority(), authority);
    }

    #[test]
    fn endpoints_are_read() {
        check(
            "https://s3.gra.io.cloud.ovh.net",
            true,
            "s3.gra.io.cloud.ovh.net",
            443,
            "s3.gra.io.cloud.ovh.net",
        );
        check(
            "http://localhost:9000/",
            false,
            "localhost",
            9000,
            "localhost:9000",
        );
        check(
            "https://127.0.0.1:8443",
            true,
            "127.0.0.1",
            8443,
            "127.0.0.1:8443",
        );
        check("https://[::1]:8443", true, "::1", 8443, "[::1]:8443");
        check("http://a.b:80", false, "a.b", 80, "a.b");
        let endpoint = Endpoint::parse("https://s3.localhost:8443").unwrap();
        assert_eq!(
            endpoint.authority_of("b.s3.localhost"),
            "b.s3.localhost:8443"
        );
        assert_eq!(endpoint.to_string(), "https://s3.localhost:8443");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for wrong in [
            "",
            "s3.host",
            "ftp://host",
            "https://",
            "https://h/bucket",
            "https://h?a=b",
            "s3://b",
        ] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
        let error = Endpoint::parse("https://user:hunter2@host").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
