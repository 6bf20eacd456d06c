//! Features of the group trends: the level of the last rounds and its direction.

use crate::statistics::mean;
use crate::window::Window;

pub(crate) fn lag_1(window: &Window<'_>) -> f64 {
    window.latest()
}

pub(crate) fn lag_2(window: &Window<'_>) -> f64 {
    window.before_latest(1).unwrap_or_else(|| window.latest())
}

pub(crate) fn roll_mean_3(window: &Window<'_>) -> f64 {
    mean(window.last(3))
}

pub(crate) fn roll_mean_5(window: &Window<'_>) -> f64 {
    mean(window.last(5))
}

pub(crate) fn roll_mean_10(window: &Window<'_>) -> f64 {
    mean(window.last(10))
}

pub(crate) fn roll_mean_20(window: &Window<'_>) -> f64 {
    mean(window.last(20))
}

pub(crate) fn ewm_mean_10(window: &Window<'_>) -> f64 {
    window.ewm_10()
}

/// Least-squares slope over the positions 0, 1, …, w-1, centred: the sum of squares of the centred
/// positions is w (w² - 1) / 12.
pub(crate) fn slope_20(window: &Window<'_>) -> f64 {
    let values = window.last(20);
    let count = values.len() as f64;
    if values.len() < 3 {
        return 0.0;
    }
    let middle = (count - 1.0) / 2.0;
    let covariation: f64 =
        values.iter().zip(0_u32..).map(|(x, i)| (f64::from(i) - middle) * x).sum();
    covariation / (count * (count * count - 1.0) / 12.0)
}
