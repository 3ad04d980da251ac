//! Why something could not be found out, sorted by who is at fault.
//!
//! A broken requirement is never one of these: that is a verdict, which is data. The messages say
//! what happened and where; [`Error::hint`] says what to do. None of them carries a header value.

use std::time::Duration;

use crate::problem::Problem;

/// We could not find out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The target, or the way to it.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// What the user gave: arguments, files, credentials, scenarios.
    #[error(transparent)]
    Given(#[from] GivenError),
    /// We are wrong ourselves.
    #[error(transparent)]
    Ours(#[from] OurError),
}

impl Error {
    /// What to do about it, if there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Target(error) => error.hint(),
            Self::Given(error) => error.hint(),
            Self::Ours(_) => Some("this is a bug of ssec; please report it with the run's seed"),
        }
    }

    /// Its entry in the catalogue.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::Target(error) => error.problem(),
            Self::Given(error) => error.problem(),
            Self::Ours(OurError::SecretInOutput { .. }) => Problem::SecretInOutput,
            Self::Ours(OurError::Signing { .. } | OurError::Broken(_)) => Problem::Bug,
        }
    }
}

/// The target could not be asked, or its answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("cannot find the address of {host}: {why}")]
    NoAddress { host: String, why: String },
    #[error("cannot connect to {to}: {why}")]
    Unreachable { to: String, why: String },
    /// The chain does not end in an authority that we trust, or names another host.
    #[error("the certificate of {host} is not trusted: {why}")]
    TlsUntrusted { host: String, why: String },
    #[error("the TLS handshake with {host} failed: {why}")]
    TlsHandshake { host: String, why: String },
    #[error("no {wait} within {} s", limit.as_secs_f32())]
    TimedOut { wait: Wait, limit: Duration },
    #[error("the connection ended {at}")]
    ClosedEarly { at: Stage },
    #[error("the connection broke {at}: {why}")]
    Broken { at: Stage, why: String },
    /// The answer is not HTTP/1.1 as RFC 9112 has it.
    #[error("the answer is not HTTP/1.1: {why}")]
    Malformed { why: String },
    /// A named limit of ours on the size of the answer was reached.
    #[error("the answer's {what} exceeds {limit} bytes")]
    TooLarge { what: &'static str, limit: u64 },
}

impl TargetError {
    const fn problem(&self) -> Problem {
        match self {
            Self::NoAddress { .. } => Problem::NoAddress,
            Self::Unreachable { .. } => Problem::Unreachable,
            Self::TlsUntrusted { .. } => Problem::TlsUntrusted,
            Self::TlsHandshake { .. } => Problem::TlsHandshake,
            Self::TimedOut { .. } => Problem::TimedOut,
            Self::ClosedEarly { .. } | Self::Broken { .. } => Problem::Disconnected,
            Self::Malformed { .. } => Problem::NotHttp,
            Self::TooLarge { .. } => Problem::TooLarge,
        }
    }

    /// What to do about it, if there is something to say.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAddress { .. } => Some("check the host of --endpoint"),
            Self::Unreachable { .. } => Some("is the endpoint up, and are host and port right?"),
            Self::TlsUntrusted { .. } => {
                Some("name the authority's certificate with --ca FILE, or pass --insecure")
            }
            Self::TlsHandshake { .. } => {
                Some("does this port speak TLS? an http:// endpoint does not")
            }
            Self::TimedOut { .. } => Some("a slow target needs a longer --timeout"),
            Self::ClosedEarly { .. }
            | Self::Broken { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}

/// What was waited for when a limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Connection,
    Handshake,
    /// The target to take more of the request.
    Sending,
    FirstByte,
    /// The next byte of an answer that had begun.
    NextByte,
    /// The whole exchange (`--timeout`).
    Exchange,
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connection => "connection",
            Self::Handshake => "TLS handshake",
            Self::Sending => "progress in sending the request",
            Self::FirstByte => "first byte of an answer",
            Self::NextByte => "further byte of the answer",
            Self::Exchange => "end of the exchange",
        })
    }
}

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Sending,
    /// The request is out, nothing has come back.
    BeforeAnswer,
    InHead,
    InBody,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sending => "while the request was being sent",
            Self::BeforeAnswer => "before an answer",
            Self::InHead => "within the answer's head",
            Self::InBody => "within the answer's body",
        })
    }
}

/// What the user gave cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GivenError {
    #[error("{url} is not an endpoint: {why}")]
    Endpoint { url: String, why: String },
    #[error("cannot read {path}: {why}")]
    File { path: String, why: String },
    #[error("cannot write {what}: {why}")]
    Output { what: String, why: String },
    #[error("{path} holds no certificate in PEM form")]
    NoCertificate { path: String },
    #[error("no credentials: {why}")]
    NoCredentials { why: String },
    #[error("{what} is not supported for credentials ({place})")]
    CredentialsUnsupported { what: String, place: String },
    /// A limit that the user set on the run.
    #[error("{flag} {most} is reached")]
    OverLimit { flag: &'static str, most: u64 },
    /// A step asks for something that cannot be put on the wire.
    #[error("step cannot be sent: {why}")]
    Step { why: String },
}

impl GivenError {
    const fn problem(&self) -> Problem {
        match self {
            Self::Endpoint { .. } => Problem::Endpoint,
            Self::File { .. } => Problem::Unreadable,
            Self::Output { .. } => Problem::Unwritable,
            Self::NoCertificate { .. } => Problem::NoCertificate,
            Self::NoCredentials { .. } => Problem::NoCredentials,
            Self::CredentialsUnsupported { .. } => Problem::CredentialsUnsupported,
            Self::OverLimit { .. } => Problem::OverLimit,
            Self::Step { .. } => Problem::Step,
        }
    }

    /// What to do about it, if there is something to say.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Endpoint { .. } => Some("write it as https://host or https://host:port"),
            Self::NoCredentials { .. } => {
                Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
            }
            Self::CredentialsUnsupported { .. } => {
                Some("export the keys first, for example with `aws configure export-credentials`")
            }
            Self::Output { .. } => Some("is the disk full, or the reader of a pipe gone?"),
            Self::OverLimit { .. } => Some("`ssec test --plan` tells what a selection takes"),
            Self::File { .. } | Self::NoCertificate { .. } | Self::Step { .. } => None,
        }
    }
}

/// Our own fault: exit code 70.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OurError {
    /// What is about to be written holds a secret; `what` names it without showing it.
    #[error("about to write a secret: {what}")]
    SecretInOutput { what: String },
    #[error("signing failed: {why}")]
    Signing { why: String },
    #[error("{0}")]
    Broken(String),
}
