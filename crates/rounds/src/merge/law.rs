//! The empirical law of multipliers: how often each of them occurs.

use crate::round::Round;

/// Rounds that a law is taken from, about; more make no share much more exact.
const SAMPLE: usize = 2048;

/// Shares of the multipliers of some rounds.
#[derive(Debug, Default)]
pub(super) struct Law {
    /// Multipliers in hundredths, in ascending order.
    sample: Vec<u64>,
}

impl Law {
    /// The law of some series of rounds together, from evenly spaced rounds of them.
    pub(super) fn of<'r>(series: impl Iterator<Item = &'r [Round]> + Clone) -> Self {
        let total: usize = series.clone().map(<[Round]>::len).sum();
        let step = total.div_ceil(SAMPLE).max(1);
        let rounds = series.flat_map(|rounds| rounds.iter().step_by(step));
        let mut sample: Vec<u64> = rounds.map(|round| round.multiplier.cents()).collect();
        sample.sort_unstable();
        Self { sample }
    }

    /// Share of a multiplier, with one observation more than there is: never 0, and too large
    /// rather than too small for a rare one, so that it proves too little rather than too much.
    pub(super) fn share(&self, cents: u64) -> f64 {
        let from = self.sample.partition_point(|other| *other < cents);
        let count = self.sample[from..].iter().take_while(|other| **other == cents).count();
        (count + 1) as f64 / (self.sample.len() + 1) as f64
    }
}
