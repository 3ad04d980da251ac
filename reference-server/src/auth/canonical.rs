//! The canonical request of Signature Version 4, in the form of S3: the path encoded once.
//!
//! Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header:
//! Transferring Payload in a Single Chunk". Nothing made here may leave the process.

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, Method};

use super::presigned;

/// What goes into a canonical request, decoded.
pub(super) struct CanonicalRequest<'a> {
    pub(super) method: &'a Method,
    /// The path, decoded to bytes.
    pub(super) path: &'a [u8],
    /// The query, decoded; the signature in it is left out here.
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    /// Names in the order in which the client listed them.
    pub(super) signed_headers: &'a [String],
    /// The last line.
    pub(super) payload_hash: &'a str,
}

impl CanonicalRequest<'_> {
    /// The SHA-256 of the canonical request in hexadecimal digits, or none when a header that was
    /// listed as signed did not arrive.
    pub(super) fn hash(&self) -> Option<String> {
        let mut text = Vec::with_capacity(1024);
        text.extend_from_slice(self.method.as_str().as_bytes());
        text.push(b'\n');
        encode_into(&mut text, self.path, Slash::Kept);
        text.push(b'\n');
        self.push_query(&mut text);
        text.push(b'\n');
        for name in self.signed_headers {
            push_header(&mut text, self.headers, name)?;
        }
        text.push(b'\n');
        text.extend_from_slice(self.signed_headers.join(";").as_bytes());
        text.push(b'\n');
        text.extend_from_slice(self.payload_hash.as_bytes());
        Some(hex::encode(digest(&SHA256, &text)))
    }

    fn push_query(&self, text: &mut Vec<u8>) {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = self
            .query
            .iter()
            .filter(|(name, _)| name != presigned::SIGNATURE)
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        pairs.sort();
        for (position, (name, value)) in pairs.iter().enumerate() {
            if position > 0 {
                text.push(b'&');
            }
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
}

/// One line a header: its values joined by commas, outer blanks cut, inner ones folded into one.
fn push_header(text: &mut Vec<u8>, headers: &HeaderMap, name: &str) -> Option<()> {
    text.extend_from_slice(name.as_bytes());
    text.push(b':');
    let mut values = headers.get_all(name).iter();
    push_folded(text, values.next()?.as_bytes());
    for value in values {
        text.push(b',');
        push_folded(text, value.as_bytes());
    }
    text.push(b'\n');
    Some(())
}

fn push_folded(text: &mut Vec<u8>, value: &[u8]) {
    let words = value
        .split(|byte| *byte == b' ' || *byte == b'\t')
        .filter(|word| !word.is_empty());
    for (position, word) in words.enumerate() {
        if position > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slash {
    Kept,
    Encoded,
}

fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    encode_into(&mut out, text.as_bytes(), Slash::Encoded);
    out
}

/// UriEncode of the documentation: all but the unreserved characters, digits in upper case.
fn encode_into(out: &mut Vec<u8>, bytes: &[u8], slash: Slash) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (byte == b'/' && slash == Slash::Kept);
        if plain {
            out.push(byte);
        } else {
            out.push(b'%');
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    // "Example: GET Object" of the page named above prints this hash in its string to sign.
    #[test]
    fn the_hash_of_the_published_get() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", EMPTY),
            ("x-amz-date", "20130524T000000Z"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let signed: Vec<String> = ["host", "range", "x-amz-content-sha256", "x-amz-date"]
            .map(str::to_owned)
            .to_vec();
        let request = CanonicalRequest {
            method: &Method::GET,
            path: b"/test.txt",
            query: &[],
            headers: &headers,
            signed_headers: &signed,
            payload_hash: EMPTY,
        };
        assert_eq!(
            request.hash().unwrap(),
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
        );
    }

    #[track_caller]
    fn encoded(text: &str, slash: Slash, expected: &str) {
        let mut out = Vec::new();
        encode_into(&mut out, text.as_bytes(), slash);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn unreserved_characters_stay() {
        encoded("AZaz09-._~", Slash::Encoded, "AZaz09-._~");
        encoded("a/b", Slash::Kept, "a/b");
        encoded("a/b", Slash::Encoded, "a%2Fb");
        encoded(
            "test$file+ ä*.txt",
            Slash::Kept,
            "test%24file%2B%20%C3%A4%2A.txt",
        );
    }

    #[test]
    fn blanks_are_folded_and_doubled_headers_joined() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-meta-a", HeaderValue::from_static("  one \t  two "));
        headers.append("x-amz-meta-a", HeaderValue::from_static("three"));
        let mut text = Vec::new();
        push_header(&mut text, &headers, "x-amz-meta-a").unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "x-amz-meta-a:one two,three\n"
        );
    }

    #[test]
    fn an_absent_header_is_not_an_empty_one() {
        let mut headers = HeaderMap::new();
        assert!(push_header(&mut Vec::new(), &headers, "x-amz-meta-a").is_none());
        headers.insert("x-amz-meta-a", HeaderValue::from_static(""));
        assert!(push_header(&mut Vec::new(), &headers, "x-amz-meta-a").is_some());
    }
}
