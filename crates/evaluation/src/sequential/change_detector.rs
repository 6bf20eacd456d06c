//! A detector of changes in the law of the game, by ranks.

use serde::{Deserialize, Serialize};

use crate::returns::TargetCounts;

/// The shifts of the mean normal score that it looks for: 1, 2 and 4 times the first, both ways.
const SHIFT: f64 = 0.1;

/// The normal scores below which the lowest 5 %, and above which the highest 3 %, of ranks lie.
const LOW_Z: f64 = -1.644_853_626_951_472_7;
const HIGH_Z: f64 = 1.880_793_608_151_251;
const LOW: f64 = 0.05;
const HIGH: f64 = 0.03;

/// The shares of ranks in the lowest 5 % and the highest 3 % that it looks for. The return of a
/// game moves the share of 1.00x most of all, and a new cap empties the top.
const LOW_SHARES: [f64; 2] = [0.025, 0.10];
const HIGH_SHARES: [f64; 2] = [0.0075, 0.06];

/// The number of alternatives: six shifts, two shares at each end.
const ALTERNATIVES: usize = 10;

/// The minimum mean number of rounds between two false notes on a change, and so the evidence at which
/// a change is noticed. In n rounds without a change a false note has a probability of at most n over
/// this: 1 % in 3,000 rounds.
pub const FALSE_CHANGE_ROUNDS: u64 = 300_000;

/// An e-detector for a change of law: the mean of one Shiryaev-Roberts statistic per alternative
/// (Shin, Ramdas and Rinaldo 2024).
///
/// It watches the normal scores of sequential ranks, which are independent N(0, 1) while the rounds
/// are exchangeable, whatever their law. Then the statistic after n rounds has the mean n, and is a
/// submartingale; so by Doob's inequality it reaches the threshold within n rounds with a
/// probability of at most n over the threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeDetector {
    rounds: u64,
    alternatives: [Alternative; ALTERNATIVES],
}

/// The evidence for one alternative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Alternative {
    /// The Shiryaev-Roberts statistic.
    evidence: f64,
    /// ln of the likelihood ratio since the most likely start of the change (Page 1954).
    ln_since: f64,
    /// The counts of the epoch before that start.
    before: TargetCounts,
}

impl ChangeDetector {
    /// Returns a detector before any round.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the score of a round; `before` counts the rounds of the epoch before it. If a change is
    /// noticed, returns the counts of the epoch before the most likely start of the change.
    pub fn update(&mut self, z: f64, before: &TargetCounts) -> Option<TargetCounts> {
        self.rounds += 1;
        for (it, ln_ratio) in self.alternatives.iter_mut().zip(ln_ratios(z)) {
            it.evidence = (it.evidence + 1.0) * ln_ratio.exp();
            if it.ln_since <= 0.0 {
                (it.ln_since, it.before) = (0.0, *before);
            }
            it.ln_since += ln_ratio;
        }
        (self.level() >= FALSE_CHANGE_ROUNDS as f64).then(|| self.likeliest().before)
    }

    /// Returns the evidence for a change; it is noticed at [`FALSE_CHANGE_ROUNDS`].
    pub fn level(&self) -> f64 {
        self.alternatives.iter().map(|it| it.evidence).sum::<f64>() / ALTERNATIVES as f64
    }

    /// Returns the number of rounds.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the alternative with the most evidence.
    fn likeliest(&self) -> &Alternative {
        let more = |a: &&Alternative, b: &&Alternative| a.evidence.total_cmp(&b.evidence);
        self.alternatives.iter().max_by(more).expect("there are ten alternatives")
    }
}

/// Returns ln of the likelihood ratio of each alternative to N(0, 1) at this score.
fn ln_ratios(z: f64) -> [f64; ALTERNATIVES] {
    let shift = |size: f64| size * z - size * size / 2.0;
    let share = |is_inside: bool, p: f64, q: f64| {
        if is_inside { (q / p).ln() } else { ((1.0 - q) / (1.0 - p)).ln() }
    };
    [
        shift(-4.0 * SHIFT),
        shift(-2.0 * SHIFT),
        shift(-SHIFT),
        shift(SHIFT),
        shift(2.0 * SHIFT),
        shift(4.0 * SHIFT),
        share(z < LOW_Z, LOW, LOW_SHARES[0]),
        share(z < LOW_Z, LOW, LOW_SHARES[1]),
        share(z > HIGH_Z, HIGH, HIGH_SHARES[0]),
        share(z > HIGH_Z, HIGH, HIGH_SHARES[1]),
    ]
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::normal;
    use crate::pit::SplitMix64;

    fn counts(rounds: u64) -> TargetCounts {
        let mut counts = TargetCounts::new();
        for _ in 0..rounds {
            counts.update(200);
        }
        counts
    }

    #[test]
    fn under_the_null_hypothesis_each_statistic_grows_by_one_per_round_on_average() {
        // The integral is split where a share begins.
        let pieces = [(-12.0, LOW_Z), (LOW_Z, HIGH_Z), (HIGH_Z, 12.0)];
        for alternative in 0..ALTERNATIVES {
            for (sign, is_fair) in [(1.0, true), (-1.0, false)] {
                let growth = |z: f64| {
                    (sign * ln_ratios(z)[alternative] - z * z / 2.0).exp() / (2.0 * PI).sqrt()
                };
                let mean: f64 = pieces
                    .iter()
                    .map(|&(from, to)| {
                        let h = (to - from) / 2000.0;
                        let middle = |i: u32| from + h * (f64::from(i) + 0.5);
                        (0..2000).map(|i| h * growth(middle(i))).sum::<f64>()
                    })
                    .sum();
                assert_eq!((mean - 1.0).abs() < 1e-5, is_fair, "{alternative}: {mean}");
            }
        }
        assert!((normal::cdf(LOW_Z) - LOW).abs() < 1e-12);
        assert!((normal::survival(HIGH_Z) - HIGH).abs() < 1e-12);
    }

    #[test]
    fn a_shift_is_noticed_where_it_began_and_standard_normal_scores_raise_no_alarm() {
        let mut random = SplitMix64::new(11);
        let mut detector = ChangeDetector::new();
        for t in 0..2000 {
            assert_eq!(detector.update(random.normal(), &counts(t)), None);
        }
        let noticed = (2000..4000).find_map(|t| {
            detector.update(random.normal() - 0.35, &counts(t)).map(|before| (t, before))
        });
        let (t, before) = noticed.unwrap();
        assert!(t < 2600, "{t}");
        assert!((1900..2100).contains(&before.rounds()), "{}", before.rounds());
    }
}
