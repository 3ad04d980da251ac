//! Finds secrets in bytes, whatever encoding they come in.
//!
//! A secret is looked for in all its forms: raw, base64 in both alphabets, at all three alignments,
//! twice over and lower-cased, hex in both cases. What a peer may have escaped (percent, XML
//! character references, backslashes) is looked at unescaped as well. A piece of 19 bytes of a form
//! is found, not only the whole, so that a cut key is found too. It knows nothing of HTTP.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::{Zeroize as _, Zeroizing};

use super::customer_key::CustomerKey;
use super::escapes::{Unescaped, unescaped};
pub use super::hit::{Hit, Secret};
use super::spellings::{
    BASE64, URL_SAFE_BASE64, WITHIN, digest_forms, inside_base64, is_base64, is_of_base64,
    key_forms, of_one_alphabet, trimmed,
};
use super::windows::{Sieve, WINDOW, is_one_byte_repeated, offsets, window};

/// One spelling of one secret.
struct Form {
    secret: Secret,
    name: &'static str,
    text: Zeroizing<Vec<u8>>,
    /// Bytes that must match in one piece: the whole form for secrets that chance could resemble.
    least: usize,
}

impl Form {
    /// The range of a hit on `of_form`, with the characters beside it that hold bits of the secret and
    /// of a neighbour: in base64 those where the form is cut, or has something longer around it.
    fn with_shared(
        &self,
        range: Range<usize>,
        of_form: &Range<usize>,
        bytes: &[u8],
        free_from: usize,
    ) -> Range<usize> {
        let is_within = self.name.ends_with(WITHIN);
        let shares = |at: usize| bytes.get(at).is_some_and(|byte| is_of_base64(*byte));
        let before =
            is_within && of_form.start == 0 && range.start > free_from && shares(range.start - 1);
        let is_cut = is_within || of_form.end < self.text.len();
        let after = is_cut && is_base64(self.name) && shares(range.end);
        range.start - usize::from(before)..range.end + usize::from(after)
    }
}

/// All forms of all secrets, ready to be searched for at once.
#[derive(Default)]
pub struct FormIndex {
    forms: Vec<Form>,
    /// Window of a form to (form, offset in it).
    windows: HashMap<u128, (u32, u32)>,
    sieve: Sieve,
}

impl Drop for FormIndex {
    fn drop(&mut self) {
        for (mut window, _) in self.windows.drain() {
            window.zeroize();
        }
    }
}

impl FormIndex {
    /// Adds every form of `key` and of its MD5.
    pub fn add_key(&mut self, trial: &Arc<str>, name: &str, key: &CustomerKey) {
        let name: Arc<str> = name.into();
        let secret = Secret::Key {
            trial: Arc::clone(trial),
            name: Arc::clone(&name),
        };
        // A key of one repeated byte looks like padding: only the whole of it is a hit.
        let plain = key.expose().iter().all(|byte| *byte == key.expose()[0]);
        for (form, text) in key_forms(key) {
            let least = if plain { text.len() } else { WINDOW };
            self.add(secret.clone(), form, text, least);
        }
        let secret = Secret::KeyMd5 {
            trial: Arc::clone(trial),
            name,
        };
        for (form, text) in digest_forms(&key.md5()) {
            self.add(secret.clone(), form, text, WINDOW);
        }
    }

    /// Adds every form of a digest of a body's plaintext. A piece of one is chance, so only the whole
    /// of a form is a hit.
    pub fn add_digest(&mut self, name: &'static str, digest: &[u8]) {
        for (form, text) in digest_forms(digest) {
            let least = text.len();
            self.add(Secret::Digest { name }, form, text, least);
        }
    }

    /// Adds a secret that is text already, such as a secret access key. One of less than 16 bytes
    /// cannot be told from chance and is left out.
    pub fn add_text(&mut self, secret: Secret, text: &[u8]) {
        self.add(secret.clone(), "text", text.to_vec(), WINDOW);
        let encoded = trimmed(BASE64_STANDARD.encode(text));
        self.add(secret.clone(), "base64", encoded, WINDOW);
        // As in the policy of a form, which holds a session token.
        let is_long = text.len() >= WINDOW;
        for before in [1, 2].into_iter().filter(|_| is_long) {
            let inside = inside_base64(text, before);
            self.add(secret.clone(), WITHIN, inside, WINDOW);
        }
        self.add(secret, "hex", hex::encode(text).into_bytes(), WINDOW);
    }

    fn add(&mut self, secret: Secret, name: &'static str, text: Vec<u8>, least: usize) {
        if text.len() < WINDOW {
            return;
        }
        let id = u32::try_from(self.forms.len()).expect("fewer forms than 2^32 fit in memory");
        for offset in offsets(text.len()) {
            let at = u32::try_from(offset).expect("a form is short");
            let here = window(&text, offset);
            // A secret that somebody made up may be padded; a row of zeros alone is not it.
            if least > WINDOW || !is_one_byte_repeated(here) {
                self.windows.entry(here).or_insert((id, at));
            }
        }
        self.sift(&text);
        self.forms.push(Form {
            secret,
            name,
            text: Zeroizing::new(text),
            least,
        });
    }

    /// Lets the windows of `text` through the sieve.
    fn sift(&mut self, text: &[u8]) {
        if !self.sieve.is_full(self.windows.len()) {
            for offset in offsets(text.len()) {
                self.sieve.let_in(window(text, offset));
            }
            return;
        }
        self.sieve = Sieve::for_windows(self.windows.len());
        for window in self.windows.keys() {
            self.sieve.let_in(*window);
        }
    }

    /// Every place where a secret stands; in order, not overlapping.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = self.find_verbatim(bytes);
        for view in unescaped(bytes) {
            hits.extend(self.find_in(&view));
            let twice = unescaped(&view.bytes)
                .into_iter()
                .map(|deeper| deeper.within(&view));
            hits.extend(twice.flat_map(|deeper| self.find_in(&deeper)));
        }
        Hit::disjoint(hits)
    }

    fn find_in(&self, view: &Unescaped) -> Vec<Hit> {
        let place = |hit: Hit| Hit {
            range: view.origin(&hit.range),
            ..hit
        };
        self.find_verbatim(&view.bytes)
            .into_iter()
            .map(place)
            .collect()
    }

    fn find_verbatim(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        if self.sieve.is_empty() || bytes.len() < WINDOW {
            return hits;
        }
        let mut at = 0;
        let mut free_from = 0;
        while at + WINDOW <= bytes.len() {
            let here = window(bytes, at);
            if self.sieve.lets_through(here)
                && let Some(hit) = self.hit_at(bytes, here, at, free_from)
            {
                free_from = hit.range.end;
                at = hit.range.end;
                hits.push(hit);
            } else {
                at += 1;
            }
        }
        hits
    }

    /// The hit around the window at `at`, grown in both directions as far as the form agrees.
    fn hit_at(&self, bytes: &[u8], here: u128, at: usize, free_from: usize) -> Option<Hit> {
        let (id, offset) = *self.windows.get(&here)?;
        let form = &self.forms[id as usize];
        let offset = offset as usize;
        // The two alphabets of base64 share their windows: from there on each goes on as the other.
        let in_either = matches!(form.name, BASE64 | URL_SAFE_BASE64);
        let alike = |(found, wanted): &(&u8, &u8)| {
            found == wanted || in_either && of_one_alphabet(**found) == of_one_alphabet(**wanted)
        };
        let before = bytes[free_from..at]
            .iter()
            .rev()
            .zip(form.text[..offset].iter().rev())
            .take_while(alike)
            .count();
        let after = bytes[at + WINDOW..]
            .iter()
            .zip(&form.text[offset + WINDOW..])
            .take_while(alike)
            .count();
        let range = at - before..at + WINDOW + after;
        let is_url_safe = in_either && bytes[range.clone()].iter().any(|byte| b"-_".contains(byte));
        let of_form = offset - before..offset + WINDOW + after;
        (range.len() >= form.least).then(|| Hit {
            range: form.with_shared(range, &of_form, bytes, free_from),
            secret: form.secret.clone(),
            form: if is_url_safe {
                URL_SAFE_BASE64
            } else {
                form.name
            },
            guessable: form.least > WINDOW,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = *b"\x00\xfe\xfb\xff\xbe\x0312345678\r\nabcdefgh%&\\\"<>\x80\x81";

    fn index() -> FormIndex {
        let mut index = FormIndex::default();
        index.add_key(
            &"suite::case".into(),
            "alice",
            &CustomerKey::from_bytes(KEY),
        );
        index
    }

    #[track_caller]
    fn check(text: impl AsRef<[u8]>, expected: &str) {
        let haystack = [b"<<<".as_slice(), text.as_ref(), b">>>"].concat();
        let hits = index().find(&haystack);
        assert_eq!(hits.len(), 1, "{hits:?}");
        assert_eq!(hits[0].form, expected);
        assert_eq!(hits[0].range, 3..haystack.len() - 3, "{hits:?}");
    }

    fn text() -> String {
        BASE64_STANDARD.encode(KEY).trim_end_matches('=').to_owned()
    }

    /// A session token stands somewhere in the policy of a form, which travels in base64.
    #[test]
    fn a_text_is_found_inside_the_base64_of_something_longer() {
        let token = b"a-session-token-of-some-length";
        let mut index = FormIndex::default();
        index.add_text(Secret::SessionToken, token);
        for before in ["", "1", "12", "123"] {
            let policy = [before.as_bytes(), token, b"\"}]}"].concat();
            let found = index.find(BASE64_STANDARD.encode(policy).as_bytes());
            assert_eq!(found.len(), 1, "{before:?}: {found:?}");
        }
        assert!(
            index
                .find(
                    BASE64_STANDARD
                        .encode("another text of such a length")
                        .as_bytes()
                )
                .is_empty()
        );
    }

    #[test]
    fn every_form_of_a_key_is_found() {
        check(KEY, "raw bytes");
        check(text(), "base64");
        check(
            text().replace('+', "-").replace('/', "_"),
            "url-safe base64",
        );
        check(text().to_lowercase(), "lower-cased base64");
        check(hex::encode(KEY), "hex");
        check(hex::encode_upper(KEY), "upper-case hex");
        check(
            BASE64_STANDARD
                .encode(format!("{}=", text()))
                .trim_end_matches('='),
            "base64 of base64",
        );
        check(hex::encode(format!("{}=", text())), "hex of base64");
    }

    /// Up to the first `+` or `/` both alphabets read alike.
    #[test]
    fn a_key_in_the_other_alphabet_is_found_to_its_end() {
        for at in 0..32 {
            let mut key = *b"abcdefghijklmnopqrstuvwxyz012345";
            key[at] = 0xff;
            let mut index = FormIndex::default();
            index.add_key(&"t".into(), "alice", &CustomerKey::from_bytes(key));
            let text = BASE64_STANDARD.encode(key);
            for text in [text.replace('+', "-").replace('/', "_"), text] {
                let hits = index.find(text.as_bytes());
                assert_eq!(hits.len(), 1, "{text}: {hits:?}");
                assert_eq!(hits[0].range, 0..43, "{text}");
                let is_url_safe = text.contains(['-', '_']);
                assert_eq!(hits[0].form == URL_SAFE_BASE64, is_url_safe, "{text}");
            }
        }
    }

    #[test]
    fn escapes_hide_nothing() {
        let percent = |upper: bool| -> String {
            let byte = |b: &u8| {
                if upper {
                    format!("%{b:02X}")
                } else {
                    format!("%{b:02x}")
                }
            };
            text().as_bytes().iter().map(byte).collect()
        };
        check(percent(true), "base64");
        check(percent(false), "base64");
        check(percent(true).replace('%', "%25"), "base64");
        check(text().replace('+', "%2B").replace('/', "%2f"), "base64");
        check(
            text().replace('+', "&#43;").replace('/', "&#x2F;"),
            "base64",
        );
        check(text().replace('/', "\\/").replace('+', "\\u002b"), "base64");
        let raw: String = KEY.iter().map(|byte| format!("%{byte:02x}")).collect();
        check(raw, "raw bytes");
        let printed: String = KEY.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        check(printed, "raw bytes");
    }

    #[test]
    fn a_key_within_longer_base64_is_found() {
        for before in 0..6 {
            let longer = [vec![b'x'; before], KEY.to_vec(), b"tail".to_vec()].concat();
            let hits = index().find(BASE64_STANDARD.encode(longer).as_bytes());
            assert_eq!(hits.len(), 1, "{before}: {hits:?}");
            let user = format!("{}:{}=", "u".repeat(before), text());
            let hits = index().find(BASE64_STANDARD.encode(user).as_bytes());
            assert_eq!(hits.len(), 1, "{before}: {hits:?}");
        }
    }

    /// Of a key that is cut, or stands within something longer, no bit is left beside the placeholder:
    /// a character at its end may hold up to four of them.
    #[test]
    fn characters_that_hold_bits_of_a_key_are_hidden_with_it() {
        let longer = [KEY.to_vec(), vec![0; 32]].concat();
        for length in [31, 32, 33, 48, 64] {
            let text = BASE64_STANDARD.encode(&longer[..length]);
            let hits = index().find(text.as_bytes());
            let holding = (length.min(32) * 8).div_ceil(6);
            assert_eq!(hits.len(), 1, "{length}: {hits:?}");
            let hidden = &hits[0].range;
            assert!(
                hidden.start == 0 && hidden.end >= holding,
                "{length}: {hidden:?}"
            );
        }
        for before in 0..4 {
            let longer = [vec![b'x'; before], KEY.to_vec(), b"tail".to_vec()].concat();
            let hits = index().find(BASE64_STANDARD.encode(longer).as_bytes());
            let (first, last) = (before * 8 / 6, ((before + 32) * 8).div_ceil(6));
            let hidden = &hits[0].range;
            assert_eq!(hidden.start, first, "{before}: {hidden:?}");
            assert!(
                (last..=last + 1).contains(&hidden.end),
                "{before}: {hidden:?}"
            );
        }
        // What is not written in base64 is not the key's.
        check(text(), "base64");
        let hits = index().find(format!("n{}-", text()).as_bytes());
        assert_eq!(hits[0].range, 1..44);
    }

    #[test]
    fn a_cut_key_is_found() {
        for length in 19..=43 {
            for start in 0..=43 - length {
                let hits = index().find(&text().as_bytes()[start..start + length]);
                assert_eq!(hits.len(), 1, "{start} {length}");
                assert_eq!(hits[0].range, 0..length);
            }
        }
        assert!(index().find(&text().as_bytes()[..15]).is_empty());
    }

    #[test]
    fn an_md5_is_told_from_its_key() {
        let digest = CustomerKey::from_bytes(KEY).md5();
        let hits = index().find(&digest);
        assert!(matches!(hits[0].secret, Secret::KeyMd5 { .. }));
        let hits = index().find(CustomerKey::from_bytes(KEY).md5_base64().as_bytes());
        assert!(matches!(hits[0].secret, Secret::KeyMd5 { .. }));
        assert_eq!((hits[0].range.clone(), hits[0].form), (0..22, "base64"));
    }

    #[test]
    fn a_key_of_one_byte_is_found_whole_only() {
        let mut index = FormIndex::default();
        index.add_key(
            &"suite::case".into(),
            "zero",
            &CustomerKey::from_bytes([0; 32]),
        );
        assert!(index.find(&[0; 31]).is_empty());
        assert!(index.find("0".repeat(63).as_bytes()).is_empty());
        assert_eq!(index.find(&[0; 32]).len(), 1);
        assert_eq!(index.find("A".repeat(43).as_bytes())[0].form, "base64");
        assert_eq!(index.find("0".repeat(64).as_bytes())[0].form, "hex");
    }

    #[test]
    fn a_secret_of_one_character_is_no_secret() {
        let mut index = FormIndex::default();
        index.add_text(Secret::SecretAccessKey, &[b's'; 21]);
        assert!(index.find(&[b's'; 40]).is_empty());
    }

    #[test]
    fn a_secret_below_a_window_is_left_out() {
        let mut index = FormIndex::default();
        index.add_text(Secret::SecretAccessKey, b"minioadmin");
        assert!(index.find(b"minioadmin").is_empty());
        index.add_text(
            Secret::SecretAccessKey,
            b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
        let hits = index.find(b"?secret=wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY&");
        assert_eq!(hits[0].range, 8..52);
    }

    proptest! {
        #[test]
        fn chance_is_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert!(index().find(&bytes).is_empty());
        }

        #[test]
        fn a_key_is_found_wherever_it_stands(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            form in 0_usize..13,
        ) {
            let (_, needle) = &key_forms(&CustomerKey::from_bytes(KEY))[form];
            let hits = index().find(&[before.as_slice(), needle, &after].concat());
            prop_assert_eq!(hits.len(), 1);
            let (start, end) = (hits[0].range.start, hits[0].range.end);
            prop_assert!(start <= before.len() && end >= before.len() + needle.len());
        }
    }
}
