//! Proper scores and point errors; for all of them lower is better.
//!
//! The closed forms integrate the curve r x^(-1/s) from 1 up, the continuum that the cent grid
//! approximates; they ignore an atom at 1.00x that differs from the curve. Sources: Gneiting and
//! Raftery 2007 (propriety, CRPS, pinball, interval score); Gneiting and Ranjan 2011 (threshold
//! weighting); Jordan, Krüger and Lerch 2019 (closed forms: the log-CRPS is that of an exponential
//! law with a point mass).

use crate::{TiltedLaw, multiplier};

/// The multiplier at which MAE@10 and RMSE@10 cap both forecast and round, so that a single 100,000x
/// round does not dominate.
pub const CAP: f64 = 10.0;

/// Returns the CRPS of y = ln M: y - 2rs(1 - exp(-y/s)) + r²s/2. Its mean is about 0.50026 for the
/// house law on fair rounds.
pub fn log_crps(y: f64, law: &TiltedLaw) -> f64 {
    let (r, s) = (law.house().r(), law.scale());
    y + 2.0 * r * s * (-y / s).exp_m1() + r * r * s / 2.0
}

/// Returns the CRPS of min(M, cap), in units of the multiplier. Without a cap its expectation is
/// infinite for s >= 1.
pub fn crps_capped(m: f64, law: &TiltedLaw, cap: f64) -> f64 {
    let (r, a) = (law.house().r(), 1.0 / law.scale());
    let m = m.min(cap);
    (m - 1.0) - 2.0 * r * power_integral(a, m) + r * r * power_integral(2.0 * a, cap)
}

/// Returns the integral of x^(-b) from 1 to `top`.
fn power_integral(b: f64, top: f64) -> f64 {
    let e = 1.0 - b;
    if e.abs() < 1e-9 { top.ln() } else { (top.powf(e) - 1.0) / e }
}

/// Returns -ln P(M = k/100), in nats.
pub fn log_loss(k: u64, law: &TiltedLaw) -> f64 {
    -law.log_pmf(k)
}

/// Returns the Brier score (p - 1{hit})².
pub fn brier(p: f64, hit: bool) -> f64 {
    let error = p - f64::from(hit);
    error * error
}

/// Returns the Brier scores of the probabilities of the five targets.
pub fn briers(probabilities: &[f64; 5], cents: u64) -> [f64; 5] {
    std::array::from_fn(|c| brier(probabilities[c], cents >= crate::TARGET_CENTS[c]))
}

/// Returns the mean of the five Brier scores.
pub fn mean_brier(probabilities: &[f64; 5], cents: u64) -> f64 {
    briers(probabilities, cents).iter().sum::<f64>() / 5.0
}

/// Returns the pinball loss on ln M of the quantile forecast q at level tau:
/// (1{M < q} - tau)(ln q - ln M).
pub fn pinball(q: f64, m: f64, tau: f64) -> f64 {
    (f64::from(m < q) - tau) * (q / m).ln()
}

/// Returns the interval score on ln M of \[lo, hi\] at coverage 1 - alpha: the width, plus 2/alpha
/// times the distance by which M lies outside.
pub fn interval_score((lo, hi): (f64, f64), m: f64, alpha: f64) -> f64 {
    let miss = (lo / m).ln().max(0.0) + (m / hi).ln().max(0.0);
    (hi / lo).ln() + 2.0 / alpha * miss
}

/// The errors of one point forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointErrors {
    /// |forecast - M|.
    pub absolute: f64,
    /// (forecast - M)².
    pub squared: f64,
    /// |forecast - M|, both capped at 10x.
    pub absolute_at_10: f64,
    /// (forecast - M)², both capped at 10x.
    pub squared_at_10: f64,
    /// |ln forecast - ln M|.
    pub log_absolute: f64,
    /// (ln forecast - ln M)².
    pub log_squared: f64,
}

impl PointErrors {
    /// Returns the errors of `point` on a round of `cents`. In the logarithms a point below 1.00x
    /// counts as 1.00x.
    pub fn of(point: f64, cents: u64) -> Self {
        let m = multiplier(cents);
        let raw = point - m;
        let capped = point.min(CAP) - m.min(CAP);
        let log = (point.max(1.0) / m).ln();
        Self {
            absolute: raw.abs(),
            squared: raw * raw,
            absolute_at_10: capped.abs(),
            squared_at_10: capped * capped,
            log_absolute: log.abs(),
            log_squared: log * log,
        }
    }
}

/// Returns the skill in percent, 100 (1 - score / reference); `None` when the reference is 0.
pub fn skill(score: f64, reference: f64) -> Option<f64> {
    (reference > 0.0).then(|| 100.0 * (1.0 - score / reference))
}
