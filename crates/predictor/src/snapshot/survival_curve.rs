//! The share of rounds that reached each multiplier, beside the share of a fair game.

use std::sync::LazyLock;

use evaluation::HouseLaw;
use rounds::Multiplier;
use serde::Serialize;

/// Ratio of neighbouring marks; they are at least a hundredth apart.
const RATIO: f64 = 1.02;
const FIRST_CENTS: u64 = 101;
/// The last mark, a million; the few rounds beyond it are counted there.
const LAST_CENTS: u64 = 100_000_000;
/// Number of points returned.
const POINTS: usize = 60;
/// Number of standard deviations within which 95 % of a normal distribution lie.
const Z95: f64 = 1.959_963_984_540_054;

/// The multipliers, in hundredths, at which rounds are counted.
static MARKS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut marks = vec![FIRST_CENTS];
    let mut mark = FIRST_CENTS;
    while mark < LAST_CENTS {
        mark = (mark + 1).max(times_ratio(mark)).min(LAST_CENTS);
        marks.push(mark);
    }
    marks
});

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and far below 2^52"
)]
fn times_ratio(cents: u64) -> u64 {
    (cents as f64 * RATIO).round() as u64
}

/// Counts of rounds by the highest mark they reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct SurvivalCurve {
    rounds: u64,
    /// Rounds that reached this mark but not the next one.
    counts: Vec<u64>,
}

/// One point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct CurvePoint {
    pub(crate) multiplier: f64,
    /// Share of rounds that reached it, with the ends of Wilson's 95 % interval.
    pub(crate) observed: f64,
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    /// The share that the law of the game gives.
    pub(crate) house: f64,
}

impl SurvivalCurve {
    /// Adds a round.
    pub(crate) fn push(&mut self, multiplier: Multiplier) {
        self.rounds += 1;
        let cents = multiplier.cents();
        let reached = MARKS.partition_point(|&mark| mark <= cents);
        if reached > self.counts.len() {
            self.counts.resize(reached, 0);
        }
        if let Some(last) = reached.checked_sub(1) {
            self.counts[last] += 1;
        }
    }

    /// Returns the number of rounds.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns about sixty points, from 1.01 to the largest mark that was reached, beside this law.
    pub(crate) fn points(&self, house: &HouseLaw) -> Vec<CurvePoint> {
        let mut reached = 0;
        let mut at_least: Vec<u64> = self
            .counts
            .iter()
            .rev()
            .map(|count| {
                reached += count;
                reached
            })
            .collect();
        at_least.reverse();
        let point = |index: usize| {
            let multiplier = MARKS[index] as f64 / 100.0;
            let (lo, hi) = wilson(at_least[index], self.rounds);
            let observed = at_least[index] as f64 / self.rounds as f64;
            CurvePoint { multiplier, observed, lo, hi, house: house.survival(multiplier) }
        };
        chosen(at_least.len()).map(point).collect()
    }
}

/// Returns at most [`POINTS`] of `count` indices, the first and the last among them.
fn chosen(count: usize) -> impl Iterator<Item = usize> {
    let points = count.min(POINTS);
    (0..points).map(move |point| if points < 2 { 0 } else { point * (count - 1) / (points - 1) })
}

/// Wilson's score interval for a share (Wilson 1927), which stays between 0 and 1.
fn wilson(hits: u64, trials: u64) -> (f64, f64) {
    let (n, p) = (trials as f64, hits as f64 / trials as f64);
    let z2 = Z95 * Z95;
    let centre = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cents: &[u64]) -> SurvivalCurve {
        let mut distribution = SurvivalCurve::default();
        for &cents in cents {
            distribution.push(Multiplier::from_cents(cents).unwrap());
        }
        distribution
    }

    #[test]
    fn each_share_is_that_of_the_rounds_that_reached_the_multiplier() {
        let cents: Vec<u64> = (0..3000).map(|i| 100 + (i * i * 31) % 25_000).collect();
        let distribution = of(&cents);
        let points = distribution.points(&HouseLaw::default());
        assert_eq!((distribution.rounds(), points.len()), (3000, POINTS));
        assert!(points.is_sorted_by(|a, b| a.multiplier < b.multiplier));
        for point in &points {
            let reached = cents.iter().filter(|&&it| it as f64 / 100.0 >= point.multiplier).count();
            assert_eq!(point.observed.to_bits(), (reached as f64 / 3000.0).to_bits(), "{point:?}");
            assert!(0.0 <= point.lo && point.lo <= point.observed && point.observed <= point.hi);
        }
        assert_eq!(points[0].multiplier.to_bits(), 1.01f64.to_bits());
        let largest = cents.iter().copied().max().unwrap() as f64 / 100.0;
        let last = points.last().unwrap().multiplier;
        assert!(last <= largest && largest < last * 1.03, "{last} of {largest}");
    }

    #[test]
    fn the_house_keeps_three_percent_at_every_multiplier() {
        for point in of(&[100, 200, 300, 12_345]).points(&HouseLaw::default()) {
            assert!((point.house - 0.97 / point.multiplier).abs() < 1e-12, "{point:?}");
        }
    }

    /// The expected values come from other programs, without a continuity correction.
    #[test]
    fn the_interval_is_wilsons() {
        for ((hits, trials), (lo, hi)) in [
            ((5, 10), (0.236_593_1, 0.763_406_9)),
            ((0, 10), (0.0, 0.277_532_8)),
            ((10, 10), (0.722_467_2, 1.0)),
            ((97, 200), (0.416_673_9, 0.553_891_5)),
        ] {
            let (a, b) = wilson(hits, trials);
            assert!((a - lo).abs() < 1e-6 && (b - hi).abs() < 1e-6, "{hits}/{trials}: {a} {b}");
        }
    }

    #[test]
    fn few_rounds_and_enormous_ones_are_counted_too() {
        assert_eq!(of(&[]).points(&HouseLaw::default()), []);
        assert_eq!(of(&[100, 100]).points(&HouseLaw::default()), [], "nothing reached 1.01");
        assert_eq!(of(&[101]).points(&HouseLaw::default()).len(), 1);
        let huge = of(&[u64::MAX / 1000, 150]).points(&HouseLaw::default());
        assert_eq!(huge.len(), POINTS);
        assert_eq!(huge.last().unwrap().multiplier.to_bits(), 1e6f64.to_bits());
        assert_eq!(huge.last().unwrap().observed.to_bits(), 0.5f64.to_bits());
    }
}
