//! The open forecast and past ones, as the API shows them.

use chrono::{DateTime, Utc};
use evaluation::{HouseLaw, TARGETS};
use forecasting::forecast::{Basis, Forecast, MEMBERS};
use rounds::Round;
use serde::Serialize;

use crate::api_json;

/// The open forecast.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_field_names, reason = "clients of the original read these names")]
pub(crate) struct Prediction {
    pub(crate) predicted_multiplier: f64,
    pub(crate) prediction_range: String,
    pub(crate) confidence: u8,
    pub(crate) last_actual: f64,
    pub(crate) trend: &'static str,
    #[serde(serialize_with = "api_json::time")]
    pub(crate) predicted_at: DateTime<Utc>,
    pub(crate) data_points_used: u64,
    pub(crate) calibrated_multiplier: f64,
    pub(crate) served: Basis,
    pub(crate) kappa: f64,
    pub(crate) scale: Option<f64>,
    pub(crate) models_guess: ModelsGuess,
    pub(crate) house_multiplier: f64,
    pub(crate) interval: Interval,
    pub(crate) interval90: Interval,
    pub(crate) probabilities: Vec<Probability>,
    pub(crate) members: Vec<Member>,
    pub(crate) model_version: u64,
    pub(crate) for_round: u64,
    pub(crate) late: bool,
    pub(crate) simulated: bool,
    /// The law of the house.
    #[serde(skip)]
    house_law: HouseLaw,
}

impl Prediction {
    /// Returns the probabilities of these targets, which need not be the five standard ones.
    pub(crate) fn chances(&self, targets: &[f64]) -> Vec<Probability> {
        let house = &self.house_law;
        let served = |target: f64| match self.scale {
            Some(scale) => house.tilted(scale).survival(target),
            None => between_targets(&self.probabilities, target),
        };
        let chance = |&target: &f64| Probability {
            target,
            probability: served(target),
            house: house.survival(target),
            break_even: 1.0 / target,
        };
        targets.iter().map(chance).collect()
    }
}

/// The models' own law, weighted by trust: what would be served if the models had proved better. It is served once it
/// is `proven`; until then it is only shown and scored.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelsGuess {
    pub(crate) proven: bool,
    pub(crate) multiplier: f64,
    pub(crate) trust: f64,
    pub(crate) scale: f64,
    pub(crate) probabilities: [f64; 5],
}

/// The multiplier lies between `lo` and `hi` with probability `level`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Interval {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) level: f64,
}

/// The probability that a round reaches a cash-out target.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "`probability` is the served one, beside the house's"
)]
pub(crate) struct Probability {
    pub(crate) target: f64,
    pub(crate) probability: f64,
    pub(crate) house: f64,
    pub(crate) break_even: f64,
}

/// The forecast of one learner.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) mean_ln: f64,
    pub(crate) multiplier: f64,
}

/// A settled forecast, or the open one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PastPrediction {
    pub(crate) round: u64,
    #[serde(serialize_with = "api_json::time")]
    pub(crate) predicted_at: DateTime<Utc>,
    pub(crate) predicted_multiplier: f64,
    pub(crate) calibrated_multiplier: f64,
    pub(crate) prediction_range: String,
    pub(crate) confidence: u8,
    pub(crate) last_actual: f64,
    pub(crate) trend: &'static str,
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) actual: Option<f64>,
    pub(crate) inside: Option<bool>,
    pub(crate) late: bool,
    #[serde(serialize_with = "api_json::optional_time")]
    pub(crate) settled_at: Option<DateTime<Utc>>,
}

/// The probability of the interval, in percent.
const CONFIDENCE: u8 = 80;
/// The trend is `stable` if the point differs from the last multiplier by no more than this share of it.
const STABLE_SHARE: f64 = 0.01;

/// Returns a forecast as a row of the history; `round` is absent while it is open.
pub(super) fn past(forecast: &Forecast, round: Option<Round>) -> PastPrediction {
    let actual = round.map(|round| round.multiplier.as_f64());
    PastPrediction {
        round: forecast.round,
        predicted_at: forecast.issued_at,
        predicted_multiplier: forecast.point(),
        calibrated_multiplier: forecast.median(),
        prediction_range: range(forecast.interval80),
        confidence: CONFIDENCE,
        last_actual: forecast.last_actual,
        trend: trend(forecast.point(), forecast.last_actual),
        lo: forecast.interval80.0,
        hi: forecast.interval80.1,
        actual,
        inside: actual.map(|actual| forecast.holds(actual)),
        late: forecast.late,
        settled_at: round.map(|round| round.time),
    }
}

/// Returns the open forecast in full.
pub(super) fn prediction(forecast: &Forecast, is_simulated: bool) -> Prediction {
    let interval = |(lo, hi): (f64, f64), level| Interval { lo, hi, level };
    let house = forecast.house;
    let chances = TARGETS.iter().zip(forecast.probabilities).zip(house.probabilities());
    Prediction {
        predicted_multiplier: forecast.point(),
        prediction_range: range(forecast.interval80),
        confidence: CONFIDENCE,
        last_actual: forecast.last_actual,
        trend: trend(forecast.point(), forecast.last_actual),
        predicted_at: forecast.issued_at,
        data_points_used: forecast.round - 1,
        calibrated_multiplier: forecast.median(),
        served: forecast.basis,
        kappa: forecast.served_kappa(),
        scale: forecast.law().map(|law| law.scale()),
        models_guess: ModelsGuess {
            proven: forecast.basis == Basis::Models,
            multiplier: forecast.candidate().law().median(),
            trust: forecast.kappa,
            scale: forecast.scale,
            probabilities: forecast.candidate().law().probabilities(),
        },
        house_multiplier: house.median(),
        interval: interval(forecast.interval80, 0.8),
        interval90: interval(forecast.interval90, 0.9),
        probabilities: chances
            .map(|((&target, probability), house)| Probability {
                target,
                probability,
                house,
                break_even: 1.0 / target,
            })
            .collect(),
        members: MEMBERS
            .iter()
            .zip(forecast.means.members)
            .map(|(&name, mean_ln)| Member {
                name,
                mean_ln,
                multiplier: house.point_from_mean_ln(mean_ln),
            })
            .collect(),
        model_version: forecast.model_version,
        for_round: forecast.round,
        late: forecast.late,
        simulated: is_simulated,
        house_law: house,
    }
}

/// Returns the chance of a target between the standard ones, or beyond them: on a log-log scale, where every
/// tilted house law is a straight line.
fn between_targets(known: &[Probability], target: f64) -> f64 {
    let after = known.partition_point(|it| it.target < target).clamp(1, known.len() - 1);
    let [from, to] = [&known[after - 1], &known[after]];
    let slope = (to.probability / from.probability).ln() / (to.target / from.target).ln();
    (from.probability * (target / from.target).powf(slope)).clamp(0.0, 1.0)
}

fn range((lo, hi): (f64, f64)) -> String {
    format!("{lo:.2} - {hi:.2}")
}

fn trend(point: f64, last: f64) -> &'static str {
    match point / last - 1.0 {
        share if share > STABLE_SHARE => "increasing",
        share if share < -STABLE_SHARE => "decreasing",
        _ => "stable",
    }
}
