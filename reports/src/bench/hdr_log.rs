//! A run as an interval log of `HdrHistogram`, which its log processor, plotters and libraries of
//! other languages read.
//!
//! One line a second and histogram, tagged `OP/ARM/response`, `OP/ARM/service`, `OP/ARM/unserved` or
//! `OP/ARM/failed/CLASS`. Values are microseconds, the fourth column milliseconds, times seconds since
//! the load began. Warm-up is left out.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};

use super::record::Second;
use crate::histogram::{Histogram, Packed};

/// Microseconds that the column of greatest values counts in.
const TOLD_IN: f64 = 1000.0;

/// Appends lines to a sink; each reaches it whole, and is flushed.
pub struct HdrLog<W> {
    sink: W,
    serializer: V2DeflateSerializer,
}

impl<W: Write> HdrLog<W> {
    /// Begins a log: its first lines say what follows, and when the load began.
    ///
    /// # Errors
    /// What the sink answers.
    pub fn begin(mut sink: W, started: SystemTime) -> io::Result<Self> {
        let mut serializer = V2DeflateSerializer::new();
        let mut first = Vec::new();
        IntervalLogWriterBuilder::new()
            .add_comment("[ssec bench: latencies in microseconds, a line a second and tag]")
            .add_comment(
                "[response counts from the intended start, service from the first byte sent]",
            )
            .with_start_time(started)
            .with_base_time(started)
            .with_max_value_divisor(TOLD_IN)
            .begin_log_with(&mut first, &mut serializer)?;
        first.extend_from_slice(b"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",");
        first.extend_from_slice(b"\"Interval_Compressed_Histogram\"\n");
        sink.write_all(&first)?;
        sink.flush()?;
        Ok(Self { sink, serializer })
    }

    /// Writes the histograms of a second, if it counts.
    ///
    /// # Errors
    /// What the sink answers, such as that the disk is full.
    pub fn append(&mut self, second: &Second) -> io::Result<()> {
        if second.warmup {
            return Ok(());
        }
        let name = format!("{}/{}", second.op, second.arm);
        self.line(second.second, &format!("{name}/response"), &second.response)?;
        self.line(second.second, &format!("{name}/service"), &second.service)?;
        if let Some(wait) = &second.unserved_wait {
            self.line(second.second, &format!("{name}/unserved"), wait)?;
        }
        for (class, packed) in &second.failed_response {
            self.line(second.second, &format!("{name}/failed/{class}"), packed)?;
        }
        Ok(())
    }

    fn line(&mut self, second: u32, tag: &str, packed: &Packed) -> io::Result<()> {
        let histogram: Histogram = packed.unpack();
        if histogram.is_empty() {
            return Ok(());
        }
        let tag = tag_of(tag);
        let mut bytes = Vec::new();
        let mut writer = IntervalLogWriterBuilder::new();
        let written = writer
            .with_max_value_divisor(TOLD_IN)
            .begin_log_with(&mut bytes, &mut self.serializer)
            .map_err(IntervalLogWriterError::from)
            .and_then(|mut writer| {
                writer.write_histogram(
                    histogram.inner(),
                    Duration::from_secs(second.into()),
                    Duration::from_secs(1),
                    Tag::new(&tag),
                )
            });
        written.map_err(|error| match error {
            IntervalLogWriterError::IoError(error) => error,
            IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
        })?;
        // The divisor is said once, at the beginning.
        let line = bytes.split_inclusive(|byte| *byte == b'\n').next_back();
        self.sink.write_all(line.unwrap_or_default())?;
        self.sink.flush()
    }
}

/// A tag holds no blank, comma or end of line; a class of failure may.
fn tag_of(text: &str) -> String {
    let fits = |c: char| c.is_ascii_graphic() && c != ',';
    text.chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect()
}
