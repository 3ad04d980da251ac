//! What the target accepted: objects, and uploads with their parts. Content is named by declared
//! bodies, so that a copy, a copied range and a completed upload are known to the byte.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::check::body::cut;
use crate::payload;
use crate::random::Seed;
use crate::scenario::definition::{BodySpec, RangeSpec, SsecHeader};
use crate::ssec::SsecHeaders;

/// A part of a declared body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The body's name.
    pub body: String,
    pub spec: BodySpec,
    /// Of the body, in bytes.
    pub range: Range<u64>,
}

/// Segments one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content(Vec<Segment>);

impl Content {
    /// A whole body.
    #[must_use]
    pub fn of(body: &str, spec: BodySpec) -> Self {
        Self(vec![Segment {
            body: body.to_owned(),
            spec,
            range: 0..spec.size,
        }])
    }

    /// Appends another content.
    pub fn push(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self
            .0
            .iter()
            .map(|segment| segment.range.end - segment.range.start);
        sizes.sum()
    }

    /// What `range` takes of it.
    #[must_use]
    pub fn part(&self, range: Option<RangeSpec>) -> Self {
        let wanted = cut(self.size(), range);
        let mut at = 0;
        let mut kept = Vec::new();
        for segment in &self.0 {
            let length = segment.range.end - segment.range.start;
            let first = wanted.start.clamp(at, at + length) - at;
            let end = wanted.end.clamp(at, at + length) - at;
            if first < end {
                kept.push(Segment {
                    range: segment.range.start + first..segment.range.start + end,
                    ..segment.clone()
                });
            }
            at += length;
        }
        Self(kept)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn bytes(&self, run: Seed) -> Bytes {
        let at = |offset| usize::try_from(offset).expect("an offset into bytes in memory");
        let mut whole = Vec::with_capacity(at(self.size()));
        for segment in &self.0 {
            let body = payload::body(run, segment.spec);
            whole.extend_from_slice(&body[at(segment.range.start)..at(segment.range.end)]);
        }
        Bytes::from(whole)
    }

    /// Whether any of it is of the body of that name.
    #[must_use]
    pub fn holds(&self, body: &str) -> bool {
        self.0.iter().any(|segment| segment.body == body)
    }

    /// The seeds of its bodies: two bodies of one seed hold the same bytes.
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|segment| segment.spec.seed)
    }

    /// The names of its bodies, joined.
    #[must_use]
    pub fn words(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|segment| segment.body.as_str()).collect();
        names.join(" + ")
    }
}

/// The key headers of a request, kept to recognise the key when it is shown again.
pub type KeysSent = Vec<Zeroizing<Vec<u8>>>;

/// The keys that a request carried.
#[must_use]
pub fn keys_of(sent: &SsecHeaders) -> KeysSent {
    sent.values_of(SsecHeader::Key)
        .map(|value| Zeroizing::new(value.to_vec()))
        .collect()
}

/// One object or part that the target accepted.
#[derive(Clone)]
pub struct Stored {
    pub content: Content,
    /// The key headers it came with; empty for what is plain.
    pub keys: KeysSent,
}

impl Stored {
    /// Whether a key came with it.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        !self.keys.is_empty()
    }
}

/// A part of an upload.
pub struct Part {
    pub stored: Stored,
    /// With its quotes, as it came.
    pub etag: String,
    /// Whether any SSE-C header came with it.
    pub asked_for_ssec: bool,
}

/// An upload that was created and neither completed nor aborted.
pub struct Upload {
    /// The object's logical name.
    pub object: String,
    pub keys: KeysSent,
    /// Triples that may open the completed object: the right one, then the one that was accepted.
    pub triples: Vec<SsecHeaders>,
    /// Whether any SSE-C header came with its creation.
    pub asked_for_ssec: bool,
    pub parts: BTreeMap<u32, Part>,
}

impl Upload {
    /// The parts that a completion names: those of `numbers`, or all.
    pub fn chosen(&self, numbers: Option<&[u32]>) -> Vec<(u32, &Part)> {
        match numbers {
            None => self
                .parts
                .iter()
                .map(|(number, part)| (*number, part))
                .collect(),
            Some(numbers) => numbers
                .iter()
                .filter_map(|number| Some((*number, self.parts.get(number)?)))
                .collect(),
        }
    }

    /// Whether its completion is an SSE-C write.
    #[must_use]
    pub fn is_ssec_write(&self, numbers: Option<&[u32]>) -> bool {
        let parts = self.chosen(numbers);
        self.asked_for_ssec || parts.iter().any(|(_, part)| part.asked_for_ssec)
    }

    /// The object that a completion makes of these parts.
    #[must_use]
    pub fn completed(&self, numbers: Option<&[u32]>) -> Stored {
        let mut content = Content::default();
        let mut keys = self.keys.clone();
        for (_, part) in self.chosen(numbers) {
            content.push(&part.stored.content);
            if self.keys.is_empty() {
                keys.extend(part.stored.keys.iter().cloned());
            }
        }
        Stored { content, keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Seed = Seed(7);

    fn spec(size: u64, seed: u64) -> BodySpec {
        BodySpec { size, seed }
    }

    #[test]
    fn content_is_cut_across_its_segments() {
        let mut content = Content::of("a", spec(100, 1));
        content.push(&Content::of("b", spec(50, 2)));
        assert_eq!(content.size(), 150);
        let whole = content.bytes(RUN);
        let check = |first: u64, last: u64| {
            let part = content.part(Some(RangeSpec::Bounded { first, last }));
            let (first, end) = (first as usize, (last as usize + 1).min(150));
            assert_eq!(part.bytes(RUN), whole.slice(first..end));
            part
        };
        assert_eq!(check(0, 99).words(), "a");
        assert_eq!(check(90, 110).words(), "a + b");
        assert_eq!(check(100, 149).words(), "b");
        check(0, 149);
        check(149, 1000);
        let again = check(90, 110).part(Some(RangeSpec::Suffix { length: 3 }));
        assert_eq!(again.bytes(RUN), whole.slice(108..111));
        assert!(again.holds("b") && !again.holds("a"));
        assert_eq!(content.part(None), content);
    }

    #[test]
    fn a_completion_is_made_of_the_parts_that_it_names() {
        let part = |name: &str, seed| Part {
            stored: Stored {
                content: Content::of(name, spec(10, seed)),
                keys: Vec::new(),
            },
            etag: format!("\"{name}\""),
            asked_for_ssec: name == "c",
        };
        let upload = Upload {
            object: "big".to_owned(),
            keys: Vec::new(),
            triples: Vec::new(),
            asked_for_ssec: false,
            parts: BTreeMap::from([(1, part("a", 1)), (2, part("b", 2)), (3, part("c", 3))]),
        };
        let words = |numbers: Option<&[u32]>| upload.completed(numbers).content.words();
        assert_eq!(words(None), "a + b + c");
        assert_eq!(words(Some(&[2, 1])), "b + a");
        assert_eq!(words(Some(&[9])), "");
        assert!(upload.is_ssec_write(None), "one part asked for SSE-C");
        assert!(!upload.is_ssec_write(Some(&[1, 2])));
    }
}
