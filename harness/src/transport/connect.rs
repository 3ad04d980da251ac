//! From an endpoint to a stream: address, TCP, TLS, each with its own limit and its own error.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::limits::Limits;
use super::tls::TlsSettings;
use crate::error::{TargetError, Wait};

/// Addresses of one name that are tried, one after the other.
const MAX_ADDRESSES: usize = 8;

/// What bytes go over.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A stream to `endpoint` on which the target is called `host`.
pub(super) async fn connect(
    endpoint: &Endpoint,
    host: &str,
    tls: &TlsSettings,
    limits: &Limits,
) -> Result<Box<dyn Duplex>, TargetError> {
    let tcp = within(limits.connect, Wait::Connection, tcp(endpoint)).await?;
    // A request goes out in few writes; waiting to fill a packet only delays it.
    tcp.set_nodelay(true)
        .map_err(|error| unreachable(endpoint, &error))?;
    if !endpoint.tls {
        return Ok(Box::new(tcp));
    }
    let name =
        ServerName::try_from(host.to_owned()).map_err(|error| TargetError::TlsHandshake {
            host: host.to_owned(),
            why: error.to_string(),
        })?;
    let connector = TlsConnector::from(std::sync::Arc::clone(&tls.config));
    let handshake = async {
        connector
            .connect(name, tcp)
            .await
            .map_err(|error| refused(host, &error))
    };
    Ok(Box::new(
        within(limits.handshake, Wait::Handshake, handshake).await?,
    ))
}

async fn within<T>(
    limit: Duration,
    wait: Wait,
    work: impl Future<Output = Result<T, TargetError>>,
) -> Result<T, TargetError> {
    timeout(limit, work)
        .await
        .unwrap_or(Err(TargetError::TimedOut { wait, limit }))
}

async fn tcp(endpoint: &Endpoint) -> Result<TcpStream, TargetError> {
    let mut last = None;
    for address in addresses(endpoint).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => unreachable(endpoint, &error),
        None => TargetError::NoAddress {
            host: endpoint.host.clone(),
            why: "the name has no address".to_owned(),
        },
    })
}

async fn addresses(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, TargetError> {
    if let Some(address) = endpoint.address {
        return Ok(vec![address]);
    }
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found = found.map_err(|error| TargetError::NoAddress {
        host: endpoint.host.clone(),
        why: error.to_string(),
    })?;
    Ok(found.take(MAX_ADDRESSES).collect())
}

fn unreachable(endpoint: &Endpoint, error: &std::io::Error) -> TargetError {
    TargetError::Unreachable {
        to: endpoint.to_string(),
        why: error.to_string(),
    }
}

/// Tells a certificate that we do not trust from a handshake that failed otherwise.
fn refused(host: &str, error: &std::io::Error) -> TargetError {
    let host = host.to_owned();
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => TargetError::TlsUntrusted {
            host,
            why: why.to_string(),
        },
        Some(other) => TargetError::TlsHandshake {
            host,
            why: other.to_string(),
        },
        None => TargetError::TlsHandshake {
            host,
            why: error.to_string(),
        },
    }
}
