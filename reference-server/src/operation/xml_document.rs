//! The XML documents that clients send: small trees of elements and text, read within bounds.
//!
//! No document type, so no entity but XML's own five; a bounded depth and a bounded number of
//! elements. Attributes and comments are passed over. The size is bounded where the body is read.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::s3_error::{Code, S3Error};

/// How deep elements may nest; S3's own documents need five.
const MAX_DEPTH: usize = 16;
/// The most elements of a document: 10,000 parts of eight elements each.
const MAX_ELEMENTS: usize = 100_000;

/// An element with what it holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads a document whose root has this name.
    ///
    /// # Errors
    /// 400 `MalformedXML`.
    pub(super) fn read(bytes: &[u8], root: &str) -> Result<Self, S3Error> {
        let element = parse(bytes).ok_or(Code::MalformedXML)?;
        if element.name == root {
            Ok(element)
        } else {
            Err(Code::MalformedXML.into())
        }
    }

    /// The elements of that name in it, in order.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of that name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Its text, as it is.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds nothing but elements of these names.
    pub(super) fn holds_only(&self, names: &[&str]) -> bool {
        self.children
            .iter()
            .all(|child| names.contains(&child.name.as_str()))
    }
}

fn parse(bytes: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_reader(bytes);
    // The lowest entry is no element: it takes the root in.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                count += 1;
                if count > MAX_ELEMENTS || open.len() > MAX_DEPTH {
                    return None;
                }
                open.push(named(tag.local_name().as_ref())?);
            }
            Event::Empty(tag) => {
                count += 1;
                if count > MAX_ELEMENTS || open.len() > MAX_DEPTH {
                    return None;
                }
                let element = named(tag.local_name().as_ref())?;
                open.last_mut()?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop()?;
                open.last_mut()?.children.push(element);
            }
            Event::Text(text) => {
                let text = text.decode().ok()?;
                open.last_mut()?.text.push_str(&text);
            }
            Event::CData(text) => {
                let text = text.decode().ok()?;
                open.last_mut()?.text.push_str(&text);
            }
            Event::GeneralRef(reference) => open.last_mut()?.text.push(resolved(&reference)?),
            Event::DocType(_) => return None,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let [bottom] = <[Element; 1]>::try_from(open).ok()?;
    let stray_text = !bottom.text.trim_matches('\u{feff}').trim().is_empty();
    match <[Element; 1]>::try_from(bottom.children) {
        Ok([root]) if !stray_text => Some(root),
        Ok(_) | Err(_) => None,
    }
}

fn named(name: &[u8]) -> Option<Element> {
    Some(Element {
        name: std::str::from_utf8(name).ok()?.to_owned(),
        ..Element::default()
    })
}

fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character);
    }
    Some(match &*reference.decode().ok()? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_their_text() {
        let document = "<?xml version=\"1.0\"?>\n<!-- c --><D xmlns=\"http://s3/\"> <Q>true</Q>\
            <O><Key>a&amp;b&#x41; <![CDATA[<c>]]></Key></O><O/></D>\n";
        let root = Element::read(document.as_bytes(), "D").unwrap();
        assert_eq!(root.text_of("Q"), Some("true"));
        let objects: Vec<_> = root.children("O").map(|o| o.text_of("Key")).collect();
        assert_eq!(objects, [Some("a&bA <c>"), None]);
        assert!(root.holds_only(&["Q", "O"]));
        assert!(!root.holds_only(&["O"]));
    }

    #[track_caller]
    fn malformed(document: &str) {
        let refused = Element::read(document.as_bytes(), "D").unwrap_err();
        assert_eq!(refused.code(), Code::MalformedXML);
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for document in [
            "",
            "x",
            "<D>",
            "<D></E>",
            "<E></E>",
            "<D/><D/>",
            "x<D/>",
            "<D/>x",
            "</D>",
            "<D>&unknown;</D>",
            "<D>&#x0;</D>",
            "<!DOCTYPE D><D/>",
            "<!DOCTYPE D [<!ENTITY x \"y\">]><D>&x;</D>",
            "<!DOCTYPE D [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><D>&x;</D>",
        ] {
            malformed(document);
        }
    }

    #[test]
    fn nesting_and_number_are_bounded() {
        let nested =
            |depth: usize| format!("<D>{}{}</D>", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(Element::read(nested(MAX_DEPTH - 1).as_bytes(), "D").is_ok());
        malformed(&nested(MAX_DEPTH));
        malformed(&"<a>".repeat(1 << 20));
        malformed(&format!("<D>{}</D>", "<a/>".repeat(MAX_ELEMENTS)));
        assert!(Element::read(format!("<D>{}</D>", "<a/>".repeat(1000)).as_bytes(), "D").is_ok());
    }
}
