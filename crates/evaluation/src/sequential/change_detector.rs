//! A detector of changes in the level of the game.

use serde::{Deserialize, Serialize};

/// The shifts of the mean normal score that it looks for.
const SHIFTS: [f64; 6] = [-0.4, -0.2, -0.1, 0.1, 0.2, 0.4];

/// The minimum mean number of rounds between false alarms: a week at one round every 30 s.
pub(crate) const THRESHOLD: f64 = 20_000.0;

/// An e-detector for a change of level: the mean of one Shiryaev-Roberts statistic per shift (Shin,
/// Ramdas and Rinaldo 2024).
///
/// While the scores are N(0, 1) given the past, alarms are on average at least 20,000 rounds apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeDetector {
    evidence: [f64; 6],
    rounds: u64,
}

impl ChangeDetector {
    /// Returns a detector before any round.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a score and returns whether it raises an alarm. After an alarm the detector is reset.
    pub fn update(&mut self, z: f64) -> bool {
        self.rounds += 1;
        for (evidence, shift) in self.evidence.iter_mut().zip(SHIFTS) {
            *evidence = (*evidence + 1.0) * (shift * z - shift * shift / 2.0).exp();
        }
        let alarm = self.level() >= THRESHOLD;
        if alarm {
            *self = Self::new();
        }
        alarm
    }

    /// Returns the evidence for a change; an alarm is raised at 20,000.
    pub fn level(&self) -> f64 {
        self.evidence.iter().sum::<f64>() / SHIFTS.len() as f64
    }

    /// Returns the number of rounds since the start or the last alarm.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pit::SplitMix64;

    #[test]
    fn under_the_null_hypothesis_each_statistic_grows_by_one_per_round_on_average() {
        // E M_t = t under the null hypothesis is the property that bounds false alarms. Five-point
        // Gauss-Hermite quadrature is accurate enough.
        let nodes = [
            (-2.856_970_013_872_806, 0.011_257_411_327_720_7),
            (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
            (0.0, 8.0 / 15.0),
            (1.355_626_179_974_266, 0.222_075_922_005_612_6),
            (2.856_970_013_872_806, 0.011_257_411_327_720_7),
        ];
        for shift in SHIFTS {
            let mean: f64 =
                nodes.iter().map(|(z, w)| w * f64::exp(shift * z - shift * shift / 2.0)).sum();
            assert!((mean - 1.0).abs() < 1e-5, "{shift}: {mean}");
        }
    }

    #[test]
    fn a_shift_raises_an_alarm_and_standard_normal_scores_raise_none() {
        let mut random = SplitMix64::new(11);
        let mut detector = ChangeDetector::new();
        assert!((0..2000).all(|_| !detector.update(random.normal())));
        assert!((0..400).any(|_| detector.update(random.normal() - 0.4)));
        assert!(detector.rounds() < 400);
    }
}
