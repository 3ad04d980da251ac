//! `multipart/form-data`: the fields in front of a file, and the file as it passes.
//!
//! Sources: RFC 2046 section 5.1.1, RFC 7578. It knows nothing of S3 but that the part named
//! `file` is the last one that counts. Pure: bytes in, parts out.

use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::s3_error::{Code, S3Error};

/// The most bytes in front of the file: fields, their heads and delimiters. S3's own limit, 20 KB.
pub(super) const MAX_FIELDS_BYTES: usize = 20 * 1024;
/// The most bytes behind the file. Fields there count for nothing.
pub(super) const MAX_TAIL_BYTES: usize = 20 * 1024;
/// The longest boundary, in characters (RFC 2046).
const MAX_BOUNDARY: usize = 70;
/// The part that is stored.
const FILE: &str = "file";
/// What ends a line, and each delimiter begins with.
const LINE_END: &[u8] = b"\r\n";

/// The boundary of a form, from its `Content-Type`; `None` if that is another one.
///
/// # Errors
/// 400 `MalformedPOSTRequest` for a form without a proper boundary.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<Option<String>, S3Error> {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return Ok(None);
    };
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let boundary = parameter(parameters, "boundary").ok_or_else(malformed)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let fits = (1..=MAX_BOUNDARY).contains(&boundary.len()) && !boundary.ends_with(' ');
    if fits && boundary.bytes().all(allowed) {
        Ok(Some(boundary))
    } else {
        Err(malformed())
    }
}

/// 400 `MalformedPOSTRequest`.
fn malformed() -> S3Error {
    Code::MalformedPOSTRequest.into()
}

/// What stands in front of each part but the first, and behind the last.
fn delimiter(boundary: &str) -> Vec<u8> {
    format!("\r\n--{boundary}").into_bytes()
}

/// What comes next in front of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More bytes are needed.
    More,
    /// A field: its name as sent, and its value.
    Field(String, String),
    /// The file begins: its name, if it has one, and the bytes that came with it.
    File(Option<String>, Bytes),
    /// The form is over, and there was no file.
    End,
}

/// Reads the parts up to the file.
pub(super) struct FieldReader {
    delimiter: Vec<u8>,
    stage: Stage,
    buffer: BytesMut,
    /// How much of `buffer` does not hold what is looked for.
    searched: usize,
    /// How many bytes have left `buffer`.
    consumed: usize,
}

enum Stage {
    /// Before a delimiter: in the value of a field, or in the preamble.
    Value(Option<Head>),
    /// Behind a delimiter, on its line.
    Line,
    /// In the head of a part.
    Head,
}

/// What the head of a part says.
struct Head {
    name: String,
    filename: Option<String>,
}

impl FieldReader {
    pub(super) fn new(boundary: &str) -> Self {
        Self {
            delimiter: delimiter(boundary),
            stage: Stage::Value(None),
            // The first delimiter may stand at the very start, as if a line had just ended.
            buffer: BytesMut::from(LINE_END),
            searched: 0,
            consumed: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next part, as far as it has arrived.
    ///
    /// # Errors
    /// 400 `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`.
    pub(super) fn next(&mut self) -> Result<Next, S3Error> {
        let next = self.step()?;
        let in_front = match &next {
            Next::More => self.consumed + self.buffer.len(),
            Next::Field(..) | Next::File(..) | Next::End => self.consumed,
        };
        if in_front > MAX_FIELDS_BYTES + LINE_END.len() {
            return Err(Code::MaxPostPreDataLengthExceededError.into());
        }
        Ok(next)
    }

    fn step(&mut self) -> Result<Next, S3Error> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Line) {
                Stage::Value(head) => {
                    let Some(at) = find(&self.buffer, &self.delimiter, &mut self.searched) else {
                        self.stage = Stage::Value(head);
                        return Ok(Next::More);
                    };
                    let value = self.take(at);
                    self.take(self.delimiter.len());
                    if let Some(head) = head {
                        let value = String::from_utf8(value.into()).map_err(|_| malformed())?;
                        return Ok(Next::Field(head.name, value));
                    }
                }
                Stage::Line => match delimiter_line(&self.buffer)? {
                    DelimiterLine::More => return Ok(Next::More),
                    DelimiterLine::Close => return Ok(Next::End),
                    DelimiterLine::Part(length) => {
                        self.take(length);
                        self.stage = Stage::Head;
                    }
                },
                Stage::Head => {
                    let Some(at) = find(&self.buffer, b"\r\n\r\n", &mut self.searched) else {
                        self.stage = Stage::Head;
                        return Ok(Next::More);
                    };
                    let lines = self.take(at);
                    self.take(2 * LINE_END.len());
                    let head = Head::read(&lines)?;
                    if head.name.eq_ignore_ascii_case(FILE) {
                        return Ok(Next::File(head.filename, self.buffer.split().freeze()));
                    }
                    self.stage = Stage::Value(Some(head));
                }
            }
        }
    }

    fn take(&mut self, length: usize) -> BytesMut {
        self.searched = 0;
        self.consumed += length;
        self.buffer.split_to(length)
    }
}

/// Where the needle begins. What was searched in vain is not searched again.
fn find(buffer: &[u8], needle: &[u8], searched: &mut usize) -> Option<usize> {
    let from = searched.saturating_sub(needle.len());
    let mut windows = buffer[from..].windows(needle.len());
    let at = windows.position(|window| window == needle);
    *searched = buffer.len();
    at.map(|at| from + at)
}

/// What stands on the line of a delimiter, behind it.
enum DelimiterLine {
    More,
    /// Two hyphens: there is no other part.
    Close,
    /// The head of a part follows after so many bytes.
    Part(usize),
}

fn delimiter_line(rest: &[u8]) -> Result<DelimiterLine, S3Error> {
    if rest.starts_with(b"--") {
        return Ok(DelimiterLine::Close);
    }
    let blanks = rest.iter().take_while(|byte| b" \t".contains(byte)).count();
    match &rest[blanks..] {
        [b'\r', b'\n', ..] => Ok(DelimiterLine::Part(blanks + LINE_END.len())),
        [] | [b'\r'] => Ok(DelimiterLine::More),
        [b'-'] if blanks == 0 => Ok(DelimiterLine::More),
        _ => Err(malformed()),
    }
}

impl Head {
    fn read(lines: &[u8]) -> Result<Self, S3Error> {
        let lines = std::str::from_utf8(lines).map_err(|_| malformed())?;
        let mut head = None;
        for line in lines.split("\r\n") {
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            if name.eq_ignore_ascii_case("content-disposition") {
                let (kind, parameters) = value.split_once(';').ok_or_else(malformed)?;
                if !kind.trim().eq_ignore_ascii_case("form-data") || head.is_some() {
                    return Err(malformed());
                }
                head = Some(Self {
                    name: parameter(parameters, "name").ok_or_else(malformed)?,
                    filename: parameter(parameters, "filename"),
                });
            }
            // What is encoded would be stored encoded.
            if name.eq_ignore_ascii_case("content-transfer-encoding")
                && !["binary", "7bit", "8bit"].contains(&value.trim().to_ascii_lowercase().as_str())
            {
                return Err(malformed());
            }
        }
        head.ok_or_else(malformed)
    }
}

/// A parameter of a header: `; name="value"` or `; name=value`. In quotes only a quote is escaped:
/// some clients write paths with single backslashes.
fn parameter(mut text: &str, wanted: &str) -> Option<String> {
    loop {
        text = text.trim_start_matches([';', ' ', '\t']);
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        text = rest;
    }
}

/// What stands before the closing quote, and what behind it.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        match before.strip_suffix('\\') {
            Some(escaped) => {
                value.push_str(escaped);
                value.push('"');
                rest = after;
            }
            None => {
                value.push_str(before);
                return Some((value, after));
            }
        }
    }
}

/// Passes the file on, up to its delimiter, which may come in any pieces.
pub(super) struct FileDecoder {
    delimiter: Vec<u8>,
    /// The beginning of what may be the delimiter.
    held: Vec<u8>,
    /// What stands behind the delimiter, once it has come.
    tail: Option<Vec<u8>>,
}

impl FileDecoder {
    pub(super) fn new(boundary: &str) -> Self {
        Self {
            delimiter: delimiter(boundary),
            held: Vec::new(),
            tail: None,
        }
    }

    /// The next bytes of the file, taken from `input`; `None` when that is used up.
    ///
    /// # Errors
    /// 400 `MalformedPOSTRequest` when there is too much behind the file.
    pub(super) fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, S3Error> {
        while !input.is_empty() {
            if let Some(tail) = &mut self.tail {
                tail.extend_from_slice(input);
                input.clear();
                if tail.len() > MAX_TAIL_BYTES {
                    return Err(malformed());
                }
            } else if self.held.is_empty() {
                if let Some(bytes) = self.pass(input) {
                    return Ok(Some(bytes));
                }
            } else if let Some(bytes) = self.resolve(input) {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Passes what cannot belong to the delimiter, and holds back what can.
    fn pass(&mut self, input: &mut Bytes) -> Option<Bytes> {
        let at = start_of(&self.delimiter, input);
        let bytes = input.split_to(at);
        if input.starts_with(&self.delimiter) {
            input.advance(self.delimiter.len());
            self.tail = Some(Vec::new());
        } else {
            self.held.extend_from_slice(input);
            input.clear();
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Looks at what is held back together with what follows; gives it free when it is no delimiter
    /// after all. The one carriage return of a delimiter is its first byte, so another one can only
    /// begin in what follows: that is left to [`FileDecoder::pass`], however many there are.
    fn resolve(&mut self, input: &mut Bytes) -> Option<Bytes> {
        let held = self.held.len();
        let missing = (self.delimiter.len() - held).min(input.len());
        self.held.extend_from_slice(&input[..missing]);
        if self.delimiter.starts_with(&self.held) {
            input.advance(missing);
            if self.held == self.delimiter {
                self.held.clear();
                self.tail = Some(Vec::new());
            }
            return None;
        }
        self.held.truncate(held);
        Some(Bytes::from(std::mem::take(&mut self.held)))
    }

    /// Whether the form ended as it should.
    ///
    /// # Errors
    /// 400 `MalformedPOSTRequest`, and 400 `InvalidArgument` for a second file.
    pub(super) fn end(&self) -> Result<(), S3Error> {
        let mut rest = self.tail.as_deref().ok_or_else(malformed)?;
        loop {
            let length = match delimiter_line(rest)? {
                DelimiterLine::Close => return Ok(()),
                DelimiterLine::More => return Err(malformed()),
                DelimiterLine::Part(length) => length,
            };
            rest = &rest[length..];
            let end = find(rest, b"\r\n\r\n", &mut 0).ok_or_else(malformed)?;
            if Head::read(&rest[..end])?.name.eq_ignore_ascii_case(FILE) {
                return Err(one_file(2));
            }
            rest = &rest[end + 2 * LINE_END.len()..];
            let next = find(rest, &self.delimiter, &mut 0).ok_or_else(malformed)?;
            rest = &rest[next + self.delimiter.len()..];
        }
    }
}

/// Where in `text` the delimiter begins, whole or cut off by the end; else the end.
fn start_of(delimiter: &[u8], text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == delimiter[0]) {
        let candidate = &text[from + at..];
        if candidate.starts_with(delimiter) || delimiter.starts_with(candidate) {
            return from + at;
        }
        from += at + 1;
    }
    text.len()
}

/// 400 for a form with another number of files than one, in S3's words.
pub(super) fn one_file(found: usize) -> S3Error {
    S3Error::with_message(
        Code::InvalidArgument,
        "POST requires exactly one file upload per request.",
    )
    .argument("file", Some(&found.to_string()))
}

#[cfg(test)]
mod tests;
