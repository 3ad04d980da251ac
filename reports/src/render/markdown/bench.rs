//! A bench record for a pull request or a job's summary.

use std::io::{self, Write};

use super::inline::{code, prose};
use crate::bench::bootstrap::Measure;
use crate::bench::run::BenchRun;
use crate::bench::summary::Latency;
use crate::bench::to_float;
use crate::histogram::Histogram;
use crate::render::findings::{self, Findings, Tone, rate};

/// Longest excerpt from a record, in characters.
const LINE: usize = 300;
/// Most damaged bodies listed.
const DAMAGED: usize = 10;

/// Writes the summary.
///
/// # Errors
/// What the writer answers.
pub fn render(run: &BenchRun, to: &mut dyn Write) -> io::Result<()> {
    let findings = Findings::of(run);
    let (tone, conclusion) = findings.conclusion(run);
    let sign = tone.sign();
    let target = run.header.target.endpoints.join(", ");
    writeln!(
        to,
        "## Load: {sign} {}, {}\n",
        prose(&conclusion, LINE),
        prose(&target, LINE)
    )?;
    writeln!(to, "{}\n", prose(&Findings::model(&run.header), LINE))?;
    for sentence in Findings::warnings(run) {
        writeln!(to, "**{}**\n", prose(&sentence, LINE))?;
    }
    damage(run, to)?;
    objectives(&findings, to)?;
    if let Some(knee) = &run.knee {
        writeln!(to, "**Knee**: {}\n", prose(&Findings::knee(knee), LINE))?;
        for reason in &knee.reasons {
            writeln!(to, "- {}", prose(reason, LINE))?;
        }
        writeln!(to)?;
    }
    series(run, &findings, to)?;
    costs(&findings, to)?;
    client(run, to)
}

fn damage(run: &BenchRun, to: &mut dyn Write) -> io::Result<()> {
    for one in run.damage.iter().take(DAMAGED) {
        writeln!(
            to,
            "- ✗ **damaged**: {} at byte {}: {}",
            code(&one.object, LINE),
            one.offset,
            prose(&one.what, LINE)
        )?;
    }
    match run.damage.len() {
        0 => Ok(()),
        n if n > DAMAGED => writeln!(to, "- and {} more\n", n - DAMAGED),
        _ => writeln!(to),
    }
}

fn objectives(findings: &Findings, to: &mut dyn Write) -> io::Result<()> {
    if findings.judgements.is_empty() {
        return Ok(());
    }
    writeln!(to, "| objective | result | measured |\n|---|---|---|")?;
    for one in &findings.judgements {
        let sign = Tone::from(one.result).sign();
        writeln!(
            to,
            "| {} | {sign} {} | {} |",
            code(&one.text, LINE),
            one.result.word(),
            prose(&one.observed, LINE)
        )?;
    }
    writeln!(to)
}

fn series(run: &BenchRun, findings: &Findings, to: &mut dyn Write) -> io::Result<()> {
    let measured = run.footer.as_ref().map_or(0.0, |footer| footer.measured);
    writeln!(
        to,
        "| series | attempted | ok | failed | unserved | ok/s | MiB/s | p50 | p90 | p99 | p99.9 | max |"
    )?;
    writeln!(to, "|---|{}", "---:|".repeat(11))?;
    for one in &findings.totals {
        writeln!(
            to,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            prose(&one.name.to_string(), LINE),
            one.attempted,
            one.ok,
            one.failures(),
            one.unserved,
            rate(to_float(one.ok), measured),
            rate(to_float(one.bytes) / 1_048_576.0, measured),
            points(&one.response_with_waiting())
        )?;
    }
    writeln!(
        to,
        "\nResponse times, from the intended start; n/a: fewer than ten samples lie above.\n"
    )?;
    let mut failures = false;
    for one in &findings.totals {
        for (class, number) in &one.failed {
            let name = prose(&one.name.to_string(), LINE);
            writeln!(to, "- ✗ {name}: {number} × {}", prose(class, LINE))?;
            failures = true;
        }
    }
    if failures { writeln!(to) } else { Ok(()) }
}

fn points(histogram: &Histogram) -> String {
    let points = Latency::of(histogram);
    [points.p50, points.p90, points.p99, points.p999, points.max]
        .map(findings::latency)
        .join(" | ")
}

fn costs(findings: &Findings, to: &mut dyn Write) -> io::Result<()> {
    for one in &findings.overheads {
        writeln!(
            to,
            "| {}: {} ÷ {} over {} s | ratio | 95 % interval |\n|---|---:|---|",
            prose(&one.op, LINE),
            prose(&one.arms.other, LINE),
            prose(&one.arms.base, LINE),
            one.seconds
        )?;
        for measure in Measure::ALL {
            let word = measure.word();
            match one.ratios.get(&measure).copied().flatten() {
                None => writeln!(to, "| {word} | n/a | too little was measured |")?,
                Some(ratio) => writeln!(
                    to,
                    "| {word} | {:.3} | {:.3} to {:.3} |",
                    ratio.measured, ratio.low, ratio.high
                )?,
            }
        }
        writeln!(to)?;
    }
    Ok(())
}

fn client(run: &BenchRun, to: &mut dyn Write) -> io::Result<()> {
    let Some(health) = &run.health else {
        return writeln!(to, "Nothing is known of the client's health.");
    };
    write!(
        to,
        "Client: **{}**, {:.2} s of CPU in {:.1} s on {} processors.",
        health.verdict.word(),
        health.cpu_seconds,
        health.wall_seconds,
        health.processors
    )?;
    for reason in &health.reasons {
        write!(to, " {}", prose(reason, LINE))?;
    }
    writeln!(to)
}
