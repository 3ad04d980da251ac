//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::connection::limits::Limits;
use crate::ssec::dialect::Dialect;

/// The region that a server claims unless it is told another one.
pub const DEFAULT_REGION: &str = "us-east-1";

/// The domain below which bucket names are taken from the host name.
pub const DEFAULT_VIRTUAL_HOST_DOMAIN: &str = "s3.localhost";

/// Everything that a server needs to know at its start.
#[derive(Clone)]
pub struct Config {
    /// Where objects, metadata, credentials and the local certificate authority are kept.
    pub data_dir: PathBuf,
    /// The address of the main listener; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What is spoken where.
    pub listeners: Listeners,
    /// Which service's answers are given.
    pub dialect: Dialect,
    /// The region in every credential scope.
    pub region: String,
    /// Who may ask.
    pub credentials: CredentialSource,
    /// Domains with buckets below them: `bucket.domain`. In lower case, without a port.
    pub virtual_host_domains: Vec<String>,
    /// Buckets to create at the start.
    pub buckets: Vec<String>,
    /// Whether new buckets block SSE-C.
    pub block_ssec: bool,
    /// The name of the lie to tell, if the server is to be an impostor.
    pub impostor: Option<String>,
    /// A file to which a line is appended for each request that was answered.
    pub access_log: Option<PathBuf>,
    /// What a connection may take: time, and company.
    pub limits: Limits,
}

/// What is spoken on which listener.
#[derive(Debug, Clone)]
pub enum Listeners {
    /// TLS on the main listener; on the second one, if any, plain HTTP that refuses customer keys.
    Tls {
        /// Where the certificate comes from.
        certificate: CertificateSource,
        /// The address of the plain listener.
        also_http: Option<SocketAddr>,
    },
    /// Plain HTTP that serves everything, customer keys too: for benchmarks.
    PlainHttp,
}

/// Where the server's certificate comes from.
#[derive(Debug, Clone)]
pub enum CertificateSource {
    /// A certificate authority of the data directory's own, made at the first start.
    LocalAuthority {
        /// DNS names or IP addresses that the certificate holds beside those of the local machine.
        names: Vec<String>,
    },
    /// PEM files.
    Files {
        /// The certificate chain, the server's own first.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// Who may ask.
#[derive(Clone)]
pub enum CredentialSource {
    /// A random pair, made at a data directory's first start and kept in it.
    Kept,
    /// A given pair.
    Given {
        /// The access key id.
        access_key_id: String,
        /// The secret access key.
        secret_access_key: String,
    },
}

impl Config {
    /// A server on a free port of the loopback address, over TLS with a local authority, that
    /// speaks `aws` and keeps its own credentials.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listeners: Listeners::Tls {
                certificate: CertificateSource::LocalAuthority { names: Vec::new() },
                also_http: None,
            },
            dialect: Dialect::Aws,
            region: DEFAULT_REGION.to_owned(),
            credentials: CredentialSource::Kept,
            virtual_host_domains: vec![DEFAULT_VIRTUAL_HOST_DOMAIN.to_owned()],
            buckets: Vec::new(),
            block_ssec: false,
            impostor: None,
            access_log: None,
            limits: Limits::STANDARD,
        }
    }
}
