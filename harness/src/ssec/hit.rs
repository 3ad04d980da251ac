//! One place where a secret stands, and which secret it is. It never shows it.

use std::ops::Range;
use std::sync::Arc;

/// What was found. Its text names the secret without showing it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// A customer key, by trial and name.
    Key {
        trial: Arc<str>,
        name: Arc<str>,
    },
    /// The MD5 of a customer key: no secret, but it is replaced by its name all the same.
    KeyMd5 {
        trial: Arc<str>,
        name: Arc<str>,
    },
    SecretAccessKey,
    SessionToken,
    /// A request signature.
    Signature,
    /// A digest of a body's plaintext, such as `SHA-256`.
    Digest {
        name: &'static str,
    },
}

/// One place where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In the bytes as given, escapes included.
    pub range: Range<usize>,
    pub secret: Secret,
    /// Such as `base64`.
    pub form: &'static str,
    /// The secret is a key of one repeated byte. Anybody can guess it, and the checksum of nothing
    /// reads the same: it is redacted all the same, but a hit alone proves no leak.
    pub guessable: bool,
}

impl Hit {
    /// The hits in order, each without what an earlier or longer one covers.
    #[must_use]
    pub fn disjoint(mut hits: Vec<Self>) -> Vec<Self> {
        hits.sort_by_key(|hit| (hit.range.start, usize::MAX - hit.range.end));
        let mut end = 0;
        hits.retain_mut(|hit| {
            let covered = hit.range.end <= end;
            hit.range.start = hit.range.start.max(end);
            end = end.max(hit.range.end);
            !covered
        });
        hits
    }
}
