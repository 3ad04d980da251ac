//! A target from what the user says about it.

use std::path::PathBuf;
use std::sync::Arc;

use super::declaration::Declaration;
use super::known::Known;
use super::server_log::ServerLog;
use super::{Origin, Target};
use crate::credentials::Credentials;
use crate::environment::Environment;
use crate::error::GivenError;
use crate::s3::Style;
use crate::transport::{Endpoint, TlsSettings};

/// What the command line says about a target that is reached over the network, and the profile
/// file that it names.
#[derive(Debug, Clone)]
pub struct Profile {
    /// `https://host[:port]`, or `http://…`.
    pub endpoint: String,
    /// A second listener, without TLS.
    pub http_endpoint: Option<String>,
    pub region: String,
    pub dialect: String,
    pub style: Style,
    pub vhost_domain: Option<String>,
    /// PEM file of the authority to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure: bool,
    pub bucket: Option<String>,
    /// Where the target keeps its data.
    pub data_dir: Option<PathBuf>,
    /// The file that the target logs to.
    pub server_log: Option<PathBuf>,
    /// The profile file, for what flags cannot say; what they can is taken from it already.
    pub declaration: Option<Arc<Declaration>>,
}

impl Profile {
    /// What is known of the target before it is asked; needs no credentials.
    #[must_use]
    pub fn known(&self) -> Known {
        let is_plain = Endpoint::parse(&self.endpoint).is_ok_and(|endpoint| !endpoint.tls);
        let at_hand = [
            self.data_dir.is_some(),
            self.server_log.is_some(),
            is_plain || self.http_endpoint.is_some(),
        ];
        Known::new(at_hand, self.bucket.as_deref(), self.declaration.as_deref())
    }

    /// Finds credentials and certificate and puts the target together; connects to nothing.
    ///
    /// # Errors
    /// When an URL or a file cannot be used, or there are no credentials.
    pub fn target(&self, environment: &Environment) -> Result<Target, GivenError> {
        let endpoint = Endpoint::parse(&self.endpoint)?;
        let http = self
            .http_endpoint
            .as_deref()
            .map(Endpoint::parse)
            .transpose()?;
        if let Some(tls) = http.as_ref().filter(|http| http.tls) {
            return Err(GivenError::Endpoint {
                url: tls.to_string(),
                why: "--http-endpoint is the listener without TLS and begins with http://".into(),
            });
        }
        let tls = match &self.ca {
            Some(file) => TlsSettings::ca_file(file)?,
            None if self.insecure => TlsSettings::insecure(),
            None => TlsSettings::native(),
        };
        let declared = self.declaration.as_deref();
        let shared = declared.and_then(|declared| declared.aws_profile.as_deref());
        Ok(Target {
            label: endpoint.to_string(),
            endpoint,
            http,
            tls,
            credentials: Credentials::find_of(environment, shared)?,
            region: self.region.clone(),
            dialect: self.dialect.clone(),
            style: self.style,
            vhost_domain: self.vhost_domain.clone(),
            bucket: self.bucket.clone(),
            origin: Origin::Endpoint {
                ca: self.ca.as_ref().map(|path| path.display().to_string()),
                insecure: self.insecure,
            },
            data_dir: self.data_dir.clone(),
            log: self.server_log.clone().map(ServerLog::File),
            declaration: self.declaration.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(endpoint: &str, http_endpoint: Option<&str>) -> Profile {
        Profile {
            endpoint: endpoint.to_owned(),
            http_endpoint: http_endpoint.map(str::to_owned),
            region: "gra".to_owned(),
            dialect: "ovh".to_owned(),
            style: Style::Path,
            vhost_domain: None,
            ca: None,
            insecure: true,
            bucket: None,
            data_dir: None,
            server_log: None,
            declaration: None,
        }
    }

    #[track_caller]
    fn check_refused(profile: &Profile, environment: &Environment, says: &str) {
        let Err(error) = profile.target(environment) else {
            panic!("not refused");
        };
        assert!(error.to_string().contains(says), "{error}");
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let none = Environment::default();
        check_refused(&profile("s3.host", None), &none, "s3.host");
        let tls = profile("https://s3.host", Some("https://s3.host"));
        check_refused(&tls, &none, "--http-endpoint");
        check_refused(&profile("https://s3.host", None), &none, "credentials");
        let mut missing = profile("https://s3.host", None);
        missing.ca = Some("no/such/file.pem".into());
        check_refused(&missing, &none, "no/such/file.pem");
    }
}
