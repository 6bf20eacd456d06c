//! Confidence sequences for a probability: confidence intervals that are valid at every n at once.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

/// An estimate with the bounds of its confidence sequence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower bound.
    pub lo: f64,
    /// The upper bound.
    pub hi: f64,
}

impl Estimate {
    /// Returns the estimate and its bounds multiplied by `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let (a, b) = (self.lo * factor, self.hi * factor);
        Self { value: self.value * factor, lo: a.min(b), hi: a.max(b) }
    }

    /// Returns whether `value` lies within the bounds, both included.
    pub fn contains(&self, value: f64) -> bool {
        (self.lo..=self.hi).contains(&value)
    }
}

/// Returns the beta-binomial confidence sequence of Robbins 1970: with probability 1 - alpha it
/// contains the true probability at *every* n at once, so it is valid after each round.
///
/// The bounds are those of the set of p with ln B(S+1, n-S+1) - S ln p - (n-S) ln(1-p) <=
/// ln(1/alpha), where S = `hits`. `None` for n = 0 and for more hits than rounds.
pub fn beta_binomial(hits: u64, n: u64, alpha: f64) -> Option<Estimate> {
    let misses = n.checked_sub(hits).filter(|_| n > 0)? as f64;
    let hits = hits as f64;
    let mixture = ln_beta(hits + 1.0, misses + 1.0) + alpha.ln();
    let excess = |p: f64| mixture - hits * p.ln() - misses * (-p).ln_1p();
    let value = hits / n as f64;
    let inside = value.clamp(1e-9, 1.0 - 1e-9);
    let lo = if excess(1e-12) > 0.0 { root(excess, 1e-12, inside) } else { 0.0 };
    let hi = if excess(1.0 - 1e-12) > 0.0 { root(excess, 1.0 - 1e-12, inside) } else { 1.0 };
    Some(Estimate { value, lo, hi })
}

/// Returns where f changes sign between `outside`, where it is positive, and `inside`, by
/// bisection.
fn root(f: impl Fn(f64) -> f64, mut outside: f64, mut inside: f64) -> f64 {
    for _ in 0..60 {
        let middle = outside.midpoint(inside);
        *(if f(middle) > 0.0 { &mut outside } else { &mut inside }) = middle;
    }
    outside.midpoint(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pit::SplitMix64;

    #[test]
    fn at_the_bounds_the_evidence_against_p_is_one_over_alpha() {
        let estimate = beta_binomial(485, 1000, 0.05).unwrap();
        for p in [estimate.lo, estimate.hi] {
            // The wealth of the uniform mixture against p, in closed form.
            let ln_e = ln_beta(486.0, 516.0) - 485.0 * p.ln() - 515.0 * (-p).ln_1p();
            assert!((ln_e - 20f64.ln()).abs() < 1e-6);
        }
        assert!(estimate.contains(0.485) && !estimate.contains(0.3));
    }

    #[test]
    fn no_hits_give_a_lower_bound_of_zero_and_only_hits_an_upper_bound_of_one() {
        let none = beta_binomial(0, 50, 0.05).unwrap();
        let all = beta_binomial(50, 50, 0.05).unwrap();
        assert_eq!((none.lo, all.hi), (0.0, 1.0));
        assert!((none.hi + all.lo - 1.0).abs() < 1e-9 && none.hi < 0.2);
        assert!(beta_binomial(0, 0, 0.05).is_none());
        assert!(beta_binomial(2, 1, 0.05).is_none());
    }

    #[test]
    fn checked_after_every_round_it_misses_the_truth_in_few_streams() {
        let mut missed = 0;
        for seed in 0..100 {
            let mut random = SplitMix64::new(seed);
            let mut hits = 0;
            let ever = (1..=400).any(|n| {
                hits += u64::from(random.uniform() < 0.485);
                !beta_binomial(hits, n, 0.05).unwrap().contains(0.485)
            });
            missed += u32::from(ever);
        }
        assert!(missed <= 8, "{missed}");
    }
}
