//! The size of the skill, with anytime-valid confidence bounds.

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};

use crate::confidence_sequence::Estimate;

/// Minimum number of rounds for the asymptotic sequence.
const ROUNDS_MIN: u64 = 100;

/// The round count near which the asymptotic sequence is tightest.
const TIGHTEST: f64 = 500.0;

/// The largest difference between the mean Brier scores of probabilities at most 0.2 apart.
const DIFFERENCE_MAX: f64 = 0.4;

/// The asymptotic confidence sequence of a running mean (Waudby-Smith, Arbour, Sinha, Kennedy and
/// Ramdas 2024): narrow, but valid only in the limit. For display.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AsymptoticCs {
    alpha: f64,
    n: u64,
    mean: f64,
    /// The sum of squared distances from the mean (Welford 1962).
    spread: f64,
}

impl AsymptoticCs {
    /// Returns a sequence with error probability alpha.
    pub fn new(alpha: f64) -> Self {
        Self { alpha, n: 0, mean: 0.0, spread: 0.0 }
    }

    /// Adds one difference.
    pub fn update(&mut self, x: f64) {
        self.n += 1;
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.spread += before * (x - self.mean);
    }

    /// Returns the number of differences so far.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Returns the mean of the differences.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Returns the mean with its bounds, from 100 differences on.
    pub fn estimate(&self) -> Option<Estimate> {
        (self.n >= ROUNDS_MIN).then(|| around(self.mean, self.half_width()))
    }

    /// Returns the half-width of the sequence (Waudby-Smith et al. 2024), with the
    /// parameter rho² that makes it tightest near `TIGHTEST` differences.
    fn half_width(&self) -> f64 {
        let ln_alpha = -2.0 * self.alpha.ln();
        let rho2 = (ln_alpha + ln_alpha.ln() + 1.0) / TIGHTEST;
        let t = self.n as f64;
        let sd = (self.spread / t).max(1e-18).sqrt();
        let grown = t * rho2 + 1.0;
        sd * (2.0 * grown / (t * t * rho2) * (grown.sqrt() / self.alpha).ln()).sqrt()
    }
}

/// The empirical-Bernstein confidence sequence of a running mean of bounded differences (Howard,
/// Ramdas, `McAuliffe` and Sekhon 2021; Choe and Ramdas 2023): about four times wider, but valid at
/// every n. For claims.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BernsteinCs {
    alpha: f64,
    n: u64,
    sum: f64,
    /// The sum of squared distances from the running mean, in units of `DIFFERENCE_MAX` squared.
    variance: f64,
}

impl BernsteinCs {
    /// Returns a sequence with error probability alpha.
    pub fn new(alpha: f64) -> Self {
        Self { alpha, n: 0, sum: 0.0, variance: 0.0 }
    }

    /// Adds one difference of mean Brier scores, clamped to ±0.4.
    pub fn update(&mut self, difference: f64) {
        let x = (difference / DIFFERENCE_MAX).clamp(-1.0, 1.0);
        let mean = if self.n == 0 { 0.0 } else { self.sum / self.n as f64 };
        self.variance += (x - mean) * (x - mean);
        self.sum += x;
        self.n += 1;
    }

    /// Returns the mean with its bounds; `None` before the first difference.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.n == 0 {
            return None;
        }
        let n = self.n as f64;
        let half = DIFFERENCE_MAX * self.boundary() / n;
        Some(around(DIFFERENCE_MAX * self.sum / n, half))
    }

    /// Returns the polynomial stitched boundary (Howard et al. 2021) with eta = 2,
    /// s = 1.4, m = 1 and range c = 2.
    fn boundary(&self) -> f64 {
        let v = self.variance.max(1.0);
        let l = (1.4 * (2.0 * v).ln().ln() + (5.1883 / (self.alpha / 2.0)).ln()).max(0.0);
        let root = 2f64.powf(0.25);
        let k1 = (root + 1.0 / root) / SQRT_2;
        let k2c = f64::midpoint(SQRT_2, 1.0) * 2.0;
        (k1 * k1 * v * l + k2c * k2c * l * l).sqrt() + k2c * l
    }
}

fn around(value: f64, half: f64) -> Estimate {
    Estimate { value, lo: value - half, hi: value + half }
}

/// The skill of a forecaster against a reference, in percent of the reference's mean Brier score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillTrack {
    reference_sum: f64,
    shown: AsymptoticCs,
    claimed: BernsteinCs,
}

/// Skill, in percent, below which an edge is negligible.
pub const NEGLIGIBLE_PERCENT: f64 = 0.5;

impl SkillTrack {
    /// Returns a track without rounds; its sequences have error probability .05.
    pub fn new() -> Self {
        let alpha = 0.05;
        Self {
            reference_sum: 0.0,
            shown: AsymptoticCs::new(alpha),
            claimed: BernsteinCs::new(alpha),
        }
    }

    /// Adds the mean Brier scores of the forecast and of the reference for one round.
    pub fn update(&mut self, ours: f64, reference: f64) {
        self.reference_sum += reference;
        self.shown.update(reference - ours);
        self.claimed.update(reference - ours);
    }

    /// Returns the number of rounds so far.
    pub fn rounds(&self) -> u64 {
        self.shown.n()
    }

    /// Returns the skill in percent with asymptotic bounds, for display; from 100 rounds on.
    pub fn shown_percent(&self) -> Option<Estimate> {
        Some(self.shown.estimate()?.times(self.percent()?))
    }

    /// Returns the skill in percent with bounds that are valid at every n, for claims.
    pub fn claimed_percent(&self) -> Option<Estimate> {
        Some(self.claimed.estimate()?.times(self.percent()?))
    }

    /// Returns whether any edge improves forecasts by less than 0.5 %. This is a claim, so it uses
    /// the bounds that are valid at every n.
    pub fn edge_is_negligible(&self) -> bool {
        self.claimed_percent().is_some_and(|skill| skill.hi < NEGLIGIBLE_PERCENT)
    }

    /// Returns the factor that turns a difference into percent of the reference's mean score.
    fn percent(&self) -> Option<f64> {
        (self.reference_sum > 0.0).then(|| 100.0 * self.rounds() as f64 / self.reference_sum)
    }
}

impl Default for SkillTrack {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::mean_brier;
    use crate::{HouseLaw, TiltedLaw};
    use test_support::simulate::Scenario;

    /// The skill track of a forecaster that always forecasts `scale`, on fair rounds.
    fn track(scale: f64, rounds: usize) -> SkillTrack {
        let (house, ours) = (HouseLaw::default(), TiltedLaw::new(scale));
        let mut track = SkillTrack::new();
        for cents in Scenario::Fair.rounds(rounds, 77) {
            let (p, q) = (house.probabilities(), ours.probabilities());
            track.update(mean_brier(&q, cents), mean_brier(&p, cents));
        }
        track
    }

    #[test]
    fn a_worse_forecast_has_negative_skill_within_both_bounds() {
        let (p, q) = (TiltedLaw::new(1.0).probabilities(), TiltedLaw::new(1.3).probabilities());
        let truth: f64 = -p.iter().zip(q).map(|(p, q)| (q - p) * (q - p)).sum::<f64>() / 5.0;
        let truth = 100.0 * truth / 0.188_202;
        let track = track(1.3, 20_000);
        let (shown, claimed) = (track.shown_percent().unwrap(), track.claimed_percent().unwrap());
        assert!(shown.contains(truth) && claimed.contains(truth), "{truth} {shown:?} {claimed:?}");
        assert!(shown.hi < 0.0 && track.edge_is_negligible());
        assert!(claimed.hi - claimed.lo > 1.2 * (shown.hi - shown.lo));
    }

    #[test]
    fn few_rounds_support_no_statement() {
        assert_eq!(track(1.1, 99).shown_percent(), None);
        assert!(!track(1.1, 100).edge_is_negligible());
        assert_eq!(SkillTrack::new().claimed_percent(), None);
    }
}
