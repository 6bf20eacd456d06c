//! Percentiles: the last 50 rounds as a distribution, and where the newest stands in it.

use crate::window::Window;

/// Mid-rank of the newest value: those below it, and half of those equal to it, itself included.
pub(crate) fn pct_rank_50(window: &Window<'_>) -> f64 {
    let sorted = window.sorted_50();
    let latest = window.latest();
    let below = sorted.partition_point(|&x| x < latest);
    let not_above = sorted.partition_point(|&x| x <= latest);
    f64::midpoint(below as f64, not_above as f64) / sorted.len() as f64
}

pub(crate) fn q25_50(window: &Window<'_>) -> f64 {
    quantile(window.sorted_50(), 0.25)
}

pub(crate) fn q50_50(window: &Window<'_>) -> f64 {
    quantile(window.sorted_50(), 0.5)
}

pub(crate) fn q90_50(window: &Window<'_>) -> f64 {
    quantile(window.sorted_50(), 0.9)
}

/// Quantile of an ascending, non-empty slice by linear interpolation: type 7 of Hyndman and Fan,
/// "Sample quantiles in statistical packages", 1996; the default of R and of `NumPy`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a slice of at most 50 values, and not negative"
)]
pub(crate) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * level;
    let lower = place as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    sorted[lower] + (place - lower as f64) * (sorted[upper] - sorted[lower])
}
