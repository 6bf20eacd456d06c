//! The wealth of a bettor or portfolio, on a logarithmic scale.

use serde::{Deserialize, Serialize};

/// The current value and the peak of one e-process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wealth {
    ln_e: f64,
    ln_e_max: f64,
    rounds: u64,
    /// The round at which the highest value was reached.
    peak_round: u64,
}

impl Wealth {
    /// Returns a wealth of one euro (ln E = 0), before any round.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the current ln E.
    pub fn ln_e(&self) -> f64 {
        self.ln_e
    }

    /// Returns the highest ln E so far, at least 0.
    pub fn ln_e_max(&self) -> f64 {
        self.ln_e_max
    }

    /// Returns the round, counted from 1, at which the peak was first reached.
    pub fn peak_round(&self) -> u64 {
        self.peak_round
    }

    /// Returns the number of rounds.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the anytime-valid p-value, min(1, 1/sup E).
    pub fn anytime_p(&self) -> f64 {
        (-self.ln_e_max).exp().min(1.0)
    }

    /// Records ln E after one more round.
    pub(crate) fn record(&mut self, ln_e: f64) {
        self.rounds += 1;
        self.ln_e = ln_e;
        if ln_e > self.ln_e_max {
            self.ln_e_max = ln_e;
            self.peak_round = self.rounds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_round_is_the_first_round_at_the_peak() {
        let mut wealth = Wealth::new();
        assert_eq!((wealth.peak_round(), wealth.anytime_p().to_bits()), (0, 1f64.to_bits()));
        for ln_e in [-1.0, 0.0, 2.0, 1.0, 2.0, -3.0] {
            wealth.record(ln_e);
        }
        assert_eq!((wealth.peak_round(), wealth.rounds()), (3, 6));
        assert_eq!(
            (wealth.ln_e().to_bits(), wealth.ln_e_max().to_bits()),
            ((-3f64).to_bits(), 2f64.to_bits())
        );
        assert!((wealth.anytime_p() - (-2f64).exp()).abs() < 1e-15);
    }
}
