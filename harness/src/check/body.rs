//! What an answer's body must be: declared bytes, a length, entries of a list.

use std::ops::Range;

use super::header::unquoted;
use super::{Check, Show, Weight};
use crate::payload::{self, Named};
use crate::random::Seed;
use crate::s3::error_document::{
    ListEntry, list_page, part_list, upload_list, value_at, version_page,
};
use crate::scenario::definition::{Operation, RangeSpec};
use crate::transport::Exchange;

/// The part of `size` bytes that `range` asks for; empty where it lies outside.
#[must_use]
pub fn cut(size: u64, range: Option<RangeSpec>) -> Range<u64> {
    match range {
        None => 0..size,
        Some(RangeSpec::Bounded { first, last }) => {
            let end = last.saturating_add(1).min(size);
            first.min(end)..end
        }
        Some(RangeSpec::From { first }) => first.min(size)..size,
        Some(RangeSpec::Suffix { length }) => size.saturating_sub(length)..size,
    }
}

/// The body must be `expected`, byte for byte; a wrong one is described, not dumped.
#[must_use]
pub fn is_body(
    run: Seed,
    exchange: &Exchange,
    expected: &[u8],
    names: &str,
    bodies: &[Named<'_>],
) -> Check {
    let ok = exchange.is_whole() && *exchange.body == *expected;
    let length = expected.len();
    let observed = match &exchange.cut {
        Some(why) => format!("{} of {length} bytes: {why}", exchange.body.len()),
        None if ok => "the same".to_owned(),
        None => payload::describe(run, &exchange.body, expected, bodies),
    };
    Check::new("body", Weight::Requirement, ok)
        .expected(format!("{names}, {length} bytes"))
        .observed(observed)
}

/// `Content-Length` must be `length`.
#[must_use]
pub fn has_length(exchange: &Exchange, length: u64, name: &str, show: Show<'_>) -> Check {
    let values: Vec<&[u8]> = exchange.headers_named("Content-Length").collect();
    let ok = matches!(values[..], [value] if value == length.to_string().as_bytes());
    Check::new("length", Weight::Requirement, ok)
        .expected(format!("{length}, the length of {name}"))
        .observed(show.values(&values))
}

/// The document must tell `length` as the object's.
#[must_use]
pub fn tells_length(exchange: &Exchange, length: u64, name: &str, show: Show<'_>) -> Check {
    let seen = value_at(&exchange.body, "ObjectSize").unwrap_or_default();
    Check::new(
        "length",
        Weight::Requirement,
        seen.trim() == length.to_string(),
    )
    .expected(format!("{length}, the length of {name}"))
    .observed(show.text(seen.as_bytes()))
}

/// The text at `path` of the document must be `wanted`, or, of a tag, be it without its quotes.
#[must_use]
pub fn tells(
    what: &'static str,
    exchange: &Exchange,
    path: &str,
    wanted: &[u8],
    show: Show<'_>,
) -> Check {
    let seen = value_at(&exchange.body, path);
    let ok = seen.as_ref().is_some_and(|seen| {
        // Some lay an empty element out over two lines.
        let blank = wanted.is_empty() && seen.trim().is_empty();
        blank || unquoted(seen.as_bytes()) == unquoted(wanted)
    });
    Check::new(what, Weight::Requirement, ok)
        .expected(format!("{path}: {}", show.text(wanted)))
        .observed(match &seen {
            Some(seen) => format!("{path}: {}", show.text(seen.as_bytes())),
            None => format!("no {path}, or one that holds elements"),
        })
}

/// One entry that a list must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedEntry {
    /// As the scenario calls it.
    pub name: String,
    /// As the target calls it.
    pub object: String,
    pub size: Option<u64>,
    pub etag: Option<Vec<u8>>,
    /// In a list of versions: the id, whether it is a delete marker, whether it is the current one.
    pub version: Option<Vec<u8>>,
    pub marker: Option<bool>,
    pub latest: Option<bool>,
}

/// How a list answer is read.
#[derive(Clone, Copy)]
pub struct List {
    root: &'static str,
    pub read: fn(&[u8]) -> Option<Vec<ListEntry>>,
}

/// The list that an operation answers with; `None` if it answers with none.
#[must_use]
pub fn list_of(operation: Operation) -> Option<List> {
    let lists = [
        (
            Operation::List,
            List {
                root: "ListBucketResult",
                read: |body| list_page(body).map(|page| page.entries),
            },
        ),
        (
            Operation::ListParts,
            List {
                root: "ListPartsResult",
                read: part_list,
            },
        ),
        (
            Operation::ListUploads,
            List {
                root: "ListMultipartUploadsResult",
                read: |body| {
                    let uploads = upload_list(body)?.into_iter();
                    let entry = |(object, _)| ListEntry {
                        object,
                        ..ListEntry::default()
                    };
                    Some(uploads.map(entry).collect())
                },
            },
        ),
        (
            Operation::ListVersions,
            List {
                root: "ListVersionsResult",
                read: |body| version_page(body).map(|page| page.entries),
            },
        ),
    ];
    let found = lists.into_iter().find(|(of, _)| *of == operation);
    found.map(|(_, list)| list)
}

/// The list must hold none of these.
#[must_use]
pub fn has_not(seen: &[ListEntry], unwanted: &[(String, String)]) -> Vec<Check> {
    let check = |(name, object): &(String, String)| {
        let found = seen.iter().filter(|entry| entry.object == *object).count();
        Check::new("entries", Weight::Requirement, found == 0)
            .expected(format!("no {name}"))
            .observed(format!("{name} {found} times among {}", seen.len()))
    };
    unwanted.iter().map(check).collect()
}

/// The list must hold every wanted entry once, with its size and its tag.
#[must_use]
pub fn has_entries(
    list: List,
    seen: Option<&[ListEntry]>,
    wanted: &[WantedEntry],
    show: Show<'_>,
) -> Vec<Check> {
    let check = |ok| Check::new("entries", Weight::Requirement, ok);
    let Some(seen) = seen else {
        return vec![
            check(false)
                .expected(format!("a {}", list.root))
                .observed("a body that is none"),
        ];
    };
    wanted
        .iter()
        .map(|want| {
            let expected = want.words(show);
            let mut found = seen.iter().filter(|entry| want.names(entry));
            let (Some(entry), None) = (found.next(), found.next()) else {
                return check(false)
                    .expected(expected)
                    .observed(format!("not once among {} entries", seen.len()));
            };
            check(want.is_met_by(entry))
                .expected(expected)
                .observed(entry_words(&want.name, entry, show))
        })
        .collect()
}

impl WantedEntry {
    /// Whether this entry is the one that is meant.
    fn names(&self, entry: &ListEntry) -> bool {
        let version = entry.version.as_deref().map(str::as_bytes);
        entry.object == self.object
            && (self.version.is_none() || self.version.as_deref() == version)
    }

    fn is_met_by(&self, entry: &ListEntry) -> bool {
        let etag_ok = match (&self.etag, &entry.etag) {
            (None, _) => true,
            (Some(want), Some(seen)) => unquoted(want) == unquoted(seen.as_bytes()),
            (Some(_), None) => false,
        };
        (self.size.is_none() || entry.size == self.size)
            && etag_ok
            && self.marker.is_none_or(|marker| entry.is_marker == marker)
            && self.latest.is_none_or(|latest| entry.is_latest == latest)
    }

    fn words(&self, show: Show<'_>) -> String {
        let mut words = self.name.clone();
        if let Some(version) = &self.version {
            words.push_str(&format!(", version {}", show.text(version)));
        }
        if let Some(size) = self.size {
            words.push_str(&format!(" of {size} bytes"));
        }
        if let Some(etag) = &self.etag {
            words.push_str(&format!(" with tag {}", show.text(etag)));
        }
        let truths = [
            (self.marker, "a delete marker"),
            (self.latest, "the current one"),
        ];
        for (truth, what) in truths {
            if let Some(truth) = truth {
                words.push_str(if truth { ", " } else { ", not " });
                words.push_str(what);
            }
        }
        words
    }
}

fn entry_words(name: &str, entry: &ListEntry, show: Show<'_>) -> String {
    let size = entry.size.map_or("no".to_owned(), |size| size.to_string());
    let etag = show.text(entry.etag.as_deref().unwrap_or("none").as_bytes());
    let mut words = format!("{name} of {size} bytes with tag {etag}");
    if let Some(version) = &entry.version {
        words.push_str(&format!(", version {}", show.text(version.as_bytes())));
    }
    if entry.is_marker {
        words.push_str(", a delete marker");
    }
    if entry.is_latest {
        words.push_str(", the current one");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::evaluate::tests::plain_show;

    #[test]
    fn ranges_are_cut_as_rfc_9110_has_them() {
        let bounded = |first, last| Some(RangeSpec::Bounded { first, last });
        assert_eq!(cut(10, None), 0..10);
        assert_eq!(cut(10, bounded(0, 3)), 0..4);
        assert_eq!(cut(10, bounded(8, 99)), 8..10);
        assert_eq!(cut(10, bounded(8, u64::MAX)), 8..10);
        assert!(cut(10, bounded(10, 12)).is_empty());
        assert_eq!(cut(10, Some(RangeSpec::From { first: 4 })), 4..10);
        assert_eq!(cut(10, Some(RangeSpec::Suffix { length: 4 })), 6..10);
        assert_eq!(cut(10, Some(RangeSpec::Suffix { length: 40 })), 0..10);
    }

    #[test]
    fn a_length_stands_once_and_is_the_bodys() {
        let show = Show(&plain_show);
        let answer = |headers: &[(&str, &str)]| Exchange::answered(200, headers, b"");
        let length = "Content-Length";
        assert!(has_length(&answer(&[(length, "7")]), 7, "small", show).ok);
        assert!(!has_length(&answer(&[(length, "8")]), 7, "small", show).ok);
        assert!(!has_length(&answer(&[]), 7, "small", show).ok);
    }

    #[test]
    fn a_list_is_searched_for_each_entry() {
        let xml = br#"<ListBucketResult><Contents><Key>p/doc</Key><ETag>&quot;abc&quot;</ETag>
            <Size>5</Size></Contents></ListBucketResult>"#;
        let answer = Exchange::answered(200, &[], xml);
        let ok = |object: &str, size, etag: Option<&str>| {
            let wanted = WantedEntry {
                name: "doc".to_owned(),
                object: object.to_owned(),
                size,
                etag: etag.map(|tag| tag.as_bytes().to_vec()),
                ..WantedEntry::default()
            };
            let list = list_of(Operation::List).unwrap();
            let seen = (list.read)(&answer.body);
            has_entries(list, seen.as_deref(), &[wanted], Show(&plain_show))
                .iter()
                .all(|check| check.ok)
        };
        assert!(ok("p/doc", Some(5), Some("\"abc\"")));
        assert!(ok("p/doc", None, None));
        assert!(!ok("p/doc", Some(6), None));
        assert!(!ok("p/doc", None, Some("\"abd\"")));
        assert!(!ok("p/other", None, None));
        let list = list_of(Operation::List).unwrap();
        assert!((list.read)(b"<html>").is_none());
        assert!(!has_entries(list, None, &[], Show(&plain_show))[0].ok);
    }

    #[test]
    fn a_document_tells_what_it_must() {
        let xml = b"<R><ETag>abc</ETag><ObjectSize>7</ObjectSize><A><B>x</B></A></R>";
        let answer = Exchange::answered(200, &[], xml);
        let show = Show(&plain_show);
        assert!(tells_length(&answer, 7, "small", show).ok);
        assert!(!tells_length(&answer, 8, "small", show).ok);
        let ok = |path, wanted: &str| tells("xml", &answer, path, wanted.as_bytes(), show).ok;
        assert!(ok("ETag", "\"abc\"") && ok("A.B", "x"));
        assert!(!ok("A.B", "y") && !ok("A.C", "x"));
        assert!(!ok("A", ""), "it holds an element");
        let empty = Exchange::answered(200, &[], b"<R><A>\n  </A><B/></R>");
        let ok = |path| tells("xml", &empty, path, b"", show).ok;
        assert!(ok("A") && ok("B") && !ok("C"));
    }

    #[test]
    fn versions_of_one_name_are_told_apart() {
        let xml = br#"<ListVersionsResult><Version><Key>p/doc</Key><VersionId>2</VersionId>
            <IsLatest>true</IsLatest><Size>5</Size></Version><Version><Key>p/doc</Key>
            <VersionId>1</VersionId><IsLatest>false</IsLatest><Size>4</Size></Version>
            </ListVersionsResult>"#;
        let list = list_of(Operation::ListVersions).unwrap();
        let seen = (list.read)(xml).unwrap();
        let ok = |version: Option<&str>, size, latest, marker| {
            let wanted = WantedEntry {
                name: "doc".to_owned(),
                object: "p/doc".to_owned(),
                size,
                version: version.map(|id| id.as_bytes().to_vec()),
                latest,
                marker,
                ..WantedEntry::default()
            };
            has_entries(list, Some(&seen), &[wanted], Show(&plain_show))[0].ok
        };
        assert!(ok(Some("1"), Some(4), Some(false), Some(false)));
        assert!(ok(Some("2"), Some(5), Some(true), None));
        assert!(!ok(Some("2"), Some(4), None, None));
        assert!(!ok(Some("1"), None, Some(true), None));
        assert!(!ok(Some("1"), None, None, Some(true)));
        assert!(!ok(Some("3"), None, None, None));
        assert!(!ok(None, None, None, None), "two have that name");
    }

    #[test]
    fn parts_and_uploads_are_lists_too() {
        let parts = br#"<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>"a"</ETag>
            <Size>5</Size></Part></ListPartsResult>"#;
        let read = |operation| list_of(operation).unwrap().read;
        let seen = read(Operation::ListParts)(parts).unwrap();
        assert_eq!((seen[0].object.as_str(), seen[0].size), ("2", Some(5)));
        let uploads = br#"<ListMultipartUploadsResult><Upload><Key>p/big</Key>
            <UploadId>u</UploadId></Upload></ListMultipartUploadsResult>"#;
        let seen = read(Operation::ListUploads)(uploads).unwrap();
        assert_eq!(seen[0].object, "p/big");
        assert!(read(Operation::ListParts)(uploads).is_none());
        let named = |object: &str| [("big".to_owned(), object.to_owned())];
        assert!(!has_not(&seen, &named("p/big"))[0].ok);
        assert!(has_not(&seen, &named("p/other"))[0].ok);
    }
}
