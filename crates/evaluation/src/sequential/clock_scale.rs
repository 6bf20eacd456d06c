//! A bettor that expects multipliers to be larger at one time of day than at another.

use std::f64::consts::FRAC_1_SQRT_2;

use serde::{Deserialize, Serialize};

use super::ln_weighted_sum;

/// Sine and cosine of the times of day at which the tail index may be highest, eight of them.
const PEAKS: [[f64; 2]; 8] = [
    [0.0, 1.0],
    [FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [1.0, 0.0],
    [FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
    [0.0, -1.0],
    [-FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
    [-1.0, 0.0],
    [-FRAC_1_SQRT_2, FRAC_1_SQRT_2],
];

/// Amplitudes of the logarithm of the tail index over a day.
const AMPLITUDES: [f64; 2] = [0.1, 0.2];

/// Number of alternatives.
const ALTERNATIVES: usize = PEAKS.len() * AMPLITUDES.len();

/// The mean over alternatives in which the tail index of the rounds follows a sine wave over the day.
///
/// If `rank` is uniform, e = -ln(1 - rank) is exponential with mean 1. Under an alternative with tail index theta it has the
/// mean 1/theta, so each bet is the likelihood ratio theta exp(-(theta - 1) e), which is fair whatever theta is. For a change
/// of the tail index this uses all of the information, a regression of normal scores about four fifths of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockScale {
    ln_e: [f64; ALTERNATIVES],
}

impl ClockScale {
    /// Returns a bettor before any round.
    pub fn new() -> Self {
        Self { ln_e: [0.0; ALTERNATIVES] }
    }

    /// Returns ln of the wealth.
    pub fn ln_e(&self) -> f64 {
        ln_weighted_sum(&[1.0 / ALTERNATIVES as f64; ALTERNATIVES], &self.ln_e)
    }

    /// Bets on a round with this rank, in \[0, 1\], unless the round is late. `wave` holds the sine and the cosine of the time
    /// of day, each times √2; without a clock it holds zeros.
    pub fn update(&mut self, rank: f64, wave: [f64; 2], late: bool) {
        if late {
            return;
        }
        let e = -(1.0 - rank).max(1e-12).ln();
        let [sin, cos] = wave.map(|it| FRAC_1_SQRT_2 * it);
        let alternatives = AMPLITUDES.iter().flat_map(|amplitude| {
            PEAKS.iter().map(move |peak| amplitude * (peak[0] * sin + peak[1] * cos))
        });
        for (ln_e, ln_theta) in self.ln_e.iter_mut().zip(alternatives) {
            *ln_e += ln_theta - ln_theta.exp_m1() * e;
        }
    }
}

impl Default for ClockScale {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pit::SplitMix64;
    use crate::sequential::bettors::waves;
    use std::f64::consts::TAU;

    fn wave(phase: Option<f64>) -> [f64; 2] {
        let [sin, cos, ..] = waves(phase);
        [sin, cos]
    }

    /// The mean over a fine grid of ranks, which are uniform if the rounds are exchangeable, of what a round turns one euro
    /// into.
    fn mean(before: &ClockScale, phase: f64) -> f64 {
        const RANKS: u32 = 200_000;
        let wealth = before.ln_e().exp();
        let after = |rank: u32| {
            let mut after = before.clone();
            after.update((f64::from(rank) + 0.5) / f64::from(RANKS), wave(Some(phase)), false);
            after.ln_e().exp() / wealth
        };
        (0..RANKS).map(after).sum::<f64>() / f64::from(RANKS)
    }

    #[test]
    fn each_bet_is_fair_at_every_time_of_day_and_after_any_history() {
        let mut bettor = ClockScale::new();
        for (phase, rank) in [(0.1, 0.9), (0.3, 0.05), (0.6, 0.99), (0.95, 0.4)] {
            assert!((mean(&bettor, phase) - 1.0).abs() < 1e-4, "{phase}");
            bettor.update(rank, wave(Some(phase)), false);
        }
        assert!(bettor.ln_e().abs() > 1e-3);
        let before = bettor.clone();
        bettor.update(0.9, wave(None), false);
        bettor.update(0.9, wave(Some(0.5)), true);
        assert_eq!(bettor, before, "nothing is bet without a clock or on a late round");
    }

    #[test]
    fn larger_multipliers_at_one_time_of_day_make_it_rich_and_a_fair_game_does_not() {
        let wealth_after = |days: u32, strength: f64| {
            let mut random = SplitMix64::new(9);
            let mut bettor = ClockScale::new();
            for round in 0..3_600 * days {
                let phase = f64::from(round % 3_600) / 3_600.0;
                let theta = (strength * (TAU * (phase - 0.3)).sin()).exp();
                let rank = 1.0 - random.uniform().powf(1.0 / theta);
                bettor.update(rank, wave(Some(phase)), false);
            }
            bettor.ln_e()
        };
        let [found, reversed, fair] = [0.15, -0.15, 0.0].map(|strength| wealth_after(2, strength));
        assert!(found > 10.0 && reversed > 10.0 && fair < 1.0, "{found} {reversed} {fair}");
    }
}
