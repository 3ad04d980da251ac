//! Starting and stopping a server inside a process.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderMap, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::auth::Authenticator;
use crate::auth::credentials::Credentials;
use crate::config::{Config, Listeners};
use crate::connection::limits::Limits;
use crate::connection::{AccessLog, Front, Listener};
use crate::request::cross_origin::CrossOrigin;
use crate::request::{S3Request, Transport};
use crate::response::ResponseBody;
use crate::{private_file, service, tls};

/// What stands behind the front: it answers requests whose signature has been verified, and
/// preflights (`OPTIONS` on a bucket or an object), which have none.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Errors are answers too: [`crate::s3_error::S3Error::into_response`].
    fn handle(&self, request: S3Request) -> HandlerFuture<'_>;

    /// The headers that let a page of another origin see an answer about `bucket`, refusals by the
    /// front too. None, unless something says which pages may.
    fn cross_origin<'a>(
        &'a self,
        _bucket: &'a str,
        _asked: &'a CrossOrigin,
    ) -> Pin<Box<dyn Future<Output = HeaderMap> + Send + 'a>> {
        Box::pin(std::future::ready(HeaderMap::new()))
    }
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
        let operations = service::open(&config).await?;
        Self::start_with(config, Arc::new(operations)).await
    }

    /// Starts a server with another handler behind the same front, as tests do.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_with(
        config: Config,
        handler: Arc<dyn Handler>,
    ) -> Result<Running, StartError> {
        private_file::create_directory(&config.data_dir)?;
        let credentials = Credentials::obtain(&config.credentials, &config.data_dir)?;
        let domains: Vec<String> = config
            .virtual_host_domains
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        let tls = match &config.listeners {
            Listeners::PlainHttp => None,
            Listeners::Tls { certificate, .. } => {
                Some(tls::set_up(certificate, &domains, &config.data_dir)?)
            }
        };
        let log = config.access_log.as_deref();
        let access_log = log.map(AccessLog::open).transpose()?;
        let sockets = Sockets::bind(&config).await?;
        let front = Arc::new(Front {
            authenticator: Authenticator::new(&credentials, &config.region),
            handler,
            virtual_host_domains: domains,
            access_log,
        });
        let (address, http_address) = (sockets.address, sockets.http_address);
        let (shutdown, asked) = watch::channel(false);
        let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
        let listeners = sockets.listen(acceptor, &front, config.limits, &asked);
        let is_tls = tls.is_some();
        let authority = tls.and_then(|tls| tls.authority);
        let (ca_pem, ca_file) = authority.map(|found| (found.pem, found.file)).unzip();
        Ok(Running {
            address,
            http_address,
            is_tls,
            ca_pem,
            ca_file,
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key.as_str().to_owned(),
            region: config.region,
            data_dir: config.data_dir,
            shutdown,
            listeners,
        })
    }
}

/// The bound sockets of a server that does not serve yet.
struct Sockets {
    main: TcpListener,
    address: SocketAddr,
    http: Option<TcpListener>,
    http_address: Option<SocketAddr>,
}

impl Sockets {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let (main, address) = bind(config.listen).await?;
        let (http, http_address) = match &config.listeners {
            Listeners::Tls {
                also_http: Some(address),
                ..
            } => Some(bind(*address).await?).unzip(),
            Listeners::Tls {
                also_http: None, ..
            }
            | Listeners::PlainHttp => (None, None),
        };
        Ok(Self {
            main,
            address,
            http,
            http_address,
        })
    }

    /// Starts to serve. Without `acceptor` the main socket speaks plain HTTP, for everything.
    fn listen(
        self,
        acceptor: Option<TlsAcceptor>,
        front: &Arc<Front>,
        limits: Limits,
        asked: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let mut listeners = JoinSet::new();
        let mut add = |socket, tls, transport| {
            let listener = Listener {
                socket,
                tls,
                transport,
                front: Arc::clone(front),
                limits,
            };
            listeners.spawn(listener.run(asked.clone()));
        };
        let transport = if acceptor.is_some() {
            Transport::Tls
        } else {
            Transport::PlainAllowed
        };
        add(self.main, acceptor, transport);
        if let Some(socket) = self.http {
            add(socket, None, Transport::Plain);
        }
        listeners
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    Ok((socket, bound))
}

/// A server that is listening. Dropping it ends it without waiting for running requests.
pub struct Running {
    /// The address of the main listener.
    pub address: SocketAddr,
    /// The address of the plain listener beside a TLS one.
    pub http_address: Option<SocketAddr>,
    /// Whether the main listener speaks TLS.
    pub is_tls: bool,
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
    shutdown: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Running {
    /// The main listener's URL, by the name `localhost` over TLS and by address without.
    pub fn endpoint(&self) -> String {
        if self.is_tls {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// Stops listening, closes idle connections at once, gives running requests
    /// [`crate::connection::limits::DRAIN_TIMEOUT`], and returns when all connections are closed.
    pub async fn shutdown(mut self) {
        // It fails only when no listener is left to hear it.
        let _ = self.shutdown.send(true);
        while self.listeners.join_next().await.is_some() {}
    }
}
