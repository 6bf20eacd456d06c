//! A bettor that expects a streak to change the size of the next round.

use serde::{Deserialize, Serialize};

use super::ln_weighted_sum;

/// Number of equal bits that make a streak.
const LENGTH: u32 = 3;

/// Number of equally likely cells of a rank.
const CELLS: usize = 5;

/// The prior of each cell, in rounds.
const STRENGTH: f64 = 10.0;

/// The mean of two bettors on the fifth into which the rank of the next round falls: one bets after three low rounds, the
/// other after three high ones.
///
/// Each is a Dirichlet-multinomial mixture around equal cells. Beside [`super::Contexts`], which sees only whether the next
/// round is high, it sees a high round that is "due" in all sizes at once: where the lowest fifth never follows a streak,
/// each streak is worth ln 1.25 nats instead of 0.03.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Streaks {
    /// The kind of the last rounds, and how many of that kind there were in a row.
    last: bool,
    length: u32,
    /// Of the cells after low rounds and after high ones; the prior included.
    counts: [[f64; CELLS]; 2],
    ln_e: [f64; 2],
}

impl Streaks {
    /// Returns a bettor before any round.
    pub fn new() -> Self {
        Self { last: false, length: 0, counts: [[STRENGTH; CELLS]; 2], ln_e: [0.0; 2] }
    }

    /// Returns ln of the wealth.
    pub fn ln_e(&self) -> f64 {
        ln_weighted_sum(&[0.5; 2], &self.ln_e)
    }

    /// Bets on the next round, of which `rank` is in \[0, 1\], then learns from it; learns only if `late`.
    pub fn update(&mut self, rank: f64, high: bool, late: bool) {
        if self.length >= LENGTH {
            let side = usize::from(self.last);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rank is in [0, 1]"
            )]
            let cell = ((rank * CELLS as f64) as usize).min(CELLS - 1);
            let counts = &mut self.counts[side];
            let share = counts[cell] / counts.iter().sum::<f64>();
            counts[cell] += 1.0;
            if !late {
                self.ln_e[side] += (share * CELLS as f64).ln();
            }
        }
        self.length = if high == self.last { self.length + 1 } else { 1 };
        self.last = high;
    }
}

impl Default for Streaks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pit::SplitMix64;

    /// The middle of each fifth, cut where low ends and high begins; and its probability.
    const RANKS: [(f64, f64); 6] =
        [(0.1, 0.2), (0.3, 0.2), (0.45, 0.115), (0.55, 0.085), (0.7, 0.2), (0.9, 0.2)];

    fn expected(bettor: &Streaks, left: u32) -> f64 {
        if left == 0 {
            return bettor.ln_e().exp();
        }
        let after = |(rank, p): (f64, f64)| {
            let mut after = bettor.clone();
            after.update(rank, rank > 0.515, false);
            p * expected(&after, left - 1)
        };
        RANKS.into_iter().map(after).sum()
    }

    #[test]
    fn the_mean_over_all_sequences_of_cells_is_one_after_any_history() {
        let mut bettor = Streaks::new();
        assert!((expected(&bettor, 7) - 1.0).abs() < 1e-12);
        for rank in [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.1] {
            bettor.update(rank, rank > 0.515, false);
        }
        assert!((expected(&bettor, 6) - bettor.ln_e().exp()).abs() < 1e-12);
    }

    #[test]
    fn the_wealth_is_the_dirichlet_multinomial_over_the_equal_cells() {
        let mut bettor = Streaks::new();
        // After three low rounds come cells 4, then, after three high ones, 0.
        for rank in [0.1, 0.1, 0.1, 0.95, 0.9, 0.9, 0.05] {
            bettor.update(rank, rank > 0.515, false);
        }
        // The first cell after each kind of streak has the prior's share.
        assert!(bettor.ln_e().abs() < 1e-12);
        for rank in [0.1, 0.1, 0.95] {
            bettor.update(rank, rank > 0.515, false);
        }
        let low = 11.0 / 51.0 * 5.0;
        assert!((bettor.ln_e() - f64::midpoint(low, 1.0).ln()).abs() < 1e-12);
    }

    #[test]
    fn a_high_round_that_is_due_is_seen_within_a_hundred_streaks() {
        let mut random = SplitMix64::new(5);
        let mut bettor = Streaks::new();
        let (mut lows, mut streaks) = (0, 0);
        while streaks < 100 {
            let rank = if lows >= 3 { 0.2 + 0.8 * random.uniform() } else { random.uniform() };
            streaks += u32::from(lows >= 3);
            let high = rank > 0.515;
            lows = if high { 0 } else { lows + 1 };
            bettor.update(rank, high, false);
        }
        assert!(bettor.ln_e() > 5.0, "{}", bettor.ln_e());
        let before = bettor.ln_e();
        bettor.update(0.5, false, true);
        assert!((bettor.ln_e() - before).abs() < 1e-12, "nothing is bet on a late round");
    }
}
