//! Features of the group percentiles: the distribution of the last 50 rounds and the newest round's rank in it.

use crate::statistics::quantile;
use crate::window::Window;

/// Mid-rank of the newest value: the values below it plus half of those equal to it, itself included.
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
