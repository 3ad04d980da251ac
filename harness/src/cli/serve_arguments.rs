//! The flags of `ssec serve`, and what they come to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::command::{self, Failure};

#[derive(Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// A second listener without TLS, where SSE-C is refused
    #[arg(long, value_name = "ADDR")]
    also_http: Option<SocketAddr>,
    /// Serve everything without TLS, customer keys too
    #[arg(long, conflicts_with_all = ["also_http", "tls_cert", "tls_key", "tls_name"])]
    plain_http: bool,
    /// Where to keep objects, credentials and the local authority [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Whose answers to give
    #[arg(long, default_value = "aws", value_parser = PossibleValuesParser::new(["aws", "ovh"]))]
    dialect: String,
    /// Certificate chain, PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "tls_name"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A further name or address for the certificate of the local authority
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// The access key id to accept; its secret comes from SSEC_SECRET_ACCESS_KEY
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Create this bucket at the start
    #[arg(long, value_name = "NAME")]
    bucket: Vec<String>,
    /// Append a line to this file for each request that was answered; it holds no header and no
    /// secret of a query
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// New buckets refuse SSE-C
    #[arg(long)]
    block_ssec: bool,
    /// Tell one lie on purpose
    #[arg(long, value_name = "NAME")]
    impostor: Option<String>,
    /// List the impostors, one a line: its name, blanks, its lie
    #[arg(long)]
    pub(super) list_impostors: bool,
    /// Look for damage in the data directory instead, without a customer key; changes nothing
    #[arg(long, requires = "data_dir")]
    scrub: bool,
    /// End when standard input does, so that no server outlives the program that started it
    #[arg(long)]
    end_with_stdin: bool,
    /// Let core files and other processes of the same user hold the server's memory
    #[arg(long)]
    dumpable: bool,
}

impl ServeArgs {
    /// The directory and the dialect of the store to scrub, if that is asked.
    pub(super) fn scrub(&self) -> Option<(&Path, &str)> {
        let directory = self.data_dir.as_deref()?;
        self.scrub.then_some((directory, self.dialect.as_str()))
    }

    pub(super) fn options(self) -> Result<command::serve::Options, Failure> {
        command::serve::options(command::serve::Asked {
            listen: self.listen,
            also_http: self.also_http,
            plain_http: self.plain_http,
            data_dir: self.data_dir,
            dialect: self.dialect,
            certificate: self.tls_cert.zip(self.tls_key),
            names: self.tls_name,
            access_key_id: self.access_key_id,
            buckets: self.bucket,
            access_log: self.access_log,
            block_ssec: self.block_ssec,
            impostor: self.impostor,
            end_with_stdin: self.end_with_stdin,
            dumpable: self.dumpable,
        })
    }
}
