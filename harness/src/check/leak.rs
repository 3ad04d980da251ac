//! The always-on check: no answer holds a key of the run, nor plaintext that it must not carry.

use std::collections::HashSet;

use crate::payload::{Named, find_plaintext};
use crate::random::Seed;
use crate::ssec::Keyring;
use crate::ssec::forms::Secret;
use crate::transport::Exchange;

/// Something in an answer that must not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    pub what: Leaked,
    /// Such as `answer header x-amz-foo` or `answer body at 17`.
    pub place: String,
    /// Whether the request itself carried that key, judged by the bytes that were sent.
    pub own: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaked {
    /// A customer key, and the form it came in.
    Key { secret: Secret, form: &'static str },
    /// Plaintext of the body of that name.
    Plaintext { body: String },
}

/// Every key of the run in the answer of `exchange`, wherever and in whatever form; each key once
/// for each place.
#[must_use]
pub fn keys(keyring: &Keyring, exchange: &Exchange) -> Vec<Leak> {
    let mut leaks = Vec::new();
    // Filled when the first leak is found: nearly no exchange has one.
    let mut sent: Option<HashSet<Secret>> = None;
    for (place, bytes) in places(exchange) {
        let mut seen = HashSet::new();
        for hit in keyring.find(bytes) {
            let is_key = matches!(hit.secret, Secret::Key { .. });
            if !is_key || !seen.insert(hit.secret.clone()) {
                continue;
            }
            let sent = sent.get_or_insert_with(|| {
                let parts = [exchange.sent_head.as_slice(), &exchange.sent_fields];
                parts
                    .into_iter()
                    .flat_map(|part| keyring.find(part))
                    .map(|hit| hit.secret)
                    .collect()
            });
            let own = sent.contains(&hit.secret);
            if hit.guessable && !own {
                continue;
            }
            let place = place.at(hit.range.start);
            leaks.push(Leak {
                what: Leaked::Key {
                    secret: hit.secret,
                    form: hit.form,
                },
                place,
                own,
            });
        }
    }
    leaks
}

/// Plaintext of `bodies` in the answer of `exchange`, which must not carry any. Plaintext that was
/// encoded, or of less than 31 bytes in a longer text, is not recognised.
#[must_use]
pub fn plaintext(run: Seed, exchange: &Exchange, bodies: &[Named<'_>]) -> Option<Leak> {
    places(exchange).into_iter().find_map(|(place, bytes)| {
        let (body, at) = find_plaintext(run, bytes, bodies)?;
        let what = Leaked::Plaintext {
            body: body.name.to_owned(),
        };
        Some(Leak {
            what,
            place: place.at(at),
            own: false,
        })
    })
}

/// A part of an answer.
enum Place<'a> {
    Header(&'a str),
    Trailer(&'a str),
    /// Status line and header names; values stand for themselves before.
    Head,
    InterimHead,
    Body,
    BehindBody,
}

impl Place<'_> {
    fn at(&self, offset: usize) -> String {
        match self {
            Self::Header(name) => format!("answer header {name}"),
            Self::Trailer(name) => format!("answer trailer {name}"),
            Self::Head => format!("answer head at {offset}"),
            Self::InterimHead => format!("interim answer at {offset}"),
            Self::Body => format!("answer body at {offset}"),
            Self::BehindBody => format!("{offset} bytes behind the answer's end"),
        }
    }
}

/// Every byte of the answer. The head as a whole comes in only where a value alone says nothing.
fn places(exchange: &Exchange) -> Vec<(Place<'_>, &[u8])> {
    let mut places = Vec::new();
    for (name, value) in &exchange.headers {
        places.push((Place::Header(name.as_str()), value.as_slice()));
    }
    for (name, value) in &exchange.trailers {
        places.push((Place::Trailer(name.as_str()), value.as_slice()));
        places.push((Place::Trailer(name.as_str()), name.as_bytes()));
    }
    for (name, _) in &exchange.headers {
        places.push((Place::Head, name.as_bytes()));
    }
    let status = exchange
        .received_head
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    places.push((Place::Head, status));
    places.push((Place::InterimHead, &exchange.interim_heads));
    places.push((Place::Body, &exchange.body));
    places.push((Place::BehindBody, &exchange.surplus));
    places
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use bytes::Bytes;

    use super::*;
    use crate::payload;
    use crate::scenario::definition::{BodySpec, SsecHeader};
    use crate::ssec::CustomerKey;

    const KEY: [u8; 32] = *b"\xfb\xff\x00\x01 a customer key, not random?";

    fn keyring() -> Keyring {
        let keyring = Keyring::new();
        let alice = CustomerKey::from_bytes(KEY);
        keyring.adopt("get::case", vec![("alice", alice, CustomerKey::fresh())]);
        keyring
    }

    fn exchange() -> Exchange {
        Exchange {
            received_head: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            ..Exchange::answered(200, &[], b"")
        }
    }

    fn text() -> Vec<u8> {
        BASE64_STANDARD.encode(KEY).into_bytes()
    }

    #[track_caller]
    fn check(exchange: &Exchange, place: &str, form: &'static str, own: bool) {
        let secret = Secret::Key {
            trial: "get::case".into(),
            name: "alice".into(),
        };
        let what = Leaked::Key { secret, form };
        assert_eq!(
            keys(&keyring(), exchange),
            [Leak {
                what,
                place: place.to_owned(),
                own
            }]
        );
    }

    /// The checksum that a server repeats may read like the key of zeros of another trial.
    #[test]
    fn a_guessable_key_is_a_leak_only_to_whoever_sent_it() {
        let keyring = Keyring::new();
        let zero = CustomerKey::from_bytes([0; 32]);
        let other = CustomerKey::from_bytes([1; 32]);
        let _keys = keyring.adopt("get::case", vec![("zero", zero, other)]);
        let text = format!("{}=", "A".repeat(43));
        let answer = || Exchange {
            headers: vec![(
                "x-amz-checksum-sha256".to_owned(),
                text.clone().into_bytes(),
            )],
            ..exchange()
        };
        assert_eq!(keys(&keyring, &answer()), []);
        let name = SsecHeader::Key.wire_name();
        let sent = Exchange {
            sent_head: format!("GET / HTTP/1.1\r\n{name}: {text}\r\n\r\n").into_bytes(),
            ..answer()
        };
        assert_eq!(keys(&keyring, &sent).len(), 1);
    }

    #[test]
    fn a_key_is_found_in_every_part_of_an_answer() {
        let header = vec![("X-Echo".to_owned(), text())];
        check(
            &Exchange {
                headers: header.clone(),
                ..exchange()
            },
            "answer header X-Echo",
            "base64",
            false,
        );
        check(
            &Exchange {
                trailers: header,
                ..exchange()
            },
            "answer trailer X-Echo",
            "base64",
            false,
        );
        let body = Bytes::from([b"<Error>".to_vec(), hex::encode(KEY).into_bytes()].concat());
        check(
            &Exchange { body, ..exchange() },
            "answer body at 7",
            "hex",
            false,
        );
        check(
            &Exchange {
                surplus: KEY.to_vec(),
                ..exchange()
            },
            "0 bytes behind the answer's end",
            "raw bytes",
            false,
        );
        let status = [b"HTTP/1.1 400 ".to_vec(), text(), b"\r\n\r\n".to_vec()].concat();
        check(
            &Exchange {
                received_head: status,
                ..exchange()
            },
            "answer head at 13",
            "base64",
            false,
        );
        check(
            &Exchange {
                interim_heads: text(),
                ..exchange()
            },
            "interim answer at 0",
            "base64",
            false,
        );
    }

    #[test]
    fn a_key_that_the_request_carried_is_its_own() {
        let sent_head = [
            b"GET / HTTP/1.1\r\nkey: ".to_vec(),
            text(),
            b"\r\n\r\n".to_vec(),
        ]
        .concat();
        let body = Bytes::from(text());
        check(
            &Exchange {
                sent_head,
                body,
                ..exchange()
            },
            "answer body at 0",
            "base64",
            true,
        );
    }

    #[test]
    fn an_md5_and_a_clean_answer_are_no_leaks() {
        let digest = CustomerKey::from_bytes(KEY).md5_base64().into_bytes();
        let headers = vec![(
            "x-amz-server-side-encryption-customer-key-MD5".to_owned(),
            digest,
        )];
        let body = Bytes::from_static(b"<Error><Code>AccessDenied</Code></Error>");
        assert_eq!(
            keys(
                &keyring(),
                &Exchange {
                    headers,
                    body,
                    ..exchange()
                }
            ),
            []
        );
    }

    #[test]
    fn plaintext_is_found_and_ciphertext_is_not() {
        let run = Seed(1);
        let secret = Named {
            name: "secret",
            spec: BodySpec {
                size: 1000,
                seed: 1,
            },
        };
        let other = BodySpec {
            size: 1000,
            seed: 2,
        };
        let whole = payload::body(run, secret.spec);
        let leaked = Exchange {
            body: whole.slice(3..200),
            ..exchange()
        };
        let what = Leaked::Plaintext {
            body: "secret".to_owned(),
        };
        let leak = Leak {
            what,
            place: "answer body at 13".to_owned(),
            own: false,
        };
        assert_eq!(plaintext(run, &leaked, &[secret]), Some(leak));
        let header = vec![("x".to_owned(), whole[..16].to_vec())];
        assert!(
            plaintext(
                run,
                &Exchange {
                    headers: header,
                    ..exchange()
                },
                &[secret]
            )
            .is_some()
        );
        let clean = Exchange {
            body: payload::body(run, other),
            ..exchange()
        };
        assert_eq!(plaintext(run, &clean, &[secret]), None);
        assert_eq!(plaintext(run, &exchange(), &[secret]), None);
    }
}
