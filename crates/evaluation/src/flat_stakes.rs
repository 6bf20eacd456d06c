//! What equal stakes on one cash-out target would have brought, and what luck alone brings.
//!
//! Amounts are in stakes: a won bet brings `target - 1`, a lost one costs 1.

use statrs::distribution::{Binomial, DiscreteCDF as _};

use crate::multiplier;

/// Tolerance for sums of amounts in floating point.
const ROUNDING: f64 = 1e-9;

/// Bets of one stake each on one target, round after round.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatStakes {
    target_cents: u64,
    bankroll: Option<f64>,
    bets: u64,
    won: u64,
    losing_run: u64,
    longest_losing_run: u64,
    highest: f64,
    largest_drawdown: f64,
}

impl FlatStakes {
    /// Returns no bets yet on a target in cents. With a bankroll, in stakes, betting ends once it no longer covers a
    /// stake.
    pub fn new(target_cents: u64, bankroll: Option<f64>) -> Self {
        Self {
            target_cents,
            bankroll,
            bets: 0,
            won: 0,
            losing_run: 0,
            longest_losing_run: 0,
            highest: 0.0,
            largest_drawdown: 0.0,
        }
    }

    /// Bets on a round that ends at `cents`, unless the bankroll is spent.
    pub fn play(&mut self, cents: u64) {
        if self.is_broke() {
            return;
        }
        self.bets += 1;
        if cents >= self.target_cents {
            self.won += 1;
            self.losing_run = 0;
        } else {
            self.losing_run += 1;
            self.longest_losing_run = self.longest_losing_run.max(self.losing_run);
        }
        let net = self.net();
        self.highest = self.highest.max(net);
        self.largest_drawdown = self.largest_drawdown.max(self.highest - net);
    }

    /// Returns the number of bets.
    pub fn bets(&self) -> u64 {
        self.bets
    }

    /// Returns the number of bets won.
    pub fn won(&self) -> u64 {
        self.won
    }

    /// Returns all returns minus all stakes.
    pub fn net(&self) -> f64 {
        net(self.target_cents, self.bets, self.won)
    }

    /// Returns the largest number of bets lost in a row.
    pub fn longest_losing_run(&self) -> u64 {
        self.longest_losing_run
    }

    /// Returns the largest fall of the net from an earlier high.
    pub fn largest_drawdown(&self) -> f64 {
        self.largest_drawdown
    }

    /// Returns whether the bankroll no longer covers another stake.
    pub fn is_broke(&self) -> bool {
        self.bankroll.is_some_and(|bankroll| bankroll + self.net() < 1.0 - ROUNDING)
    }
}

/// Returns all returns minus all stakes after so many bets, of which `won` were won.
pub fn net(target_cents: u64, bets: u64, won: u64) -> f64 {
    multiplier(target_cents) * won as f64 - bets as f64
}

/// Returns what a bet brings on average, returns minus stake, if it is won with probability `chance`.
pub fn expected_net(target_cents: u64, chance: f64) -> f64 {
    multiplier(target_cents) * chance - 1.0
}

/// Returns the range in which the net lies after `bets` bets with probability `level` or more, if each is won with
/// probability `chance`, independently of the others. Its ends are quantiles of the binomial distribution of the bets
/// won.
///
/// # Panics
/// `chance` or `level` is not a probability.
pub fn band_of_luck(target_cents: u64, bets: u64, chance: f64, level: f64) -> (f64, f64) {
    let won = Binomial::new(chance, bets).expect("the chance is a probability");
    let tail = (1.0 - level) / 2.0;
    let ends = (won.inverse_cdf(tail), won.inverse_cdf(1.0 - tail));
    (net(target_cents, bets, ends.0), net(target_cents, bets, ends.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HouseLaw;
    use test_support::simulate::Scenario;

    fn played(target_cents: u64, bankroll: Option<f64>, rounds: &[u64]) -> FlatStakes {
        let mut stakes = FlatStakes::new(target_cents, bankroll);
        for &cents in rounds {
            stakes.play(cents);
        }
        stakes
    }

    #[test]
    fn a_bet_brings_the_target_less_the_stake_or_costs_the_stake() {
        let stakes = played(200, None, &[200, 199, 100, 500, 150, 150, 150, 900]);
        assert_eq!((stakes.bets(), stakes.won(), stakes.longest_losing_run()), (8, 3, 3));
        assert!((stakes.net() - (3.0 - 5.0)).abs() < 1e-12);
        // From +1 after the first bet down to -3 after the seventh.
        assert!((stakes.largest_drawdown() - 4.0).abs() < 1e-12);
        assert!(!stakes.is_broke());
    }

    #[test]
    fn betting_ends_when_the_bankroll_does_not_cover_a_stake() {
        let stakes = played(200, Some(2.5), &[100, 100, 900, 900]);
        assert_eq!((stakes.bets(), stakes.won(), stakes.is_broke()), (2, 0, true));
        let stakes = played(200, Some(3.0), &[100, 100, 900, 900]);
        assert_eq!((stakes.bets(), stakes.won(), stakes.is_broke()), (4, 2, false));
        assert_eq!(played(200, Some(0.9), &[900]).bets(), 0);
    }

    #[test]
    fn the_band_is_that_of_the_binomial_distribution() {
        // Of 10 fair coins 3 to 7 show heads with 89.1 %; 2 or fewer with 5.5 %, 3 or fewer with 17.2 %.
        assert_eq!(band_of_luck(200, 10, 0.5, 0.8), (2.0 * 3.0 - 10.0, 2.0 * 7.0 - 10.0));
        assert_eq!(band_of_luck(200, 0, 0.5, 0.8), (0.0, 0.0));
        assert_eq!(band_of_luck(200, 5, 1.0, 0.8), (5.0, 5.0));
    }

    /// The band holds at least its level of fair streams, and not all of them.
    #[test]
    fn the_band_holds_as_many_fair_streams_as_it_says() {
        let house = HouseLaw::default();
        for target in [150, 200, 1000] {
            let (lo, hi) = band_of_luck(target, 400, house.survival_cents(target), 0.8);
            let held = (0..1000)
                .map(|seed| played(target, None, &Scenario::Fair.rounds(400, seed)).net())
                .filter(|net| (lo..=hi).contains(net))
                .count();
            // Four standard deviations below 80 %; a discrete band may hold a few percent more.
            assert!((749..=880).contains(&held), "{target}: {held}");
        }
    }
}
