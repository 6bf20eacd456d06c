//! Mean, spread, extremes and median of all multipliers, updated round by round.

use std::collections::BTreeMap;
use std::ops::Bound;

use rounds::Multiplier;

use crate::snapshot::Statistics;

/// Welford's mean and variance, and the count of each multiplier: a million rounds have some ten
/// thousand different ones. The median is a position in these counts, which a new multiplier moves
/// by one value at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningStatistics {
    count: u64,
    mean: f64,
    squares: f64,
    counts: BTreeMap<Multiplier, u64>,
    /// The multiplier in the middle, or the smaller one of the two in the middle.
    middle: Option<Multiplier>,
    /// Multipliers below it.
    below: u64,
}

impl RunningStatistics {
    /// Adds a multiplier.
    pub(crate) fn push(&mut self, multiplier: Multiplier) {
        let m = multiplier.as_f64();
        self.count += 1;
        let before = m - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (m - self.mean);
        *self.counts.entry(multiplier).or_default() += 1;
        let middle = *self.middle.get_or_insert(multiplier);
        self.below += u64::from(multiplier < middle);
        self.find_middle(middle);
    }

    /// Updates the middle; one more multiplier moves it to a neighbouring value at most.
    fn find_middle(&mut self, middle: Multiplier) {
        let wanted = (self.count - 1) / 2;
        let same = self.counts[&middle];
        if wanted < self.below {
            let lower = self.counts.range(..middle).next_back();
            let (&lower, count) = lower.expect("there are some below");
            self.below -= count;
            self.middle = Some(lower);
        } else if wanted >= self.below + same {
            self.below += same;
            self.middle = self.above(middle);
        }
    }

    fn above(&self, middle: Multiplier) -> Option<Multiplier> {
        let mut above = self.counts.range((Bound::Excluded(middle), Bound::Unbounded));
        above.next().map(|(&multiplier, _)| multiplier)
    }

    /// Returns the figures; `None` without rounds. `std` divides by n - 1 and is 0 for one round.
    pub(crate) fn figures(&self) -> Option<Statistics> {
        let (min, max) = (self.counts.first_key_value()?.0, self.counts.last_key_value()?.0);
        let (min, max) = (min.as_f64(), max.as_f64());
        let middle = self.middle?;
        let is_last_of_lower_half = self.below + self.counts[&middle] == self.count / 2;
        let high =
            self.above(middle).filter(|_| self.count.is_multiple_of(2) && is_last_of_lower_half);
        let median = f64::midpoint(middle.as_f64(), high.unwrap_or(middle).as_f64());
        let freedom = self.count.saturating_sub(1).max(1) as f64;
        Some(Statistics { mean: self.mean, std: (self.squares / freedom).sqrt(), min, max, median })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(multipliers: &[f64]) {
        let mut running = RunningStatistics::default();
        let mut pushed: Vec<f64> = Vec::new();
        for &m in multipliers {
            running.push(Multiplier::new(m).unwrap());
            pushed.push(m);
            let mut sorted = pushed.clone();
            sorted.sort_by(f64::total_cmp);
            let n = sorted.len();
            let mean = pushed.iter().sum::<f64>() / n as f64;
            let squares: f64 = pushed.iter().map(|m| (m - mean).powi(2)).sum();
            let figures = running.figures().unwrap();
            let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
            assert!((figures.median - median).abs() < 1e-12, "{pushed:?}: {figures:?}");
            assert!((figures.mean - mean).abs() < 1e-9 * mean, "{pushed:?}: {figures:?}");
            let std = (squares / (n - 1).max(1) as f64).sqrt();
            assert!((figures.std - std).abs() <= 1e-9 * std, "{pushed:?}: {figures:?}");
            assert_eq!(
                (figures.min.to_bits(), figures.max.to_bits()),
                (sorted[0].to_bits(), sorted[n - 1].to_bits())
            );
        }
    }

    #[test]
    fn the_figures_follow_every_round() {
        check(&[2.31]);
        check(&[5.0, 1.0, 3.0, 2.0, 4.0, 1.0, 9.9, 1.0, 1.0]);
        check(&[1.0, 1.0, 1.0, 1.0]);
        check(&[1.5, 100_000.0, 1.94, 12.06, 16.49, 1.0, 2.0]);
    }

    #[test]
    fn no_round_has_no_figures() {
        assert_eq!(RunningStatistics::default().figures(), None);
    }
}
