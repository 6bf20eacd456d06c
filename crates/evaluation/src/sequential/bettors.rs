//! The five bettors common to the order and law tests.

use std::f64::consts::{PI, SQRT_2};

use features::COUNT;
use serde::{Deserialize, Serialize};

use super::{Bits, LaggedInputs, Regression};

/// The names of the five, in the order of [`FiveBettors::ln_e`].
pub(crate) const NAMES: [&str; 5] = ["ar3", "level", "features", "daily", "bits3"];

/// The five bettors that look for order: by the last three scores, the mean level of the last 10 and
/// 50, the features, the time of day, and the last three bits "2x or more".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FiveBettors {
    inputs: LaggedInputs,
    ar3: Regression,
    level: Regression,
    features: Regression,
    daily: Regression,
    bits3: Bits,
    ln_e: [f64; 5],
}

/// A round as the five bettors see it.
#[derive(Clone, Copy)]
pub(crate) struct ScoredRound {
    /// The normal score, N(0, 1) under the null hypothesis.
    pub(crate) z: f64,
    /// The ln M from which the features are computed.
    pub(crate) ln_m: f64,
    /// The bit "2x or more".
    pub(crate) high: bool,
    /// The [`waves`] at the time of the bet.
    pub(crate) waves: [f64; 4],
    /// Whether to learn from this round without betting on it.
    pub(crate) late: bool,
}

impl FiveBettors {
    /// Returns bettors against "scores are N(0, 1) and bits are 1 with probability `p_high`".
    pub(crate) fn new(p_high: f64) -> Self {
        Self {
            inputs: LaggedInputs::new(),
            ar3: Regression::new(3, 0.02),
            level: Regression::new(2, 0.02),
            features: Regression::new(COUNT, 0.002),
            daily: Regression::new(4, 0.005),
            bits3: Bits::new(p_high, 50.0, 3),
            ln_e: [0.0; 5],
        }
    }

    /// Returns the log-wealth of each bettor.
    pub(crate) fn ln_e(&self) -> &[f64; 5] {
        &self.ln_e
    }

    pub(crate) fn inputs(&self) -> &LaggedInputs {
        &self.inputs
    }

    /// Bets on a round, then learns from it.
    pub(crate) fn update(&mut self, round: ScoredRound) {
        let gains = [
            self.ar3.bet(&self.inputs.lags(), round.z),
            self.level.bet(&self.inputs.levels(), round.z),
            self.features.bet(&self.inputs.features(), round.z),
            self.daily.bet(&round.waves, round.z),
            self.bits3.bet(round.high),
        ];
        if !round.late {
            for (ln_e, gain) in self.ln_e.iter_mut().zip(gains) {
                *ln_e += gain;
            }
        }
        self.inputs.push(round.z, round.ln_m);
    }
}

/// Returns sine and cosine of the first two harmonics of the day, times √2; zeros without a clock. The time of day lies in
/// \[0, 1).
pub(crate) fn waves(day_phase: Option<f64>) -> [f64; 4] {
    day_phase.map_or([0.0; 4], |phase| {
        let (sin, cos) = (2.0 * PI * phase).sin_cos();
        let (sin_twice, cos_twice) = (4.0 * PI * phase).sin_cos();
        [sin, cos, sin_twice, cos_twice].map(|wave| SQRT_2 * wave)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal;
    use crate::sequential::ln_mean_exp;
    use test_support::simulate::Scenario;

    const HIGH: f64 = 0.515;

    /// A round with this normal score, encoded as in the order test.
    fn scored_round(z: f64, day_phase: f64) -> ScoredRound {
        let rank = normal::cdf(z);
        let ln_m = (0.97 / (1.0 - rank).max(1e-9)).ln().max(0.0);
        ScoredRound { z, ln_m, high: rank > HIGH, waves: waves(Some(day_phase)), late: false }
    }

    /// The mean over N(0, 1) of the growth factor of the portfolio. The integral is split where the
    /// bit changes.
    fn expected(bettors: &FiveBettors, day_phase: f64) -> f64 {
        let before = ln_mean_exp(bettors.ln_e());
        let gain = |z: f64| {
            let mut after = bettors.clone();
            after.update(scored_round(z, day_phase));
            (ln_mean_exp(after.ln_e()) - before - z * z / 2.0).exp() / (2.0 * PI).sqrt()
        };
        let split = normal::quantile(HIGH);
        let simpson = |from: f64, to: f64| {
            let steps = 400;
            let h = (to - from) / f64::from(steps);
            let inner = (1..steps)
                .map(|i| gain(from + h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 });
            (gain(from) + inner.sum::<f64>() + gain(to)) * h / 3.0
        };
        simpson(-12.0, split) + simpson(split + 1e-12, 12.0)
    }

    #[test]
    fn the_portfolio_of_the_five_is_a_martingale_after_any_history() {
        let mut bettors = FiveBettors::new(1.0 - HIGH);
        let rounds = Scenario::Autoregressive(0.3).rounds(61, 5);
        for (t, &cents) in (0u32..).zip(&rounds) {
            let phase = f64::from(t) / 61.0;
            if t % 12 == 0 {
                let mean = expected(&bettors, phase);
                assert!((mean - 1.0).abs() < 1e-7, "round {t}: {mean}");
            }
            let law = crate::HouseLaw::default();
            bettors.update(scored_round(normal::quantile(law.pit(cents, 0.5)), phase));
        }
    }

    #[test]
    fn bettors_learn_from_a_late_round_but_do_not_bet_on_it() {
        let mut bettors = FiveBettors::new(1.0 - HIGH);
        for _ in 0..50 {
            bettors.update(ScoredRound { late: true, ..scored_round(1.0, 0.5) });
        }
        assert!(bettors.ln_e().iter().all(|ln_e| ln_e.abs() < 1e-300));
        bettors.update(scored_round(1.0, 0.5));
        assert!(bettors.ln_e().iter().all(|&ln_e| ln_e > 0.0), "{:?}", bettors.ln_e());
    }
}
