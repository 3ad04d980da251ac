//! The head of an answer: status line and header lines, as RFC 9112 has them.
//!
//! Lenient only where the RFC asks a recipient to be (a bare line feed ends a line); whatever could
//! be read in two ways is refused.

use crate::error::TargetError;

/// A parsed head.
pub(super) struct Head {
    pub(super) status: u16,
    /// Names in the case in which they came, values without blanks around.
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

/// How the body's end is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Bytes of the head that `received` begins with, empty line included; `None` while it is not
/// whole.
pub(super) fn end_of_head(received: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for (at, byte) in received.iter().enumerate() {
        if *byte == b'\n' {
            let line = &received[line_start..at];
            // An empty line before the status line is no end yet.
            if line_start > 0 && (line.is_empty() || line == b"\r") {
                return Some(at + 1);
            }
            line_start = at + 1;
        }
    }
    None
}

impl Head {
    /// Parses a whole head.
    pub(super) fn parse(head: &[u8]) -> Result<Self, TargetError> {
        let mut lines = head
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let status = status(lines.next().unwrap_or_default())?;
        let lines = lines.take_while(|line| !line.is_empty());
        Ok(Self {
            status,
            headers: lines.map(header).collect::<Result<_, _>>()?,
        })
    }

    /// How the answer to a request of this method ends.
    pub(super) fn framing(&self, method: &str) -> Result<Framing, TargetError> {
        if method == "HEAD" || matches!(self.status, 204 | 304) {
            return Ok(Framing::None);
        }
        let codings: Vec<&[u8]> = self.named("transfer-encoding").collect();
        let lengths: Vec<&[u8]> = self.named("content-length").collect();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(Framing::UntilClose),
            ([], [first, others @ ..]) => {
                if others.iter().any(|other| other != first) {
                    return Err(malformed("it has two lengths"));
                }
                let digits = first.iter().all(u8::is_ascii_digit).then_some(first);
                let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                let length = text.and_then(|text| text.parse().ok());
                length
                    .map(Framing::Length)
                    .ok_or_else(|| malformed("its length is no number"))
            }
            ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (_, []) => Err(malformed("its transfer coding is not chunked")),
            (_, [_, ..]) => Err(malformed("it has both a length and a transfer coding")),
        }
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter();
        headers
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_slice())
    }
}

/// `HTTP/1.1 200 OK`; the reason may be missing.
fn status(line: &[u8]) -> Result<u16, TargetError> {
    let rest = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "));
    let digits = rest
        .and_then(|rest| rest.get(..3))
        .filter(|_| rest.is_some_and(|rest| matches!(rest.get(3), None | Some(b' '))));
    let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let status = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let status = status
        .and_then(|text| text.parse().ok())
        .filter(|status| *status >= 100);
    status.ok_or_else(|| malformed("its first line is no status line"))
}

/// `Name: value`.
pub(super) fn header(line: &[u8]) -> Result<(String, Vec<u8>), TargetError> {
    let colon = line.iter().position(|byte| *byte == b':');
    let colon = colon.ok_or_else(|| malformed("a header line has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(malformed("a header's name is no token"));
    }
    if value.iter().any(|byte| matches!(byte, 0 | b'\r')) {
        return Err(malformed("a header's value holds NUL or CR"));
    }
    let name = name.iter().copied().map(char::from).collect();
    Ok((name, trimmed(value).to_vec()))
}

/// A character of RFC 9110's `token`.
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

fn trimmed(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    &value[start..end]
}

pub(super) fn malformed(why: &str) -> TargetError {
    TargetError::Malformed {
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(method: &str, head: &str, expected: Framing) {
        assert_eq!(
            Head::parse(head.as_bytes()).unwrap().framing(method),
            Ok(expected)
        );
    }

    #[test]
    fn the_end_of_a_body_is_known() {
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            Framing::Length(5),
        );
        check(
            "GET",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length:5\r\n\r\n",
            Framing::Length(5),
        );
        check(
            "GET",
            "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n",
            Framing::Chunked,
        );
        check("GET", "HTTP/1.0 200\r\n\r\n", Framing::UntilClose);
        check(
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            Framing::None,
        );
        check("DELETE", "HTTP/1.1 204 No Content\n\n", Framing::None);
        check(
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            Framing::None,
        );
    }

    #[track_caller]
    fn check_refused(head: &str) {
        let framing = Head::parse(head.as_bytes()).and_then(|head| head.framing("GET"));
        assert!(
            matches!(framing, Err(TargetError::Malformed { .. })),
            "{head:?}"
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        check_refused("");
        check_refused("HTTP/2 200\r\n\r\n");
        check_refused("HTTP/1.1 2000 OK\r\n\r\n");
        check_refused("HTTP/1.1 099 OK\r\n\r\n");
        check_refused("HTTP/1.1 +20 OK\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nno colon\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n");
        check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n");
    }

    #[test]
    fn headers_keep_their_case_and_bytes() {
        let head = b"HTTP/1.1 200 OK\r\nETag:  \"a\" \t\r\nX-a: \xff\r\nX-A:\r\n\r\n";
        let headers = Head::parse(head).unwrap().headers;
        let expected = [
            ("ETag", b"\"a\"".as_slice()),
            ("X-a", b"\xff"),
            ("X-A", b""),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_vec()))
        );
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert_eq!(
            end_of_head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n"),
            Some(25)
        );
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\n\nbody"), Some(17));
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\nA: b\r\n"), None);
        assert_eq!(end_of_head(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = end_of_head(&bytes);
            if let Ok(head) = Head::parse(&bytes) {
                let _ = head.framing("GET");
            }
        }
    }
}
