//! A bettor that predicts the next normal score by online regression.

use serde::{Deserialize, Serialize};

/// Maximum length of a design vector.
const WIDEST: usize = 32;

/// A bettor that learns a linear law of the next normal score: it bets on z ~ N(phi'beta, 1) against
/// N(0, 1), with the prior beta ~ N(0, tau² I).
///
/// Its wealth is exactly the mixture over all bettors with a fixed beta (the method of mixtures of
/// Robbins 1970, computed by the recursion of Bayesian linear regression), so there is no learning
/// rate and no stake to tune.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    mean: Vec<f64>,
    /// In row-major order. Always exactly symmetric, because every downdate w w' is.
    covariance: Vec<f64>,
}

impl Regression {
    /// Returns a bettor on `width` numbers, at most 32, with prior variance `tau2` per coefficient.
    pub fn new(width: usize, tau2: f64) -> Self {
        assert!(width <= WIDEST, "a design vector has at most {WIDEST} entries");
        let mut covariance = vec![0.0; width * width];
        for i in 0..width {
            covariance[i * width + i] = tau2;
        }
        Self { mean: vec![0.0; width], covariance }
    }

    /// Returns the mean and variance of its prediction of the next score.
    pub fn predict(&self, phi: &[f64]) -> (f64, f64) {
        let mut p_phi = [0.0; WIDEST];
        self.spread(phi, &mut p_phi);
        (dot(&self.mean, phi), 1.0 + dot(phi, &p_phi))
    }

    /// Bets on the next score, learns from it, and returns the log growth of the wealth.
    pub fn bet(&mut self, phi: &[f64], z: f64) -> f64 {
        let width = self.mean.len();
        let mut p_phi = [0.0; WIDEST];
        self.spread(phi, &mut p_phi);
        let p_phi = &mut p_phi[..width];
        let variance = (1.0 + dot(phi, p_phi)).max(1.0);
        let error = z - dot(&self.mean, phi);
        let ln_e = -0.5 * variance.ln() - error * error / (2.0 * variance) + z * z / 2.0;

        for (mean, p) in self.mean.iter_mut().zip(&*p_phi) {
            *mean += p * (error / variance);
        }
        let root = variance.sqrt();
        for p in &mut *p_phi {
            *p /= root;
        }
        for (row, &w) in self.covariance.chunks_exact_mut(width).zip(&*p_phi) {
            for (cell, &other) in row.iter_mut().zip(&*p_phi) {
                *cell -= w * other;
            }
        }
        ln_e
    }

    /// Writes P phi, the covariance times the design vector.
    ///
    /// P is symmetric, so its rows are its columns. Adding up columns gives the same sums in the same order as a dot
    /// product per row, but no addition waits for the one before it.
    fn spread(&self, phi: &[f64], into: &mut [f64; WIDEST]) {
        let width = self.mean.len();
        // As in `dot`, a sum starts at -0, to which adding anything leaves it as it is.
        into[..width].fill(-0.0);
        for (column, weight) in self.covariance.chunks_exact(width).zip(phi) {
            for (sum, cell) in into.iter_mut().zip(column) {
                *sum += cell * weight;
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::pit::SplitMix64;

    #[test]
    fn a_bet_is_fair_under_the_null_hypothesis() {
        // The growth factor integrates to 1 over N(0, 1), before and after learning.
        let mut bettor = Regression::new(2, 0.5);
        let mut random = SplitMix64::new(3);
        for _ in 0..6 {
            let phi = [random.normal(), random.normal()];
            // The trapezoidal rule is accurate to the last digits for an integrand this smooth.
            let mean: f64 = (-3000..=3000)
                .map(|i| {
                    let z = f64::from(i) / 200.0;
                    let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
                    bettor.clone().bet(&phi, z).exp() * density / 200.0
                })
                .sum();
            assert!((mean - 1.0).abs() < 1e-12, "{mean}");
            bettor.bet(&phi, random.normal());
        }
    }

    #[test]
    fn the_spread_is_a_dot_product_per_row_to_the_bit() {
        let mut random = SplitMix64::new(8);
        let mut bettor = Regression::new(25, 0.002);
        for _ in 0..200 {
            let phi: [f64; 25] = std::array::from_fn(|_| random.normal());
            let mut spread = [0.0; WIDEST];
            bettor.spread(&phi, &mut spread);
            for (row, sum) in bettor.covariance.chunks_exact(25).zip(spread) {
                assert_eq!(dot(row, &phi).to_bits(), sum.to_bits());
            }
            bettor.bet(&phi, random.normal());
        }
    }

    #[test]
    fn a_zero_design_vector_stakes_nothing() {
        let mut bettor = Regression::new(3, 0.02);
        assert!(bettor.bet(&[0.0; 3], 2.5).abs() < 1e-15);
    }

    #[test]
    fn a_pattern_wins_and_its_opposite_loses() {
        let mut bettor = Regression::new(1, 0.1);
        let gain: f64 = (0..200).map(|i| bettor.bet(&[1.0], f64::from(i % 3) - 0.5)).sum();
        assert!(gain > 10.0, "{gain}");
        assert!(bettor.bet(&[1.0], -2.0) < 0.0);
    }
}
