//! What is looked for in files and logs: customer keys in every form, digests, plaintext.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use crate::payload::{self, BLOCK, Named};
use crate::random::Seed;
use crate::ssec::customer_key::md5;
use crate::ssec::forms::Secret;
use crate::ssec::{Keyring, TrialKeys};

/// Finds something in bytes: what, and where.
pub(super) type Find = Box<dyn Fn(&[u8]) -> Option<(String, usize)> + Send + Sync>;

/// Which hits of a key count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Key,
    KeyMd5,
}

/// The keys of a trial, in any form that the redactor knows.
pub(super) fn keys(keys: &TrialKeys, of: Of) -> Find {
    // A ring of its own: keys of other trials say nothing about this one.
    let ring = Keyring::new();
    for name in keys.names() {
        if let Some(key) = keys.get(name) {
            ring.recognise(keys.trial(), name, key);
        }
    }
    Box::new(move |bytes| {
        ring.find(bytes).into_iter().find_map(|hit| {
            let what = match (&hit.secret, of) {
                (Secret::Key { name, .. }, Of::Key) => format!("key {name} as {}", hit.form),
                (Secret::KeyMd5 { name, .. }, Of::KeyMd5) => {
                    format!("the MD5 of key {name} as {}", hit.form)
                }
                (
                    Secret::Key { .. }
                    | Secret::KeyMd5 { .. }
                    | Secret::SecretAccessKey
                    | Secret::SessionToken
                    | Secret::Signature
                    | Secret::Digest { .. },
                    _,
                ) => return None,
            };
            Some((what, hit.range.start))
        })
    })
}

/// MD5 (unless the dialect shows it), SHA-1 and SHA-256 of a body, in every form and escaped as well.
pub(super) fn digests(body: &[u8], md5_is_known: bool) -> Find {
    let ring = Keyring::new();
    ring.note_digest("SHA-1", digest(&SHA1_FOR_LEGACY_USE_ONLY, body).as_ref());
    ring.note_digest("SHA-256", digest(&SHA256, body).as_ref());
    if !md5_is_known {
        ring.note_digest("MD5", &md5(body));
    }
    Box::new(move |bytes| {
        ring.find(bytes)
            .into_iter()
            .find_map(|hit| match hit.secret {
                Secret::Digest { name } => {
                    let what = format!("{name} of the plaintext as {}", hit.form);
                    Some((what, hit.range.start))
                }
                Secret::Key { .. }
                | Secret::KeyMd5 { .. }
                | Secret::SecretAccessKey
                | Secret::SessionToken
                | Secret::Signature => None,
            })
    })
}

/// Bits of the table that sorts out what is no block of a body.
const SIEVE: usize = 1 << 22;

/// Any block of the bodies.
pub(super) fn plaintext(run: Seed, bodies: &[Named<'_>]) -> Find {
    let mut sieve = vec![0_u8; SIEVE / 8];
    let mut known = Vec::new();
    for body in bodies {
        for block in payload::body(run, body.spec).chunks_exact(BLOCK) {
            let (byte, bit) = cell(block);
            sieve[byte] |= bit;
        }
        known.push((body.name.to_owned(), body.spec));
    }
    Box::new(move |bytes| {
        for at in 0..(bytes.len() + 1).saturating_sub(BLOCK) {
            let window = &bytes[at..at + BLOCK];
            let (byte, bit) = cell(window);
            if sieve[byte] & bit == 0 {
                continue;
            }
            let block = window.try_into().expect("a window is a block long");
            for (name, spec) in &known {
                let blocks = spec.size / BLOCK as u64;
                let position = payload::position(run, spec.seed, block);
                if position.is_some_and(|number| number < blocks) {
                    return Some((format!("plaintext of {name}"), at));
                }
            }
        }
        None
    })
}

/// Where a block stands in the sieve, by its first bytes.
fn cell(block: &[u8]) -> (usize, u8) {
    let first = usize::from(block[0]) | usize::from(block[1]) << 8 | usize::from(block[2]) << 16;
    let place = first % SIEVE;
    (place / 8, 1 << (place % 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::definition::{BodySpec, KeySpec};
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    const RUN: Seed = Seed(7);
    const SPEC: BodySpec = BodySpec {
        size: 1000,
        seed: 9,
    };

    fn among(bytes: &[u8]) -> Vec<u8> {
        [&[0x55; 100], bytes, &[0xaa; 100]].concat()
    }

    #[test]
    fn keys_are_found_in_their_forms_and_their_md5_by_itself() {
        let ring = Keyring::new();
        let drawn = ring
            .draw_named("t", &[("alice", KeySpec::default())])
            .unwrap();
        let key = drawn.get("alice").unwrap();
        let (find, md5) = (keys(&drawn, Of::Key), keys(&drawn, Of::KeyMd5));
        for form in [
            key.expose().to_vec(),
            key.base64().as_bytes().to_vec(),
            hex::encode(key.expose()).into_bytes(),
        ] {
            let (what, at) = find(&among(&form)).unwrap();
            assert!(what.contains("alice") && at == 100, "{what} {at}");
            assert_eq!(md5(&among(&form)), None);
        }
        let digest = among(key.md5_base64().as_bytes());
        assert_eq!(find(&digest), None);
        assert!(md5(&digest).is_some());
        let stranger = ring
            .draw_named("u", &[("bob", KeySpec::default())])
            .unwrap();
        let stranger = stranger.get("bob").unwrap();
        assert_eq!(find(&among(stranger.expose())), None);
    }

    #[test]
    fn digests_are_found_whole() {
        let body = payload::body(RUN, SPEC);
        let find = digests(&body, false);
        let sha256 = digest(&SHA256, &body);
        let (what, at) = find(&among(hex::encode(sha256).as_bytes())).unwrap();
        assert_eq!(
            (what.as_str(), at),
            ("SHA-256 of the plaintext as hex", 100)
        );
        assert!(find(&among(sha256.as_ref())).is_some());
        assert!(find(&among(&md5(&body))).is_some());
        assert_eq!(digests(&body, true)(&among(&md5(&body))), None);
        assert_eq!(find(&among(&sha256.as_ref()[..20])), None);
        assert_eq!(find(&among(&md5(b"another"))), None);
    }

    #[test]
    fn escapes_hide_no_digest() {
        // SHA-1 of this body has a slash and a plus in its base64: found by trying.
        let body = payload::body(RUN, SPEC);
        let awkward = (0..).map(|cut| body.slice(cut..)).find(|body| {
            let text = BASE64_STANDARD.encode(digest(&SHA256, body));
            text.contains('/') && text.contains('+')
        });
        let body = awkward.unwrap();
        let find = digests(&body, false);
        let text = BASE64_STANDARD.encode(digest(&SHA256, &body));
        for escaped in [
            text.replace('/', r"\/"),
            text.replace('/', "%2F").replace('+', "%2b"),
            text.replace('/', "&#47;").replace('+', "&#x2B;"),
            text.replace('/', r"\u002f"),
            text.replace('/', "_").replace('+', "-"),
        ] {
            let (what, at) = find(&among(escaped.as_bytes())).unwrap();
            assert!(what.starts_with("SHA-256") && at == 100, "{what} {at}");
        }
    }

    #[test]
    fn one_block_of_plaintext_is_found_anywhere() {
        let named = Named {
            name: "b1",
            spec: SPEC,
        };
        let find = plaintext(RUN, &[named]);
        let body = payload::body(RUN, SPEC);
        let (what, at) = find(&among(&body[32..48])).unwrap();
        assert_eq!((what.as_str(), at), ("plaintext of b1", 100));
        assert_eq!(find(&among(&body[33..48])), None);
        let other = BodySpec { seed: 10, ..SPEC };
        assert_eq!(find(&payload::body(RUN, other)), None);
        assert_eq!(find(&body[..15]), None);
    }
}
