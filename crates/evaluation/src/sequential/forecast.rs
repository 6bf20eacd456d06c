//! The forecast test: do the served forecasts beat fixed odds?

use serde::{Deserialize, Serialize};

use super::{Bettor, Wealth, ln_mean_exp};
use crate::scores::mean_brier;
use crate::{HouseLaw, TARGET_CENTS, targets_reached};

/// The fractions of the Kelly stake that the three bettors use; the test is their average.
const FRACTIONS: [f64; 3] = [0.25, 0.5, 1.0];
const NAMES: [&str; 3] = ["quarter", "half", "full"];

/// The largest share of its wealth that a bettor stakes on one round.
const STAKE_MAX: f64 = 0.5;

/// The largest distance of a served probability from that of the house; the test clamps to it.
const DISTANCE_MAX: f64 = 0.2;

/// Number of initial forecasts without a bet, while an ensemble warms up.
const SKIP: u64 = 60;

/// E2, the forecast test, of the null hypothesis "no forecast is expected to score better than
/// fixed odds".
///
/// Henzi and Ziegel 2022 (conditional form), with the mean Brier score over the five targets and the
/// stake that would be best if the forecast were right (model-implied Kelly). A learnt stake would
/// bet heavily on the meaningless remainder of an almost fully shrunk forecast. On a fair game the
/// hypothesis is true of any forecast, because the Brier score is strictly proper.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForecastTest {
    house: [f64; 5],
    skip: u64,
    forecasts: u64,
    ln_e: [f64; 3],
    wealth: Wealth,
}

impl ForecastTest {
    /// Returns a test against the fixed odds of `house` that does not bet on the first 60
    /// forecasts.
    pub fn new(house: &HouseLaw) -> Self {
        Self::skipping(house, SKIP)
    }

    /// Returns a test that does not bet on the first `skip` forecasts.
    pub fn skipping(house: &HouseLaw, skip: u64) -> Self {
        let house = house.probabilities();
        Self { house, skip, forecasts: 0, ln_e: [0.0; 3], wealth: Wealth::new() }
    }

    /// Bets on a round with the probabilities that were served before it; `None`, when no forecast
    /// was made in time, means no bet.
    pub fn update(&mut self, served: Option<&[f64; 5]>, cents: u64) {
        if let Some(served) = served {
            if self.forecasts >= self.skip {
                self.bet(served, cents);
            }
            self.forecasts += 1;
        }
        self.wealth.record(ln_mean_exp(&self.ln_e));
    }

    fn bet(&mut self, served: &[f64; 5], cents: u64) {
        let served = self.near_house(served);
        let gains = self.gains(&served);
        let kelly = kelly(&cells(&served), &gains);
        let gain = gains[targets_reached(cents)];
        for (ln_e, fraction) in self.ln_e.iter_mut().zip(FRACTIONS) {
            *ln_e += ((fraction * kelly).clamp(0.0, STAKE_MAX) * gain).ln_1p();
        }
    }

    /// Clamps the served probabilities so that no single round can decide the test.
    fn near_house(&self, served: &[f64; 5]) -> [f64; 5] {
        std::array::from_fn(|c| {
            let (p, q) = (self.house[c], served[c]);
            let q = if q.is_nan() { p } else { q };
            q.clamp(p - DISTANCE_MAX, p + DISTANCE_MAX).clamp(0.001, 0.999)
        })
    }

    /// Returns by how much the forecast beats fixed odds in each of the six cells (0 to 5 targets
    /// reached), in units of the worst loss, so at least -1. The unit is known before the round.
    fn gains(&self, served: &[f64; 5]) -> [f64; 6] {
        let differences = CELL_CENTS.map(|k| mean_brier(&self.house, k) - mean_brier(served, k));
        let worst = -differences.iter().copied().fold(f64::INFINITY, f64::min);
        differences.map(|d| d / worst.max(1e-9))
    }

    /// Returns the current ln E2.
    pub fn ln_e(&self) -> f64 {
        self.wealth.ln_e()
    }

    /// Returns the wealth and its peak.
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }

    /// Returns the three bettors of the portfolio.
    pub fn bettors(&self) -> Vec<Bettor> {
        NAMES.iter().zip(self.ln_e).map(|(&name, ln_e)| Bettor { name, ln_e }).collect()
    }
}

/// One multiplier, in cents, from each of the six cells.
const CELL_CENTS: [u64; 6] =
    [100, TARGET_CENTS[0], TARGET_CENTS[1], TARGET_CENTS[2], TARGET_CENTS[3], TARGET_CENTS[4]];

/// Returns the probabilities of the six cells.
fn cells(q: &[f64; 5]) -> [f64; 6] {
    [1.0 - q[0], q[0] - q[1], q[1] - q[2], q[2] - q[3], q[3] - q[4], q[4]]
}

/// Returns the stake of the fastest growth if the forecast is right, to second order: E g / E g²
/// (Kelly 1956).
fn kelly(cells: &[f64; 6], gains: &[f64; 6]) -> f64 {
    let first: f64 = cells.iter().zip(gains).map(|(p, g)| p * g).sum();
    let second: f64 = cells.iter().zip(gains).map(|(p, g)| p * g * g).sum();
    first / second.max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TiltedLaw;

    /// The expected growth factor of one bet when the true law is `law`.
    fn expected(served: &[f64; 5], law: &TiltedLaw) -> f64 {
        let truth = cells(&law.probabilities());
        (0..6)
            .map(|cell| {
                let mut test = ForecastTest::skipping(&HouseLaw::default(), 0);
                test.update(Some(served), CELL_CENTS[cell]);
                truth[cell] * test.ln_e().exp()
            })
            .sum()
    }

    #[test]
    fn no_forecast_gains_on_average_on_a_fair_game() {
        let fair = TiltedLaw::new(1.0);
        for s in [0.5, 0.8, 0.95, 0.999, 1.001, 1.05, 1.3, 2.0] {
            let e = expected(&TiltedLaw::new(s).probabilities(), &fair);
            assert!(e <= 1.0 + 1e-15 && e > 0.9, "{s}: {e}");
        }
        assert!(expected(&[0.9, 0.1, 0.8, 0.0, f64::NAN], &fair) <= 1.0);
    }

    #[test]
    fn a_correct_forecast_gains_when_the_house_law_is_wrong() {
        for s in [0.8, 1.2] {
            let truth = TiltedLaw::new(s);
            assert!(expected(&truth.probabilities(), &truth) > 1.0, "{s}");
            let wrong_way = TiltedLaw::new(2.0 - s).probabilities();
            assert!(expected(&wrong_way, &truth) < 1.0, "{s}");
        }
    }

    #[test]
    fn house_forecasts_missed_forecasts_and_the_first_sixty_stake_nothing() {
        let house = HouseLaw::default();
        let bold = TiltedLaw::new(1.3).probabilities();
        let mut test = ForecastTest::new(&house);
        for _ in 0..60 {
            test.update(Some(&bold), 1000);
        }
        test.update(Some(&house.probabilities()), 1000);
        test.update(None, 1000);
        assert_eq!(test.ln_e().to_bits(), 0.0f64.to_bits());
        test.update(Some(&bold), 1000);
        assert!(test.ln_e() > 0.0);
    }
}
