//! A bettor that expects the highest multiplier so far to recur, as it does under a cap.

use serde::{Deserialize, Serialize};

use crate::HouseLaw;

/// Pseudo-counts of the prior: rounds, and recurrences of the highest multiplier among them.
const ROUNDS: f64 = 100.0;
const HITS: f64 = 0.5;

/// Lower bound of the probability of a recurrence. It keeps the bettor defined where the law excludes
/// one, and can only lower its wealth.
const P_MIN: f64 = 1e-12;

/// A bettor on "the next multiplier equals the highest so far" against its probability under a law.
///
/// Under the law that is rare, 1 in 40,000 at 20x and 1 in a million at 100x, so in a game with a
/// cap the second or third recurrence decides, wherever the cap is. The stake follows the recurrences
/// seen since the highest multiplier was set. The bet is known before the round, so its mean is 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cap {
    house: HouseLaw,
    highest: u64,
    /// The probability of the highest multiplier under the law.
    p: f64,
    hits: u64,
    rounds: u64,
}

impl Cap {
    /// Returns a bettor against this law.
    pub fn new(house: HouseLaw) -> Self {
        Self { house, highest: 0, p: 1.0, hits: 0, rounds: 0 }
    }

    /// Returns the highest multiplier so far, in cents, and how often it has occurred.
    pub fn highest(&self) -> Option<(u64, u64)> {
        (self.highest > 0).then_some((self.highest, self.hits + 1))
    }

    /// Bets on a round, learns from it, and returns the log growth of the wealth.
    pub fn bet(&mut self, cents: u64) -> f64 {
        let mut ln_e = 0.0;
        if self.highest > 0 {
            let stake = (self.hits as f64 + HITS) / (self.rounds as f64 + ROUNDS);
            let is_hit = cents == self.highest;
            ln_e = if is_hit { (1.0 - stake + stake / self.p).ln() } else { (-stake).ln_1p() };
            self.rounds += 1;
            self.hits += u64::from(is_hit);
        }
        if cents > self.highest {
            let p = self.house.untilted().pmf_cents(cents).max(P_MIN);
            *self = Self { house: self.house, highest: cents, p, hits: 0, rounds: 0 };
        }
        ln_e
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::simulate::PlantedGame;

    fn expected(bettor: &Cap, sign: f64, left: u32) -> f64 {
        if left == 0 {
            return 1.0;
        }
        let growth = |cents: u64| {
            let mut after = bettor.clone();
            let e = (sign * after.bet(cents)).exp();
            bettor.house.untilted().pmf_cents(cents) * e * expected(&after, sign, left - 1)
        };
        (100..=104).map(growth).sum()
    }

    #[test]
    fn the_mean_over_all_sequences_is_one_and_that_of_the_opposite_bet_is_not() {
        let house = HouseLaw::default().with_cap_cents(104).unwrap();
        assert!((expected(&Cap::new(house), 1.0, 6) - 1.0).abs() < 1e-12);
        assert!((expected(&Cap::new(house), -1.0, 6) - 1.0).abs() > 1e-6);
    }

    #[test]
    fn two_returns_of_a_cap_are_evidence_and_a_fair_game_has_none() {
        let run = |game: PlantedGame| {
            let mut bettor = Cap::new(HouseLaw::default());
            let rounds = game.rounds(600, 1);
            let ln_e: f64 = rounds.iter().map(|round| bettor.bet(round.cents)).sum();
            (ln_e, bettor.highest())
        };
        let (ln_e, highest) = run(PlantedGame::Capped { cap_cents: 3_500 });
        assert!(ln_e > 20.0, "{ln_e}");
        assert!(highest.is_some_and(|(cents, times)| cents == 3_500 && times > 5), "{highest:?}");
        let (ln_e, _) = run(PlantedGame::Plain(test_support::simulate::Scenario::Fair));
        assert!(ln_e < 0.0, "{ln_e}");
    }
}
