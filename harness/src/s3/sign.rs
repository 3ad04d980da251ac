//! Signature Version 4, in the header or in the query, over a chosen set of headers.
//!
//! `aws-sigv4`, AWS's own signer, signs whatever it can carry. It cannot carry a header value that
//! is not text.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::request::Request;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::scenario::definition::{Presign, SsecHeader};
use crate::ssec::SsecHeaders;
use crate::transport::SignedRequest;

/// What `x-amz-content-sha256` says of the body when the signature is in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// `UNSIGNED-PAYLOAD`: usual over TLS.
    Unsigned,
    /// The body's SHA-256.
    Sha256,
}

/// Who signs, where and when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub credentials: &'a Credentials,
    pub region: &'a str,
    pub now: SystemTime,
}

impl Signer<'_> {
    /// Signs a request of the control plane, or a step without SSE-C: every header is covered.
    ///
    /// # Errors
    /// When a header cannot be signed.
    pub fn sign(&self, request: Request, payload: Payload) -> Result<SignedRequest, Error> {
        let none = SsecHeaders::default();
        self.sign_step(request, &none, None, payload)
    }

    /// Signs a step in the `Authorization` header. `covered` are the SSE-C headers that the
    /// signature covers (`None`: all that are sent); the others are sent beside it.
    ///
    /// # Errors
    /// When a header cannot be signed.
    pub fn sign_step(
        &self,
        request: Request,
        ssec: &SsecHeaders,
        covered: Option<&BTreeSet<SsecHeader>>,
        payload: Payload,
    ) -> Result<SignedRequest, Error> {
        let _ = (request, ssec, covered, payload);
        Err(crate::error::OurError::Signing {
            why: "nothing is signed yet".to_owned(),
        }
        .into())
    }

    /// Signs a step in the query. `sent` are the step's own SSE-C headers, `signed_as` the right
    /// triple whose values the signature covers where [`Presign::sign`] says so.
    ///
    /// # Errors
    /// When a header cannot be signed, or a value for the query is not text.
    pub fn presign_step(
        &self,
        request: Request,
        sent: &SsecHeaders,
        signed_as: &SsecHeaders,
        presign: &Presign,
    ) -> Result<SignedRequest, Error> {
        let _ = (request, sent, signed_as, presign, Duration::ZERO);
        Err(crate::error::OurError::Signing {
            why: "nothing is signed yet".to_owned(),
        }
        .into())
    }
}
