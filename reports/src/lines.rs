//! JSON lines on their way in, whatever they are records of: bounded, blank ones skipped, numbered.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest line that is read, in bytes. A record with its full exchanges, and a second of a bench
/// run with all its phases, stay far below.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// Why a line cannot be read. Line numbers start at 1.
#[derive(Debug)]
pub(crate) enum LineError {
    Io(io::Error),
    TooLong { line: usize },
    NotJson { line: usize, reason: String },
    NotARecord { line: usize, reason: String },
}

/// Reads one line after the other.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    source: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(source: R) -> Self {
        Self { source, number: 0 }
    }

    /// The number of the line that was read last.
    pub(crate) const fn number(&self) -> usize {
        self.number
    }

    /// One line with its end, blank lines skipped; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            let mut bytes = Vec::new();
            let mut limited = self.source.by_ref().take(MAX_LINE_BYTES as u64 + 1);
            let read = limited.read_until(b'\n', &mut bytes);
            if read.map_err(LineError::Io)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if bytes.len() > MAX_LINE_BYTES {
                return Err(LineError::TooLong { line: self.number });
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(bytes));
            }
        }
    }

    /// The line that was read last, as a record.
    pub(crate) fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, LineError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let (line, reason) = (self.number, error.to_string());
            if error.is_data() {
                LineError::NotARecord { line, reason }
            } else {
                LineError::NotJson { line, reason }
            }
        })
    }

    /// Its `format`, if it has one: a newer header may have any shape otherwise.
    pub(crate) fn format(&self, bytes: &[u8]) -> Result<Option<u32>, LineError> {
        #[derive(Deserialize)]
        struct Peek {
            format: Option<u32>,
        }
        self.parse(bytes).map(|peek: Peek| peek.format)
    }
}
