//! A bench record as one page: what it comes to, the figures, the charts, what to distrust. No
//! script; every word of a target is text.

mod figures;
mod plot;

use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use self::figures::OverTime;
use self::plot::{Line, Plot};
use super::{frame, shown};
use crate::bench::bootstrap::Measure;
use crate::bench::record::{Health, Slow};
use crate::bench::run::BenchRun;
use crate::bench::slo::{SloResult, duration};
use crate::bench::summary::Latency;
use crate::bench::to_float;
use crate::bench::totals::Totals;
use crate::histogram::Histogram;
use crate::render::findings::{self, Findings, Tone, rate};

/// Most damaged bodies and slow requests that are listed.
const LISTED: usize = 100;

/// Writes the page.
///
/// # Errors
/// What the writer answers.
pub fn render(run: &BenchRun, to: &mut dyn Write) -> io::Result<()> {
    let findings = Findings::of(run);
    let (tone, conclusion) = findings.conclusion(run);
    let over_time = OverTime::of(run);
    let mut charts = Vec::new();
    for op in figures::ops(&findings.totals) {
        charts.push((op, charts_of(run, &findings, &over_time, op)?));
    }
    let tail = figures::tail(&run.slow)
        .map(|plot| chart(&plot))
        .transpose()?;
    let body = html! {
        (head(run, tone, &conclusion))
        main .wide {
            (objectives(&findings))
            @if let Some(knee) = &run.knee {
                section {
                    h2 { "Knee" }
                    p { (shown(&Findings::knee(knee))) }
                    @for reason in &knee.reasons { p .warning { (shown(reason)) } }
                }
            }
            (damage(run))
            (series(run, &findings))
            @for (op, charts) in &charts {
                section { h2 { (shown(op)) } div .charts { @for chart in charts { (chart) } } }
            }
            @if let Some(tail) = &tail {
                section { h2 { "Slowest requests" } (tail) (slowest(&run.slow)) }
            }
            (client(run.health.as_ref()))
            (settings(run))
        }
    };
    let title = format!(
        "{conclusion}: load on {}",
        run.header.target.endpoints.join(", ")
    );
    let page = frame::page(&shown(&title), &body, frame::Script::None);
    to.write_all(page.into_string().as_bytes())
}

fn head(run: &BenchRun, tone: Tone, conclusion: &str) -> Markup {
    let class = match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Open => "open",
    };
    let header = &run.header;
    html! {
        header .(class) {
            p .where {
                "Load on " b { (shown(&header.target.endpoints.join(", "))) }
                @if let Some(server) = &header.target.server { " · server " (shown(server)) }
            }
            h1 { (tone.sign()) " " (shown(conclusion)) }
            @for sentence in Findings::warnings(run) { p .warning { (shown(&sentence)) } }
            p .meta {
                (shown(&Findings::model(header))) " · seed " (shown(&header.seed)) " · "
                (shown(&header.started)) " · " (shown(&header.tool.name)) " "
                (shown(&header.tool.version))
            }
        }
    }
}

fn objectives(findings: &Findings) -> Markup {
    html! {
        @if !findings.judgements.is_empty() {
            section {
                h2 { "Objectives" }
                div .scroll { table .runs {
                    thead { tr { th { "objective" } th { "result" } th { "measured" } } }
                    tbody { @for one in &findings.judgements { tr {
                        th scope="row" { code { (shown(&one.text)) } }
                        td { b class={ "v-" (verdict_class(one.result)) } { (Tone::from(one.result).sign()) " " (one.result.word()) } }
                        td { (shown(&one.observed)) }
                    } } }
                } }
            }
        }
    }
}

const fn verdict_class(result: SloResult) -> &'static str {
    match result {
        SloResult::Met => "pass",
        SloResult::Undecided => "blocked",
        SloResult::Missed => "fail",
    }
}

fn damage(run: &BenchRun) -> Markup {
    html! {
        @if !run.damage.is_empty() {
            section {
                h2 .v-fail { "✗ Damaged bodies: " (run.damage.len()) }
                div .scroll { table .runs {
                    thead { tr { th { "object" } th { "first wrong byte" } th { "damage" } th { "request" } } }
                    tbody { @for one in run.damage.iter().take(LISTED) { tr {
                        th scope="row" { code { (shown(&one.object)) } }
                        td { (one.offset) }
                        td { (shown(&one.what)) ", " (shown(&one.op)) "/" (shown(&one.arm)) " of " (shown(&one.endpoint)) }
                        td { (shown(one.request_id.as_deref().unwrap_or("without an id"))) }
                    } } }
                } }
                @if run.damage.len() > LISTED { p .dim { "and " (run.damage.len() - LISTED) " more in the record" } }
            }
        }
    }
}

fn series(run: &BenchRun, findings: &Findings) -> Markup {
    let measured = run.footer.as_ref().map_or(0.0, |footer| footer.measured);
    html! {
        section {
            h2 { "What was measured" }
            div .scroll { table .figures {
                thead { tr {
                    th { "series" } th { "attempted" } th { "ok" } th { "failed" } th { "unserved" }
                    th { "ok a second" } th { "MiB a second" }
                } }
                tbody { @for one in &findings.totals { tr {
                    th scope="row" { (shown(&one.name.to_string())) }
                    td { (one.attempted) } td { (one.ok) } td { (one.failures()) } td { (one.unserved) }
                    td { (rate(to_float(one.ok), measured)) }
                    td { (rate(to_float(one.bytes) / 1_048_576.0, measured)) }
                } } }
            } }
            @for one in &findings.totals { @for (class, number) in &one.failed {
                p .v-fail { "✗ " (shown(&one.name.to_string())) ": " (number) " × " (shown(class)) }
            } }
            h3 { "Latency" }
            div .scroll { table .figures {
                thead { tr {
                    th { "series" } th { "" } th { "p50" } th { "p90" } th { "p99" } th { "p99.9" } th { "max" }
                } }
                tbody { @for one in &findings.totals { (latencies(one)) } }
            } }
            p .dim {
                "Response: from the intended start, arrivals that were not served included. Service: from the "
                "first byte sent. n/a: fewer than ten samples lie above."
            }
            (costs(findings))
        }
    }
}

fn latencies(series: &Totals) -> Markup {
    let name = series.name.to_string();
    html! {
        (latency(&name, "response", &series.response_with_waiting()))
        (latency("", "service", &series.service))
        @for (phase, histogram) in &series.phases { (latency("", phase.word(), histogram)) }
    }
}

fn latency(name: &str, what: &str, histogram: &Histogram) -> Markup {
    let points = Latency::of(histogram);
    html! { tr {
        th scope="row" { (shown(name)) } th scope="row" { (what) }
        @for us in [points.p50, points.p90, points.p99, points.p999, points.max] { td { (findings::latency(us)) } }
    } }
}

fn costs(findings: &Findings) -> Markup {
    html! {
        @for one in &findings.overheads {
            h3 {
                "Cost: " (shown(&one.op)) ", " (shown(&one.arms.other)) " divided by " (shown(&one.arms.base))
                ", interleaved over " (one.seconds) " s"
            }
            div .scroll { table .figures {
                thead { tr { th { "" } th { "ratio" } th { "95 % interval" } th { "would have shown" } } }
                tbody { @for measure in Measure::ALL { tr {
                    th scope="row" { (measure.word()) }
                    @match one.ratios.get(&measure).copied().flatten() {
                        None => { td colspan="3" { "n/a, too little was measured" } }
                        Some(ratio) => {
                            td { (format!("{:.3}", ratio.measured)) }
                            td { (format!("{:.3} to {:.3}", ratio.low, ratio.high)) }
                            td { (format!("{:.1} %", ratio.detectable * 100.0)) }
                        }
                    }
                } } }
            } }
        }
    }
}

fn charts_of(
    run: &BenchRun,
    findings: &Findings,
    over_time: &OverTime,
    op: &str,
) -> io::Result<Vec<Markup>> {
    let totals = &findings.totals;
    let cost = findings.overheads.iter().find(|one| one.op == op);
    [
        cost.and_then(figures::cost),
        figures::percentiles(totals, op),
        over_time.latency(totals, op),
        over_time.throughput(totals, op),
        figures::load(run, totals, op),
    ]
    .iter()
    .flatten()
    .map(chart)
    .collect()
}

fn chart(plot: &Plot) -> io::Result<Markup> {
    let svg = plot.svg()?;
    Ok(html! {
        figure .chart {
            figcaption { h3 { (plot.title) } (legend(&plot.lines)) }
            div .scroll role="img" aria-label={ (plot.title) ": " (plot.says) } { (PreEscaped(svg)) }
        }
    })
}

fn legend(lines: &[Line]) -> Markup {
    html! {
        ul .legend { @for line in lines { @if !line.label.is_empty() {
            li {
                svg width="30" height="8" viewBox="0 0 30 8" aria-hidden="true" {
                    line x1="0" y1="4" x2="30" y2="4" stroke=(line.hue.hex()) stroke-width="3"
                        stroke-dasharray=[line.stroke.dashes().map(|(dash, gap)| format!("{dash} {gap}"))] {}
                }
                (line.label)
            }
        } } }
    }
}

fn slowest(slow: &[Slow]) -> Markup {
    let mut slow: Vec<&Slow> = slow.iter().collect();
    slow.sort_by_key(|one| std::cmp::Reverse(one.response_us));
    html! {
        div .scroll { table .runs .slow {
            thead { tr {
                th { "" } th { "request" } th { "response" } th { "service" } th { "second" } th { "phases" } th { "ids" }
            } }
            tbody { @for (row, one) in slow.iter().take(LISTED).enumerate() { tr {
                td { (row + 1) "." }
                th scope="row" {
                    (shown(&one.op)) "/" (shown(&one.arm)) " " code { (shown(&one.object)) }
                    " of " (shown(&one.endpoint))
                    @if let Some(failure) = &one.failure { " " b .v-fail { "✗ " (shown(failure)) } }
                }
                td { (duration(one.response_us)) } td { (duration(one.service_us)) } td { (one.second) }
                td {
                    @for (phase, us) in &one.phases_us { (phase.word()) " " (duration(*us)) "; " }
                    @if one.reused { "connection used before" } @else { "new connection" }
                }
                td { code {
                    (shown(one.request_id.as_deref().unwrap_or("none"))) " "
                    (shown(one.extended_id.as_deref().unwrap_or("")))
                } }
            } } }
        } }
    }
}

fn client(health: Option<&Health>) -> Markup {
    html! {
        section {
            h2 { "Was the client fit to measure?" }
            @match health {
                None => { p .warning { "? Nothing is known of its health." } }
                Some(health) => {
                    p { b { (health.verdict.word()) } }
                    @for reason in &health.reasons { p .warning { (shown(reason)) } }
                    dl {
                        dt { "CPU" } dd { (format!("{:.2} s in {:.1} s on {} processors", health.cpu_seconds,
                            health.wall_seconds, health.processors)) }
                        @if let Some(wait) = health.run_queue_seconds { dt { "ready without a processor" } dd { (format!("{wait:.3} s")) } }
                        @if let Some(steal) = health.steal_seconds { dt { "taken by the hypervisor" } dd { (format!("{steal:.3} s")) } }
                        @if let Some(late) = lateness(health) { dt { "timer woke late" } dd { (late) } }
                        @if let Some(ceiling) = health.ceiling { dt { "its ceiling" } dd { (format!("{ceiling:.0} requests a second against a target that does nothing")) } }
                    }
                }
            }
        }
    }
}

fn lateness(health: &Health) -> Option<String> {
    let points = Latency::of(&health.lateness.unpack());
    let max = duration(points.max?);
    let p99 = findings::latency(points.p99);
    Some(format!("p99 {p99}, max {max}"))
}

fn settings(run: &BenchRun) -> Markup {
    let header = &run.header;
    html! {
        section {
            h2 { "The run" }
            dl {
                @for (name, value) in header.settings.iter().chain(&header.manifest) {
                    dt { (shown(name)) } dd { (shown(value)) }
                }
                dt { "region" } dd { (shown(&header.target.region)) }
                @if let Some(footer) = &run.footer {
                    dt { "finished" } dd { (shown(&footer.finished)) ", exit code " (footer.exit) }
                    @if !footer.cleanup.left.is_empty() {
                        dt { "left behind" } dd { (footer.cleanup.left.len()) " names; ssec clean tries again" }
                    }
                }
            }
        }
    }
}
