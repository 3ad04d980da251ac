//! Customer keys for load: one, one an object, or a pool; drawn from the operating system.
//!
//! All but the first are derived from a random master that lives as long as the run, so that a
//! million objects cost 32 bytes. Header values made from keys live as long as the run, too: they
//! are sent again and again.

use aws_lc_rs::hmac;
use http::HeaderValue;

use super::workload::KeyScheme;
use crate::random::{fill_secret, mix};
use crate::scenario::definition::KeySpec;
use crate::ssec::Keyring;
use crate::ssec::customer_key::{CustomerKey, KEY_BYTES};

/// Most keys of a pool.
pub const MAX_POOL: u32 = 1_000_000;
/// Whose keys they are, as the keyring has it.
pub const RUN: &str = "bench";

/// The two header values that show a key.
#[derive(Clone)]
pub struct Shown {
    pub key: HeaderValue,
    pub md5: HeaderValue,
}

impl Shown {
    fn of(key: &CustomerKey) -> Self {
        let mut value = HeaderValue::from_str(&key.base64()).expect("base64 is printable");
        value.set_sensitive(true);
        Self {
            key: value,
            md5: HeaderValue::from_str(&key.md5_base64()).expect("base64 is printable"),
        }
    }
}

/// The same value in memory of its own.
#[must_use]
pub fn apart(value: &HeaderValue) -> HeaderValue {
    let mut own = HeaderValue::from_bytes(value.as_bytes()).expect("it is a value already");
    own.set_sensitive(value.is_sensitive());
    own
}

/// The keys of a run.
pub struct CustomerKeys {
    scheme: KeyScheme,
    master: hmac::Key,
    /// Made at the start, for all schemes but one key an object.
    shown: Vec<Shown>,
    /// The key of nobody's object.
    stranger: Shown,
}

impl CustomerKeys {
    /// Draws the keys. The first of them, and the stranger, are drawn by the keyring, so that the
    /// redactor knows them; another is made known by [`CustomerKeys::make_known`], before anything
    /// of an answer to it is written down.
    ///
    /// # Panics
    /// Never: any key will do.
    #[must_use]
    pub fn draw(scheme: KeyScheme, keyring: &Keyring) -> Self {
        let drawn = keyring
            .draw_named(RUN, &[("key", KeySpec::default())])
            .expect("any key will do");
        let first = drawn.get("key").map(Shown::of);
        let stranger = drawn.other("key").map(Shown::of);
        let mut secret = zeroize::Zeroizing::new([0; KEY_BYTES]);
        fill_secret(secret.as_mut_slice());
        let count = match scheme {
            KeyScheme::Fixed => 1,
            KeyScheme::PerObject => 0,
            KeyScheme::Pool(count) => u64::from(count.min(MAX_POOL)),
        };
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice());
        let others = (1..count).map(|number| Shown::of(&derived(&master, number)));
        Self {
            scheme,
            shown: first.into_iter().chain(others).collect(),
            master,
            stranger: stranger.expect("each key is drawn with a stranger"),
        }
    }

    /// What shows the one key of all objects, in memory of its own: threads that count references to the same
    /// memory with each request wait for each other.
    #[must_use]
    pub fn alone(&self) -> Option<Shown> {
        let shown = self.shown.first();
        shown
            .filter(|_| self.scheme == KeyScheme::Fixed)
            .map(|shown| Shown {
                key: apart(&shown.key),
                md5: apart(&shown.md5),
            })
    }

    /// What shows the key of an object.
    #[must_use]
    pub fn of(&self, object: u64) -> Shown {
        match self.scheme {
            KeyScheme::Fixed => self.shown[0].clone(),
            KeyScheme::Pool(_) => {
                let index = usize::try_from(self.number(object)).expect("the pool is in memory");
                self.shown[index].clone()
            }
            KeyScheme::PerObject => Shown::of(&derived(&self.master, self.number(object))),
        }
    }

    /// Which key an object has; number 0 of a pool, and the fixed one, are the keyring's own.
    fn number(&self, object: u64) -> u64 {
        match self.scheme {
            KeyScheme::Fixed => 0,
            KeyScheme::Pool(_) => mix(object) % self.shown.len() as u64,
            KeyScheme::PerObject => object,
        }
    }

    /// Lets the redactor know the key of an object.
    pub fn make_known(&self, object: u64, keyring: &Keyring) {
        let number = self.number(object);
        if number > 0 || self.scheme == KeyScheme::PerObject {
            let name = format!("number-{number}");
            keyring.recognise(RUN, &name, &derived(&self.master, number));
        }
    }

    /// What shows a key that no object was stored with.
    #[must_use]
    pub fn stranger(&self) -> Shown {
        self.stranger.clone()
    }
}

fn derived(master: &hmac::Key, number: u64) -> CustomerKey {
    let tag = hmac::sign(master, &number.to_le_bytes());
    CustomerKey::from_bytes(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct(keys: &CustomerKeys) -> usize {
        let values: std::collections::HashSet<Vec<u8>> = (0..100)
            .map(|object| keys.of(object).key.as_bytes().to_vec())
            .collect();
        values.len()
    }

    #[test]
    fn schemes_spread_keys_as_they_say() {
        assert_eq!(
            distinct(&CustomerKeys::draw(KeyScheme::Fixed, &Keyring::new())),
            1
        );
        assert_eq!(
            distinct(&CustomerKeys::draw(KeyScheme::PerObject, &Keyring::new())),
            100
        );
        let pool = distinct(&CustomerKeys::draw(KeyScheme::Pool(8), &Keyring::new()));
        assert_eq!(pool, 8);
        let keys = CustomerKeys::draw(KeyScheme::PerObject, &Keyring::new());
        assert_eq!(keys.of(5).key, keys.of(5).key);
        assert_ne!(keys.of(5).key, keys.stranger().key);
        let other = CustomerKeys::draw(KeyScheme::PerObject, &Keyring::new());
        assert_ne!(keys.of(5).key, other.of(5).key);
    }

    #[test]
    fn a_key_that_is_made_known_is_recognised() {
        for scheme in [KeyScheme::PerObject, KeyScheme::Pool(8), KeyScheme::Fixed] {
            let keyring = Keyring::new();
            let keys = CustomerKeys::draw(scheme, &keyring);
            for object in 0..20 {
                let shown = keys.of(object);
                keys.make_known(object, &keyring);
                let hits = keyring.find(shown.key.as_bytes());
                assert_eq!(hits.len(), 1, "{scheme:?} {object}");
            }
        }
        let keyring = Keyring::new();
        let keys = CustomerKeys::draw(KeyScheme::PerObject, &keyring);
        assert!(keyring.find(keys.of(5).key.as_bytes()).is_empty());
    }
}
