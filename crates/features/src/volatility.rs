//! Features of the group volatility: the spread of the last rounds.

use crate::statistics::{mean, quantile};
use crate::trend::roll_mean_20;
use crate::window::Window;

/// Keeps the coefficient of variation finite when the mean is 0.
const CV_FLOOR: f64 = 0.1;

/// Sample standard deviation (divisor n - 1).
pub(crate) fn roll_std_20(window: &Window<'_>) -> f64 {
    let values = window.last(20);
    if values.len() < 2 {
        return 0.0;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|x| (x - centre) * (x - centre)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Median distance from the median, not rescaled to a standard deviation.
pub(crate) fn roll_mad_20(window: &Window<'_>) -> f64 {
    let sorted = window.sorted_20();
    let centre = quantile(sorted, 0.5);
    let (mut below, mut above) = sorted.split_at(sorted.partition_point(|&x| x <= centre));
    // Distances fall towards the median from both ends: merging the two runs from the middle
    // outwards gives them in ascending order, up to the middle one or two.
    let mut lower = 0.0;
    let mut upper = 0.0;
    for _ in 0..=sorted.len() / 2 {
        lower = upper;
        let left = below.last().map_or(f64::INFINITY, |x| centre - x);
        let right = above.first().map_or(f64::INFINITY, |x| x - centre);
        if left <= right {
            upper = left;
            below = &below[..below.len() - 1];
        } else {
            upper = right;
            above = &above[1..];
        }
    }
    if sorted.len() % 2 == 1 { upper } else { f64::midpoint(lower, upper) }
}

pub(crate) fn roll_iqr_20(window: &Window<'_>) -> f64 {
    quantile(window.sorted_20(), 0.75) - quantile(window.sorted_20(), 0.25)
}

pub(crate) fn roll_range_10(window: &Window<'_>) -> f64 {
    let values = window.last(10);
    let high = values.iter().fold(values[0], |high, &x| high.max(x));
    let low = values.iter().fold(values[0], |low, &x| low.min(x));
    high - low
}

pub(crate) fn roll_cv_20(window: &Window<'_>) -> f64 {
    roll_std_20(window) / (roll_mean_20(window) + CV_FLOOR)
}
