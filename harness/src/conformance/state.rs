//! What a trial knows while it runs: what each object was stored with, and captured values.
//!
//! It knows what the target accepted, not what it did with it: that is what the trial finds out.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::check::status::Backing;
use crate::s3::error_document::value_at;
use crate::scenario::definition::{Capture, CaptureFrom, SsecHeader, Step, Text};
use crate::ssec::SsecHeaders;
use crate::transport::Exchange;

/// One object that the target accepted.
pub struct Stored {
    /// Name of its body.
    pub body: String,
    /// The key headers it came with; empty for a plain object.
    keys: Vec<Zeroizing<Vec<u8>>>,
}

impl Stored {
    /// Whether a key came with it.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        !self.keys.is_empty()
    }
}

/// A trial's memory. No `Debug`: it holds keys.
#[derive(Default)]
pub struct State {
    objects: BTreeMap<String, Stored>,
    captures: BTreeMap<String, Vec<u8>>,
}

impl State {
    /// A memory in which every capture of these steps is `$` and its name: for requests that are
    /// shown and never sent.
    #[must_use]
    pub fn of_placeholders<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        let names = steps.flat_map(|step| &step.save).map(|save| &save.name);
        let captures = names.map(|name| (name.clone(), format!("${name}").into_bytes()));
        Self {
            objects: BTreeMap::new(),
            captures: captures.collect(),
        }
    }

    /// The target accepted `object` with this body and these SSE-C headers.
    pub fn stored(&mut self, object: &str, body: &str, sent: &SsecHeaders) {
        let keys = sent
            .values_of(SsecHeader::Key)
            .map(|value| Zeroizing::new(value.to_vec()))
            .collect();
        let body = body.to_owned();
        self.objects
            .insert(object.to_owned(), Stored { body, keys });
    }

    /// The target removed `object`.
    pub fn removed(&mut self, object: &str) {
        self.objects.remove(object);
    }

    #[must_use]
    pub fn object(&self, object: &str) -> Option<&Stored> {
        self.objects.get(object)
    }

    /// All objects that are there.
    pub fn objects(&self) -> impl Iterator<Item = &Stored> {
        self.objects.values()
    }

    /// What speaks for a read of `object` with these headers: the right key itself was shown, or
    /// the object has none.
    #[must_use]
    pub fn backing(&self, object: &str, sent: &SsecHeaders) -> Backing {
        let Some(stored) = self.objects.get(object) else {
            return Backing::Missing;
        };
        let shown: Vec<&[u8]> = sent.values_of(SsecHeader::Key).collect();
        let is_shown = |key: &Zeroizing<Vec<u8>>| matches!(shown[..], [one] if verify_slices_are_equal(one, key).is_ok());
        if !stored.is_sealed() || stored.keys.iter().any(is_shown) {
            Backing::Held
        } else {
            Backing::Missing
        }
    }

    /// Whether the key of `object` stood in the request at all, be it beside another one: what is
    /// served then is no leak, whatever else is wrong with it.
    #[must_use]
    pub fn was_shown(&self, object: &str, sent: &SsecHeaders) -> bool {
        let keys = self.objects.get(object).map(|stored| &stored.keys);
        keys.into_iter().flatten().any(|key| {
            sent.values_of(SsecHeader::Key)
                .any(|shown| verify_slices_are_equal(shown, key).is_ok())
        })
    }

    /// Keeps what a step captures; returns the captures that the answer does not have.
    pub fn capture<'a>(
        &mut self,
        captures: &'a [Capture],
        exchange: &Exchange,
    ) -> Vec<&'a Capture> {
        let mut missing = Vec::new();
        for capture in captures {
            let value = match &capture.from {
                CaptureFrom::Header(name) => exchange.header(name).map(<[u8]>::to_vec),
                CaptureFrom::Xml(path) => value_at(&exchange.body, path).map(String::into_bytes),
                CaptureFrom::Status => Some(exchange.status.to_string().into_bytes()),
                CaptureFrom::BodySha256 => {
                    let hash = digest(&SHA256, &exchange.body);
                    Some(hex::encode(hash).into_bytes())
                }
            };
            match value {
                Some(value) => {
                    self.captures.insert(capture.name.clone(), value);
                }
                None => missing.push(capture),
            }
        }
        missing
    }

    /// The bytes of a text; `None` for a capture that was never made.
    #[must_use]
    pub fn resolve(&self, text: &Text) -> Option<Vec<u8>> {
        match text {
            Text::Literal(literal) => Some(literal.clone().into_bytes()),
            Text::Capture(name) => self.captures.get(name).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::evaluate::tests::exchange;
    use crate::ssec::headers::SsecValue;

    fn with_keys(values: &[&[u8]]) -> SsecHeaders {
        SsecHeaders {
            values: values
                .iter()
                .map(|value| SsecValue {
                    header: SsecHeader::Key,
                    value: value.to_vec(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_read_is_backed_by_the_right_key_alone() {
        let mut state = State::default();
        state.stored("sealed", "small", &with_keys(&[b"alice"]));
        state.stored("plain", "small", &with_keys(&[]));
        let backing = |object, keys: &[&[u8]]| state.backing(object, &with_keys(keys));
        assert_eq!(backing("sealed", &[b"alice"]), Backing::Held);
        assert_eq!(backing("sealed", &[b"mallory"]), Backing::Missing);
        assert_eq!(backing("sealed", &[b"alice", b"mallory"]), Backing::Missing);
        assert_eq!(backing("sealed", &[]), Backing::Missing);
        assert_eq!(backing("plain", &[]), Backing::Held);
        assert_eq!(backing("plain", &[b"alice"]), Backing::Held);
        assert_eq!(backing("nothing", &[b"alice"]), Backing::Missing);
    }

    #[test]
    fn a_key_was_shown_also_beside_another() {
        let mut state = State::default();
        state.stored("sealed", "small", &with_keys(&[b"alice"]));
        let shown = |object, keys: &[&[u8]]| state.was_shown(object, &with_keys(keys));
        assert!(shown("sealed", &[b"alice", b"mallory"]));
        assert!(shown("sealed", &[b"mallory", b"alice"]));
        assert!(!shown("sealed", &[b"mallory"]));
        assert!(!shown("sealed", &[]));
        assert!(!shown("nothing", &[b"alice"]));
    }

    #[test]
    fn captures_come_from_where_they_say() {
        let answer = exchange(200, &[("ETag", "\"x\"")], b"<R><Name>n</Name></R>");
        let capture = |name: &str, from| Capture {
            name: name.to_owned(),
            from,
        };
        let captures = [
            capture("etag", CaptureFrom::Header("etag".to_owned())),
            capture("name", CaptureFrom::Xml("Name".to_owned())),
            capture("status", CaptureFrom::Status),
            capture("none", CaptureFrom::Header("x-none".to_owned())),
        ];
        let mut state = State::default();
        let missing = state.capture(&captures, &answer);
        assert_eq!(missing.len(), 1);
        let value = |name: &str| state.resolve(&Text::Capture(name.to_owned()));
        assert_eq!(value("etag").as_deref(), Some(&b"\"x\""[..]));
        assert_eq!(value("name").as_deref(), Some(&b"n"[..]));
        assert_eq!(value("status").as_deref(), Some(&b"200"[..]));
        assert_eq!(value("none"), None);
    }
}
