//! Mean, spread, extremes and median of all multipliers, kept up to date one by one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rounds::Multiplier;

use crate::snapshot::Statistics;

/// Welford's mean and variance, and two heaps that meet at the median.
///
/// Invariant: `lower` holds as many multipliers as `upper` or one more, and none above any of `upper`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningStatistics {
    count: u64,
    mean: f64,
    squares: f64,
    extremes: Option<(f64, f64)>,
    lower: BinaryHeap<Multiplier>,
    upper: BinaryHeap<Reverse<Multiplier>>,
}

impl RunningStatistics {
    /// Takes one more.
    pub(crate) fn push(&mut self, multiplier: Multiplier) {
        let m = multiplier.as_f64();
        self.count += 1;
        let before = m - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (m - self.mean);
        self.extremes = Some(self.extremes.map_or((m, m), |(min, max)| (min.min(m), max.max(m))));
        if self.lower.peek().is_some_and(|&middle| multiplier > middle) {
            self.upper.push(Reverse(multiplier));
        } else {
            self.lower.push(multiplier);
        }
        if self.upper.len() > self.lower.len() {
            self.lower.extend(self.upper.pop().map(|Reverse(it)| it));
        } else if self.lower.len() > self.upper.len() + 1 {
            self.upper.extend(self.lower.pop().map(Reverse));
        }
    }

    /// The figures; none while there is no round. `std` divides by n - 1 and is 0 for one round.
    pub(crate) fn figures(&self) -> Option<Statistics> {
        let (min, max) = self.extremes?;
        let low = self.lower.peek()?.as_f64();
        let median = match self.upper.peek() {
            Some(Reverse(high)) if self.upper.len() == self.lower.len() => {
                f64::midpoint(low, high.as_f64())
            }
            _ => low,
        };
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
        let mut seen: Vec<f64> = Vec::new();
        for &m in multipliers {
            running.push(Multiplier::new(m).unwrap());
            seen.push(m);
            let mut sorted = seen.clone();
            sorted.sort_by(f64::total_cmp);
            let n = sorted.len();
            let mean = seen.iter().sum::<f64>() / n as f64;
            let squares: f64 = seen.iter().map(|m| (m - mean).powi(2)).sum();
            let figures = running.figures().unwrap();
            let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
            assert!((figures.median - median).abs() < 1e-12, "{seen:?}: {figures:?}");
            assert!((figures.mean - mean).abs() < 1e-9 * mean, "{seen:?}: {figures:?}");
            let std = (squares / (n - 1).max(1) as f64).sqrt();
            assert!((figures.std - std).abs() <= 1e-9 * std, "{seen:?}: {figures:?}");
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
