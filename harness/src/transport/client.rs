//! The judged client: HTTP/1.1 over a stream of our own, no proxy, no redirect, no retry.

use super::endpoint::Endpoint;
use super::exchange::{Exchange, SignedRequest};
use super::limits::Limits;
use super::tls::TlsSettings;
use crate::error::TargetError;

/// Sends requests to one endpoint; cheap to share by reference between tasks.
pub struct Client {
    endpoint: Endpoint,
    tls: TlsSettings,
}

impl Client {
    #[must_use]
    pub const fn new(endpoint: Endpoint, tls: TlsSettings) -> Self {
        Self { endpoint, tls }
    }

    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `request` once and reads the answer as far as it comes.
    ///
    /// # Errors
    /// When there is no complete answer head. A body that breaks is no error: see [`Exchange::cut`].
    pub async fn send(
        &self,
        request: &SignedRequest,
        limits: &Limits,
    ) -> Result<Exchange, TargetError> {
        let _ = (request, limits, &self.tls);
        Err(TargetError::Malformed {
            why: "nothing is sent yet".to_owned(),
        })
    }
}
