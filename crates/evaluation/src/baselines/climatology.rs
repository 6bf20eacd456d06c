//! The baseline that forecasts the observed frequencies.

use serde::{Deserialize, Serialize};

use super::{Baseline, BaselineForecast};
use crate::confidence_sequence::beta_binomial;
use crate::order_statistics::OrderStatistics;
use crate::{HouseLaw, TARGET_CENTS, TARGETS, ln_multiplier, multiplier};

/// The empirical law of all rounds so far: their median, and the smoothed frequencies
/// (reached + 1/2)/(rounds + 1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Climatology {
    /// The point forecast before any round.
    first: f64,
    sizes: OrderStatistics,
    reached: [u64; 5],
    /// The sum of |ln M - ln M'| over all pairs of rounds.
    pair_distance: f64,
}

impl Climatology {
    /// Returns the baseline before any round under the default house law.
    pub fn new() -> Self {
        Self::under(&HouseLaw::default())
    }

    /// Returns the baseline before any round; its first point forecast is the median of the house law.
    pub fn under(house: &HouseLaw) -> Self {
        let sizes = OrderStatistics::new();
        Self { first: house.median(), sizes, reached: [0; 5], pair_distance: 0.0 }
    }

    /// Returns the multiplier that the share `level` of the rounds so far did not reach; `None` before any
    /// round.
    pub fn quantile(&self, level: f64) -> Option<f64> {
        let last = self.sizes.rounds().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count; a negative or NaN level is the smallest multiplier"
        )]
        let place = (level * self.sizes.rounds() as f64) as u64;
        self.sizes.nth(place.min(last)).map(multiplier)
    }

    /// Returns the randomised probability integral transform of a round of `cents` under the rounds so
    /// far, given v uniform on (0, 1); v itself before any round.
    pub fn pit(&self, cents: u64, v: f64) -> f64 {
        let rank = self.sizes.rank(cents);
        // The round itself takes a place among those so far, which makes the transform uniform.
        let below = rank.below as f64 + v * (rank.equal as f64 + 1.0);
        below / (self.sizes.rounds() as f64 + 1.0)
    }

    /// Returns the share of the rounds so far that reached `cents`, (reached + 1/2)/(rounds + 1), as for
    /// the five targets.
    pub fn survival_cents(&self, cents: u64) -> f64 {
        let rounds = self.sizes.rounds();
        let reached = rounds - self.sizes.rank(cents).below;
        (reached as f64 + 0.5) / (rounds as f64 + 1.0)
    }

    /// Returns the shares of the rounds so far that reached each target, none above break-even on the strength of luck: a
    /// share above 1/target is lowered to the lower bound of its anytime-valid 95 % interval, but not below 1/target.
    pub fn cautious_probabilities(&self) -> [f64; 5] {
        let rounds = self.sizes.rounds();
        std::array::from_fn(|i| {
            let share = (self.reached[i] as f64 + 0.5) / (rounds as f64 + 1.0);
            let break_even = TARGETS[i].recip();
            if share <= break_even {
                return share;
            }
            let known = beta_binomial(self.reached[i], rounds, 0.05);
            share.min(known.map_or(break_even, |known| known.lo.max(break_even)))
        })
    }

    /// Returns the sum of |ln M - y| over all rounds so far, where y is ln M of `cents`.
    fn distance(&self, cents: u64) -> f64 {
        let rank = self.sizes.rank(cents);
        let y = ln_multiplier(cents);
        let not_above = (rank.below + rank.equal) as f64;
        let ln_not_above = rank.ln_below + rank.equal as f64 * y;
        let above = self.sizes.rounds() as f64 - not_above;
        y * not_above - ln_not_above + (self.sizes.ln_total() - ln_not_above) - y * above
    }
}

impl Default for Climatology {
    fn default() -> Self {
        Self::new()
    }
}

impl Baseline for Climatology {
    fn name(&self) -> &'static str {
        "climatology"
    }

    fn forecast(&self) -> BaselineForecast {
        let n = self.sizes.rounds() as f64;
        BaselineForecast {
            point: Some(self.sizes.median().unwrap_or(self.first)),
            probabilities: Some(self.reached.map(|hits| (hits as f64 + 0.5) / (n + 1.0))),
            scale: None,
        }
    }

    /// E|X - y| - E|X - X'|/2 over the rounds so far (Gneiting and Raftery 2007).
    fn log_crps(&self, cents: u64) -> Option<f64> {
        let n = self.sizes.rounds() as f64;
        (n > 0.0).then(|| self.distance(cents) / n - self.pair_distance / (n * n))
    }

    fn update(&mut self, cents: u64) {
        self.pair_distance += self.distance(cents);
        self.sizes.insert(cents);
        for (reached, target) in self.reached.iter_mut().zip(TARGET_CENTS) {
            *reached += u64::from(cents >= target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::simulate::Scenario;

    /// On a fair game the observed share exceeds 1/target by luck now and then; a game that pays is found after a while.
    #[test]
    fn a_share_above_break_even_is_lowered_until_it_is_certain() {
        let served_above = |r: f64, rounds: usize| {
            let game = Scenario::Independent { r, theta: 1.0 };
            let mut climatology = Climatology::new();
            let (mut observed, mut served) = (0, 0);
            for cents in game.stream(3).take(rounds) {
                climatology.update(cents);
                let shares = climatology.forecast().probabilities.unwrap();
                let pays = |p: &[f64; 5]| p.iter().zip(TARGETS).any(|(p, target)| p * target > 1.0);
                observed += usize::from(pays(&shares));
                served += usize::from(pays(&climatology.cautious_probabilities()));
            }
            (observed, served)
        };
        let (observed, served) = served_above(1.0, 2_000);
        assert!(observed > 500 && served == 0, "{observed} {served}");
        let (_, served) = served_above(1.15, 4_000);
        assert!(served > 1_000, "{served}");
    }

    #[test]
    fn quantiles_shares_and_transforms_are_those_of_the_rounds() {
        let mut climatology = Climatology::new();
        assert_eq!(climatology.quantile(0.5), None);
        assert!((climatology.pit(250, 0.3) - 0.3).abs() < 1e-15);
        for cents in [150, 400, 150, 1000] {
            climatology.update(cents);
        }
        let quantiles = [0.0, 0.4, 0.5, 0.75, 1.0].map(|level| climatology.quantile(level));
        assert_eq!(quantiles, [1.5, 1.5, 4.0, 10.0, 10.0].map(Some));
        assert!((climatology.pit(150, 0.5) - 1.5 / 5.0).abs() < 1e-15);
        assert!((climatology.pit(500, 0.5) - 3.5 / 5.0).abs() < 1e-15);
        for (place, target) in TARGET_CENTS.into_iter().enumerate() {
            let served = climatology.forecast().probabilities.unwrap()[place];
            assert!((climatology.survival_cents(target) - served).abs() < 1e-15);
        }
        let mut transforms: Vec<f64> = Vec::new();
        let mut climatology = Climatology::new();
        for (number, cents) in (0_u64..).zip(Scenario::Fair.stream(5).take(20_000)) {
            transforms.push(climatology.pit(cents, crate::pit::keyed_uniform(1, number)));
            climatology.update(cents);
        }
        for level in [0.05, 0.1, 0.5, 0.9] {
            let below = transforms.iter().filter(|&&u| u < level).count() as f64 / 20_000.0;
            // Four standard errors.
            assert!((below - level).abs() < 4.0 * (level * (1.0 - level) / 20_000.0).sqrt());
        }
    }

    #[test]
    fn the_streaming_crps_and_median_equal_a_direct_computation() {
        let mut climatology = Climatology::new();
        let mut seen: Vec<f64> = Vec::new();
        for cents in Scenario::Fair.stream(8).take(300) {
            let y = ln_multiplier(cents);
            if !seen.is_empty() {
                let n = seen.len() as f64;
                let near: f64 = seen.iter().map(|x| (x - y).abs()).sum::<f64>() / n;
                let pairs: f64 =
                    seen.iter().flat_map(|x| seen.iter().map(move |o| (x - o).abs())).sum();
                let plain = near - pairs / (2.0 * n * n);
                assert!((climatology.log_crps(cents).unwrap() - plain).abs() < 1e-8);
                let mut sorted = seen.clone();
                sorted.sort_by(f64::total_cmp);
                let half = sorted.len() / 2;
                let (low, high) = (sorted[(seen.len() - 1) / 2].exp(), sorted[half].exp());
                let point = climatology.forecast().point.unwrap();
                assert!((point - low.midpoint(high)).abs() < 1e-9);
            }
            climatology.update(cents);
            seen.push(y);
        }
    }
}
