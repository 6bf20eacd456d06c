//! A forecast for one round, complete before the round is played.

use chrono::{DateTime, Utc};
use evaluation::{HouseLaw, TARGETS, TiltedLaw, house_law};
use features::FeatureRow;
use serde::{Deserialize, Serialize};

use crate::history::{HistoryChain, HistoryHash};

/// The learners of the ensemble, in the order of [`Means::members`].
pub const MEMBERS: [&str; 3] = ["random_forest", "gradient_boosting", "linear_regression"];

/// Limit of |E ln M|; beyond it the point forecast, 1.94^(mean/m0), overflows a 64-bit float.
const MEAN_LN_ABS_MAX: f64 = 1000.0;
/// Limit of whole numbers: JSON numbers are exact up to here.
const COUNT_MAX: u64 = 1 << 53;

/// The learners' forecasts of ln M of the next round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// Forecast of each learner, in the order of [`MEMBERS`].
    pub members: [f64; 3],
    /// Their weighted mean: the forecast of the ensemble.
    pub mean: f64,
}

/// A fitted model that forecasts ln M.
pub trait Forecaster: Send + Sync + std::fmt::Debug {
    /// Returns the expectation of ln M of the round after those from which the row was computed.
    fn means(&self, row: &FeatureRow) -> Means;
}

/// What a served forecast rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The house law: nothing has been shown to be better.
    House,
    /// The observed frequencies, where the rounds do not follow the house law.
    Climatology,
    /// The models, weighed by trust, once they have proved better than both.
    Models,
}

impl Basis {
    fn of_earlier_versions() -> Self {
        Self::Models
    }
}

/// The models' own law: the house law, tilted towards the learners' forecast as far as trust goes. It is
/// what the models would have us serve; until they have earned it, it is only shown and scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The law of the house, which is tilted.
    pub house: HouseLaw,
    /// Trust: the weight of the learners' forecast, 0 to 1.
    pub kappa: f64,
    /// Scale of the law.
    pub scale: f64,
}

impl Candidate {
    /// Returns the law.
    pub fn law(&self) -> TiltedLaw {
        self.house.tilted(self.scale)
    }
}

/// A complete forecast for one round: it can be scored from this and the rounds before it alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Number of the round, counted from 1.
    pub round: u64,
    /// Time of issue.
    pub issued_at: DateTime<Utc>,
    /// Time at which the last round known to it ended.
    pub after: DateTime<Utc>,
    /// Multiplier of that round.
    pub last_actual: f64,
    /// Version of the model, counted from 1.
    pub model_version: u64,
    /// Number of rounds on which the model was trained.
    pub trained_on: u64,
    /// Hash of the rounds before this one.
    #[serde(default)]
    pub history: HistoryHash,
    /// Hash of the rounds on which the model was trained.
    #[serde(default)]
    pub model_history: HistoryHash,
    /// The learners' forecasts.
    pub means: Means,
    /// Trust: the weight of the learners' forecast in the models' own law, 0 to 1.
    pub kappa: f64,
    /// Scale of the models' own law.
    pub scale: f64,
    /// The law of the house. Lines of the ledger leave out the default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub house: HouseLaw,
    /// What is served. Versions that did not write it served the models' own law.
    #[serde(default = "Basis::of_earlier_versions")]
    pub basis: Basis,
    /// Median of the observed frequencies, if these are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_median: Option<f64>,
    /// Probability of reaching each of [`TARGETS`] under the served law.
    pub probabilities: [f64; 5],
    /// Both ends of the 80 % interval.
    pub interval80: (f64, f64),
    /// Both ends of the 90 % interval.
    pub interval90: (f64, f64),
    /// Whether betting on its round was already closed when it was issued; it then counts in no test.
    pub late: bool,
}

impl Forecast {
    /// Returns whether all its numbers are in the ranges of served forecasts.
    pub fn is_possible(&self) -> bool {
        let Means { members, mean } = self.means;
        let is_interval = |(lo, hi): (f64, f64)| 1.0 <= lo && lo <= hi;
        let is_count = |count: u64| count <= COUNT_MAX;
        [self.round, self.model_version, self.trained_on].into_iter().all(is_count)
            && members.into_iter().chain([mean]).all(|mean| mean.abs() <= MEAN_LN_ABS_MAX)
            && self.last_actual >= 1.0
            && (0.0..=1.0).contains(&self.kappa)
            && house_law::SCALES.contains(&self.scale)
            && self.observed_median.is_none_or(|median| median >= 1.0)
            && self.probabilities.iter().all(|chance| (0.0..=1.0).contains(chance))
            && is_interval(self.interval80)
            && is_interval(self.interval90)
    }

    /// Returns the point forecast of the ensemble before shrinkage.
    pub fn point(&self) -> f64 {
        self.house.point_from_mean_ln(self.means.mean)
    }

    /// Returns the models' own law.
    pub fn candidate(&self) -> Candidate {
        Candidate { house: self.house, kappa: self.kappa, scale: self.scale }
    }

    /// Returns the weight of the learners' forecast in the served one, 0 to 1.
    pub fn served_kappa(&self) -> f64 {
        if self.basis == Basis::Models { self.kappa } else { 0.0 }
    }

    /// Returns the served point forecast: the median of what is served.
    pub fn median(&self) -> f64 {
        let law = || self.law().unwrap_or(self.house.untilted());
        self.observed_median.unwrap_or_else(|| law().median())
    }

    /// Returns the served law; `None` for the observed frequencies, which are not of this family.
    pub fn law(&self) -> Option<TiltedLaw> {
        match self.basis {
            Basis::House => Some(self.house.untilted()),
            Basis::Climatology => None,
            Basis::Models => Some(self.candidate().law()),
        }
    }

    /// Returns the law of the ensemble before shrinkage.
    pub fn ensemble_law(&self) -> TiltedLaw {
        self.house.tilted(self.house.scale_from_mean_ln(self.means.mean))
    }

    /// Returns the number of rounds before this one.
    pub fn rounds_before(&self) -> u64 {
        self.round.saturating_sub(1)
    }

    /// Returns whether it was made after the first of these rounds.
    pub fn is_after(&self, rounds: &HistoryChain) -> bool {
        rounds.contains(self.rounds_before(), self.history)
    }

    /// Returns whether its model was trained on some of the first of these rounds, and on none from its
    /// own round on.
    pub fn is_model_of(&self, rounds: &HistoryChain) -> bool {
        self.trained_on < self.round && rounds.contains(self.trained_on, self.model_history)
    }

    /// Returns whether both forecasts are for the same round, made after the same rounds.
    pub fn is_for_the_round_of(&self, other: &Self) -> bool {
        (self.round, self.history) == (other.round, other.history)
    }

    /// Returns whether the 80 % interval contains the multiplier.
    pub fn holds(&self, multiplier: f64) -> bool {
        (self.interval80.0..=self.interval80.1).contains(&multiplier)
    }
}

fn is_default(house: &HouseLaw) -> bool {
    *house == HouseLaw::default()
}

/// Returns the probability of reaching each of [`TARGETS`] in a fair game of the default law.
pub fn house_probabilities() -> [f64; 5] {
    let house = HouseLaw::default();
    TARGETS.map(|target| house.survival(target))
}
