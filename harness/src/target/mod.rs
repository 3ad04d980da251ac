//! The S3 endpoint under test: where it is, how it is spoken to, with whose credentials.
//!
//! It comes from the command line ([`profile`]) and a file ([`declaration`]), or is started in this
//! process ([`bundled`]). Where its files and its log can be seen is part of it; what is [`known`] of
//! it before anything is sent is one answer for a run and for its plan.

pub mod bundled;
pub mod declaration;
pub mod known;
pub mod profile;
pub mod server_log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reports::journal::{FORMAT, Place};

use self::declaration::Declaration;
use self::known::Known;
use self::server_log::ServerLog;
use crate::credentials::Credentials;
use crate::random::Seed;
use crate::s3::{Bucket, Style};
use crate::scenario::definition::{Capability, Scheme};
use crate::transport::{Endpoint, TlsSettings};

/// A target. No `Debug`: it holds credentials.
#[derive(Clone)]
pub struct Target {
    /// `bundled`, or the endpoint's URL.
    pub label: String,
    pub endpoint: Endpoint,
    /// The listener without TLS beside it, if there is one.
    pub http: Option<Endpoint>,
    pub tls: TlsSettings,
    pub credentials: Credentials,
    pub region: String,
    pub dialect: String,
    pub style: Style,
    /// The domain below which bucket names stand in virtual-host style.
    pub vhost_domain: Option<String>,
    /// An existing bucket to work in; none means that the run makes one.
    pub bucket: Option<String>,
    pub origin: Origin,
    /// Where it keeps its data, if that can be seen from here.
    pub data_dir: Option<PathBuf>,
    /// What it logs, if that can be seen from here.
    pub log: Option<ServerLog>,
    /// The profile file that tells of it, if it was named.
    pub declaration: Option<Arc<Declaration>>,
}

/// Where a target comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Started by this process, honest or with one lie.
    Bundled { impostor: Option<String> },
    /// Somebody else's, reached over the network; the rest is for a later cleanup.
    Endpoint { ca: Option<String>, insecure: bool },
}

impl Target {
    /// A bucket of this target on the listener that `scheme` names; `None` without such a listener.
    #[must_use]
    pub fn bucket(&self, name: &str, scheme: Scheme) -> Option<Bucket> {
        let endpoint = match scheme {
            Scheme::Endpoint => self.endpoint.clone(),
            Scheme::Http if !self.endpoint.tls => self.endpoint.clone(),
            Scheme::Http => self.http.clone()?,
        };
        Some(Bucket {
            endpoint,
            style: self.style,
            name: name.to_owned(),
            domain: self.vhost_domain.clone(),
        })
    }

    /// What a later cleanup needs to know; a relative path would mean another file elsewhere.
    #[must_use]
    pub fn journal_place(&self, seed: Seed, directory: &Path) -> Place {
        let (ca, insecure) = match &self.origin {
            Origin::Bundled { .. } => (None, false),
            Origin::Endpoint { ca, insecure } => (ca.clone(), *insecure),
        };
        Place {
            format: FORMAT,
            endpoint: self.label.clone(),
            region: self.region.clone(),
            style: self.style.word().to_owned(),
            vhost_domain: self.vhost_domain.clone(),
            ca: ca.map(|ca| directory.join(ca).display().to_string()),
            insecure,
            seed: seed.to_string(),
        }
    }

    /// What to know before keys go to this target; `None` where nothing can be read on the way.
    #[must_use]
    pub fn readable_on_the_way(&self) -> Option<String> {
        (!self.endpoint.tls).then(|| {
            format!(
                "note: {} is not encrypted on the way: keys and bodies of this run can be read \
                 there",
                self.endpoint
            )
        })
    }

    /// What is known of it before it is asked.
    #[must_use]
    pub fn known(&self) -> Known {
        let at_hand = [
            self.data_dir.is_some(),
            self.log.is_some(),
            self.has_plain_http(),
        ];
        Known::new(at_hand, self.bucket.as_deref(), self.declaration.as_deref())
    }

    /// Whether the target may be asked for this: nothing withholds it.
    #[must_use]
    pub fn asks_for(&self, capability: Capability) -> bool {
        self.known().asks_for(capability)
    }

    /// Whether requests can be sent without TLS.
    #[must_use]
    pub const fn has_plain_http(&self) -> bool {
        self.http.is_some() || !self.endpoint.tls
    }
}
