//! The reference server as a target: in this process, over TLS, on a free port, in a directory of
//! its own that goes away with it.

use std::net::{Ipv4Addr, SocketAddr};

use reference_server::config::{CertificateSource, Config, Listeners};
use reference_server::impostor::Impostor;
use reference_server::ssec::dialect::Dialect;
use reference_server::{Running, Server};
use tempfile::TempDir;

use super::{Origin, Target, server_log};
use crate::credentials::Credentials;
use crate::s3::Style;
use crate::transport::{Endpoint, TlsSettings};

/// Targets of `tracing` under which the server speaks.
pub(super) const SPEAKERS: [&str; 2] = ["reference_server", "ssec::access"];

/// What the bundled target is asked to be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `aws` or `ovh`.
    pub dialect: String,
    pub style: Style,
    /// The lie to tell.
    pub impostor: Option<String>,
}

/// A running bundled target. Dropped without [`Bundled::stop`], it ends at once.
pub struct Bundled {
    running: Running,
    data_dir: TempDir,
}

/// Why the bundled target is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    #[error("the bundled server speaks the dialects aws and ovh, not {dialect}")]
    Dialect { dialect: String },
    #[error("there is no impostor called {name}")]
    Impostor { name: String },
    #[error("the bundled server did not start: {0}")]
    Failed(String),
}

impl NotStarted {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Dialect { .. } => Some("other dialects need a target: name it with --endpoint"),
            Self::Impostor { .. } => Some("`ssec serve --list-impostors` lists them"),
            Self::Failed(_) => None,
        }
    }
}

/// Whether the bundled server can be what `wish` says.
///
/// # Errors
/// For a dialect or an impostor that it does not know.
pub fn check(wish: &Wish) -> Result<(), NotStarted> {
    dialect(&wish.dialect)?;
    match &wish.impostor {
        Some(name) if Impostor::by_name(name).is_none() => {
            Err(NotStarted::Impostor { name: name.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// The server's dialect of that name.
///
/// # Errors
/// For a name that it does not speak.
pub fn dialect(name: &str) -> Result<Dialect, NotStarted> {
    match name {
        "aws" => Ok(Dialect::Aws),
        "ovh" => Ok(Dialect::Ovh),
        other => Err(NotStarted::Dialect {
            dialect: other.to_owned(),
        }),
    }
}

impl Bundled {
    /// Starts the server and describes it as a target.
    ///
    /// # Errors
    /// When the wish cannot be met, or the machine gives no directory or port.
    pub async fn start(wish: &Wish) -> Result<(Self, Target), NotStarted> {
        check(wish)?;
        let failed = |error: &dyn std::fmt::Display| NotStarted::Failed(error.to_string());
        let data_dir = tempfile::Builder::new()
            .prefix("ssec-")
            .tempdir()
            .map_err(|error| failed(&error))?;
        let mut config = Config::new(data_dir.path().join("data"));
        config.dialect = dialect(&wish.dialect)?;
        config.impostor.clone_from(&wish.impostor);
        config.listeners = Listeners::Tls {
            certificate: CertificateSource::LocalAuthority { names: Vec::new() },
            also_http: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        };
        let vhost_domain = config.virtual_host_domains.first().cloned();
        let running = Server::start(config)
            .await
            .map_err(|error| failed(&error))?;
        let pem = running
            .ca_pem
            .as_deref()
            .ok_or_else(|| NotStarted::Failed("it has no certificate".to_owned()))?;
        let tls = TlsSettings::pem(pem.as_bytes(), "bundled").map_err(|error| failed(&error))?;
        let listener = |address: SocketAddr, tls| Endpoint {
            tls,
            host: "localhost".to_owned(),
            port: address.port(),
            address: Some(address),
        };
        let target = Target {
            label: "bundled".to_owned(),
            endpoint: listener(running.address, true),
            http: running.http_address.map(|address| listener(address, false)),
            tls,
            credentials: Credentials::new(&running.access_key_id, &running.secret_access_key, None),
            region: running.region.clone(),
            dialect: wish.dialect.clone(),
            style: wish.style,
            vhost_domain,
            bucket: None,
            origin: Origin::Bundled {
                impostor: wish.impostor.clone(),
            },
            data_dir: Some(data_dir.path().join("data")),
            log: server_log::kept(),
            declaration: None,
        };
        Ok((Self { running, data_dir }, target))
    }

    /// Ends the server and removes its directory.
    pub async fn stop(self) {
        self.running.shutdown().await;
        if let Err(error) = self.data_dir.close() {
            tracing::warn!("the bundled server's directory could not be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(dialect: &str, impostor: Option<&str>) -> Wish {
        Wish {
            dialect: dialect.to_owned(),
            style: Style::Path,
            impostor: impostor.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_the_server_can_be_is_taken() {
        assert_eq!(check(&wish("aws", None)), Ok(()));
        assert_eq!(check(&wish("ovh", Some("head-any-key"))), Ok(()));
        let ceph = check(&wish("ceph", None)).unwrap_err();
        assert!(ceph.to_string().contains("aws and ovh"), "{ceph}");
        let nobody = check(&wish("aws", Some("nobody"))).unwrap_err();
        assert!(nobody.to_string().contains("nobody"), "{nobody}");
    }
}
