//! A detector of changes in the law of the game, by ranks.

use serde::{Deserialize, Serialize};

use crate::returns::TargetCounts;

/// The shifts of the mean normal score that it looks for: 1, 2 and 4 times the first, both ways.
const SHIFT: f64 = 0.1;

/// Ends of the ranks whose share it watches, and what it looks for there: the share of the lowest 4 %
/// or 8 % of ranks, because the rounds at 1.00x are 4 % at a return of .97, 8 % at .93, and what the
/// return moves most; and that of the highest 3 %, which a new cap empties.
const ENDS: [End; 6] = [
    End { beyond: End::LOWEST_4, share: 0.04, changed: 0.08 },
    End { beyond: End::LOWEST_4, share: 0.04, changed: 0.02 },
    End { beyond: End::LOWEST_8, share: 0.08, changed: 0.13 },
    End { beyond: End::LOWEST_8, share: 0.08, changed: 0.04 },
    End { beyond: End::HIGHEST_3, share: 0.03, changed: 0.06 },
    End { beyond: End::HIGHEST_3, share: 0.03, changed: 0.0075 },
];

/// The number of alternatives: six shifts and the ends.
const ALTERNATIVES: usize = 12;

/// The minimum mean number of rounds between two false notes on a change, and so the evidence at which
/// a change is noticed. In n rounds without a change a false note has a probability of at most n over
/// this: 0.3 % in 3,000 rounds.
pub const FALSE_CHANGE_ROUNDS: u64 = 1_000_000;

/// A share of ranks at one end that has changed.
#[derive(Clone, Copy)]
struct End {
    /// The normal score where the end begins: at or below it if negative, else above it.
    beyond: f64,
    /// The share of ranks in the end while nothing changes.
    share: f64,
    /// The share after the change.
    changed: f64,
}

impl End {
    const LOWEST_4: f64 = -1.750_686_071_252_169_5;
    const LOWEST_8: f64 = -1.405_071_560_309_632_6;
    const HIGHEST_3: f64 = 1.880_793_608_151_251;

    /// Returns ln of the likelihood ratio at this normal score.
    fn ln_ratio(self, z: f64) -> f64 {
        let is_inside = if self.beyond < 0.0 { z <= self.beyond } else { z > self.beyond };
        if is_inside {
            (self.changed / self.share).ln()
        } else {
            ((1.0 - self.changed) / (1.0 - self.share)).ln()
        }
    }
}

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
        self.alternatives.iter().max_by(more).expect("there are twelve alternatives")
    }
}

/// Returns ln of the likelihood ratio of each alternative to N(0, 1) at this score.
fn ln_ratios(z: f64) -> [f64; ALTERNATIVES] {
    let mut ratios = [0.0; ALTERNATIVES];
    for (ratio, size) in ratios.iter_mut().zip([-4.0, -2.0, -1.0, 1.0, 2.0, 4.0]) {
        let shift = size * SHIFT;
        *ratio = shift * z - shift * shift / 2.0;
    }
    for (ratio, end) in ratios[6..].iter_mut().zip(ENDS) {
        *ratio = end.ln_ratio(z);
    }
    ratios
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

    /// The mean of a likelihood ratio over N(0, 1), by pieces within which it is smooth.
    fn expected(ln_ratio: impl Fn(f64) -> f64) -> f64 {
        let density = |z: f64| (ln_ratio(z) - z * z / 2.0).exp() / (2.0 * PI).sqrt();
        let piece = |from: f64, to: f64| -> f64 {
            let h = (to - from) / 2000.0;
            (0..2000).map(|i| h * density(from + h * (f64::from(i) + 0.5))).sum()
        };
        piece(-12.0, End::LOWEST_4)
            + piece(End::LOWEST_4, End::LOWEST_8)
            + piece(End::LOWEST_8, End::HIGHEST_3)
            + piece(End::HIGHEST_3, 12.0)
    }

    #[test]
    fn under_the_null_hypothesis_each_statistic_grows_by_one_per_round_on_average() {
        for alternative in 0..ALTERNATIVES {
            let mean = expected(|z| ln_ratios(z)[alternative]);
            assert!((mean - 1.0).abs() < 1e-5, "{alternative}: {mean}");
            let wrong_sign = expected(|z| -ln_ratios(z)[alternative]);
            assert!(wrong_sign > 1.0 + 1e-3, "{alternative}: {wrong_sign}");
        }
        for end in ENDS {
            assert!((normal::cdf(-end.beyond.abs()) - end.share).abs() < 1e-12);
        }
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
