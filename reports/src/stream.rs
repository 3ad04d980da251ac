//! The record stream on its way to and from a file: one JSON line a record.
//!
//! The writer hands every record on as one whole line and flushes it, so a killed run loses at
//! most the trial that was running. The reader takes nothing on trust: lines and their number are
//! bounded, and a stream that ends without its footer is an error, never a shorter run. Fields
//! that this version does not know are ignored; a newer `format` is refused by number.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};

use crate::lines::{LineError, Lines};
use crate::record::{CaseRecord, FORMAT, Record, RunFooter, RunHeader};

pub use crate::lines::MAX_LINE_BYTES;

/// Most trials a reader accepts in one stream.
pub const MAX_CASES: usize = 1_000_000;

/// Appends records to a sink, one JSON line each.
///
/// Every record reaches the sink in one `write_all` of a whole line, so a sink that inspects
/// what is about to be written sees no half records.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    pub const fn new(sink: W) -> Self {
        Self { sink }
    }

    /// Writes one record and flushes it.
    ///
    /// # Errors
    ///
    /// What the sink answers.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::from)?;
        line.push(b'\n');
        self.sink.write_all(&line)?;
        self.sink.flush()
    }

    pub fn into_inner(self) -> W {
        self.sink
    }
}

/// Why a stream cannot be read. Line numbers start at 1.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read the record stream: {0}")]
    Io(#[from] io::Error),
    #[error("line {line} is longer than {MAX_LINE_BYTES} bytes; this is no record stream")]
    LineTooLong { line: usize },
    #[error("line {line} is not JSON: {reason}")]
    NotJson { line: usize, reason: String },
    #[error("line {line} is JSON but no record: {reason}")]
    NotARecord { line: usize, reason: String },
    #[error("the stream has format {found}, this version reads up to {FORMAT}; use a newer ssec")]
    NewerFormat { found: u32 },
    #[error("the stream does not start with a `run` line")]
    MissingHeader,
    #[error("line {line} starts a second run; a stream holds one run")]
    SecondHeader { line: usize },
    #[error("line {line} repeats trial `{name}`")]
    DuplicateCase { line: usize, name: String },
    #[error("more than {MAX_CASES} trials; this is no record stream")]
    TooManyCases,
    #[error("line {line} comes after the `end` line")]
    AfterFooter { line: usize },
    #[error("the stream has no `end` line: the run was killed or is still going")]
    MissingFooter,
}

impl From<LineError> for ReadError {
    fn from(error: LineError) -> Self {
        match error {
            LineError::Io(error) => Self::Io(error),
            LineError::TooLong { line } => Self::LineTooLong { line },
            LineError::NotJson { line, reason } => Self::NotJson { line, reason },
            LineError::NotARecord { line, reason } => Self::NotARecord { line, reason },
        }
    }
}

/// Reads a stream record by record and checks their order: header, trials, footer.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    seen: HashSet<String>,
    ended: bool,
}

/// A trial, or the footer behind the last one.
#[derive(Debug)]
pub enum Entry {
    Case(Box<CaseRecord>),
    End(RunFooter),
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`ReadError::MissingHeader`], [`ReadError::NewerFormat`], or what a line can be wrong in.
    pub fn new(source: R) -> Result<(RunHeader, Self), ReadError> {
        let mut reader = Self {
            lines: Lines::new(source),
            seen: HashSet::new(),
            ended: false,
        };
        let Some(bytes) = reader.lines.next()? else {
            return Err(ReadError::MissingHeader);
        };
        if let Some(found) = reader.lines.format(&bytes)?.filter(|found| *found > FORMAT) {
            return Err(ReadError::NewerFormat { found });
        }
        match reader.lines.parse(&bytes)? {
            Record::Run(header) => Ok((*header, reader)),
            Record::Case(_) | Record::End(_) => Err(ReadError::MissingHeader),
        }
    }

    /// The next trial, then the footer, then `None`.
    ///
    /// # Errors
    ///
    /// [`ReadError::MissingFooter`] where the stream ends early, also in the middle of a line.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ReadError> {
        let Some(bytes) = self.lines.next()? else {
            return if self.ended {
                Ok(None)
            } else {
                Err(ReadError::MissingFooter)
            };
        };
        let number = self.lines.number();
        if self.ended {
            return Err(ReadError::AfterFooter { line: number });
        }
        let record = match self.lines.parse(&bytes).map_err(ReadError::from) {
            // Only the very last line can lack its end: a writer was killed in the middle of it.
            Err(ReadError::NotJson { .. }) if !bytes.ends_with(b"\n") => {
                return Err(ReadError::MissingFooter);
            }
            other => other?,
        };
        match record {
            Record::Run(_) => Err(ReadError::SecondHeader { line: number }),
            Record::Case(case) => {
                if self.seen.len() == MAX_CASES {
                    return Err(ReadError::TooManyCases);
                }
                if !self.seen.insert(case.name.clone()) {
                    return Err(ReadError::DuplicateCase {
                        line: number,
                        name: case.name,
                    });
                }
                Ok(Some(Entry::Case(case)))
            }
            Record::End(footer) => {
                self.ended = true;
                Ok(Some(Entry::End(footer)))
            }
        }
    }
}
