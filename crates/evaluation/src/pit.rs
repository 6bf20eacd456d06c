//! Reproducible randomness: SplitMix64, and the randomised probability integral transform.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{HouseLaw, normal};

/// The increment of the state: the odd integer closest to 2^64 divided by the golden ratio.
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The generator SplitMix64 (Steele, Lea and Flood 2014); the state starts at the seed.
///
/// Not for secrets. It is used here because anyone can draw the same numbers again and so verify
/// that no test was tuned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Returns the generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the generator of a salt positioned at draw number `index` (0 = the first), without
    /// making the draws before it.
    pub fn at(salt: u64, index: u64) -> Self {
        Self { state: salt.wrapping_add(GOLDEN_GAMMA.wrapping_mul(index)) }
    }

    /// Draws 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws a uniform number, strictly between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Draws a standard normal number: the cosine branch of Box and Muller 1958, from two uniform
    /// numbers.
    pub fn normal(&mut self) -> f64 {
        let u1 = self.uniform();
        let u2 = self.uniform();
        (-2.0 * u1.ln()).sqrt() * (2.0 * PI * u2).cos()
    }
}

/// Returns the uniform number of a published salt for round number `index`.
pub fn keyed_uniform(salt: u64, index: u64) -> f64 {
    SplitMix64::at(salt, index).uniform()
}

/// Returns the normal scores of rounds under the house law, with the uniform numbers of a published
/// salt from the first on.
pub fn normal_scores(house: &HouseLaw, salt: u64, cents: &[u64]) -> Vec<f64> {
    let mut random = SplitMix64::new(salt);
    cents.iter().map(|&k| z_score(house.pit(k, random.uniform()))).collect()
}

/// Returns the normal score of a transform or a rank in (0, 1).
pub fn z_score(u: f64) -> f64 {
    normal::quantile(u)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_needs_none_of_the_draws_before_it() {
        let mut stream = SplitMix64::new(1_010_003);
        for index in 0..100 {
            assert_eq!(stream.uniform().to_bits(), keyed_uniform(1_010_003, index).to_bits());
        }
    }
}
