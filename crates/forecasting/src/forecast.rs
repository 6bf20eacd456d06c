//! A forecast for one round, complete before the round is played.

use chrono::{DateTime, Utc};
use evaluation::{HouseLaw, TARGETS, TiltedLaw, house_law};
use features::FeatureRow;
use serde::{Deserialize, Serialize};

/// The learners of the ensemble, in the order of [`Means::members`].
pub const MEMBERS: [&str; 3] = ["random_forest", "gradient_boosting", "linear_regression"];

/// Beyond it the point, 1.94^(mean/m0), is no 64-bit number any more.
const MEAN_LN_ABS_MAX: f64 = 1000.0;
/// Whole numbers that JSON carries exactly, with room to count on.
const COUNT_MAX: u64 = 1 << 53;

/// What the learners expect of ln M of the next round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// Each learner, in the order of [`MEMBERS`].
    pub members: [f64; 3],
    /// Their weighted mean: what the ensemble says.
    pub mean: f64,
}

/// Something fitted that can say what it expects.
pub trait Forecaster: Send + Sync + std::fmt::Debug {
    /// The expectation of ln M of the round after those the row was computed from.
    fn means(&self, row: &FeatureRow) -> Means;
}

/// A forecast for one round, complete: it can be scored from this alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Which round, counted from 1.
    pub round: u64,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When the last round known to it ended.
    pub after: DateTime<Utc>,
    /// What that round ended at.
    pub last_actual: f64,
    /// The model that was asked; versions count from 1.
    pub model_version: u64,
    /// Rounds that model was trained on.
    pub trained_on: u64,
    /// What the learners expect.
    pub means: Means,
    /// How much of the model's say is served.
    pub kappa: f64,
    /// Scale of the law that is served.
    pub scale: f64,
    /// Chance to reach each of [`TARGETS`] under that law.
    pub probabilities: [f64; 5],
    /// Both ends of the 80 % interval.
    pub interval80: (f64, f64),
    /// Both ends of the 90 % interval.
    pub interval90: (f64, f64),
    /// Issued when betting on its round was already closed, so it counts in no test.
    pub late: bool,
}

impl Forecast {
    /// Whether all its numbers are such as can be served.
    pub fn is_possible(&self) -> bool {
        let Means { members, mean } = self.means;
        let is_interval = |(lo, hi): (f64, f64)| 1.0 <= lo && lo <= hi;
        let is_count = |count: u64| count <= COUNT_MAX;
        [self.round, self.model_version, self.trained_on].into_iter().all(is_count)
            && members.into_iter().chain([mean]).all(|mean| mean.abs() <= MEAN_LN_ABS_MAX)
            && self.last_actual >= 1.0
            && (0.0..=1.0).contains(&self.kappa)
            && house_law::SCALES.contains(&self.scale)
            && self.probabilities.iter().all(|chance| (0.0..=1.0).contains(chance))
            && is_interval(self.interval80)
            && is_interval(self.interval90)
    }

    /// The ensemble's own point, unshrunk.
    pub fn point(&self) -> f64 {
        house_law::point_from_mean_ln(self.means.mean)
    }

    /// The point that is served: the median of the served law.
    pub fn calibrated(&self) -> f64 {
        self.law().median()
    }

    /// The law that is served.
    pub fn law(&self) -> TiltedLaw {
        TiltedLaw::new(self.scale)
    }

    /// Whether both were made after the same round, for the one that followed it.
    pub fn is_for_the_round_of(&self, other: &Self) -> bool {
        let after = |it: &Self| (it.round, it.after, it.last_actual.to_bits());
        after(self) == after(other)
    }

    /// Whether the 80 % interval holds the multiplier.
    pub fn holds(&self, multiplier: f64) -> bool {
        (self.interval80.0..=self.interval80.1).contains(&multiplier)
    }
}

/// What a fair game gives for each of [`TARGETS`].
pub fn house_probabilities() -> [f64; 5] {
    let house = HouseLaw::default();
    TARGETS.map(|target| house.survival(target))
}
