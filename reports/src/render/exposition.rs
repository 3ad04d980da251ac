//! Totals of a run that goes on, in the text that Prometheus and its kin scrape (version 0.0.4).
//!
//! Counters only grow; rates and percentiles are the scraper's. Times are seconds, as is the custom.

use std::io::{self, Write};

use crate::bench::to_float;
use crate::bench::totals::Totals;

/// Upper bounds of the buckets, microseconds: 100 µs to a minute.
const BOUNDS_US: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// The type that the text goes by.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes every series.
///
/// # Errors
/// What the sink answers.
pub fn render(totals: &[Totals], out: &mut dyn Write) -> io::Result<()> {
    let requests = "ssec_bench_requests_total";
    writeln!(
        out,
        "# HELP {requests} Arrivals that found their end, by outcome."
    )?;
    writeln!(out, "# TYPE {requests} counter")?;
    for series in totals {
        let labels = labels(series);
        let mut line = |outcome: &str, number: u64| {
            let outcome = escaped(outcome);
            writeln!(out, "{requests}{{{labels},outcome=\"{outcome}\"}} {number}")
        };
        line("ok", series.ok)?;
        line("unserved", series.unserved)?;
        for (class, number) in &series.failed {
            line(class, *number)?;
        }
    }
    let bytes = "ssec_bench_body_bytes_total";
    writeln!(
        out,
        "# HELP {bytes} Bytes of object bodies that ok requests moved."
    )?;
    writeln!(out, "# TYPE {bytes} counter")?;
    for series in totals {
        writeln!(out, "{bytes}{{{}}} {}", labels(series), series.bytes)?;
    }
    let response = "ssec_bench_response_seconds";
    writeln!(
        out,
        "# HELP {response} From the intended start to the last byte, of ok requests; unserved \
         arrivals count with their waiting."
    )?;
    writeln!(out, "# TYPE {response} histogram")?;
    for series in totals {
        buckets(response, series, out)?;
    }
    Ok(())
}

fn buckets(name: &str, series: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let labels = labels(series);
    let histogram = series.response_with_waiting();
    let mut counts = [0u64; BOUNDS_US.len()];
    let mut sum = 0.0;
    for (value, number) in histogram.recorded() {
        sum += to_float(value) / 1e6 * to_float(number);
        // A value stands for those that agree with it in three digits, and is the greatest of them.
        let within = |bound: &u64| value <= bound + bound / 1000;
        if let Some(at) = BOUNDS_US.iter().position(within) {
            counts[at] += number;
        }
    }
    let mut below = 0;
    for (bound, count) in BOUNDS_US.iter().zip(counts) {
        below += count;
        let bound = to_float(*bound) / 1e6;
        writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}")?;
    }
    let count = histogram.count();
    writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
    writeln!(out, "{name}_sum{{{labels}}} {sum}")?;
    writeln!(out, "{name}_count{{{labels}}} {count}")
}

fn labels(series: &Totals) -> String {
    let (op, arm) = (escaped(&series.name.op), escaped(&series.name.arm));
    format!("op=\"{op}\",arm=\"{arm}\"")
}

/// A label's value: the format's three escapes, and nothing else that could end a line.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '\\' => vec!['\\', '\\'],
            '"' => vec!['\\', '"'],
            '\n' => vec!['\\', 'n'],
            c if c.is_control() => vec!['?'],
            c => vec![c],
        })
        .collect()
}
