//! The customer keys of a run, drawn for each trial, and the search for them in any text.
//!
//! Two trials never share a drawn key, so that a key found in an answer says whose it is. The ring
//! forgets no key before the run ends: a server may give away today what it was shown an hour ago.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::customer_key::CustomerKey;
use super::forms::{FormIndex, Hit, Secret};
use crate::error::GivenError;
use crate::scenario::definition::{KeySpec, Mutation, Ssec, SsecHeader, Trial};

/// Is shown each key as it is added.
type Watcher = dyn Fn(&CustomerKey) + Send + Sync;

/// All keys of a run. Shared by reference; drawing and searching may happen at once.
#[derive(Default)]
pub struct Keyring {
    index: RwLock<FormIndex>,
    watcher: Option<Box<Watcher>>,
}

/// The keys of one trial, and for each one a stranger that no name stands for.
pub struct TrialKeys {
    trial: Arc<str>,
    keys: BTreeMap<String, Drawn>,
}

struct Drawn {
    key: CustomerKey,
    /// What `of-other-key` and `twice-other` take their values from; the same in every step.
    other: CustomerKey,
}

impl Keyring {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A ring that shows each key to `watcher` as it is added: for tests that look for keys where
    /// they must not be, and must not ask the ring itself.
    #[must_use]
    pub fn watched(watcher: impl Fn(&CustomerKey) + Send + Sync + 'static) -> Self {
        Self {
            watcher: Some(Box::new(watcher)),
            ..Self::default()
        }
    }

    /// Draws every key that `trial` declares.
    ///
    /// # Errors
    /// When no key can have what is asked of it (such as a `+` in the base64 text of 32 zero
    /// bytes).
    pub fn draw(&self, trial: &Trial) -> Result<TrialKeys, GivenError> {
        let mut keys = TrialKeys {
            trial: trial.name.as_str().into(),
            keys: BTreeMap::new(),
        };
        for (name, spec) in &trial.keys {
            let steps = trial.given.iter().chain(&trial.steps);
            let uses: Vec<&Ssec> = steps
                .flat_map(|step| step.ssec.iter().chain(&step.source_ssec))
                .filter(|ssec| ssec.key == *name)
                .collect();
            let key = CustomerKey::draw_where(spec, |key| shows_its_alphabet(key, &uses))
                .ok_or_else(|| GivenError::Step {
                    why: format!("no key `{name}` can be as its options want it"),
                })?;
            self.add(&mut keys, name, key);
        }
        Ok(keys)
    }

    /// The keys of a trial that is no scenario, each drawn as its spec says.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn draw_named(
        &self,
        trial: &str,
        specs: &[(&str, KeySpec)],
    ) -> Result<TrialKeys, GivenError> {
        let mut keys = TrialKeys {
            trial: trial.into(),
            keys: BTreeMap::new(),
        };
        for (name, spec) in specs {
            let key = CustomerKey::draw(spec).ok_or_else(|| GivenError::Step {
                why: format!("no key `{name}` can be as its options want it"),
            })?;
            self.add(&mut keys, name, key);
        }
        Ok(keys)
    }

    fn add(&self, keys: &mut TrialKeys, name: &str, key: CustomerKey) {
        self.add_pair(keys, name, key, CustomerKey::fresh());
    }

    fn add_pair(&self, keys: &mut TrialKeys, name: &str, key: CustomerKey, other: CustomerKey) {
        {
            let mut index = self.index.write().expect("no holder of the index panics");
            index.add_key(&keys.trial, name, &key);
            index.add_key(&keys.trial, &format!("{name}-other"), &other);
        }
        if let Some(watcher) = &self.watcher {
            watcher(&key);
            watcher(&other);
        }
        keys.keys.insert(name.to_owned(), Drawn { key, other });
    }

    /// A trial with keys of known bytes, each beside its stranger.
    #[cfg(test)]
    pub(crate) fn adopt(
        &self,
        trial: &str,
        known: Vec<(&str, CustomerKey, CustomerKey)>,
    ) -> TrialKeys {
        let mut keys = TrialKeys {
            trial: trial.into(),
            keys: BTreeMap::new(),
        };
        for (name, key, other) in known {
            self.add_pair(&mut keys, name, key, other);
        }
        keys
    }

    /// Notes a key that was drawn elsewhere, so that it is redacted wherever it comes back.
    ///
    /// # Panics
    /// When a holder of the index panicked.
    pub fn recognise(&self, trial: &str, name: &str, key: &CustomerKey) {
        let mut index = self.index.write().expect("no holder of the index panics");
        index.add_key(&trial.into(), name, key);
    }

    /// Notes a signature, so that it is redacted wherever it comes back.
    pub fn note_signature(&self, signature: &[u8]) {
        let mut index = self.index.write().expect("no holder of the index panics");
        index.add_text(Secret::Signature, signature);
    }

    /// Notes a digest of a body's plaintext, to be found whole, in any form.
    ///
    /// # Panics
    /// When a holder of the index panicked.
    pub fn note_digest(&self, name: &'static str, digest: &[u8]) {
        let mut index = self.index.write().expect("no holder of the index panics");
        index.add_digest(name, digest);
    }

    /// Every place in `bytes` where a key, its MD5 or a noted signature stands, in any form; in
    /// order, not overlapping.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        self.index
            .read()
            .expect("no holder of the index panics")
            .find(bytes)
    }
}

impl TrialKeys {
    /// The trial's name.
    #[must_use]
    pub fn trial(&self) -> &str {
        &self.trial
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&CustomerKey> {
        self.keys.get(name).map(|drawn| &drawn.key)
    }

    /// The stranger beside the key of that name.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&CustomerKey> {
        self.keys.get(name).map(|drawn| &drawn.other)
    }

    /// The declared names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }
}

/// A value in the URL-safe alphabet is spoilt only if it holds a character that differs there.
fn shows_its_alphabet(key: &CustomerKey, uses: &[&Ssec]) -> bool {
    let url_safe = |header| {
        uses.iter()
            .any(|ssec| ssec.mutate.get(&header) == Some(&Mutation::UrlSafe))
    };
    let differs = |text: &str| text.contains(['+', '/']);
    (!url_safe(SsecHeader::Key) || differs(&key.base64()))
        && (!url_safe(SsecHeader::KeyMd5) || differs(&key.md5_base64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_draws_keys_of_its_own() {
        let ring = Keyring::new();
        let specs = [
            ("alice", KeySpec::default()),
            (
                "zero",
                KeySpec {
                    fill: Some(0),
                    base64_has: None,
                },
            ),
        ];
        let one = ring.draw_named("get::one", &specs).unwrap();
        let two = ring.draw_named("get::two", &specs).unwrap();
        assert!(!one.get("alice").unwrap().is(two.get("alice").unwrap()));
        assert!(!one.get("alice").unwrap().is(one.other("alice").unwrap()));
        assert!(one.get("zero").unwrap().is(two.get("zero").unwrap()));
        assert!(one.get("bob").is_none());
        assert_eq!(one.names().collect::<Vec<_>>(), ["alice", "zero"]);
    }

    #[test]
    fn a_key_in_a_text_says_whose_it_is() {
        let ring = Keyring::new();
        let specs = [("alice", KeySpec::default())];
        let keys = ring.draw_named("get::one", &specs).unwrap();
        let text = format!(
            "the key is {}, is it?",
            *keys.get("alice").unwrap().base64()
        );
        let hits = ring.find(text.as_bytes());
        let secret = Secret::Key {
            trial: "get::one".into(),
            name: "alice".into(),
        };
        assert_eq!(
            hits,
            [Hit {
                range: 11..54,
                secret,
                form: "base64",
                guessable: false
            }]
        );
        let other = ring.find(keys.other("alice").unwrap().expose());
        let secret = Secret::Key {
            trial: "get::one".into(),
            name: "alice-other".into(),
        };
        assert_eq!(
            other,
            [Hit {
                range: 0..32,
                secret,
                form: "raw bytes",
                guessable: false
            }]
        );
    }

    #[test]
    fn what_no_key_can_be_is_an_error() {
        let impossible = KeySpec {
            fill: Some(0),
            base64_has: Some('+'),
        };
        assert!(
            Keyring::new()
                .draw_named("t", &[("k", impossible)])
                .is_err()
        );
    }
}
