//! A secondary test that bets a mixture of the house law and the law of the model.

use serde::{Deserialize, Serialize};

use super::Wealth;
use crate::HouseLaw;

/// How far each member of the mixture lies between the house law (0) and the law of the model (1).
const SHARES: [f64; 4] = [0.0, 0.25, 0.5, 1.0];

/// Share of the weight redistributed evenly to all members after each round.
const REDISTRIBUTED: f64 = 0.001;

/// A secondary test: the wealth of a mixture of four laws, from the house law to the law of the
/// model, against the exact house law.
///
/// Fixed-share Bayes (Herbster and Warmuth 1998): in the worst case its total log loss exceeds that
/// of the house by ln 4 + 0.00075 nats per round. It raises an alarm sooner than the forecast test,
/// but an alarm means less: it also gains when only the law is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    house: HouseLaw,
    weights: [f64; 4],
    wealth: Wealth,
}

impl Mixture {
    /// Returns a mixture with equal weights before any round.
    pub fn new(house: HouseLaw) -> Self {
        Self { house, weights: [0.25; 4], wealth: Wealth::new() }
    }

    /// Bets on a round. `scale` is that of the model before shrinkage by kappa; `None`, when no
    /// forecast was made in time, means no bet.
    pub fn update(&mut self, scale: Option<f64>, cents: u64) {
        let mut ln_e = self.wealth.ln_e();
        if let Some(scale) = scale {
            ln_e += self.bet(scale, cents);
        }
        self.wealth.record(ln_e);
    }

    fn bet(&mut self, scale: f64, cents: u64) -> f64 {
        let laws = SHARES.map(|share| self.house.tilted(1.0 + share * (scale - 1.0)));
        let ln_house = laws[0].log_pmf(cents);
        let odds = laws.map(|law| (law.log_pmf(cents) - ln_house).exp());
        let total: f64 = self.weights.iter().zip(odds).map(|(w, odds)| w * odds).sum();
        for (weight, odds) in self.weights.iter_mut().zip(odds) {
            *weight = (1.0 - REDISTRIBUTED) * (*weight * odds / total) + REDISTRIBUTED / 4.0;
        }
        total.ln()
    }

    /// Returns the weights of the four laws: the house law first, that of the model last.
    pub fn weights(&self) -> &[f64; 4] {
        &self.weights
    }

    /// Returns the wealth and its peak.
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Scenario;

    #[test]
    fn the_bet_is_fair_over_all_outcomes_under_the_house_law() {
        let house = HouseLaw::default().with_cap_cents(20_000).unwrap();
        let mut mixture = Mixture::new(house);
        for (scale, cents) in [(1.3, 500), (0.7, 101), (1.1, 20_000)] {
            let mean: f64 = (100..=20_000)
                .map(|k| house.untilted().pmf_cents(k) * mixture.clone().bet(scale, k).exp())
                .sum();
            assert!((mean - 1.0).abs() < 1e-12, "{mean}");
            mixture.update(Some(scale), cents);
        }
    }

    #[test]
    fn the_loss_against_the_house_stays_within_its_bound_and_the_true_law_wins() {
        let (mut wrong, mut right) =
            (Mixture::new(HouseLaw::default()), Mixture::new(HouseLaw::default()));
        for (n, cents) in (1u32..).zip(Scenario::Fair.stream(2).take(3000)) {
            wrong.update(Some(if n % 2 == 0 { 1.6 } else { 0.6 }), cents);
            assert!(wrong.wealth().ln_e() > -(4f64.ln() + 0.00075 * f64::from(n)) - 1e-9);
        }
        for cents in (Scenario::Independent { r: 0.97, theta: 0.8 }).stream(2).take(3000) {
            right.update(Some(1.25), cents);
        }
        assert!(right.wealth().ln_e() > 20.0 && right.weights()[3] > 0.9);
    }
}
