//! Plots as SVG text: no script, no font, no file beside the page.

use std::fmt::{Result, Write as _};

use rounds::grouped;

/// A range of values along one side.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) label: &'static str,
    /// Position and label of each tick.
    pub(super) ticks: Vec<(f64, String)>,
}

/// An element of a plot.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A line through points; the class chooses colour and dash.
    Line { class: &'static str, points: Vec<(f64, f64)> },
    /// An area between two lines: x, low, high.
    Band { class: &'static str, points: Vec<(f64, f64, f64)> },
    /// Points with a vertical error bar and an optional name.
    Dots { points: Vec<Dot> },
    /// A named level for comparison.
    Reference { y: f64, name: &'static str },
    /// A vertical line.
    Moment { x: f64 },
}

/// A measured point.
#[derive(Debug, Clone)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) name: Option<String>,
    /// Share of the data behind the point, 0 to 1.
    pub(super) weight: f64,
}

/// A plot.
#[derive(Debug)]
pub(super) struct Plot<'a> {
    /// Description for screen readers.
    pub(super) caption: &'a str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
}

impl Axis {
    /// Returns an axis from the lowest to the highest value with about five round ticks.
    pub(super) fn linear(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let range = values.filter(|value| value.is_finite()).fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let raw = (high - low) / 5.0;
        let power = raw.log10().floor();
        let unit = 10f64.powf(power);
        let step = [1.0, 2.0, 5.0, 10.0].map(|it| it * unit).into_iter().find(|&it| it >= raw);
        let step = step.unwrap_or(raw);
        let (from, to) = ((low / step).floor() * step, (high / step).ceil() * step);
        let digits = (0..9).find(|&digits| step >= 0.999 * 0.1f64.powi(digits)).unwrap_or(9);
        let digits = usize::try_from(digits).unwrap_or(0);
        // Both ends are multiples of the step, which lie at most ten steps apart.
        let ticks =
            (0..=20).map(|i| from + f64::from(i) * step).take_while(|&it| it <= to + step / 2.0);
        let ticks = ticks.map(|tick| (tick, number(tick, digits))).collect();
        Self { from, to, label, ticks }
    }

    /// Returns an axis for the rounds of a recording.
    pub(super) fn rounds(rounds: u64) -> Self {
        let mut axis = Self::linear("round", [0.0, rounds as f64].into_iter());
        axis.to = (rounds as f64).max(1.0);
        axis.ticks.retain(|&(tick, _)| tick <= axis.to);
        axis
    }

    /// Returns an axis for evidence as powers of ten, with lines at 20 and 100.
    pub(super) fn evidence(highest_log10: f64) -> Self {
        let to = (highest_log10 * 1.05).max(2.5);
        let step = (1..1000).find(|&step| to / f64::from(step) <= 6.0).unwrap_or(1000);
        let power = |exponent: i32| match exponent {
            -2 => "0.01".to_owned(),
            0 => "1".to_owned(),
            _ => format!("10^{exponent}"),
        };
        let more = (1..=6).map(|i| i * step).filter(|&it| it > 4 && f64::from(it) <= to);
        // On a tall scale the lines at 20 and 100 are too close for two labels.
        let near: &[(f64, &str)] =
            if to < 9.0 { &[(20f64.log10(), "20"), (2.0, "100")] } else { &[] };
        let named = near.iter().map(|&(at, name)| (at, name.to_owned()));
        let ticks = [-2, 0].into_iter().chain(more).map(|it| (f64::from(it), power(it)));
        let ticks = ticks.chain(named).collect();
        Self { from: -2.0, to, label: "evidence", ticks }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// Formats a number with separated thousands, and without a sign before zero.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    let text = if is_zero { text.trim_start_matches('-') } else { &text };
    match text.parse::<u64>() {
        Ok(whole) if whole >= 1000 => grouped(whole),
        _ => text.replace('-', "\u{2212}"),
    }
}

/// Draws the plot for a wide and for a narrow page: text in an SVG scales with the drawing, so each
/// width needs its own.
pub(super) fn draw(page: &mut String, plot: &Plot<'_>) -> Result {
    let wide = Frame { class: "wide", width: 560.0, height: 280.0, every: 1 };
    let narrow = Frame { class: "narrow", width: 340.0, height: 250.0, every: 2 };
    for frame in [wide, narrow] {
        Canvas { svg: page, frame, plot }.draw()?;
    }
    Ok(())
}

const LEFT: f64 = 54.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 38.0;

struct Frame {
    class: &'static str,
    width: f64,
    height: f64,
    /// One in this many ticks of the x axis has a label.
    every: usize,
}

struct Canvas<'a> {
    svg: &'a mut String,
    frame: Frame,
    plot: &'a Plot<'a>,
}

impl Canvas<'_> {
    fn draw(&mut self) -> Result {
        let plot = self.plot;
        let Frame { class, width, height, .. } = self.frame;
        writeln!(
            self.svg,
            r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
            plot.caption
        )?;
        self.axes()?;
        for mark in &plot.marks {
            self.mark(mark)?;
        }
        writeln!(self.svg, "</svg>")
    }

    fn axes(&mut self) -> Result {
        let Plot { x, y, .. } = self.plot;
        let (right, bottom) = (self.frame.width - RIGHT, self.frame.height - BOTTOM);
        for (value, text) in &y.ticks {
            let at = self.y(*value);
            writeln!(self.svg, r#"<path class="grid" d="M{LEFT} {at:.1}H{right}"/>"#)?;
            let (left, below) = (LEFT - 8.0, at + 4.0);
            writeln!(self.svg, r#"<text x="{left}" y="{below:.1}" class="end">{text}</text>"#)?;
        }
        for (value, text) in x.ticks.iter().step_by(self.frame.every) {
            let (at, below) = (self.x(*value), bottom + 16.0);
            writeln!(self.svg, r#"<text x="{at:.1}" y="{below}" class="mid">{text}</text>"#)?;
        }
        let (middle, foot) = (f64::midpoint(LEFT, right), self.frame.height - 5.0);
        writeln!(self.svg, r#"<text x="{middle}" y="{foot}" class="mid">{}</text>"#, x.label)?;
        let middle = f64::midpoint(TOP, bottom);
        writeln!(
            self.svg,
            r#"<text transform="translate(11 {middle}) rotate(-90)" class="mid">{}</text>"#,
            y.label
        )
    }

    fn mark(&mut self, mark: &Mark) -> Result {
        match mark {
            Mark::Line { class, points } => {
                write!(self.svg, r#"<polyline class="{class}" points=""#)?;
                self.points(points.iter().copied())?;
                writeln!(self.svg, r#""/>"#)
            }
            Mark::Band { class, points } => {
                write!(self.svg, r#"<polygon class="{class}" points=""#)?;
                let there = points.iter().map(|&(at, _, high)| (at, high));
                let back = points.iter().rev().map(|&(at, low, _)| (at, low));
                self.points(there.chain(back))?;
                writeln!(self.svg, r#""/>"#)
            }
            Mark::Dots { points } => points.iter().try_for_each(|dot| self.dot(dot)),
            Mark::Reference { y, name } => {
                let (at, right) = (self.y(*y), self.frame.width - RIGHT);
                writeln!(self.svg, r#"<path class="reference" d="M{LEFT} {at:.1}H{right}"/>"#)?;
                let above = at - 5.0;
                writeln!(self.svg, r#"<text x="{right}" y="{above:.1}" class="end">{name}</text>"#)
            }
            Mark::Moment { x } => {
                let (at, bottom) = (self.x(*x), self.frame.height - BOTTOM);
                writeln!(self.svg, r#"<path class="moment" d="M{at:.1} {TOP}V{bottom}"/>"#)
            }
        }
    }

    fn points(&mut self, points: impl Iterator<Item = (f64, f64)>) -> Result {
        for (x, y) in points {
            write!(self.svg, "{:.1},{:.1} ", self.x(x), self.y(y))?;
        }
        Ok(())
    }

    fn dot(&mut self, dot: &Dot) -> Result {
        let (x, y) = (self.x(dot.x), self.y(dot.y));
        let (low, high) = (self.y(dot.low), self.y(dot.high));
        writeln!(self.svg, r#"<path class="bar" d="M{x:.1} {low:.1}V{high:.1}"/>"#)?;
        let radius = 2.0 + 3.0 * dot.weight.sqrt();
        writeln!(self.svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#)?;
        let Some(name) = &dot.name else { return Ok(()) };
        let (beside, below) = (x + 9.0, y + 12.0);
        writeln!(self.svg, r#"<text class="name" x="{beside:.1}" y="{below:.1}">{name}</text>"#)
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.plot.x.share(value) * (self.frame.width - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let bottom = self.frame.height - BOTTOM;
        bottom - self.plot.y.share(value) * (bottom - TOP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], ticks: &[&str]) {
        let axis = Axis::linear("", values.iter().copied());
        let texts: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ticks);
        assert!(
            values.iter().all(|value| !value.is_finite() || (axis.from..=axis.to).contains(value))
        );
    }

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        check(&[0.0, 10.0], &["0", "2", "4", "6", "8", "10"]);
        check(&[0.0, 16_379.0], &["0", "5,000", "10,000", "15,000", "20,000"]);
        check(&[-0.13, 0.11], &["−0.15", "−0.10", "−0.05", "0.00", "0.05", "0.10", "0.15"]);
        check(&[3.0, 3.0], &["2.4", "2.6", "2.8", "3.0", "3.2", "3.4", "3.6"]);
        check(&[], &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(&[f64::NAN, f64::INFINITY, 1.0, 2.0], &["1.0", "1.2", "1.4", "1.6", "1.8", "2.0"]);
    }

    #[test]
    fn evidence_has_a_scale_for_small_and_for_huge_values() {
        let texts = |highest| -> Vec<String> {
            Axis::evidence(highest).ticks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(0.3), ["0.01", "1", "20", "100"]);
        assert_eq!(texts(7.0), ["0.01", "1", "10^6", "20", "100"]);
        assert_eq!(texts(40.0), ["0.01", "1", "10^7", "10^14", "10^21", "10^28", "10^35", "10^42"]);
    }
}
