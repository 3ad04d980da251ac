//! Which charts a bench record becomes: what each shows, computed from the record's lines alone.

use super::plot::{Bar, Hue, Line, Plot, Scale, Stroke};
use crate::bench::bootstrap::Measure;
use crate::bench::paired::Overhead;
use crate::bench::record::{Phase, Second, SeriesName, Slow};
use crate::bench::run::BenchRun;
use crate::bench::summary::Latency;
use crate::bench::to_float;
use crate::bench::totals::Totals;
use crate::histogram::Histogram;
use crate::printable;

/// Most points of a line over time; longer runs are told in longer slices.
const SLICES: u32 = 120;
/// Points of a percentile line for each tenth of the samples.
const POINTS_A_TENTH: u32 = 40;
/// Slow requests that are drawn.
const DRAWN: usize = 12;
/// Longest label, in characters.
const LABEL: usize = 40;

const HEIGHT: u32 = 320;
const MARGIN: u32 = 78;
const ROW: u32 = 30;

/// The operations of a run, the measured one first.
pub(super) fn ops(totals: &[Totals]) -> Vec<&str> {
    let mut ops: Vec<&str> = Vec::new();
    for series in totals {
        if !ops.contains(&series.name.op.as_str()) {
            ops.push(&series.name.op);
        }
    }
    ops
}

fn arms<'a>(totals: &'a [Totals], op: &str) -> Vec<(Hue, &'a Totals)> {
    totals
        .iter()
        .filter(|series| series.name.op == op && series.attempted > 0)
        .enumerate()
        .map(|(at, series)| (Hue(at), series))
        .collect()
}

fn short(text: &str) -> String {
    printable::cut(text, LABEL)
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> + '_ {
    lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.1))
}

/// Latency by percentile: each line as far as ten samples lie above it.
pub(super) fn percentiles(totals: &[Totals], op: &str) -> Option<Plot> {
    let mut lines = Vec::new();
    let mut greatest = 0.9_f64;
    for (hue, series) in arms(totals, op) {
        let arm = short(&series.name.arm);
        let response = series.response_with_waiting();
        for (what, stroke, histogram) in [
            ("response", Stroke::Solid, &response),
            ("service", Stroke::Dashed, &series.service),
        ] {
            let (points, last) = percentile_line(histogram);
            greatest = greatest.max(last);
            if points.len() > 1 {
                let label = format!("{arm}, {what}");
                lines.push(Line {
                    label,
                    hue,
                    stroke,
                    points,
                });
            }
        }
    }
    (!lines.is_empty()).then(|| Plot {
        title: "Latency by percentile".to_owned(),
        says: "Latency of each arm against the percentile of its requests, as far as ten samples \
               lie above."
            .to_owned(),
        x: Scale::percentiles(greatest),
        y: Scale::latency(values(&lines)),
        lines,
        bars: Vec::new(),
        dots: Vec::new(),
        height: HEIGHT,
        margin: MARGIN,
    })
}

/// The points of one line, and the last quantile of it.
fn percentile_line(histogram: &Histogram) -> (Vec<(f64, f64)>, f64) {
    let mut points = Vec::new();
    let mut last = 0.0;
    for n in 0..8 * POINTS_A_TENTH {
        let quantile = 1.0 - 10_f64.powf(-f64::from(n) / f64::from(POINTS_A_TENTH));
        let Some(us) = histogram.quantile(quantile) else {
            break;
        };
        points.push((Scale::place(quantile), to_float(us)));
        last = quantile;
    }
    (points, last)
}

/// One stretch of the run: when it begins, in seconds of the load, and what each series did.
struct Slice {
    from: f64,
    /// In the order of the header.
    moments: Vec<Moment>,
}

/// What is drawn of one series in one stretch.
#[derive(Clone, Default)]
struct Moment {
    ok: u64,
    failed: u64,
    unserved: u64,
    p50: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

impl Moment {
    fn of(series: &Totals) -> Self {
        let response = Latency::of(&series.response_with_waiting());
        Self {
            ok: series.ok,
            failed: series.failures(),
            unserved: series.unserved,
            p50: response.p50.map(to_float),
            p99: response.p99.map(to_float),
            max: response.max.map(to_float),
        }
    }
}

/// The run in slices. No histogram is kept: one of a slice is gone before that of the next is made.
pub(super) struct OverTime {
    names: Vec<SeriesName>,
    slices: Vec<Slice>,
    /// Seconds of one.
    width: u32,
}

impl OverTime {
    pub(super) fn of(run: &BenchRun) -> Self {
        let mut counted: Vec<&Second> = run.seconds.iter().filter(|one| !one.warmup).collect();
        counted.sort_by_key(|second| second.second);
        let first = counted.first().map_or(0, |second| second.second);
        let last = counted.last().map_or(0, |second| second.second);
        let width = (last - first) / SLICES + 1;
        let names = run.header.series.clone();
        let mut slices: Vec<Slice> = (0..=(last - first) / width)
            .map(|at| Slice {
                from: f64::from(first + at * width),
                moments: vec![Moment::default(); names.len()],
            })
            .collect();
        let slice_of = |second: &Second| (second.second - first) / width;
        for stretch in counted.chunk_by(|a, b| slice_of(a) == slice_of(b)) {
            let mut totals = Totals::of_header(&run.header);
            for second in stretch {
                totals.iter_mut().for_each(|series| series.fold(second));
            }
            let at = usize::try_from(slice_of(stretch[0])).unwrap_or(usize::MAX);
            if let Some(slice) = slices.get_mut(at) {
                slice.moments = totals.iter().map(Moment::of).collect();
            }
        }
        Self {
            names,
            slices,
            width,
        }
    }

    fn line(
        &self,
        (hue, series): (Hue, &Totals),
        (what, stroke): (&str, Stroke),
        value: impl Fn(&Moment) -> Option<f64>,
    ) -> Line {
        let at = self.names.iter().position(|name| *name == series.name);
        let point = |slice: &Slice| Some((slice.from, value(slice.moments.get(at?)?)?));
        Line {
            label: format!("{}, {what}", short(&series.name.arm)),
            hue,
            stroke,
            points: self.slices.iter().filter_map(point).collect(),
        }
    }

    fn plot(&self, title: &str, says: &str, y: Scale, lines: Vec<Line>) -> Option<Plot> {
        let whole = self.slices.last().map_or(0.0, |slice| slice.from);
        let lines: Vec<Line> = lines
            .into_iter()
            .filter(|line| line.points.len() > 1)
            .collect();
        let unit = match self.width {
            1 => "a second".to_owned(),
            width => format!("{width} seconds"),
        };
        (!lines.is_empty()).then(|| Plot {
            title: title.to_owned(),
            says: format!("{says}, a point for {unit}."),
            x: Scale::from_zero("seconds of the load", [whole]),
            y,
            lines,
            bars: Vec::new(),
            dots: Vec::new(),
            height: HEIGHT,
            margin: MARGIN,
        })
    }

    /// Response times over the run.
    pub(super) fn latency(&self, totals: &[Totals], op: &str) -> Option<Plot> {
        let mut lines = Vec::new();
        for arm in arms(totals, op) {
            lines.push(self.line(arm, ("p50", Stroke::Solid), |moment| moment.p50));
            lines.push(self.line(arm, ("p99", Stroke::Dashed), |moment| moment.p99));
            lines.push(self.line(arm, ("max", Stroke::Dotted), |moment| moment.max));
        }
        let y = Scale::latency(values(&lines));
        let says =
            "Median, 99th percentile where ten samples lie above, and greatest response time";
        self.plot("Latency over time", says, y, lines)
    }

    /// Answers a second over the run, and what was not answered well.
    pub(super) fn throughput(&self, totals: &[Totals], op: &str) -> Option<Plot> {
        let width = f64::from(self.width);
        let mut lines = Vec::new();
        for arm in arms(totals, op) {
            let rate = |number: u64| Some(to_float(number) / width);
            lines.push(self.line(arm, ("ok", Stroke::Solid), |moment| rate(moment.ok)));
            if arm.1.failures() > 0 {
                let failed = |moment: &Moment| rate(moment.failed);
                lines.push(self.line(arm, ("failed", Stroke::Dashed), failed));
            }
            if arm.1.unserved > 0 {
                let unserved = |moment: &Moment| rate(moment.unserved);
                lines.push(self.line(arm, ("unserved", Stroke::Dotted), unserved));
            }
        }
        let y = Scale::from_zero("requests a second", values(&lines));
        let says = "Requests answered well a second, and those that failed or were not served";
        self.plot("Throughput over time", says, y, lines)
    }
}

/// The second arm divided by the first, with its interval.
pub(super) fn cost(overhead: &Overhead) -> Option<Plot> {
    let known: Vec<_> = Measure::ALL
        .into_iter()
        .filter_map(|measure| {
            let ratio = overhead.ratios.get(&measure).copied().flatten()?;
            Some((measure.word().to_owned(), ratio))
        })
        .collect();
    if known.is_empty() {
        return None;
    }
    let mut lines = vec![Line {
        label: "no difference".to_owned(),
        hue: Hue(5),
        stroke: Stroke::Dashed,
        points: vec![(1.0, 0.0), (1.0, to_float(known.len() as u64))],
    }];
    let mut dots = Vec::new();
    for (row, (_, ratio)) in known.iter().enumerate() {
        let y = to_float(row as u64) + 0.5;
        lines.push(Line {
            label: String::new(),
            hue: Hue(0),
            stroke: Stroke::Solid,
            points: vec![(ratio.low, y), (ratio.high, y)],
        });
        dots.push((Hue(0), (ratio.measured, y)));
    }
    let ends = known.iter().flat_map(|(_, ratio)| [ratio.low, ratio.high]);
    Some(Plot {
        title: format!(
            "{} divided by {}",
            short(&overhead.arms.other),
            short(&overhead.arms.base)
        ),
        says: "Ratio of the second arm to the first with its 95 % interval; 1 is no difference."
            .to_owned(),
        x: Scale::ratio(ends),
        height: 90 + ROW * u32::try_from(known.len()).unwrap_or(ROW),
        y: Scale::rows(known.into_iter().map(|(word, _)| word).collect()),
        lines,
        bars: Vec::new(),
        dots,
        margin: 110,
    })
}

/// Where the time of the slowest requests went.
pub(super) fn tail(slow: &[Slow]) -> Option<Plot> {
    let mut slow: Vec<&Slow> = slow.iter().collect();
    slow.sort_by_key(|one| std::cmp::Reverse(one.response_us));
    slow.truncate(DRAWN);
    if slow.is_empty() {
        return None;
    }
    let mut bars = Vec::new();
    for (row, one) in slow.iter().enumerate() {
        let (top, mut from) = (to_float(row as u64), 0.0);
        for (at, phase) in Phase::ALL.into_iter().enumerate() {
            let us = one.phases_us.get(&phase).copied().unwrap_or(0);
            let to = from + to_float(us) / 1e3;
            if us > 0 {
                let corners = [(from, top + 0.2), (to, top + 0.8)];
                bars.push(Bar {
                    hue: Hue(at),
                    corners,
                });
            }
            from = to;
        }
    }
    let longest = bars.iter().map(|bar| bar.corners[1].0);
    let label = |(row, one): (usize, &&Slow)| format!("{}. {}", row + 1, short(&one.op));
    Some(Plot {
        title: "Where the slowest requests spent their time".to_owned(),
        says: "Phases of the slowest requests in the order of time, a row a request; the table \
               below has the figures."
            .to_owned(),
        x: Scale::from_zero("milliseconds from the intended start", longest),
        height: 90 + ROW * u32::try_from(slow.len()).unwrap_or(ROW),
        y: Scale::rows(slow.iter().enumerate().map(label).collect()),
        // Empty lines carry the legend.
        lines: Phase::ALL
            .into_iter()
            .enumerate()
            .filter(|(at, _)| bars.iter().any(|bar| bar.hue == Hue(*at)))
            .map(|(at, phase)| Line {
                label: phase.word().to_owned(),
                hue: Hue(at),
                stroke: Stroke::Solid,
                points: Vec::new(),
            })
            .collect(),
        bars,
        dots: Vec::new(),
        margin: 110,
    })
}

/// Latency against the load that was offered, one point a step.
pub(super) fn load(run: &BenchRun, totals: &[Totals], op: &str) -> Option<Plot> {
    if run.steps.len() < 2 {
        return None;
    }
    let points = run.curve().points();
    let mut lines = Vec::new();
    let mut dots = Vec::new();
    for (hue, series) in arms(totals, op) {
        let ours = || points.iter().filter(|point| point.series == series.name);
        let of = |us: fn(&Latency) -> Option<u64>| -> Vec<(f64, f64)> {
            ours()
                .filter_map(|point| Some((point.offered, to_float(us(&point.response)?))))
                .collect()
        };
        for (what, stroke, mut points) in [
            ("p50", Stroke::Solid, of(|latency| latency.p50)),
            ("p99", Stroke::Dashed, of(|latency| latency.p99)),
        ] {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            dots.extend(points.iter().map(|at| (hue, *at)));
            lines.push(Line {
                label: format!("{}, {what}", short(&series.name.arm)),
                hue,
                stroke,
                points,
            });
        }
    }
    lines.retain(|line| line.points.len() > 1);
    let y = Scale::latency(values(&lines));
    let (bottom, top) = y.ends();
    let knee = run.knee.as_ref();
    let met = knee
        .and_then(|knee| knee.low)
        .map(|low| ("met", Stroke::Solid, low));
    let missed = knee
        .and_then(|knee| knee.high)
        .map(|high| ("missed", Stroke::Dotted, high));
    if !lines.is_empty() {
        let walls = met.into_iter().chain(missed);
        lines.extend(walls.map(|(what, stroke, rate)| Line {
            label: format!("objectives {what} at {rate}"),
            hue: Hue(5),
            stroke,
            points: vec![(rate, bottom), (rate, top)],
        }));
    }
    (!lines.is_empty()).then(|| Plot {
        title: "Latency against load".to_owned(),
        says: "Response time of each step against the arrivals a second that it offered."
            .to_owned(),
        x: Scale::from_zero("arrivals a second", run.steps.iter().map(|step| step.rate)),
        y,
        lines,
        bars: Vec::new(),
        dots,
        height: HEIGHT,
        margin: MARGIN,
    })
}
