//! Pause and slope fitted to the gaps between rounds.

use crate::Pace;
use crate::confidence_sequence::Estimate;

/// Number of gaps from which a fit is made.
pub const GAPS_MIN: usize = 200;

/// Distance of two ln M from which they tell the slope.
const LN_APART_MIN: f64 = 0.5;
/// Number of standard deviations of a normal distribution outside of which 5 % and 2.5 % lie.
const Z_95: f64 = 1.959_963_984_540_054;
const Z_975: f64 = 2.241_402_727_604_947;

/// The usual gap and the deviations from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapFit {
    /// Pause and slope.
    pub pace: Pace,
    /// The standard deviation of normal residuals with the same median distance, in seconds.
    pub spread: f64,
}

/// Pause and slope with their 95 % intervals, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceEstimate {
    /// The pause.
    pub pause: Estimate,
    /// The slope.
    pub slope: Estimate,
    /// Number of gaps they are fitted to.
    pub gaps: usize,
}

impl GapFit {
    /// Returns the robust regression of gaps, each of ln M of the round that ends it and its seconds, on
    /// ln M (Theil 1950, Sen 1968, on pairs half the sample apart in ln M): up to a quarter of all gaps
    /// may be anything. `None` below [`GAPS_MIN`] gaps.
    pub fn of(gaps: Vec<(f64, f64)>) -> Option<Self> {
        let sorted = sorted(gaps)?;
        let slope = median(&slopes(&sorted)).unwrap_or(0.0);
        let pause = median(&residuals(&sorted, slope))?;
        Some(Self::with_pace(Pace { pause, slope }, &sorted))
    }

    /// Returns the fit of a pace that is known. The spread is measured around the recording's own pause, so
    /// that a wrong one does not hide behind it.
    pub fn with_pace(pace: Pace, gaps: &[(f64, f64)]) -> Self {
        let residuals = residuals(gaps, pace.slope);
        let centre = median(&residuals).unwrap_or(pace.pause);
        let distances = residuals.iter().map(|residual| (residual - centre).abs());
        let distances = ascending(distances.collect());
        Self { pace, spread: 1.4826 * median(&distances).unwrap_or(0.0) }
    }

    /// Returns the seconds by which a gap is longer than usual.
    pub fn excess(&self, ln_m: f64, gap: f64) -> f64 {
        gap - self.pace.gap(ln_m)
    }

    /// Returns the excess, in seconds, from which a gap is too long, or too short. A missed round adds a
    /// pause at least, a doubled one takes it away, so half a pause tells them from the usual ones.
    pub fn tolerance(&self) -> f64 {
        (6.0 * self.spread).max(self.pace.pause / 2.0).max(1.0)
    }
}

impl PaceEstimate {
    /// Returns pause and slope as [`GapFit::of`] does, with intervals that assume no law of the deviations:
    /// the pairs are disjoint and a difference of two deviations is as often positive as negative, so the
    /// sign test bounds the slope; the pause is bounded by the sign test at both ends of the slope, with
    /// half the error each (Bonferroni).
    pub fn of(gaps: Vec<(f64, f64)>) -> Option<Self> {
        let sorted = sorted(gaps)?;
        let slopes = slopes(&sorted);
        let slope = median_within(&slopes, Z_95);
        let wide = median_within(&slopes, Z_975);
        let pause = |slope| median_within(&residuals(&sorted, slope), Z_975);
        let pause = Estimate {
            value: pause(slope.value).value,
            lo: pause(wide.hi).lo,
            hi: pause(wide.lo).hi,
        };
        Some(Self { pause, slope, gaps: sorted.len() })
    }
}

/// Returns the gaps in the order of ln M; `None` if they are too few.
fn sorted(mut gaps: Vec<(f64, f64)>) -> Option<Vec<(f64, f64)>> {
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
    (gaps.len() >= GAPS_MIN).then_some(gaps)
}

/// Returns the slopes of the pairs, in ascending order.
fn slopes(sorted: &[(f64, f64)]) -> Vec<f64> {
    let (low, high) = sorted.split_at(sorted.len() / 2);
    let apart = |&(from, to): &(&(f64, f64), &(f64, f64))| to.0 - from.0 >= LN_APART_MIN;
    let pairs = low.iter().zip(high).filter(apart);
    ascending(pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect())
}

fn residuals(gaps: &[(f64, f64)], slope: f64) -> Vec<f64> {
    ascending(gaps.iter().map(|(ln_m, gap)| gap - slope * ln_m).collect())
}

fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Returns the median of values in ascending order.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(lower.midpoint(upper))
}

/// Returns the median of values in ascending order between the two of them that the sign test allows; 0
/// without values.
fn median_within(sorted: &[f64], z: f64) -> Estimate {
    let Some(value) = median(sorted) else { return Estimate { value: 0.0, lo: 0.0, hi: 0.0 } };
    let count = sorted.len() as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and half of a count"
    )]
    let rank = (count / 2.0 - z * count.sqrt() / 2.0).max(0.0) as usize;
    Estimate { value, lo: sorted[rank], hi: sorted[sorted.len() - 1 - rank] }
}
