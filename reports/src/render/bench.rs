//! A bench record for people, on a terminal or in a log: what was offered and answered, latencies,
//! what the second arm costs, objectives, what to distrust.

use std::io::{self, Write};

use super::findings::{self, Findings};
use crate::bench::bootstrap::Measure;
use crate::bench::compare::BenchComparison;
use crate::bench::curve::Point;
use crate::bench::paired::{Overhead, overheads};
use crate::bench::record::{Damage, Footer, Header, Health, HealthVerdict, Knee, Model, Slow};
use crate::bench::run::BenchRun;
use crate::bench::slo::{Judgement, Slo, SloResult, duration};
use crate::bench::summary::Latency;
use crate::bench::to_float;
use crate::bench::totals::Totals;
use crate::histogram::Histogram;
use crate::printable::line;

/// Damaged bodies and slow requests that are named.
const NAMED: usize = 10;

/// What is told of a run, read back or just over.
pub struct Told<'a> {
    pub header: &'a Header,
    /// Each series of the header added up, in its order.
    pub totals: &'a [Totals],
    /// What was answered at each step of the offered load.
    pub curve: &'a [Point],
    pub knee: Option<&'a Knee>,
    pub overheads: &'a [Overhead],
    pub judgements: &'a [Judgement],
    pub damage: &'a [Damage],
    pub slow: &'a [Slow],
    pub health: Option<&'a Health>,
    pub footer: Option<&'a Footer>,
}

/// Judges the objectives that the record's header names; one that cannot be read is undecided.
#[must_use]
pub fn judgements(header: &Header, totals: &[Totals], overheads: &[Overhead]) -> Vec<Judgement> {
    let one = |text: &String| match Slo::parse(text) {
        Ok(slo) if slo.check(header).is_ok() => slo.judge(totals, overheads),
        Ok(_) | Err(_) => Judgement {
            text: text.clone(),
            result: SloResult::Undecided,
            observed: "not about this run".to_owned(),
        },
    };
    header.slo.iter().map(one).collect()
}

/// Writes the report of a record.
///
/// # Errors
/// What the sink answers.
pub fn render(run: &BenchRun, out: &mut dyn Write) -> io::Result<()> {
    let header = &run.header;
    let (totals, overheads) = (run.totals(), overheads(header, &run.seconds));
    let told = Told {
        header,
        totals: &totals,
        curve: &run.curve().points(),
        knee: run.knee.as_ref(),
        overheads: &overheads,
        judgements: &judgements(header, &totals, &overheads),
        damage: &run.damage,
        slow: &run.slow,
        health: run.health.as_ref(),
        footer: run.footer.as_ref(),
    };
    tell(&told, out)
}

/// Writes the report.
///
/// # Errors
/// What the sink answers.
pub fn tell(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    heading(told, out)?;
    for series in told.totals {
        bins(series, told.footer, out)?;
    }
    curve(told.curve, out)?;
    if let Some(found) = told.knee {
        knee(found, out)?;
    }
    for overhead in told.overheads {
        cost(overhead, out)?;
    }
    for judgement in told.judgements {
        let word = judgement.result.word();
        let (text, observed) = (line(&judgement.text), line(&judgement.observed));
        writeln!(out, "slo {word}: {text}; measured {observed}")?;
    }
    evidence(told, out)?;
    client(told.health, out)
}

/// Writes how two runs compare.
///
/// # Errors
/// What the sink answers.
pub fn comparison(comparison: &BenchComparison, out: &mut dyn Write) -> io::Result<()> {
    for obstacle in &comparison.obstacles {
        writeln!(out, "note: {}", line(obstacle))?;
    }
    for row in &comparison.rows {
        let (change, measure) = (row.change.word(), row.measure.word());
        let series = row.series.to_string();
        write!(out, "{change:<12} {} {measure}", line(&series))?;
        match row.ratio {
            None => writeln!(out, ": too little was measured")?,
            Some(ratio) => writeln!(out, " {ratio}")?,
        }
    }
    Ok(())
}

fn heading(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let target = line(&told.header.target.endpoints.join(", "));
    writeln!(out, "{target}: {}", Findings::model(told.header))?;
    if told.header.schedule.model == Model::Closed {
        writeln!(
            out,
            "response times of a closed loop leave out what would have waited"
        )?;
    }
    if let Some(shard) = &told.header.shard {
        let (index, count) = (shard.index, shard.count);
        writeln!(out, "this is shard {index} of {count}, not the whole run")?;
    }
    match told.footer {
        None => writeln!(out, "incomplete: the record has no `end` line"),
        Some(footer) => {
            if footer.interrupted {
                writeln!(out, "interrupted")?;
            }
            for sentence in &footer.left_out {
                writeln!(out, "not measured: {}", line(sentence))?;
            }
            Ok(())
        }
    }
}

fn bins(series: &Totals, footer: Option<&Footer>, out: &mut dyn Write) -> io::Result<()> {
    let name = line(&series.name.to_string());
    writeln!(
        out,
        "\n{name}: {} attempted = {} ok + {} failed + {} unserved; {} bytes",
        series.attempted,
        series.ok,
        series.failures(),
        series.unserved,
        series.bytes
    )?;
    let measured = footer.map_or(0.0, |footer| footer.measured);
    if measured > 0.0 {
        let rate = to_float(series.ok) / measured;
        let mebibytes = to_float(series.bytes) / measured / 1_048_576.0;
        writeln!(out, "  {rate:.1} ok a second, {mebibytes:.2} MiB a second")?;
    }
    for (class, number) in &series.failed {
        writeln!(out, "  failed: {number} × {}", line(class))?;
    }
    latency("response", &series.response_with_waiting(), out)?;
    latency("service", &series.service, out)?;
    for (phase, histogram) in &series.phases {
        latency(phase.word(), histogram, out)?;
    }
    Ok(())
}

fn latency(what: &str, histogram: &Histogram, out: &mut dyn Write) -> io::Result<()> {
    let points = Latency::of(histogram);
    writeln!(
        out,
        "  {what:<10} p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
        findings::latency(points.p50),
        findings::latency(points.p90),
        findings::latency(points.p99),
        findings::latency(points.p999),
        findings::latency(points.max)
    )
}

/// A table: one line a step and series.
fn curve(points: &[Point], out: &mut dyn Write) -> io::Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>10}  {:>10}  {:>8}  {:>8}  {:>8}  {:>8}  series",
        "offered/s", "ok/s", "p50", "p99", "max", "lost"
    )?;
    for point in points {
        let series = point.series.to_string();
        writeln!(
            out,
            "{:>10.1}  {:>10.1}  {:>8}  {:>8}  {:>8}  {:>6.2} %  {}",
            point.offered,
            point.answered,
            findings::latency(point.response.p50),
            findings::latency(point.response.p99),
            findings::latency(point.response.max),
            point.lost * 100.0,
            line(&series)
        )?;
    }
    Ok(())
}

fn knee(knee: &Knee, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nknee: {}", line(&Findings::knee(knee)))?;
    for reason in &knee.reasons {
        writeln!(out, "  {}", line(reason))?;
    }
    Ok(())
}

fn cost(overhead: &Overhead, out: &mut dyn Write) -> io::Result<()> {
    let (op, arms) = (line(&overhead.op), &overhead.arms);
    let (base, other) = (line(&arms.base), line(&arms.other));
    let seconds = overhead.seconds;
    writeln!(
        out,
        "\n{op}: {other} against {base}, interleaved over {seconds} s"
    )?;
    for measure in Measure::ALL {
        let word = measure.word();
        match overhead.ratios.get(&measure).copied().flatten() {
            None => writeln!(out, "  {word:<10} n/a, too little was measured")?,
            Some(ratio) => writeln!(out, "  {word:<10} {ratio}")?,
        }
    }
    Ok(())
}

fn evidence(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    for damage in told.damage.iter().take(NAMED) {
        writeln!(
            out,
            "damaged: {} at byte {}: {}",
            line(&damage.object),
            damage.offset,
            line(&damage.what)
        )?;
    }
    if told.damage.len() > NAMED {
        writeln!(out, "and {} damaged more", told.damage.len() - NAMED)?;
    }
    for slow in told.slow.iter().take(NAMED) {
        let id = slow.request_id.as_deref().unwrap_or("without an id");
        writeln!(
            out,
            "slow: {} {}, response {}, service {}, request {}",
            line(&slow.op),
            line(&slow.object),
            duration(slow.response_us),
            duration(slow.service_us),
            line(id)
        )?;
    }
    Ok(())
}

fn client(health: Option<&Health>, out: &mut dyn Write) -> io::Result<()> {
    let Some(health) = health else {
        return writeln!(out, "\nclient: nothing is known of its health");
    };
    let (cpu, wall) = (health.cpu_seconds, health.wall_seconds);
    writeln!(
        out,
        "\nclient: {}; {cpu:.2} s of CPU in {wall:.1} s on {} processors",
        health.verdict.word(),
        health.processors
    )?;
    if let Some(ceiling) = health.ceiling {
        writeln!(
            out,
            "  it can offer {ceiling:.0} requests a second, measured against a target that does nothing"
        )?;
    }
    if health.verdict == HealthVerdict::Limited {
        writeln!(
            out,
            "  the client was the bottleneck: the figures are its own"
        )?;
    }
    for reason in &health.reasons {
        writeln!(out, "  {}", line(reason))?;
    }
    Ok(())
}
