//! The trust that the models have earned: the weight kappa of their forecast against the house law.

use serde::{Deserialize, Serialize};

use crate::HouseLaw;
use crate::house_law::SCALES;

/// The ridge penalty: pseudo-evidence for "the model is uninformative", which real evidence must
/// outweigh.
const PRIOR: f64 = 2.0;

/// Scored rounds before anything other than the house law is served.
const SCORED_MIN: u64 = 60;

/// The shrinkage factor kappa, between 0 and 1: the slope of a ridge regression, without an
/// intercept, of the outcome b = ln M - m0 on the forecast a = m - m0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kappa {
    sum_ab: f64,
    sum_aa: f64,
    scored: u64,
}

impl Kappa {
    /// Returns kappa 0, with no round scored.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scores one round: the model forecast `a` above the house mean of ln M, and ln M came out `b`
    /// above it.
    pub fn update(&mut self, a: f64, b: f64) {
        self.sum_ab += a * b;
        self.sum_aa += a * a;
        self.scored += 1;
    }

    /// Returns kappa = SUM ab / (SUM aa + 2), clamped to \[0, 1\].
    pub fn value(&self) -> f64 {
        (self.sum_ab / (self.sum_aa + PRIOR)).clamp(0.0, 1.0)
    }

    /// Returns the number of rounds scored.
    pub fn scored(&self) -> u64 {
        self.scored
    }

    /// Returns the kappa that is served: [`value`](Self::value), but 0 until 60 rounds are scored.
    pub fn served(&self) -> f64 {
        if self.scored < SCORED_MIN { 0.0 } else { self.value() }
    }

    /// Returns the scale served for a model with E ln M = `mean_ln`: 1 + kappa (s - 1).
    pub fn served_scale(&self, house: &HouseLaw, mean_ln: f64) -> f64 {
        let scale = house.scale_from_mean_ln(mean_ln);
        (1.0 + self.served() * (scale - 1.0)).clamp(*SCALES.start(), *SCALES.end())
    }

    /// Scores one round, from the model's E ln M and the actual ln M.
    pub fn settle(&mut self, house: &HouseLaw, mean_ln: f64, ln_m: f64) {
        let mean = house.mean_ln();
        self.update(mean_ln - mean, ln_m - mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house_law::M0;

    #[test]
    fn nothing_is_trusted_before_sixty_rounds() {
        let mut kappa = Kappa::new();
        for _ in 0..59 {
            kappa.update(1.0, 1.0);
        }
        assert!(kappa.value() > 0.9);
        assert!((kappa.served_scale(&HouseLaw::default(), 2.0 * M0) - 1.0).abs() < 1e-15);
        kappa.update(1.0, 1.0);
        assert!(kappa.served_scale(&HouseLaw::default(), 2.0 * M0) > 1.9);
    }

    #[test]
    fn a_model_that_is_always_wrong_is_ignored() {
        let mut kappa = Kappa::new();
        for _ in 0..100 {
            kappa.settle(&HouseLaw::default(), M0 + 0.3, M0 - 0.5);
        }
        assert!(kappa.value().abs() < 1e-15);
    }

    #[test]
    fn kappa_is_the_ridge_slope() {
        let mut kappa = Kappa::new();
        kappa.update(0.5, 0.4);
        kappa.update(-1.0, 0.1);
        kappa.update(2.0, 1.5);
        assert!((kappa.value() - (0.2 - 0.1 + 3.0) / (0.25 + 1.0 + 4.0 + 2.0)).abs() < 1e-15);
    }
}
