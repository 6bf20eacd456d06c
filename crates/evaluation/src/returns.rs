//! The return to the player at each cash-out target.

use serde::{Deserialize, Serialize};

use crate::HouseLaw;
use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::{TARGET_CENTS, multiplier};

/// The targets counted, in cents. 1.01 stands for "anything above 1.00x".
const COUNTED: [u64; 6] =
    [101, TARGET_CENTS[0], TARGET_CENTS[1], TARGET_CENTS[2], TARGET_CENTS[3], TARGET_CENTS[4]];

/// How many rounds reached each target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetCounts {
    rounds: u64,
    reached: [u64; 6],
}

/// The return of one cash-out target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReturnRow {
    /// The target. 1.01 stands for "anything above 1.00x", under the house law by far the most
    /// precise measure of r.
    pub target: f64,
    /// Rounds that reached it.
    pub hits: u64,
    /// Target times the share of rounds that reached it, with a 95 % confidence sequence.
    pub measured: Estimate,
    /// The return under the stated law.
    pub stated: f64,
    /// Whether the stated return lies within the confidence sequence.
    pub agrees: bool,
}

impl TargetCounts {
    /// Returns counts of no rounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a round.
    pub fn update(&mut self, cents: u64) {
        self.rounds += 1;
        for (reached, target) in self.reached.iter_mut().zip(COUNTED) {
            *reached += u64::from(cents >= target);
        }
    }

    /// Returns the number of rounds.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the number of rounds at 1.00x.
    pub fn at_atom(&self) -> u64 {
        self.rounds - self.reached[0]
    }

    /// Returns the counts without those of the first rounds.
    #[must_use]
    pub fn without(&self, first: &Self) -> Self {
        let reached = std::array::from_fn(|i| self.reached[i] - first.reached[i]);
        Self { rounds: self.rounds - first.rounds, reached }
    }

    /// Returns one row for 1.01x and one for each target; none without rounds. All are needed: a
    /// house may pay as stated at one target and not at another.
    pub fn rows(&self, house: &HouseLaw) -> Vec<ReturnRow> {
        let row = |(target, hits): (u64, u64)| {
            let factor = multiplier(target);
            let measured = beta_binomial(hits, self.rounds, 0.05)?.times(factor);
            let stated = factor * house.survival_cents(target);
            let agrees = measured.contains(stated);
            Some(ReturnRow { target: factor, hits, measured, stated, agrees })
        };
        COUNTED.into_iter().zip(self.reached).filter_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_counts_the_rounds_that_reached_it() {
        let mut counts = TargetCounts::new();
        assert!(counts.rows(&HouseLaw::default()).is_empty());
        for cents in [100, 100, 101, 150, 199, 200, 5_000] {
            counts.update(cents);
        }
        let first = counts;
        for cents in [100, 300] {
            counts.update(cents);
        }
        assert_eq!((counts.rounds(), counts.at_atom()), (9, 3));
        let hits: Vec<u64> = counts.rows(&HouseLaw::default()).iter().map(|r| r.hits).collect();
        assert_eq!(hits, [6, 5, 3, 2, 1, 1]);
        let later = counts.without(&first);
        assert_eq!((later.rounds(), later.at_atom()), (2, 1));
        let row = later.rows(&HouseLaw::default())[2];
        assert!((row.measured.value - 1.0).abs() < 1e-12 && (row.stated - 0.97).abs() < 1e-12);
    }
}
