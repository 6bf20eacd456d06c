//! Plots as SVG text: no script, no font, no file beside the page.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 36.0;

/// A range of values along one side.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) label: &'static str,
    /// Where a line is drawn, and what is written beside it.
    pub(super) ticks: Vec<(f64, String)>,
}

/// What is drawn.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A line through points; the class chooses colour and dash.
    Line { class: &'static str, points: Vec<(f64, f64)> },
    /// An area between two lines: x, low, high.
    Band { points: Vec<(f64, f64, f64)> },
    /// Points with an upright error bar: x, y, low, high.
    Dots { points: Vec<(f64, f64, f64, f64)> },
    /// A line across the whole plot that things are compared with.
    Reference { y: f64 },
}

impl Axis {
    /// From 0 to a count, which need not be round.
    pub(super) fn count(label: &'static str, to: u64) -> Self {
        let mut axis = Self::linear(label, [0.0, to as f64].into_iter());
        axis.to = to.max(1) as f64;
        axis.ticks.retain(|(value, _)| *value <= axis.to);
        axis
    }

    /// From the lowest to the highest value with about five round ticks.
    pub(super) fn linear(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let range = values.filter(|value| value.is_finite()).fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let raw = (high - low) / 5.0;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|it| it * power).into_iter().find(|&it| it >= raw);
        let step = step.unwrap_or(raw);
        let (from, to) = ((low / step).floor() * step, (high / step).ceil() * step);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 9 before the cast"
        )]
        let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let all = (0..=20).map(|number| from + f64::from(number) * step);
        let ticks = all
            .take_while(|tick| *tick <= to + step / 2.0)
            // A sum that should be 0 may be a little below it.
            .map(|tick| if tick.abs() < step / 1e6 { 0.0 } else { tick })
            .map(|tick| (tick, format!("{tick:.digits$}")));
        Self { from, to, label, ticks: ticks.collect() }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// A plot; `says` is what a reader who cannot see it hears.
pub(super) fn plot(x: &Axis, y: &Axis, marks: &[Mark], says: &str) -> String {
    let mut svg = String::new();
    draw(&mut svg, x, y, marks, says).expect("a string takes all text");
    svg
}

fn draw(svg: &mut String, x: &Axis, y: &Axis, marks: &[Mark], says: &str) -> std::fmt::Result {
    writeln!(svg, r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{says}">"#)?;
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (value, text) in &y.ticks {
        let at = y_of(y, *value);
        writeln!(svg, r#"<path class="grid" d="M{LEFT} {at:.1}H{right}"/>"#)?;
        let below = at + 4.0;
        writeln!(svg, r#"<text x="{}" y="{below:.1}" class="end">{text}</text>"#, LEFT - 8.0)?;
    }
    for (value, text) in &x.ticks {
        let at = x_of(x, *value);
        writeln!(svg, r#"<text x="{at:.1}" y="{}" class="mid">{text}</text>"#, bottom + 16.0)?;
    }
    let middle = LEFT + (right - LEFT) / 2.0;
    writeln!(svg, r#"<text x="{middle}" y="{}" class="mid">{}</text>"#, HEIGHT - 4.0, x.label)?;
    writeln!(
        svg,
        r#"<text transform="translate(12 {}) rotate(-90)" class="mid">{}</text>"#,
        TOP + (bottom - TOP) / 2.0,
        y.label
    )?;
    for mark in marks {
        draw_mark(svg, x, y, mark)?;
    }
    writeln!(svg, "</svg>")
}

fn draw_mark(svg: &mut String, x: &Axis, y: &Axis, mark: &Mark) -> std::fmt::Result {
    match mark {
        Mark::Line { class, points } => {
            write!(svg, r#"<polyline class="{class}" points=""#)?;
            for &(at, value) in points {
                write!(svg, "{:.1},{:.1} ", x_of(x, at), y_of(y, value))?;
            }
            writeln!(svg, r#""/>"#)
        }
        Mark::Band { points } => {
            write!(svg, r#"<polygon class="band" points=""#)?;
            let there = points.iter().map(|&(at, _, high)| (at, high));
            let back = points.iter().rev().map(|&(at, low, _)| (at, low));
            for (at, value) in there.chain(back) {
                write!(svg, "{:.1},{:.1} ", x_of(x, at), y_of(y, value))?;
            }
            writeln!(svg, r#""/>"#)
        }
        Mark::Dots { points } => points.iter().try_for_each(|&(at, value, low, high)| {
            let (at, value) = (x_of(x, at), y_of(y, value));
            let (low, high) = (y_of(y, low), y_of(y, high));
            writeln!(svg, r#"<path class="bar" d="M{at:.1} {low:.1}V{high:.1}"/>"#)?;
            writeln!(svg, r#"<circle cx="{at:.1}" cy="{value:.1}" r="4"/>"#)
        }),
        Mark::Reference { y: value } => {
            let at = y_of(y, *value);
            writeln!(svg, r#"<path class="reference" d="M{LEFT} {at:.1}H{}"/>"#, WIDTH - RIGHT)
        }
    }
}

fn x_of(axis: &Axis, value: f64) -> f64 {
    LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)
}

fn y_of(axis: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)
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
        check(&[-0.13, 0.11], &["-0.15", "-0.10", "-0.05", "0.00", "0.05", "0.10", "0.15"]);
        check(&[3.0, 3.0], &["2.4", "2.6", "2.8", "3.0", "3.2", "3.4", "3.6"]);
        check(&[], &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(&[f64::NAN, f64::INFINITY, 1.0, 2.0], &["1.0", "1.2", "1.4", "1.6", "1.8", "2.0"]);
    }
}
