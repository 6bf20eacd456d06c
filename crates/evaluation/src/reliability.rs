//! Reliability: do forecast events occur as often as forecast?

use serde::{Deserialize, Serialize};

use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::{TARGET_CENTS, TARGETS};

/// Bins of the unit interval.
const BINS: usize = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    rounds: u64,
    hits: u64,
    sum: f64,
}

/// Served probabilities in ten bins per target, with the observed frequencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityTable {
    cells: [[Cell; BINS]; 5],
}

/// One bin of one target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityRow {
    /// The target.
    pub target: f64,
    /// The lower limit of the bin.
    pub from: f64,
    /// The upper limit of the bin.
    pub to: f64,
    /// Rounds whose served probability fell into the bin.
    pub rounds: u64,
    /// The mean of those probabilities: the forecast frequency.
    pub forecast: f64,
    /// The share of rounds that reached the target, with a 95 % confidence sequence (exact if the
    /// probability was the same in all rounds).
    pub observed: Estimate,
}

impl ReliabilityTable {
    /// Returns a table without rounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a round and the probabilities that were served before it.
    pub fn update(&mut self, served: &[f64; 5], cents: u64) {
        for ((cells, &p), target) in self.cells.iter_mut().zip(served).zip(TARGET_CENTS) {
            let cell = &mut cells[bin(p)];
            cell.rounds += 1;
            cell.hits += u64::from(cents >= target);
            cell.sum += p;
        }
    }

    /// Returns the bins that have rounds, target by target.
    pub fn rows(&self) -> Vec<ReliabilityRow> {
        let bins = self.cells.iter().zip(TARGETS).flat_map(|(cells, target)| {
            cells.iter().enumerate().map(move |(number, cell)| cell.row(target, number))
        });
        bins.flatten().collect()
    }
}

impl Cell {
    fn row(&self, target: f64, number: usize) -> Option<ReliabilityRow> {
        Some(ReliabilityRow {
            target,
            from: number as f64 / BINS as f64,
            to: (number + 1) as f64 / BINS as f64,
            rounds: self.rounds,
            forecast: self.sum / self.rounds as f64,
            observed: beta_binomial(self.hits, self.rounds, 0.05)?,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to 0..=9 before the cast, and `as` turns NaN into 0"
)]
fn bin(p: f64) -> usize {
    (p * BINS as f64).clamp(0.0, (BINS - 1) as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HouseLaw;
    use test_support::simulate::Scenario;

    #[test]
    fn fair_rounds_occur_as_often_as_the_house_law_forecasts() {
        let served = HouseLaw::default().probabilities();
        let mut table = ReliabilityTable::new();
        for cents in Scenario::Fair.rounds(5000, 4) {
            table.update(&served, cents);
        }
        let rows = table.rows();
        assert_eq!(rows.len(), 5);
        for (row, p) in rows.iter().zip(served) {
            assert!((row.forecast - p).abs() < 1e-9 && row.from <= p && p < row.to, "{row:?}");
            assert!(row.rounds == 5000 && row.observed.contains(p), "{row:?}");
        }
    }

    #[test]
    fn zero_one_and_nan_have_a_bin() {
        assert_eq!([0.0, 0.0999, 0.1, 0.95, 1.0, f64::NAN].map(bin), [0, 0, 1, 9, 9, 0]);
    }
}
