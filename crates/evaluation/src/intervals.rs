//! Prediction intervals whose coverage does not depend on the model being right.
//!
//! Adaptive conformal inference (Gibbs and Candès 2021) on the probability scale: two one-sided
//! trackers move the levels at which the quantiles of the served law are read, until each side
//! misses at its nominal rate. For any sequence of T rounds the share missed on a side differs from
//! alpha/2 by at most (1 + gamma)/(gamma T); while a level is clamped at one half, that side misses
//! less often.

use serde::{Deserialize, Serialize};

use crate::TiltedLaw;

/// The default step of the trackers: .002 gives steadier levels, .02 noisier ones.
pub const GAMMA: f64 = 0.005;

/// A two-sided prediction interval that adapts its levels to reach coverage 1 - alpha.
///
/// Invariant: 0 < alpha < 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PitInterval {
    alpha: f64,
    gamma: f64,
    lower: f64,
    upper: f64,
}

impl PitInterval {
    /// Returns an interval that is to miss the share `alpha` of the rounds (0.2 for an 80 %
    /// interval), with step [`GAMMA`].
    pub fn new(alpha: f64) -> Self {
        Self::with_gamma(alpha, GAMMA)
    }

    /// Returns an interval with the step `gamma`; alpha is clamped to \[1e-6, 1 - 1e-6\].
    pub fn with_gamma(alpha: f64, gamma: f64) -> Self {
        let alpha = alpha.clamp(1e-6, 1.0 - 1e-6);
        Self { alpha, gamma, lower: alpha / 2.0, upper: 1.0 - alpha / 2.0 }
    }

    /// Returns the nominal share of missed rounds.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Returns the levels at which the served law is read: the lower one in \[0, 1/2\], the upper
    /// one in \[1/2, 1\].
    pub fn levels(&self) -> (f64, f64) {
        (self.lower.clamp(0.0, 0.5), self.upper.clamp(0.5, 1.0))
    }

    /// Returns the interval to serve, both ends included: the quantiles of `law` at the levels,
    /// widened to the cent grid.
    pub fn interval(&self, law: &TiltedLaw) -> (f64, f64) {
        let (lower, upper) = self.levels();
        outward(
            law.level(lower),
            if upper >= 1.0 - 1e-12 { law.level(1.0) } else { law.level(upper) },
        )
    }

    /// Adjusts the levels after a round; u is its randomised transform ([`TiltedLaw::pit`]) under
    /// the law that was served.
    pub fn update(&mut self, u: f64) {
        let (lower, upper) = self.levels();
        let side = self.alpha / 2.0;
        self.lower += self.gamma * (side - f64::from(u < lower));
        self.upper -= self.gamma * (side - f64::from(u > upper));
    }
}

/// Widens an interval to the cent grid; neither end falls below 1.00x.
pub fn outward(lo: f64, hi: f64) -> (f64, f64) {
    let lo = ((100.0 * lo + 1e-9).floor() / 100.0).max(1.0);
    let hi = ((100.0 * hi - 1e-9).ceil() / 100.0).max(lo);
    (lo, hi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_interval_is_that_of_the_law() {
        assert_eq!(PitInterval::new(0.2).interval(&TiltedLaw::new(1.0)), (1.07, 9.7));
    }

    #[test]
    fn a_miss_widens_only_the_side_it_missed() {
        let mut interval = PitInterval::new(0.2);
        interval.update(0.01);
        let (lower, upper) = interval.levels();
        assert!(lower < 0.1 && upper < 0.9, "{lower} {upper}");
        interval.update(0.99);
        assert!(interval.levels().1 > upper);
    }

    #[test]
    fn the_share_missed_stays_within_its_bound_on_an_adversarial_sequence() {
        // Every round lies just below the interval whenever the lower level leaves room for it.
        let mut interval = PitInterval::new(0.2);
        let rounds = 20_000;
        let mut missed = 0;
        for _ in 0..rounds {
            let (lower, _) = interval.levels();
            let u = if lower > 0.0 { lower / 2.0 } else { 0.5 };
            missed += u32::from(u < lower);
            interval.update(u);
        }
        let share = f64::from(missed) / f64::from(rounds);
        assert!((share - 0.1).abs() <= (1.0 + GAMMA) / (GAMMA * f64::from(rounds)), "{share}");
    }

    #[test]
    fn the_ends_stay_on_the_grid_and_in_order() {
        let mut interval = PitInterval::with_gamma(0.2, 0.2);
        for u in [0.001; 50] {
            interval.update(u);
        }
        let (lo, hi) = interval.interval(&TiltedLaw::new(2.0));
        assert!(lo >= 1.0 && hi >= lo && (hi * 100.0 - (hi * 100.0).round()).abs() < 1e-6);
    }
}
