//! XML that a peer sent, read as hostile: error documents, lists, and single values by path.
//!
//! Bounded in bytes, depth, elements and text; no document types, no entities but the five of XML
//! and characters by number. Reading never panics and never fails loudly: what is no XML is `None`.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Longest document that is read, bytes: a page of a thousand long names is below one MiB.
pub const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// Elements within one another.
pub const MAX_DEPTH: usize = 16;
/// Elements of a document.
pub const MAX_ELEMENTS: usize = 100_000;
/// Bytes of one element's text; S3's longest, an object name, has at most 1024.
pub const MAX_TEXT: usize = 64 * 1024;

/// An S3 error, as far as its document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorDocument {
    /// Name of the root element; `Error` when it is one.
    pub root: String,
    pub code: Option<String>,
    pub message: Option<String>,
    pub argument_name: Option<String>,
    pub argument_value: Option<String>,
    /// The region that a redirect names.
    pub region: Option<String>,
}

/// One entry of a list answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListEntry {
    pub object: String,
    pub size: Option<u64>,
    /// With its quotes, as it came.
    pub etag: Option<String>,
    /// The id of the version, in lists of versions.
    pub version: Option<String>,
    /// Whether it is a delete marker.
    pub is_marker: bool,
    /// Whether it is the current version.
    pub is_latest: bool,
}

impl ListEntry {
    /// Reads an entry whose name stands in the element `name`.
    fn of(element: &Element, name: &str) -> Option<Self> {
        let text = |name: &str| element.child(name).map(|child| child.text.clone());
        let number = |name: &str| text(name).and_then(|text| text.trim().parse().ok());
        Some(Self {
            object: text(name)?,
            size: number("Size"),
            etag: text("ETag"),
            version: text("VersionId"),
            is_marker: element.name == "DeleteMarker",
            is_latest: text("IsLatest").is_some_and(|text| text.trim() == "true"),
        })
    }
}

/// One page of ListObjectVersions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionPage {
    /// Versions and delete markers.
    pub entries: Vec<ListEntry>,
    /// Name and version id after which the next page begins, when there is one.
    pub next: Option<(String, String)>,
}

/// One page of ListObjectsV2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    pub entries: Vec<ListEntry>,
    /// Token of the next page, when there is one.
    pub next: Option<String>,
}

/// The error document in `body`, if it can be read; any root will do, for the caller to judge.
#[must_use]
pub fn error_document(body: &[u8]) -> Option<ErrorDocument> {
    let root = read(body)?;
    // A batch tells of each object; one that failed makes the answer a refusal.
    let failed = root.child("Error").filter(|_| root.name == "DeleteResult");
    let error = failed.unwrap_or(&root);
    let text = |name| error.child(name).map(|child| child.text.clone());
    Some(ErrorDocument {
        code: text("Code"),
        message: text("Message"),
        argument_name: text("ArgumentName"),
        argument_value: text("ArgumentValue"),
        region: text("Region"),
        root: error.name.clone(),
    })
}

/// The list in `body`, if it is a `ListBucketResult`.
#[must_use]
pub fn list_page(body: &[u8]) -> Option<ListPage> {
    let root = read(body).filter(|root| root.name == "ListBucketResult")?;
    let entries = root
        .children
        .iter()
        .filter(|child| child.name == "Contents");
    let next = root.child("NextContinuationToken");
    let next = next.filter(|_| is_truncated(&root));
    Some(ListPage {
        entries: entries
            .map(|contents| ListEntry::of(contents, "Key"))
            .collect::<Option<_>>()?,
        next: next.map(|token| token.text.clone()),
    })
}

/// The list in `body`, if it is a `ListVersionsResult`.
#[must_use]
pub fn version_page(body: &[u8]) -> Option<VersionPage> {
    let root = read(body).filter(|root| root.name == "ListVersionsResult")?;
    let entries = root
        .children
        .iter()
        .filter(|child| matches!(child.name.as_str(), "Version" | "DeleteMarker"));
    let text = |name| root.child(name).map(|child| child.text.clone());
    let next = text("NextKeyMarker").zip(text("NextVersionIdMarker"));
    Some(VersionPage {
        entries: entries
            .map(|entry| ListEntry::of(entry, "Key"))
            .collect::<Option<_>>()?,
        next: next.filter(|_| is_truncated(&root)),
    })
}

fn is_truncated(list: &Element) -> bool {
    list.child("IsTruncated")
        .is_some_and(|text| text.text.trim() == "true")
}

/// The parts in `body`, if it is a `ListPartsResult` (which moto calls a response, and no client of
/// AWS minds); each is called by its number.
#[must_use]
pub fn part_list(body: &[u8]) -> Option<Vec<ListEntry>> {
    let is_list = |root: &Element| matches!(&*root.name, "ListPartsResult" | "ListPartsResponse");
    let root = read(body).filter(is_list)?;
    let parts = root.children.iter().filter(|child| child.name == "Part");
    let entry = |part: &Element| {
        let mut entry = ListEntry::of(part, "PartNumber")?;
        entry.object = entry.object.trim().to_owned();
        Some(entry)
    };
    parts.map(entry).collect()
}

/// Object and id of each upload in `body`, if it is a `ListMultipartUploadsResult`.
#[must_use]
pub fn upload_list(body: &[u8]) -> Option<Vec<(String, String)>> {
    let root = read(body).filter(|root| root.name == "ListMultipartUploadsResult")?;
    let uploads = root.children.iter().filter(|child| child.name == "Upload");
    let entry = |upload: &Element| {
        let text = |name| Some(upload.child(name)?.text.clone());
        Some((text("Key")?, text("UploadId")?))
    };
    uploads.map(entry).collect()
}

/// The text of the element at `path`: names below the root, separated by dots. The first of
/// several of one name. An element that holds others has no text: an empty one is told from it.
#[must_use]
pub fn value_at(body: &[u8], path: &str) -> Option<String> {
    let root = read(body)?;
    let mut element = &root;
    for name in path.split('.') {
        element = element.child(name)?;
    }
    element.children.is_empty().then(|| element.text.clone())
}

/// Name and delete marker's id, where there is one, of each object that a `DeleteResult` in `body`
/// tells as deleted.
#[must_use]
pub fn deleted_list(body: &[u8]) -> Option<Vec<(String, Option<String>)>> {
    let root = read(body).filter(|root| root.name == "DeleteResult")?;
    let deleted = root.children.iter().filter(|child| child.name == "Deleted");
    let entry = |deleted: &Element| {
        let text = |name| deleted.child(name).map(|child| child.text.clone());
        Some((text("Key")?, text("DeleteMarkerVersionId")))
    };
    deleted.map(entry).collect()
}

/// Name without prefix, text without its children's.
#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn push(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        (self.text.len() <= MAX_TEXT).then_some(())
    }
}

/// The root element. Attributes, comments and processing instructions are passed over.
fn read(body: &[u8]) -> Option<Element> {
    if body.len() > MAX_DOCUMENT {
        return None;
    }
    let mut reader = Reader::from_reader(body);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0;
    // Every event takes at least one byte, so the loop ends with the document.
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                elements += 1;
                if open.len() == MAX_DEPTH || elements > MAX_ELEMENTS {
                    return None;
                }
                let name = std::str::from_utf8(start.local_name().into_inner())
                    .ok()?
                    .to_owned();
                open.push(Element {
                    name,
                    ..Element::default()
                });
            }
            Event::End(_) => {
                let closed = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Some(closed),
                }
            }
            Event::Text(text) => {
                let text = text.decode().ok()?;
                match open.last_mut() {
                    Some(element) => element.push(&text)?,
                    None if text.trim_matches('\u{feff}').trim().is_empty() => {}
                    None => return None,
                }
            }
            Event::CData(text) => open.last_mut()?.push(&text.decode().ok()?)?,
            Event::GeneralRef(reference) => {
                let character = character(&reference)?;
                open.last_mut()?.push(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) | Event::Empty(_) | Event::Eof => return None,
        }
    }
}

/// The character of `&#43;` or `&amp;`; no other entity is known.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character);
    }
    match reference.decode().ok()?.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_is_read() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?>
            <!-- AWS --><Error><Code>InvalidArgument</Code>
            <Message>The calculated MD5 hash of the key is not &lt;x&#43;&#x2F;&gt;.</Message>
            <ArgumentName>x-amz-server-side-encryption</ArgumentName>
            <ArgumentValue>null</ArgumentValue>
            <Empty/><RequestId>1</RequestId></Error>"#;
        let expected = ErrorDocument {
            root: "Error".to_owned(),
            code: Some("InvalidArgument".to_owned()),
            message: Some("The calculated MD5 hash of the key is not <x+/>.".to_owned()),
            argument_name: Some("x-amz-server-side-encryption".to_owned()),
            argument_value: Some("null".to_owned()),
            region: None,
        };
        assert_eq!(error_document(body), Some(expected));
        assert_eq!(value_at(body, "Empty"), Some(String::new()));
        assert_eq!(value_at(body, "Code"), Some("InvalidArgument".to_owned()));
        assert_eq!(value_at(body, "Code.Deeper"), None);
        assert_eq!(value_at(body, "Nothing"), None);
        let holds = b"<R><Empty/><Blank> </Blank><Full><One/></Full></R>";
        assert_eq!(value_at(holds, "Empty"), Some(String::new()));
        assert_eq!(value_at(holds, "Blank"), Some(" ".to_owned()));
        assert_eq!(
            value_at(holds, "Full"),
            None,
            "what holds others is not empty"
        );
    }

    #[test]
    fn parts_are_read_under_either_name_of_their_list() {
        let parts = |root: &str| {
            let part = "<Part><PartNumber>3</PartNumber><Size>7</Size></Part>";
            part_list(format!("<{root}>{part}</{root}>").as_bytes())
        };
        for root in ["ListPartsResult", "ListPartsResponse"] {
            assert_eq!(parts(root).unwrap()[0].object, "3", "{root}");
        }
        assert!(parts("ListBucketResult").is_none());
    }

    #[test]
    fn a_list_is_read() {
        let body = br#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken>
            <Contents><Key>a &amp; b</Key><ETag>&quot;e&quot;</ETag><Size>65537</Size></Contents>
            <Contents><Key><![CDATA[<c>]]></Key></Contents></ListBucketResult>"#;
        let entries = vec![
            ListEntry {
                object: "a & b".to_owned(),
                size: Some(65_537),
                etag: Some("\"e\"".to_owned()),
                ..ListEntry::default()
            },
            ListEntry {
                object: "<c>".to_owned(),
                ..ListEntry::default()
            },
        ];
        let page = ListPage {
            entries,
            next: Some("t=".to_owned()),
        };
        assert_eq!(list_page(body), Some(page));
        assert_eq!(list_page(b"<Error/>"), None);
        assert_eq!(
            list_page(b"<ListBucketResult><Contents/></ListBucketResult>"),
            None
        );
        assert_eq!(list_page(b"<ListBucketResult/>"), Some(ListPage::default()));
    }

    #[test]
    fn a_batch_with_an_error_is_one() {
        let some = b"<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key>\
            <Code>AccessDenied</Code></Error></DeleteResult>";
        let found = error_document(some).unwrap();
        assert_eq!(
            (found.root.as_str(), found.code.as_deref()),
            ("Error", Some("AccessDenied"))
        );
        let all = b"<DeleteResult><Deleted><Key>a</Key></Deleted><Deleted><Key>b</Key>\
            <DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>7</DeleteMarkerVersionId>\
            </Deleted></DeleteResult>";
        assert_eq!(error_document(all).unwrap().root, "DeleteResult");
        let marked = ("b".to_owned(), Some("7".to_owned()));
        assert_eq!(
            deleted_list(all),
            Some(vec![("a".to_owned(), None), marked])
        );
        assert_eq!(deleted_list(some).unwrap().len(), 1, "what failed is there");
        assert_eq!(deleted_list(b"<Error/>"), None);
    }

    #[test]
    fn a_list_of_versions_is_read() {
        let body = br#"<ListVersionsResult><IsTruncated>true</IsTruncated>
            <NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>
            <DeleteMarker><Key>a</Key><VersionId>2</VersionId><IsLatest>true</IsLatest></DeleteMarker>
            <Version><Key>a</Key><VersionId>1</VersionId><IsLatest>false</IsLatest><Size>7</Size>
            </Version></ListVersionsResult>"#;
        let page = version_page(body).unwrap();
        assert_eq!(page.next, Some(("a".to_owned(), "1".to_owned())));
        let seen = page.entries.iter().map(|e| {
            let version = e.version.as_deref().unwrap();
            (e.object.as_str(), version, e.is_marker, e.is_latest, e.size)
        });
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [
                ("a", "2", true, true, None),
                ("a", "1", false, false, Some(7))
            ]
        );
        assert_eq!(version_page(b"<ListBucketResult/>"), None);
        let whole = version_page(b"<ListVersionsResult/>");
        assert_eq!(whole, Some(VersionPage::default()));
    }

    #[track_caller]
    fn check_refused(body: &[u8]) {
        assert_eq!(
            error_document(body),
            None,
            "{}",
            String::from_utf8_lossy(body)
        );
    }

    #[test]
    fn what_is_no_document_is_none() {
        check_refused(b"");
        check_refused(b"Forbidden");
        check_refused(b"<Error><Code>x</Error>");
        check_refused(b"<Error><Code>x</Code>");
        check_refused(b"<Error>\xff</Error>");
        check_refused(b"<!DOCTYPE x [<!ENTITY a 'b'>]><Error>&a;</Error>");
        check_refused(b"<Error>&unknown;</Error>");
        check_refused(b"<Error>&#xFFFFFFFF;</Error>");
        check_refused(b"text <Error/>");
    }

    #[test]
    fn every_limit_holds() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(error_document(nested(MAX_DEPTH).as_bytes()).is_some());
        check_refused(nested(MAX_DEPTH + 1).as_bytes());
        let text = |length: usize| format!("<a>{}</a>", "x".repeat(length));
        assert!(error_document(text(MAX_TEXT).as_bytes()).is_some());
        check_refused(text(MAX_TEXT + 1).as_bytes());
        let many = |elements: usize| format!("<a>{}</a>", "<b/>".repeat(elements - 1));
        assert!(error_document(many(MAX_ELEMENTS).as_bytes()).is_some());
        check_refused(many(MAX_ELEMENTS + 1).as_bytes());
        let long = |length: usize| format!("<a/>{}", " ".repeat(length - 4));
        assert!(error_document(long(MAX_DOCUMENT).as_bytes()).is_some());
        check_refused(long(MAX_DOCUMENT + 1).as_bytes());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (error_document(&bytes), list_page(&bytes), value_at(&bytes, "A.B"));
        }

        #[test]
        fn no_markup_makes_it_panic(text in "[<>/&;#!x\\[\\]aCDT \"'=?-]{0,60}") {
            let _ = (error_document(text.as_bytes()), list_page(text.as_bytes()));
        }
    }
}
