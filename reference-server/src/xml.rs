//! A small XML writer for answers: elements and text, everything escaped.
//!
//! It does not read XML and has no attributes but the namespace of the root element.

use bytes::Bytes;

/// The namespace of S3's answers.
pub const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Builds one document in memory. Element names are ours; text may be anybody's.
#[derive(Debug)]
pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// Starts a document with its declaration.
    pub fn document() -> Self {
        Self {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
        }
    }

    /// `<name>`
    pub fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name xmlns="…">` with the namespace of S3.
    pub fn open_root(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(" xmlns=\"");
        self.out.push_str(S3_NAMESPACE);
        self.out.push_str("\">");
    }

    /// `</name>`
    pub fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name>text</name>`, the text escaped.
    pub fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        escape_into(&mut self.out, text);
        self.close(name);
    }

    /// Text inside the element that is open, escaped.
    pub fn content(&mut self, text: &str) {
        escape_into(&mut self.out, text);
    }

    /// The document's bytes.
    pub fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }
}

/// Escapes markup, and replaces what XML 1.0 cannot hold at all (section 2.2, production Char).
fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A bare carriage return or newline would be normalised away by the reader.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut xml = XmlWriter { out: String::new() };
        xml.text("Key", text);
        assert_eq!(xml.finish(), format!("<Key>{expected}</Key>"));
    }

    #[test]
    fn markup_is_escaped() {
        check("a&b<c>\"d'", "a&amp;b&lt;c&gt;&quot;d&apos;");
    }

    #[test]
    fn plain_text_is_left_alone() {
        check("dir/ä ö.txt", "dir/ä ö.txt");
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        check("a\u{0}b\u{ffff}c\rd", "a\u{fffd}b\u{fffd}c&#13;d");
    }
}
