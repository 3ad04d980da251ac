//! A bench record on its way to and from a file: one JSON line a record.
//!
//! The reader takes nothing on trust: lines and their number are bounded, each line's bins must
//! add up, histograms must hold as many samples as the line says, a series must be one of the
//! header's, no second of a series comes twice, and a record without its footer is an error.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};

use super::record::{FORMAT, Footer, Header, Line, Second, SeriesName};
use crate::histogram::Packed;
use crate::lines::{LineError, Lines};

pub use crate::lines::MAX_LINE_BYTES;

/// Most lines that a reader accepts: a week of ten series.
pub const MAX_LINES: usize = 10_000_000;
/// Most series of one run.
pub const MAX_SERIES: usize = 256;
/// Most steps of the offered load in one run.
pub const MAX_STEPS: usize = 1000;

/// Appends lines to a sink; each reaches it whole, and is flushed.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    pub const fn new(sink: W) -> Self {
        Self { sink }
    }

    /// Writes one line and flushes it.
    ///
    /// # Errors
    /// What the sink answers, such as that the disk is full.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.sink.write_all(&bytes)?;
        self.sink.flush()
    }

    pub fn into_inner(self) -> W {
        self.sink
    }
}

/// Whether a stream that starts with these bytes is a bench record, spaced and ordered in any way
/// that JSON allows. A first line that goes on beyond the bytes is told by its first field.
#[must_use]
pub fn is_bench(start: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        kind: String,
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    match serde_json::from_slice::<Kind>(line) {
        Ok(line) => line.kind == "bench",
        Err(_) => line.trim_ascii_start().starts_with(br#"{"kind":"bench""#),
    }
}

/// Why a bench record cannot be read. Line numbers start at 1.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read the bench record: {0}")]
    Io(#[from] io::Error),
    #[error("line {line} is longer than {MAX_LINE_BYTES} bytes; this is no bench record")]
    LineTooLong { line: usize },
    #[error("more than {MAX_LINES} lines; this is no bench record")]
    TooManyLines,
    #[error("more than {MAX_STEPS} steps; this is no bench record")]
    TooManySteps,
    #[error("line {line} is not JSON: {reason}")]
    NotJson { line: usize, reason: String },
    #[error("line {line} is JSON but no line of a bench record: {reason}")]
    NotARecord { line: usize, reason: String },
    #[error("the record has format {found}, this version reads up to {FORMAT}; use a newer ssec")]
    NewerFormat { found: u32 },
    #[error("the record does not start with a `bench` line")]
    MissingHeader,
    #[error("the header is not sound: {reason}")]
    BadHeader { reason: String },
    #[error("line {line} starts a second run; a record holds one run")]
    SecondHeader { line: usize },
    #[error("line {line} does not add up: {reason}")]
    DoesNotAddUp { line: usize, reason: String },
    #[error("line {line} is of series {series}, which the header does not name")]
    UnknownSeries { line: usize, series: String },
    #[error("line {line} repeats second {second} of series {series}")]
    Doubled {
        line: usize,
        second: u32,
        series: String,
    },
    #[error("line {line} comes after the `end` line")]
    AfterFooter { line: usize },
    #[error("the record has no `end` line: the run was killed or is still going")]
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

/// Reads a record line by line and checks each.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    series: Vec<SeriesName>,
    seen: HashSet<(u32, usize, Option<u32>, bool)>,
    steps: usize,
    bins: Bins,
    ended: bool,
}

/// Where arrivals ended, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bins {
    attempted: u64,
    ok: u64,
    failed: u64,
    unserved: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ReadError::MissingHeader`], [`ReadError::NewerFormat`], [`ReadError::BadHeader`], or
    /// what a line can be wrong in.
    pub fn new(source: R) -> Result<(Header, Self), ReadError> {
        let mut reader = Self {
            lines: Lines::new(source),
            series: Vec::new(),
            seen: HashSet::new(),
            steps: 0,
            bins: Bins::default(),
            ended: false,
        };
        let Some(bytes) = reader.lines.next()? else {
            return Err(ReadError::MissingHeader);
        };
        if let Some(found) = reader.lines.format(&bytes)?.filter(|found| *found > FORMAT) {
            return Err(ReadError::NewerFormat { found });
        }
        let Line::Header(header) = reader.lines.parse(&bytes)? else {
            return Err(ReadError::MissingHeader);
        };
        check_header(&header)?;
        reader.series.clone_from(&header.series);
        Ok((*header, reader))
    }

    /// The next line after the header; the footer is the last, then `None`.
    ///
    /// # Errors
    /// [`ReadError::MissingFooter`] where the record ends early, also in the middle of a line.
    pub fn next_line_of_record(&mut self) -> Result<Option<Line>, ReadError> {
        let Some(bytes) = self.lines.next()? else {
            return if self.ended {
                Ok(None)
            } else {
                Err(ReadError::MissingFooter)
            };
        };
        let number = self.lines.number();
        if number > MAX_LINES {
            return Err(ReadError::TooManyLines);
        }
        if self.ended {
            return Err(ReadError::AfterFooter { line: number });
        }
        let line = match self.lines.parse(&bytes).map_err(ReadError::from) {
            // Only the very last line can lack its end: a writer was killed in the middle of it.
            Err(ReadError::NotJson { .. }) if !bytes.ends_with(b"\n") => {
                return Err(ReadError::MissingFooter);
            }
            other => other?,
        };
        match &line {
            Line::Header(_) => return Err(ReadError::SecondHeader { line: number }),
            Line::Series(second) => self.accept(second)?,
            Line::End(footer) => self.close(footer)?,
            Line::Step(_) if self.steps >= MAX_STEPS => return Err(ReadError::TooManySteps),
            Line::Step(_) => self.steps += 1,
            Line::Slow(_) | Line::Damage(_) | Line::Knee(_) | Line::Health(_) => {}
        }
        Ok(Some(line))
    }

    fn accept(&mut self, second: &Second) -> Result<(), ReadError> {
        let line = self.lines.number();
        let name = SeriesName {
            op: second.op.clone(),
            arm: second.arm.clone(),
        };
        let Some(series) = self.series.iter().position(|known| *known == name) else {
            let series = name.to_string();
            return Err(ReadError::UnknownSeries { line, series });
        };
        let failed = failures(second).map_err(|reason| ReadError::DoesNotAddUp { line, reason })?;
        if !self
            .seen
            .insert((second.second, series, second.step, second.warmup))
        {
            return Err(ReadError::Doubled {
                line,
                second: second.second,
                series: name.to_string(),
            });
        }
        if !second.warmup {
            let bins = &mut self.bins;
            for (sum, more) in [
                (&mut bins.attempted, second.attempted),
                (&mut bins.ok, second.ok),
                (&mut bins.failed, failed),
                (&mut bins.unserved, second.unserved),
            ] {
                *sum = sum.saturating_add(more);
            }
        }
        Ok(())
    }

    fn close(&mut self, footer: &Footer) -> Result<(), ReadError> {
        let said = Bins {
            attempted: footer.attempted,
            ok: footer.ok,
            failed: footer.failed,
            unserved: footer.unserved,
        };
        if said != self.bins {
            let added = self.bins;
            return Err(ReadError::DoesNotAddUp {
                line: self.lines.number(),
                reason: format!("the `end` line says {said:?}, the seconds add up to {added:?}"),
            });
        }
        self.ended = true;
        Ok(())
    }
}

fn check_header(header: &Header) -> Result<(), ReadError> {
    let bad = |reason: String| Err(ReadError::BadHeader { reason });
    if header.series.is_empty() || header.series.len() > MAX_SERIES {
        let found = header.series.len();
        return bad(format!("{found} series; there are 1 to {MAX_SERIES}"));
    }
    let distinct: HashSet<&SeriesName> = header.series.iter().collect();
    if distinct.len() < header.series.len() {
        return bad("a series is named twice".to_owned());
    }
    if let Some(paired) = &header.paired {
        let known = |arm: &String| header.series.iter().any(|name| name.arm == *arm);
        if paired.base == paired.other || !known(&paired.base) || !known(&paired.other) {
            return bad("the paired arms are not two arms of its series".to_owned());
        }
    }
    match &header.shard {
        Some(shard) if shard.index >= shard.count => {
            bad(format!("shard {} of {}", shard.index, shard.count))
        }
        Some(_) | None => Ok(()),
    }
}

/// The number of failures, if the second's bins and histograms agree.
fn failures(second: &Second) -> Result<u64, String> {
    let add = |sum: Option<u64>, more: &u64| sum.and_then(|sum| sum.checked_add(*more));
    let failed = second.failed.values().fold(Some(0), add);
    let sum = [second.ok, second.unserved].iter().fold(failed, add);
    if sum != Some(second.attempted) {
        let attempted = second.attempted;
        return Err(format!("{attempted} attempted, but the bins hold {sum:?}"));
    }
    let hold = |what: &str, packed: &Packed, expected: u64| {
        let found = packed.unpack().count();
        if found == expected {
            Ok(())
        } else {
            Err(format!("{what} holds {found} samples for {expected}"))
        }
    };
    hold("response", &second.response, second.ok)?;
    hold("service", &second.service, second.ok)?;
    for (class, packed) in &second.failed_response {
        let expected = second.failed.get(class).copied().unwrap_or(0);
        hold("failed_response", packed, expected)?;
    }
    if let Some(wait) = &second.unserved_wait {
        hold("unserved_wait", wait, second.unserved)?;
    }
    Ok(failed.unwrap_or(0))
}
