//! The open forecast and those before it.

use chrono::{DateTime, Utc};
use evaluation::{HouseLaw, TiltedLaw};
use serde::Serialize;

/// The open forecast.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those clients of the original read")]
pub(crate) struct Prediction {
    pub(crate) predicted_multiplier: f64,
    pub(crate) prediction_range: String,
    pub(crate) confidence: u8,
    pub(crate) last_actual: f64,
    pub(crate) trend: &'static str,
    pub(crate) predicted_at: DateTime<Utc>,
    pub(crate) data_points_used: u64,
    pub(crate) calibrated_multiplier: f64,
    pub(crate) kappa: f64,
    pub(crate) scale: f64,
    pub(crate) house_multiplier: f64,
    pub(crate) interval: Interval,
    pub(crate) interval90: Interval,
    pub(crate) probabilities: Vec<Probability>,
    pub(crate) members: Vec<Member>,
    pub(crate) model_version: u64,
    pub(crate) for_round: u64,
    pub(crate) late: bool,
    pub(crate) simulated: bool,
}

impl Prediction {
    /// Chances to reach other targets than the five.
    pub(crate) fn chances(&self, targets: &[f64]) -> Vec<Probability> {
        let (law, house) = (TiltedLaw::new(self.scale), HouseLaw::default());
        let chance = |&target: &f64| Probability {
            target,
            probability: law.survival(target),
            house: house.survival(target),
            break_even: 1.0 / target,
        };
        targets.iter().map(chance).collect()
    }
}

/// Between `lo` and `hi` with probability `level`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Interval {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) level: f64,
}

/// The chance to reach a cash-out target.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::struct_field_names, reason = "`probability` says whose: ours, not the house's")]
pub(crate) struct Probability {
    pub(crate) target: f64,
    pub(crate) probability: f64,
    pub(crate) house: f64,
    pub(crate) break_even: f64,
}

/// What one learner says.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) mean_ln: f64,
    pub(crate) multiplier: f64,
}

/// A forecast whose round has been played, or the open one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PastPrediction {
    pub(crate) round: u64,
    pub(crate) predicted_at: DateTime<Utc>,
    pub(crate) predicted_multiplier: f64,
    pub(crate) calibrated_multiplier: f64,
    pub(crate) prediction_range: String,
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) actual: Option<f64>,
    pub(crate) inside: Option<bool>,
    pub(crate) late: bool,
    pub(crate) settled_at: Option<DateTime<Utc>>,
}
