//! One chart as SVG: scales that know their ticks, lines, dots and bars. `plotters` draws; the page's
//! style maps each colour that is written here to one of the light or the dark page.

use std::io;
use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{
    Circle, DashedLineSeries, IntoDrawingArea, IntoFont, PathElement, RGBColor, Rectangle,
    SVGBackend, ShapeStyle,
};
use plotters::{chart::ChartBuilder, style::Color};

use crate::bench::slo::duration;
use crate::bench::to_float;

/// Width of every chart, in CSS pixels; narrower pages scale or scroll it.
const WIDTH: u32 = 680;
/// Most ticks of an axis.
const TICKS: usize = 24;

const INK: RGBColor = RGBColor(0x1d, 0x21, 0x25);
const DIM: RGBColor = RGBColor(0x5b, 0x64, 0x6d);
const GRID: RGBColor = RGBColor(0xd9, 0xdd, 0xe1);
/// What tells series and phases apart, along with strokes, places and words.
const HUES: [RGBColor; 6] = [
    RGBColor(0x0b, 0x5c, 0xad),
    RGBColor(0xb0, 0x53, 0x00),
    RGBColor(0x1b, 0x6e, 0x3a),
    RGBColor(0x7a, 0x3e, 0x9d),
    RGBColor(0xa0, 0x1f, 0x5b),
    RGBColor(0x4c, 0x55, 0x60),
];

/// A colour by number; numbers beyond the last start over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hue(pub(super) usize);

impl Hue {
    fn colour(self) -> RGBColor {
        HUES[self.0 % HUES.len()]
    }

    /// As SVG attributes write it.
    pub(super) fn hex(self) -> String {
        let RGBColor(red, green, blue) = self.colour();
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

/// How a line is drawn, so that colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    Solid,
    Dashed,
    Dotted,
}

impl Stroke {
    /// Length of a dash and of the gap behind it, in pixels.
    pub(super) const fn dashes(self) -> Option<(u32, u32)> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some((7, 4)),
            Self::Dotted => Some((2, 3)),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    /// For the legend.
    pub(super) label: String,
    pub(super) hue: Hue,
    pub(super) stroke: Stroke,
    pub(super) points: Vec<(f64, f64)>,
}

/// A filled box between two corners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) hue: Hue,
    pub(super) corners: [(f64, f64); 2],
}

/// A chart, ready to be drawn.
#[derive(Debug, Clone)]
pub(super) struct Plot {
    pub(super) title: String,
    /// What it shows, for who cannot see it.
    pub(super) says: String,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) lines: Vec<Line>,
    pub(super) bars: Vec<Bar>,
    /// Points with a mark of their own.
    pub(super) dots: Vec<(Hue, (f64, f64))>,
    /// CSS pixels.
    pub(super) height: u32,
    /// Room for the labels of the y axis, CSS pixels.
    pub(super) margin: u32,
}

/// How a value becomes a place on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Linear,
    Logarithmic,
}

/// One axis: its ends, its ticks with their labels, its name.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    spacing: Spacing,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
    pub(super) name: &'static str,
}

impl Scale {
    /// Microseconds, logarithmic, from the least to the greatest of the values.
    pub(super) fn latency(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values.into_iter().map(|value| value.max(1.0)));
        let mut marks = Vec::new();
        let mut decade = 10_f64.powf(low.log10().floor());
        while decade <= high * 10.0 && marks.len() < 3 * TICKS {
            marks.extend([decade, decade * 2.0, decade * 5.0]);
            decade *= 10.0;
        }
        let below = |mark: &&f64| **mark <= low;
        let above = |mark: &&f64| **mark >= high * 1.000_001;
        let low = marks.iter().rev().find(below).copied().unwrap_or(low);
        let high = marks.iter().find(above).copied().unwrap_or(high * 2.0);
        let wide = high / low > 2e3;
        let ticks = marks
            .into_iter()
            .filter(|mark| (low..=high).contains(mark))
            .filter(|mark| !wide || (mark.log10() - mark.log10().round()).abs() < 1e-6)
            .map(|mark| (mark, told_duration(mark)))
            .collect();
        Self {
            spacing: Spacing::Logarithmic,
            low,
            high,
            ticks,
            name: "latency",
        }
    }

    /// From zero up to the greatest of the values.
    pub(super) fn from_zero(name: &'static str, values: impl IntoIterator<Item = f64>) -> Self {
        let (_, high) = ends(values);
        let high = if high > 0.0 { high } else { 1.0 };
        let step = step(high / 5.0);
        let top = (high / step).ceil().max(1.0) * step;
        Self::linear(name, (0.0, top), step)
    }

    /// Ratios, with 1 among them.
    pub(super) fn ratio(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values.into_iter().chain([1.0]));
        let step = step(((high - low) / 5.0).max(0.01));
        let ends = ((low / step).floor() * step, (high / step).ceil() * step);
        let ends = if ends.0 < ends.1 {
            ends
        } else {
            (ends.0 - step, ends.1 + step)
        };
        Self::linear("ratio", ends, step)
    }

    fn linear(name: &'static str, (low, high): (f64, f64), step: f64) -> Self {
        let digits = if step >= 1.0 {
            0
        } else {
            usize::from(
                (1..=9_u8)
                    .find(|n| step * 10_f64.powi((*n).into()) >= 0.999)
                    .unwrap_or(9),
            )
        };
        let ticks = (0..TICKS)
            .map(|n| low + to_float(n as u64) * step)
            .take_while(|at| *at <= high + step / 1e3)
            .map(|at| (at, format!("{at:.digits$}")))
            .collect();
        Self {
            spacing: Spacing::Linear,
            low,
            high,
            ticks,
            name,
        }
    }

    /// HDR's percentile axis: each step to the right leaves a tenth of the samples above.
    /// Values are [`Scale::place`]s.
    pub(super) fn percentiles(greatest: f64) -> Self {
        let high = Self::place(greatest).max(1.0);
        let known = [
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.9, "90 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
            (0.9999, "99.99 %"),
            (0.999_99, "99.999 %"),
            (0.999_999, "99.9999 %"),
        ];
        let ticks = known
            .into_iter()
            .map(|(quantile, label)| (Self::place(quantile), label.to_owned()))
            .filter(|(at, _)| *at <= high + 1e-9)
            .collect();
        Self {
            spacing: Spacing::Linear,
            low: 0.0,
            high,
            ticks,
            name: "percentile of requests",
        }
    }

    /// Where a quantile below 1 stands on the percentile axis.
    pub(super) fn place(quantile: f64) -> f64 {
        -(1.0 - quantile).log10()
    }

    /// One row a label, the first on top; row n reaches from n to n + 1.
    pub(super) fn rows(labels: Vec<String>) -> Self {
        let high = to_float(labels.len() as u64);
        let ticks = labels
            .into_iter()
            .enumerate()
            .map(|(row, label)| (to_float(row as u64) + 0.5, label))
            .collect();
        Self {
            spacing: Spacing::Linear,
            low: high,
            high: 0.0,
            ticks,
            name: "",
        }
    }

    /// The least and the greatest value on it.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn share(&self, value: f64) -> f64 {
        let turned = |value: f64| match self.spacing {
            Spacing::Linear => value,
            Spacing::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        let (low, high) = (turned(self.low), turned(self.high));
        ((turned(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    fn label(&self, value: f64) -> String {
        let close = |tick: &&(f64, String)| (tick.0 - value).abs() < 1e-9 * tick.0.abs().max(1.0);
        self.ticks
            .iter()
            .find(close)
            .map(|(_, label)| label.clone())
            .unwrap_or_default()
    }
}

/// The least and the greatest; of nothing, 0 and 1.
fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// The next of 1, 2, 5 times a power of ten.
fn step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|of| of * decade)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(decade * 10.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ticks are whole microseconds of at most some hours"
)]
fn told_duration(us: f64) -> String {
    let told = duration(us.round().max(0.0) as u64);
    // A tick is a round figure: `20.0 ms` says no more than `20 ms`.
    match told.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => told,
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of a width in pixels"
    )]
    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points();
        self.ticks.iter().map(|(at, _)| *at).take(most).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

impl Plot {
    /// Draws it.
    ///
    /// # Errors
    /// What the library answers; writing to memory gives it no cause.
    pub(super) fn svg(&self) -> io::Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, (WIDTH, self.height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(28)
            .x_label_area_size(46)
            .y_label_area_size(self.margin)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let text = ("sans-serif", 16).into_font();
        chart
            .configure_mesh()
            .max_light_lines(0)
            .x_labels(TICKS)
            .y_labels(TICKS)
            .bold_line_style(GRID)
            .axis_style(DIM)
            .label_style(text.clone().color(&DIM))
            .axis_desc_style(text.color(&INK))
            .x_desc(self.x.name)
            .y_desc(self.y.name)
            .draw()?;
        for bar in &self.bars {
            chart.draw_series([Rectangle::new(bar.corners, bar.hue.colour().filled())])?;
        }
        for line in &self.lines {
            let style = ShapeStyle::from(line.hue.colour()).stroke_width(2);
            let points = line.points.iter().copied();
            match line.stroke.dashes() {
                None => {
                    let whole = PathElement::new(points.collect::<Vec<_>>(), style);
                    chart.draw_series([whole])?;
                }
                Some((dash, gap)) => {
                    chart.draw_series(DashedLineSeries::new(points, dash, gap, style))?;
                }
            }
        }
        for (hue, at) in &self.dots {
            chart.draw_series([Circle::new(*at, 4, hue.colour().filled())])?;
        }
        root.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale
            .ticks
            .iter()
            .map(|(_, label)| label.as_str())
            .collect()
    }

    #[test]
    fn a_latency_axis_ends_at_round_figures_and_holds_every_value() {
        let scale = Scale::latency([1_500.0, 18_000.0]);
        assert_eq!(labels(&scale), ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms"]);
        let wide = Scale::latency([3.0, 9_000_000.0]);
        assert_eq!(labels(&wide)[..2], ["10 µs", "100 µs"]);
        assert!(wide.low <= 3.0 && wide.high >= 9_000_000.0);
        // One value alone has an axis too, and so has none.
        assert!(Scale::latency([500.0]).high > Scale::latency([500.0]).low);
        assert!(Scale::latency([]).high > Scale::latency([]).low);
    }

    #[test]
    fn equal_steps_of_the_percentile_axis_are_tenths() {
        let scale = Scale::percentiles(0.9995);
        assert_eq!(labels(&scale), ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
        let at = |quantile| Scale::place(quantile);
        assert!((at(0.99) - at(0.9) - (at(0.999) - at(0.99))).abs() < 1e-9);
    }

    #[test]
    fn values_stand_where_they_belong() {
        let scale = Scale::latency([1_000.0, 90_000.0]);
        assert_eq!(scale.map(&1_000.0, (0, 200)), 0);
        assert_eq!(scale.map(&10_000.0, (0, 200)), 100);
        // Outside, and nothing at all: at the edge, never beyond the picture.
        assert_eq!(scale.map(&1e12, (0, 200)), 200);
        assert_eq!(scale.map(&0.0, (0, 200)), 0);
        let rows = Scale::rows(vec!["first".to_owned(), "second".to_owned()]);
        assert!(rows.map(&0.5, (200, 0)) < rows.map(&1.5, (200, 0)));
    }

    #[test]
    fn ratios_hold_one() {
        let scale = Scale::ratio([1.12, 1.18]);
        assert!(scale.low <= 1.0 && scale.high >= 1.18);
        assert!(labels(&scale).contains(&"1.00"), "{:?}", labels(&scale));
        assert!(Scale::ratio([]).low < Scale::ratio([]).high);
        let from_zero = Scale::from_zero("a", [0.0]);
        assert_eq!((from_zero.low, from_zero.high), (0.0, 1.0));
    }
}
