//! The metrics of a score sheet.

use super::ForecastRecord;
use crate::scores::{
    PointErrors, briers, crps_capped, interval_score, log_crps, log_loss, pinball,
};
use crate::{HouseLaw, TiltedLaw, ln_multiplier, multiplier};

/// The levels of the pinball losses.
pub const PINBALL_LEVELS: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/// A score that a sheet keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Summary` describe them")]
pub enum Metric {
    LogAbsolute,
    AbsoluteAt10,
    Absolute,
    Squared,
    SquaredAt10,
    LogSquared,
    LogCrps,
    CrpsAt20,
    LogLoss,
    Brier1,
    Brier2,
    Brier3,
    Brier4,
    Brier5,
    BrierMean,
    Covered80,
    Covered90,
    IntervalScore80,
    IntervalScore90,
    Pinball05,
    Pinball10,
    Pinball25,
    Pinball50,
    Pinball75,
    Pinball90,
    Pinball95,
}

impl Metric {
    /// Number of metrics.
    pub const COUNT: usize = 26;

    /// All metrics, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::LogAbsolute,
        Self::AbsoluteAt10,
        Self::Absolute,
        Self::Squared,
        Self::SquaredAt10,
        Self::LogSquared,
        Self::LogCrps,
        Self::CrpsAt20,
        Self::LogLoss,
        Self::Brier1,
        Self::Brier2,
        Self::Brier3,
        Self::Brier4,
        Self::Brier5,
        Self::BrierMean,
        Self::Covered80,
        Self::Covered90,
        Self::IntervalScore80,
        Self::IntervalScore90,
        Self::Pinball05,
        Self::Pinball10,
        Self::Pinball25,
        Self::Pinball50,
        Self::Pinball75,
        Self::Pinball90,
        Self::Pinball95,
    ];

    /// The Brier score of each target.
    pub const BRIERS: [Self; 5] =
        [Self::Brier1, Self::Brier2, Self::Brier3, Self::Brier4, Self::Brier5];

    /// The pinball loss at each of [`PINBALL_LEVELS`].
    pub const PINBALLS: [Self; 7] = [
        Self::Pinball05,
        Self::Pinball10,
        Self::Pinball25,
        Self::Pinball50,
        Self::Pinball75,
        Self::Pinball90,
        Self::Pinball95,
    ];
}

/// The scores of one forecast of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    values: [Option<f64>; Metric::COUNT],
}

impl Scores {
    /// Scores the forecast issued before a round of `cents`.
    pub fn of(issued: &ForecastRecord, house: &HouseLaw, cents: u64) -> Self {
        let mut scores = Self::default();
        if let Some(point) = issued.point {
            scores.point(point, cents);
        }
        let law = issued.scale.map(|scale| house.tilted(scale));
        if let Some(law) = &law {
            scores.law(law, cents);
        }
        if let Some(p) = issued.probabilities.or_else(|| law.map(|law| law.probabilities())) {
            scores.probabilities(&p, cents);
        }
        if let Some(interval) = issued.interval80 {
            scores.interval(interval, cents, 0.2, [Metric::Covered80, Metric::IntervalScore80]);
        }
        if let Some(interval) = issued.interval90 {
            scores.interval(interval, cents, 0.1, [Metric::Covered90, Metric::IntervalScore90]);
        }
        scores
    }

    /// Returns one score; `None` where there was no forecast to score.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values[metric as usize]
    }

    pub(super) fn set(&mut self, metric: Metric, score: f64) {
        self.values[metric as usize] = Some(score);
    }

    fn point(&mut self, point: f64, cents: u64) {
        let errors = PointErrors::of(point, cents);
        self.set(Metric::LogAbsolute, errors.log_absolute);
        self.set(Metric::AbsoluteAt10, errors.absolute_at_10);
        self.set(Metric::Absolute, errors.absolute);
        self.set(Metric::Squared, errors.squared);
        self.set(Metric::SquaredAt10, errors.squared_at_10);
        self.set(Metric::LogSquared, errors.log_squared);
    }

    fn law(&mut self, law: &TiltedLaw, cents: u64) {
        let m = multiplier(cents);
        self.set(Metric::LogCrps, log_crps(ln_multiplier(cents), law));
        self.set(Metric::CrpsAt20, crps_capped(m, law, 20.0));
        self.set(Metric::LogLoss, log_loss(cents, law));
        for (metric, tau) in Metric::PINBALLS.into_iter().zip(PINBALL_LEVELS) {
            self.set(metric, pinball(law.quantile(tau), m, tau));
        }
    }

    fn probabilities(&mut self, probabilities: &[f64; 5], cents: u64) {
        let briers = briers(probabilities, cents);
        for (metric, brier) in Metric::BRIERS.into_iter().zip(briers) {
            self.set(metric, brier);
        }
        self.set(Metric::BrierMean, briers.iter().sum::<f64>() / 5.0);
    }

    fn interval(&mut self, (lo, hi): (f64, f64), cents: u64, alpha: f64, into: [Metric; 2]) {
        let m = multiplier(cents);
        // Both ends lie on the cent grid; half a cent absorbs rounding errors.
        let covered = m > lo - 0.005 && m < hi + 0.005;
        self.set(into[0], f64::from(covered));
        self.set(into[1], interval_score((lo, hi), m, alpha));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_metrics_is_complete_and_in_order() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, place);
        }
    }

    #[test]
    fn both_ends_of_an_interval_belong_to_it() {
        let issued = ForecastRecord { interval80: Some((1.07, 9.7)), ..ForecastRecord::default() };
        let covered = |cents| {
            Scores::of(&issued, &HouseLaw::default(), cents).get(Metric::Covered80).unwrap() > 0.5
        };
        assert_eq!([106, 107, 500, 970, 971].map(covered), [false, true, true, true, false]);
    }
}
