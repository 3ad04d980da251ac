//! Whom to trust: the system's roots, a CA file, or anybody.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::GivenError;

/// How the target's certificate is judged. Cheap to clone.
#[derive(Clone)]
pub struct TlsSettings {
    pub(crate) config: Arc<ClientConfig>,
}

impl TlsSettings {
    /// Trust the system's authorities.
    #[must_use]
    pub fn native() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with_roots(roots)
    }

    /// Trust the authorities in this PEM text, and no others. `path` is for messages only.
    ///
    /// # Errors
    /// When the text holds no certificate, or one that cannot be an authority.
    pub fn pem(pem: &[u8], path: &str) -> Result<Self, GivenError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let unreadable = |why: String| GivenError::File {
                path: path.to_owned(),
                why,
            };
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| unreadable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(GivenError::NoCertificate {
                path: path.to_owned(),
            });
        }
        Ok(Self::with_roots(roots))
    }

    /// As [`pem`](Self::pem), from a file (`--ca FILE`).
    ///
    /// # Errors
    /// When the file cannot be read, or as [`pem`](Self::pem).
    pub fn ca_file(path: &Path) -> Result<Self, GivenError> {
        let name = path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| GivenError::File {
            path: name.clone(),
            why: error.to_string(),
        })?;
        Self::pem(&pem, &name)
    }

    /// Trust any certificate (`--insecure`): whoever answers is taken for the target.
    #[must_use]
    pub fn insecure() -> Self {
        let provider = provider();
        let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
        let config = builder(provider)
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Self {
            config: Arc::new(config),
        }
    }

    fn with_roots(roots: RootCertStore) -> Self {
        let config = builder(provider())
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            config: Arc::new(config),
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs provides every default version of TLS")
}

/// Accepts every chain and every name; signatures of the handshake are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
