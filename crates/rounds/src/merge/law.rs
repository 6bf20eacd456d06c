//! The empirical law of multipliers: how often each of them occurs.

use crate::round::Round;

/// Approximate number of rounds from which a law is estimated; more would not improve it much.
const SAMPLE: usize = 2048;

/// Shares of the multipliers of some rounds.
#[derive(Debug, Default)]
pub(super) struct Law {
    /// Multipliers in hundredths, in ascending order.
    sample: Vec<u64>,
}

impl Law {
    /// Returns the law of several series together, estimated from evenly spaced rounds.
    pub(super) fn of<'r>(series: impl Iterator<Item = &'r [Round]> + Clone) -> Self {
        let total: usize = series.clone().map(<[Round]>::len).sum();
        let step = total.div_ceil(SAMPLE).max(1);
        let rounds = series.flat_map(|rounds| rounds.iter().step_by(step));
        let mut sample: Vec<u64> = rounds.map(|round| round.multiplier.cents()).collect();
        sample.sort_unstable();
        Self { sample }
    }

    /// Returns the share of a multiplier, counting one observation more than there is: it is never 0, and
    /// errs on the large side for a rare one, so that evidence is understated.
    pub(super) fn share(&self, cents: u64) -> f64 {
        let from = self.sample.partition_point(|other| *other < cents);
        let count = self.sample[from..].iter().take_while(|other| **other == cents).count();
        (count + 1) as f64 / (self.sample.len() + 1) as f64
    }
}
