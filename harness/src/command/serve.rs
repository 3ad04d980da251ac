//! `ssec serve`: the reference server for other clients, until a signal ends it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use reference_server::config::{CertificateSource, Config, CredentialSource, Listeners};
use reference_server::impostor::ALL;
use reference_server::ssec::dialect::Dialect;
use reference_server::{Running, Server};

use super::{Failure, World, descriptors, memory, signals};
use crate::conformance::session::shell_quoted;
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::s3::Style;
use crate::target::bundled::{self, Wish};

/// The variable that holds the secret of `--access-key-id`; never AWS's own, which may be real.
pub const SECRET_VARIABLE: &str = "SSEC_SECRET_ACCESS_KEY";

/// What the command line says.
pub struct Asked {
    pub listen: SocketAddr,
    pub also_http: Option<SocketAddr>,
    pub plain_http: bool,
    pub data_dir: Option<PathBuf>,
    pub dialect: String,
    /// PEM files of a certificate and its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Further names for the local authority's certificate.
    pub names: Vec<String>,
    pub access_key_id: Option<String>,
    pub buckets: Vec<String>,
    pub access_log: Option<PathBuf>,
    pub block_ssec: bool,
    pub impostor: Option<String>,
    pub end_with_stdin: bool,
    /// Whether core files and debuggers of the same user may hold the process's memory.
    pub dumpable: bool,
}

/// What is asked of `ssec serve`, read.
pub struct Options {
    listen: SocketAddr,
    listeners: Listeners,
    data_dir: Option<PathBuf>,
    dialect: Dialect,
    access_key_id: Option<String>,
    buckets: Vec<String>,
    access_log: Option<PathBuf>,
    block_ssec: bool,
    impostor: Option<String>,
    end_with_stdin: bool,
    dumpable: bool,
}

/// Reads what was asked.
///
/// # Errors
/// For a dialect or an impostor that the server does not know.
pub fn options(asked: Asked) -> Result<Options, Failure> {
    let wish = Wish {
        dialect: asked.dialect,
        style: Style::Path,
        impostor: asked.impostor,
    };
    let dialect = bundled::dialect(&wish.dialect)?;
    bundled::check(&wish)?;
    let listeners = if asked.plain_http {
        Listeners::PlainHttp
    } else {
        Listeners::Tls {
            certificate: match asked.certificate {
                Some((certificate, key)) => CertificateSource::Files { certificate, key },
                None => CertificateSource::LocalAuthority { names: asked.names },
            },
            also_http: asked.also_http,
        }
    };
    Ok(Options {
        listen: asked.listen,
        listeners,
        data_dir: asked.data_dir,
        dialect,
        access_key_id: asked.access_key_id,
        buckets: asked.buckets,
        access_log: asked.access_log,
        block_ssec: asked.block_ssec,
        impostor: wish.impostor,
        end_with_stdin: asked.end_with_stdin,
        dumpable: asked.dumpable,
    })
}

/// Writes each impostor on a line: its name, blanks, its lie.
///
/// # Errors
/// When `out` cannot be written.
pub fn list_impostors(out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let widest = ALL.iter().map(|i| i.name.len()).max().unwrap_or(0);
    for impostor in ALL {
        writeln!(out, "{:widest$}  {}", impostor.name, impostor.lie)?;
    }
    Ok(ExitCode::AsExpected)
}

/// Serves until SIGINT or SIGTERM, or until standard input ends where that is asked, then lets running requests end. One line on `out` says that
/// it is ready.
///
/// # Errors
/// When the server cannot start.
pub fn serve(
    options: Options,
    world: &World,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    descriptors::raise();
    // Where there are none, nothing is lost.
    let _ = memory::refuse_huge_pages();
    if !options.dumpable {
        memory::forbid_dumps().map_err(|error| {
            Failure::bad_input(format!("cannot keep memory out of core files: {error}"))
                .hint("start with --dumpable if that is allowed to happen")
        })?;
    }
    let temporary = match options.data_dir {
        Some(_) => None,
        None => {
            let made = tempfile::Builder::new().prefix("ssec-").tempdir();
            Some(made.map_err(|error| {
                Failure::new(
                    Problem::Machine,
                    format!("cannot make a temporary directory: {error}"),
                )
                .hint("name a directory with --data-dir")
            })?)
        }
    };
    let data_dir = match (&options.data_dir, &temporary) {
        (Some(given), _) => world.directory.join(given),
        (None, Some(temporary)) => temporary.path().join("data"),
        (None, None) => return Err(Failure::bad_input("there is no data directory")),
    };
    let mut config = Config::new(data_dir);
    config.listen = options.listen;
    config.listeners = options.listeners;
    config.dialect = options.dialect;
    config.credentials = credentials(options.access_key_id, world)?;
    config.buckets = options.buckets;
    let log = options.access_log.as_ref();
    config.access_log = log.map(|path| world.directory.join(path));
    config.block_ssec = options.block_ssec;
    config.impostor = options.impostor;
    super::runtime()?.block_on(async {
        // Before the server is ready, so that no signal after that line is missed.
        let asked_to_end = signals::asked_to_end();
        let left_alone = signals::left_alone(options.end_with_stdin);
        let running = Server::start(config).await.map_err(|error| Failure {
            code: ExitCode::BadInput,
            ..Failure::new(Problem::Server, error.to_string())
        })?;
        writeln!(out, "{}", exports(&running))?;
        out.flush()?;
        tokio::select! {
            () = asked_to_end => {}
            () = left_alone => {}
        }
        writeln!(notes, "ending: running requests may finish")?;
        running.shutdown().await;
        Ok::<(), Failure>(())
    })?;
    if let Some(temporary) = temporary {
        temporary.close()?;
    }
    Ok(ExitCode::AsExpected)
}

fn credentials(access_key_id: Option<String>, world: &World) -> Result<CredentialSource, Failure> {
    let Some(access_key_id) = access_key_id else {
        return Ok(CredentialSource::Kept);
    };
    let secret = world.environment.get(SECRET_VARIABLE).ok_or_else(|| {
        Failure::bad_input(format!(
            "--access-key-id needs its secret in {SECRET_VARIABLE}"
        ))
        .hint("leave both out for a random pair that is kept in the data directory")
    })?;
    Ok(CredentialSource::Given {
        access_key_id,
        secret_access_key: secret.to_owned(),
    })
}

/// The line that makes a shell's AWS clients use this server.
fn exports(running: &Running) -> String {
    let endpoint = running.endpoint();
    let mut variables = vec![
        ("S3_ENDPOINT", endpoint.clone()),
        ("AWS_ENDPOINT_URL_S3", endpoint),
        ("AWS_ACCESS_KEY_ID", running.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", running.secret_access_key.clone()),
        ("AWS_REGION", running.region.clone()),
        ("AWS_DEFAULT_REGION", running.region.clone()),
    ];
    if let Some(ca) = &running.ca_file {
        variables.push(("AWS_CA_BUNDLE", ca.display().to_string()));
    }
    let words: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name}={}", shell_quoted(value)))
        .collect();
    format!("export {}", words.join(" "))
}
