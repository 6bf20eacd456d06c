//! A bettor that expects the spread of the next score to follow the recent spread.

use serde::{Deserialize, Serialize};

use super::ln_mean_exp;

/// How strongly the log-variance of the next score follows the recent excess of z² over 1.
const STRENGTHS: [f64; 5] = [-0.4, -0.2, 0.2, 0.4, 0.8];

/// The share of the newest score in the moving average of z² - 1.
const NEWEST: f64 = 0.1;

/// The range of the log-variance that is bet on.
const LN_VARIANCE: (f64, f64) = (-1.0, 1.5);

/// A bettor on z ~ N(0, e^h) against N(0, 1), where h is proportional to the moving average of
/// z² - 1 over the last rounds; the mean over five factors of proportion, two of them negative.
///
/// It finds volatility clusters (Engle 1982, Nelson 1991), which leave the mean of the next score
/// alone. Each bet is a likelihood ratio of two densities, so its mean under N(0, 1) is 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The moving average of z² - 1.
    recent: f64,
    ln_e: [f64; 5],
}

impl Scale {
    /// Returns a bettor before any score.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns ln of the wealth.
    pub fn ln_e(&self) -> f64 {
        ln_mean_exp(&self.ln_e)
    }

    /// Bets on the next score, then learns from it; learns only if `late`.
    pub fn update(&mut self, z: f64, late: bool) {
        if !late {
            for (ln_e, strength) in self.ln_e.iter_mut().zip(STRENGTHS) {
                let h = (strength * self.recent).clamp(LN_VARIANCE.0, LN_VARIANCE.1);
                *ln_e += -0.5 * h - 0.5 * z * z * (-h).exp_m1();
            }
        }
        self.recent += NEWEST * (z * z - 1.0 - self.recent);
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::pit::SplitMix64;

    /// The mean over N(0, 1) of `sign` times the log growth, exponentiated.
    fn expected(bettor: &Scale, sign: f64) -> f64 {
        let growth = |z: f64| {
            let mut after = bettor.clone();
            after.update(z, false);
            (sign * (after.ln_e() - bettor.ln_e()) - z * z / 2.0).exp() / (2.0 * PI).sqrt()
        };
        (-4000..=4000).map(|i| growth(f64::from(i) / 200.0) / 200.0).sum()
    }

    #[test]
    fn every_bet_is_fair_and_its_opposite_is_not() {
        let (mut bettor, mut random) = (Scale::new(), SplitMix64::new(8));
        for round in 0..40 {
            let mean = expected(&bettor, 1.0);
            assert!((mean - 1.0).abs() < 1e-9, "round {round}: {mean}");
            if round > 0 {
                assert!(expected(&bettor, -1.0) > 1.0 + 1e-9, "round {round}");
            }
            bettor.update(2.0 * random.normal(), false);
        }
    }

    #[test]
    fn clusters_of_spread_make_it_rich_and_a_steady_spread_does_not() {
        let mut random = SplitMix64::new(9);
        let (mut clusters, mut steady) = (Scale::new(), Scale::new());
        for t in 0..600 {
            let z = random.normal();
            clusters.update(if t / 30 % 2 == 0 { 0.5 * z } else { 1.32 * z }, false);
            steady.update(z, false);
        }
        assert!(clusters.ln_e() > 10.0, "{}", clusters.ln_e());
        assert!(steady.ln_e() < 1.0, "{}", steady.ln_e());
    }
}
