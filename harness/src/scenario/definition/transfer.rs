//! How a request travels: what a run varies for all its trials, and what a step may pin.

use std::collections::BTreeSet;

use super::{Operation, SsecHeader, Step};

/// Where a bucket stands in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Style {
    /// `https://host/bucket/object`
    #[default]
    Path,
    /// `https://bucket.host/object`
    VirtualHost,
}

/// Each style by its word.
pub const STYLES: [(&str, Style); 2] = [("path", Style::Path), ("vhost", Style::VirtualHost)];

/// What `x-amz-content-sha256` says of the body when the signature is in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Payload {
    /// The body's SHA-256.
    #[default]
    Signed,
    /// `UNSIGNED-PAYLOAD`: usual over TLS.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: the body goes in chunks, each with a signature.
    Chunked,
}

/// Each way to sign a body by its word.
pub const PAYLOADS: [(&str, Payload); 3] = [
    ("signed", Payload::Signed),
    ("unsigned", Payload::Unsigned),
    ("chunked", Payload::Chunked),
];

impl Style {
    /// The word of [`STYLES`].
    #[must_use]
    pub const fn word(self) -> &'static str {
        STYLES[self as usize].0
    }
}

impl Payload {
    /// The word of [`PAYLOADS`].
    #[must_use]
    pub const fn word(self) -> &'static str {
        PAYLOADS[self as usize].0
    }
}

/// What the run, and not the case, says of how a trial's requests travel; a step's own word wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ambient {
    pub style: Style,
    pub payload: Payload,
}

impl Step {
    /// Whether its body can be signed in this way. A presigned URL says nothing of the body; only a
    /// declared body goes in chunks, and none whose `Content-MD5` is sent: nobody says of which of
    /// its two forms that is.
    #[must_use]
    pub fn may_be(&self, payload: Payload) -> bool {
        let sends_body = matches!(self.operation, Operation::Put | Operation::UploadPart);
        let is_chunkable = sends_body && self.content_md5.is_none();
        self.presign.is_none() && (payload != Payload::Chunked || is_chunkable)
    }

    /// How its body is signed in a run that says `ambient`.
    #[must_use]
    pub fn payload_under(&self, ambient: Ambient) -> Payload {
        let own = self.payload.unwrap_or(ambient.payload);
        if self.may_be(own) {
            own
        } else {
            Payload::Signed
        }
    }

    /// Where the bucket stands in a run that says `ambient`.
    #[must_use]
    pub fn style_under(&self, ambient: Ambient) -> Style {
        self.style.unwrap_or(ambient.style)
    }
}

/// Which listener of the target the step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// The endpoint as given.
    #[default]
    Endpoint,
    /// The plain HTTP listener.
    Http,
}

/// Query authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presign {
    /// SSE-C headers covered by the signature, with the values of `signed_as` (or of the step's key, unspoilt).
    pub sign: BTreeSet<SsecHeader>,
    /// SSE-C headers that travel in the query string instead of as headers.
    pub query: BTreeSet<SsecHeader>,
    /// Sign with this key's values while the step's `ssec` sends its own.
    pub signed_as: Option<String>,
    /// `X-Amz-Expires`, seconds.
    pub expires: u32,
    /// How long ago the URL was signed, seconds; above `expires` it has expired.
    pub age: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_finds_what_it_stands_for() {
        assert!(STYLES.iter().all(|(word, style)| style.word() == *word));
        assert!(
            PAYLOADS
                .iter()
                .all(|(word, payload)| payload.word() == *word)
        );
    }
}
