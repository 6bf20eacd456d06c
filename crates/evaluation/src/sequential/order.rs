//! The order test: are the rounds exchangeable?

use serde::{Deserialize, Serialize};

use super::bettors::{FiveBettors, NAMES, ScoredRound, waves};
use super::{
    Bettor, ClockScale, Contexts, ObservedRound, Regression, Scale, Streaks, Wealth,
    ln_weighted_sum,
};
use crate::HouseLaw;
use crate::order_statistics::OrderStatistics;
use crate::pit::{keyed_uniform, z_score};

/// The rank above which a round counts as high. A constant of the test, not an assumption about the
/// house.
const HIGH: f64 = 0.515;

/// The shares of the bettors at the start: the five of [`NAMES`], then those of [`MORE`].
///
/// Neighbours (ar1, ar3) have much, because dependence between them is what a model can use at once; so have the time of
/// day (clock, day, daily), because operators act by the clock, and streaks (contexts, streaks), because players bet on
/// them. Each of the three has a bettor with few coefficients, which learns sooner, beside one with more, which sees more.
/// Bettors whose pattern another also finds (features, bits3) and the rarest (parity) have the least.
const SHARES: [f64; 12] = [0.07, 0.15, 0.02, 0.04, 0.02, 0.17, 0.09, 0.11, 0.09, 0.02, 0.09, 0.13];

/// The names of the bettors that only the order test has.
const MORE: [&str; 7] = ["ar1", "day", "contexts", "scale", "parity", "streaks", "clock"];

/// E3, the order test, of the null hypothesis "shuffling the rounds would change nothing".
///
/// A conformal test martingale (Vovk, Gammerman and Shafer 2022): when the rounds are exchangeable,
/// the smoothed rank of each round among all before it is exactly uniform and independent of the
/// earlier ranks, whatever the law. The bettors see only ranks and the clock. If they saw
/// multipliers, the process would no longer be a martingale.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderTest {
    salt: u64,
    index: u64,
    sizes: OrderStatistics,
    bettors: FiveBettors,
    more: MoreBettors,
    wealth: Wealth,
}

/// The bettors of [`MORE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MoreBettors {
    ar1: Regression,
    day: Regression,
    parity: Regression,
    contexts: Contexts,
    scale: Scale,
    streaks: Streaks,
    clock: ClockScale,
    /// ln of the wealth of ar1, day and parity.
    ln_regressions: [f64; 3],
    last_z: f64,
}

impl MoreBettors {
    fn new() -> Self {
        Self {
            ar1: Regression::new(1, 0.03),
            day: Regression::new(2, 0.005),
            parity: Regression::new(1, 0.005),
            contexts: Contexts::new(1.0 - HIGH),
            scale: Scale::new(),
            streaks: Streaks::new(),
            clock: ClockScale::new(),
            ln_regressions: [0.0; 3],
            last_z: 0.0,
        }
    }

    /// Bets on a round with the number `index`, then learns from it.
    fn update(&mut self, round: ScoredRound, rank: f64, index: u64) {
        let [sin, cos, ..] = round.waves;
        let side = if index.is_multiple_of(2) { 1.0 } else { -1.0 };
        let gains = [
            self.ar1.bet(&[self.last_z], round.z),
            self.day.bet(&[sin, cos], round.z),
            self.parity.bet(&[side], round.z),
        ];
        if !round.late {
            for (ln_e, gain) in self.ln_regressions.iter_mut().zip(gains) {
                *ln_e += gain;
            }
        }
        self.contexts.update(round.high, round.late);
        self.scale.update(round.z, round.late);
        self.streaks.update(rank, round.high, round.late);
        self.clock.update(rank, [sin, cos], round.late);
        self.last_z = round.z;
    }

    /// Returns the log-wealth of each bettor, in the order of [`MORE`].
    fn ln_e(&self) -> [f64; 7] {
        let [ar1, day, parity] = self.ln_regressions;
        [
            ar1,
            day,
            self.contexts.ln_e(),
            self.scale.ln_e(),
            parity,
            self.streaks.ln_e(),
            self.clock.ln_e(),
        ]
    }
}

impl OrderTest {
    /// Returns a test that breaks ties by the uniform numbers of a published salt.
    pub fn new(salt: u64) -> Self {
        Self::starting_at(salt, 0)
    }

    /// Returns a test for a stream already under way, with the uniform numbers from number `index`
    /// on.
    pub fn starting_at(salt: u64, index: u64) -> Self {
        Self {
            salt,
            index,
            sizes: OrderStatistics::new(),
            bettors: FiveBettors::new(1.0 - HIGH),
            more: MoreBettors::new(),
            wealth: Wealth::new(),
        }
    }

    /// Bets on a round, then learns from it; returns the normal score of its rank.
    pub fn update(&mut self, round: &ObservedRound) -> f64 {
        let index = self.index;
        let rank = self.rank(round.cents);
        let z = z_score(rank);
        let scored = ScoredRound {
            z,
            ln_m: pseudo_ln(rank),
            high: rank > HIGH,
            waves: waves(round.day_phase),
            late: round.late,
        };
        self.bettors.update(scored);
        self.more.update(scored, rank, index);
        self.wealth.record(ln_weighted_sum(&SHARES, &self.all_ln_e()));
        z
    }

    /// Returns the smoothed rank (below + v (ties + 1)) / n, in which the round counts as one of its
    /// own ties.
    fn rank(&mut self, cents: u64) -> f64 {
        let v = keyed_uniform(self.salt, self.index);
        self.index += 1;
        let rank = self.sizes.rank(cents);
        self.sizes.insert(cents);
        (rank.below as f64 + v * (rank.equal as f64 + 1.0)) / self.sizes.rounds() as f64
    }

    /// Returns the current ln E3.
    pub fn ln_e(&self) -> f64 {
        self.wealth.ln_e()
    }

    /// Returns the wealth and its peak.
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }

    /// Returns the twelve bettors of the portfolio.
    pub fn bettors(&self) -> Vec<Bettor> {
        let names = NAMES.into_iter().chain(MORE);
        names.zip(self.all_ln_e()).map(|(name, ln_e)| Bettor { name, ln_e }).collect()
    }

    /// Returns the log-wealth of each bettor, in the order of [`SHARES`].
    fn all_ln_e(&self) -> [f64; 12] {
        let mut all = [0.0; 12];
        all[..5].copy_from_slice(self.bettors.ln_e());
        all[5..].copy_from_slice(&self.more.ln_e());
        all
    }
}

/// Returns the ln M that a rank would have under the default house law, from which the features
/// are computed.
fn pseudo_ln(rank: f64) -> f64 {
    (HouseLaw::default().r() / (1.0 - rank).max(1e-9)).ln().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All permutations of four rounds.
    fn permutations() -> Vec<[usize; 4]> {
        let all = (0..256).map(|i| [i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6]);
        all.filter(|p| (0..4).all(|v| p.contains(&v))).collect()
    }

    /// The range over which the smoothed rank is uniform, in twelfths, for each round of a
    /// sequence.
    fn ranges(cents: [u64; 4]) -> [std::ops::Range<u64>; 4] {
        let mut sizes = OrderStatistics::new();
        cents.map(|k| {
            let rank = sizes.rank(k);
            sizes.insert(k);
            let unit = 12 / sizes.rounds();
            rank.below * unit..(rank.below + rank.equal + 1) * unit
        })
    }

    /// The density of a range in one of twelve cells.
    fn density(range: &std::ops::Range<u64>, cell: u64) -> f64 {
        if range.contains(&cell) { 12.0 / (range.end - range.start) as f64 } else { 0.0 }
    }

    #[test]
    fn ranks_are_uniform_and_independent_over_all_permutations_ties_included() {
        for rounds in [[100, 150, 200, 300], [100, 100, 200, 300], [100, 100, 100, 40_000]] {
            let orders: Vec<_> =
                permutations().into_iter().map(|p| ranges(p.map(|i| rounds[i]))).collect();
            assert_eq!(orders.len(), 24);
            let joint = |(t, cell): (usize, u64), (u, other): (usize, u64)| {
                let one =
                    |r: &[std::ops::Range<u64>; 4]| density(&r[t], cell) * density(&r[u], other);
                orders.iter().map(one).sum::<f64>() / 24.0
            };
            let cells = (0..12).flat_map(|cell| (0..12).map(move |other| (cell, other)));
            for (cell, other) in cells {
                let pairs = [(1, 2), (1, 3), (2, 3)].map(|(t, u)| joint((t, cell), (u, other)));
                assert!(pairs.iter().all(|density| (density - 1.0).abs() < 1e-12), "{pairs:?}");
            }
        }
    }

    #[test]
    fn the_first_rank_is_its_uniform_number() {
        let mut test = OrderTest::new(99);
        let z = test.update(&ObservedRound::new(12_345));
        assert!((z - z_score(keyed_uniform(99, 0))).abs() < 1e-15);
    }
}
