//! Where credentials come from: the environment's variables, then a profile of the shared files.
//!
//! What the AWS tools offer beyond that (SSO, `credential_process`, roles) is refused by name.

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::error::GivenError;

/// An access key. No `Debug`: it holds a secret.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

impl Credentials {
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
            session_token: session_token.map(|token| Zeroizing::new(token.to_owned())),
        }
    }

    /// As the AWS tools find them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`; else the profile `AWS_PROFILE` (or `default`) of
    /// `AWS_SHARED_CREDENTIALS_FILE` (or `~/.aws/credentials`).
    ///
    /// # Errors
    /// When there are none, or they are of a kind that is not supported.
    pub fn find(environment: &Environment) -> Result<Self, GivenError> {
        let _ = environment;
        Err(GivenError::NoCredentials {
            why: "none were looked for yet".to_owned(),
        })
    }

    /// The secret access key, for the signer and the redactor.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token, for the signer and the redactor.
    #[must_use]
    pub fn expose_session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }
}
