//! TLS: a certificate authority of the data directory's own, or given files.
//!
//! The authority is made at the first start and kept, so that clients trust it once. The server's
//! own certificate is made anew at each start: it is always fresh and always has the right names.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::CertificateSource;
use crate::server::StartError;
use crate::{clock, private_file};

/// Below the data directory.
const DIRECTORY: &str = "tls";
/// The authority's certificate, for clients to trust.
const AUTHORITY_FILE: &str = "ca.pem";
/// The authority's private key.
const AUTHORITY_KEY_FILE: &str = "ca.key";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the server's certificate is valid. Apple's clients refuse more than 825 days.
const CERTIFICATE_LIFE: Duration = DAY.saturating_mul(397);
/// How long the authority is valid.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(20 * 365);
/// How far the clocks of clients may be behind.
const BACKDATED: Duration = DAY;

/// What every certificate of a local authority is good for, beside the domains of the buckets.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// TLS, ready to accept connections.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The local authority, if it is one.
    pub(crate) authority: Option<Authority>,
}

/// The certificate of a local authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) file: PathBuf,
}

/// Sets TLS up. `domains` are those with buckets below them.
pub(crate) fn set_up(
    source: &CertificateSource,
    domains: &[String],
    data_dir: &Path,
) -> Result<Tls, StartError> {
    match source {
        CertificateSource::Files { certificate, key } => {
            let chain = read_chain(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| StartError::Tls(format!("{}: {error}", key.display())))?;
            Ok(Tls {
                acceptor: acceptor(chain, key)?,
                authority: None,
            })
        }
        CertificateSource::LocalAuthority { names } => {
            let directory = data_dir.join(DIRECTORY);
            private_file::create_directory(&directory)?;
            let (authority, issuer) = open_authority(&directory)?;
            let (certificate, key) = issue(&issuer, &all_names(names, domains)?)?;
            let chain = vec![certificate];
            Ok(Tls {
                acceptor: acceptor(chain, key)?,
                authority: Some(authority),
            })
        }
    }
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, StartError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let failed = |reason: String| StartError::Tls(format!("{}: {reason}", path.display()));
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| failed(error.to_string()))?;
    if chain.is_empty() {
        return Err(failed("no certificate in it".to_owned()));
    }
    Ok(chain)
}

fn open_authority(directory: &Path) -> Result<(Authority, Issuer<'static, KeyPair>), StartError> {
    let fresh = KeyPair::generate().map_err(unusable)?;
    let key_file = directory.join(AUTHORITY_KEY_FILE);
    let key_pem = zeroize::Zeroizing::new(private_file::read_or_create(&key_file, || {
        fresh.serialize_pem()
    })?);
    let key = KeyPair::from_pem(&key_pem)
        .map_err(|error| StartError::Tls(format!("{}: {error}", key_file.display())))?;
    let file = directory.join(AUTHORITY_FILE);
    let made = authority_params()
        .self_signed(&key)
        .map_err(unusable)?
        .pem();
    let pem = private_file::read_or_create(&file, || made)?;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| StartError::Tls(format!("{}: {error}", file.display())))?;
    let public = key.public_key_raw();
    if !certificate
        .windows(public.len())
        .any(|window| window == public)
    {
        return Err(StartError::Tls(format!(
            "{} does not belong to {AUTHORITY_KEY_FILE} beside it: remove both, and they are made anew",
            file.display()
        )));
    }
    Ok((
        Authority { pem, file },
        Issuer::new(authority_params(), key),
    ))
}

fn authority_params() -> CertificateParams {
    let mut params = dated(AUTHORITY_LIFE);
    params
        .distinguished_name
        .push(DnType::CommonName, "ssec local certificate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn issue(
    issuer: &Issuer<'static, KeyPair>,
    names: &[SanType],
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), StartError> {
    let mut params = dated(CERTIFICATE_LIFE);
    params.distinguished_name.push(DnType::CommonName, "ssec");
    params.subject_alt_names = names.to_vec();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(unusable)?;
    let certificate = params.signed_by(&key, issuer).map_err(unusable)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(unusable)?;
    Ok((certificate.der().clone(), key))
}

/// Parameters valid from a little before now.
fn dated(life: Duration) -> CertificateParams {
    let day_of = |time: SystemTime| {
        let date = jiff::Timestamp::try_from(time)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let small = |number: i8| u8::try_from(number).expect("months and days are positive");
        rcgen::date_time_ymd(date.year().into(), small(date.month()), small(date.day()))
    };
    let now = clock::now();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = day_of(now - BACKDATED);
    params.not_after = day_of(now + life);
    params
}

fn all_names(given: &[String], domains: &[String]) -> Result<Vec<SanType>, StartError> {
    let mut names: Vec<String> = LOCAL_NAMES.map(str::to_owned).to_vec();
    for domain in domains {
        names.push(domain.clone());
        names.push(format!("*.{domain}"));
    }
    names.extend(given.iter().cloned());
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| match name.parse::<IpAddr>() {
            Ok(address) => Ok(SanType::IpAddress(address)),
            Err(_) => name
                .as_str()
                .try_into()
                .map(SanType::DnsName)
                .map_err(|error| StartError::Tls(format!("the name '{name}': {error}"))),
        })
        .collect()
}

fn unusable(error: impl std::fmt::Display) -> StartError {
    StartError::Tls(error.to_string())
}
