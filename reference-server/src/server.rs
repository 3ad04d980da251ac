//! Starting and stopping a server inside a process.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use http::Response;

use crate::config::Config;
use crate::request::S3Request;
use crate::response::ResponseBody;

/// What stands behind the front: it answers requests whose signature has been verified.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Errors are answers too: [`S3Error::into_response`].
    fn handle(&self, request: S3Request) -> HandlerFuture<'_>;
}

/// The answer of a [`Handler`], in the making.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send + 'a>>;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file of the data directory could not be read, made or understood.
    #[error("failed to prepare {path}: {reason}", path = path.display())]
    DataDir {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate or its key cannot be used.
    #[error("failed to set up TLS: {0}")]
    Tls(String),
    /// The configuration asks for something that does not exist.
    #[error("{0}")]
    Config(String),
}

/// Starts servers.
pub struct Server;

impl Server {
    /// Starts a server with the operations of this crate and returns once it is listening.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let operations = crate::service::open(&config).await?;
        Self::start_with(config, Arc::new(operations)).await
    }

    /// Starts a server with another handler behind the same front, as tests do.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_with(
        _config: Config,
        _handler: Arc<dyn Handler>,
    ) -> Result<Running, StartError> {
        Err(StartError::Config(
            "the listener is not there yet".to_owned(),
        ))
    }
}

/// A server that is listening. Dropping it ends it without waiting for running requests.
pub struct Running {
    /// The address of the main listener.
    pub address: SocketAddr,
    /// The address of the plain listener beside a TLS one.
    pub http_address: Option<SocketAddr>,
    /// The certificate of the local authority, PEM; none with a given certificate or without TLS.
    pub ca_pem: Option<String>,
    /// The file that holds [`Running::ca_pem`].
    pub ca_file: Option<PathBuf>,
    /// The access key id that may ask.
    pub access_key_id: String,
    /// Its secret access key.
    pub secret_access_key: String,
    /// The region that signatures must name.
    pub region: String,
    /// Where the server keeps its data.
    pub data_dir: PathBuf,
}

impl Running {
    /// The main listener's URL, by the name `localhost` over TLS and by address without.
    pub fn endpoint(&self) -> String {
        match self.ca_pem {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Stops listening, closes idle connections at once, gives running requests
    /// [`crate::connection::DRAIN_TIMEOUT`], and returns when all connections are closed.
    pub async fn shutdown(self) {}
}
