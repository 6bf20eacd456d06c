//! Mean and quantile of a window's values.

/// Returns the mean, summed from the oldest value to the newest.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns a quantile of an ascending, non-empty slice by linear interpolation: type 7 of Hyndman and
/// Fan, "Sample quantiles in statistical packages", 1996; the default of R and of `NumPy`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a slice of at most 50 values, and not negative"
)]
pub(crate) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * level;
    let lower = position as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    sorted[lower] + (position - lower as f64) * (sorted[upper] - sorted[lower])
}
