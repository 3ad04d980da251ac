//! One request on one connection, timed and checked while it passes; nothing is collected.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::connection::Connection;
use super::outgoing::{Outgoing, Written};
use super::pool::{Difference, Pool};
use super::tally::Ids;
use crate::clock::Stopwatch;
use crate::s3::error_document::error_document;

/// Most bytes of a short answer, which is kept: error documents, upload ids.
const MAX_KEPT: usize = 64 << 10;
/// Most bytes of a list: 1,000 names of 1,024 bytes, each of which XML may write with six, and what
/// stands around them.
pub const MAX_LIST: u64 = 16 << 20;
/// Most characters of a request id, or of an error code.
const MAX_WORD: usize = 128;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// What is done with the bytes of a body.
pub enum Reading<'a> {
    /// Compare with the object's own: `length` bytes from `offset` on.
    Compare {
        pool: &'a Pool,
        object: u64,
        offset: u64,
        length: u64,
    },
    /// Count them; more than `most` are not to come.
    Count { most: u64 },
    /// Keep them; the answer is to be short.
    Keep,
}

/// An answer as far as it came.
pub struct Answer {
    pub status: u16,
    pub ids: Ids,
    pub etag: Option<HeaderValue>,
    /// `Content-Length` as announced.
    pub announced: Option<u64>,
    /// Bytes of the body that came.
    pub received: u64,
    pub difference: Option<Difference>,
    /// The body ended before its announced end.
    pub cut: bool,
    /// More came than was to come, and the rest was left unread: it may have no end.
    pub left: bool,
    /// Of a body that was kept, or of an error document.
    pub kept: Vec<u8>,
    pub timing: Timing,
}

/// Points in time, from the start of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub begun: Duration,
    pub written: Duration,
    pub first_byte: Duration,
    pub ended: Duration,
}

impl Answer {
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// A success that was read to its end.
    #[must_use]
    pub const fn is_short_success(&self) -> bool {
        self.is_success() && !self.left
    }

    /// `503 SlowDown`, or the status alone where the code is no word, with a word of what was left
    /// unread.
    #[must_use]
    pub fn class(&self) -> String {
        if self.left {
            return format!("{} answer too long", self.status);
        }
        let code = error_document(&self.kept).and_then(|document| document.code);
        match code.filter(|code| is_word(code)) {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Sends a request and reads its answer.
///
/// # Errors
/// The class of failure, where no answer's head came.
pub async fn exchange(
    connection: &mut Connection,
    request: Request<Outgoing>,
    written: &Written,
    clock: Stopwatch,
    reading: Reading<'_>,
) -> Result<Answer, &'static str> {
    let begun = clock.elapsed();
    let sending = connection.send(request);
    let response = connection.drive(sending).await;
    let first_byte = clock.elapsed();
    let response = response.map_err(|error| class_of(&error))?;
    let (mut head, body) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        ids: ids(&head.headers),
        etag: match reading {
            Reading::Keep => etag(&head.headers),
            Reading::Compare { .. } | Reading::Count { .. } => None,
        },
        announced: announced(&head.headers),
        received: 0,
        difference: None,
        cut: false,
        left: false,
        kept: Vec::new(),
        timing: Timing {
            begun,
            written: written.get().unwrap_or(begun),
            first_byte,
            ended: first_byte,
        },
    };
    head.headers.clear();
    connection.spare = head.headers;
    let reading = if answer.is_success() {
        reading
    } else {
        Reading::Keep
    };
    read(connection, body, reading, &mut answer).await;
    answer.timing.ended = clock.elapsed();
    Ok(answer)
}

async fn read(
    connection: &mut Connection,
    mut body: Incoming,
    reading: Reading<'_>,
    answer: &mut Answer,
) {
    while let Some(frame) = connection.drive(body.frame()).await {
        let Ok(frame) = frame else {
            answer.cut = true;
            return;
        };
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        take(&bytes, &reading, answer);
        answer.received += bytes.remaining() as u64;
        if reading.is_exceeded(answer.received) {
            answer.left = true;
            return;
        }
    }
}

impl Reading<'_> {
    const fn is_exceeded(&self, received: u64) -> bool {
        match self {
            Self::Compare { length: most, .. } | Self::Count { most } => received > *most,
            Self::Keep => received > MAX_KEPT as u64,
        }
    }
}

fn take(bytes: &Bytes, reading: &Reading<'_>, answer: &mut Answer) {
    match reading {
        Reading::Compare {
            pool,
            object,
            offset,
            length: _,
        } => {
            let at = offset + answer.received;
            pool.compare(*object, at, bytes, &mut answer.difference);
        }
        Reading::Count { .. } => {}
        Reading::Keep => {
            let room = MAX_KEPT.saturating_sub(answer.kept.len());
            answer
                .kept
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

fn class_of(error: &hyper::Error) -> &'static str {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        "connection closed"
    } else if error.is_parse() || error.is_parse_status() || error.is_parse_too_large() {
        "answer is not HTTP/1.1"
    } else {
        "connection broke"
    }
}

fn etag(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(header::ETAG)?;
    (value.len() <= MAX_WORD).then(|| value.clone())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    value.parse().ok()
}

/// The target's names for the request. They are its words: whoever writes one down redacts it.
fn ids(headers: &HeaderMap) -> Ids {
    let word = |name: &HeaderName| {
        let value = headers.get(name)?;
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/=.:".contains(byte);
        (value.len() <= MAX_WORD && value.as_bytes().iter().all(fits)).then(|| value.clone())
    };
    Ids {
        request: word(&REQUEST_ID),
        extended: word(&EXTENDED_ID),
    }
}

/// A place for the time of the last byte of one request.
#[must_use]
pub fn written() -> Written {
    Rc::new(Cell::new(None))
}
