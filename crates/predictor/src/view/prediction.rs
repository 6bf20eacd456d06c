//! Forecasts as they are shown.

use evaluation::TARGETS;
use evaluation::house_law::MEDIAN;
use rounds::Round;

use crate::forecast::{Forecast, MEMBERS, house_probabilities};
use crate::snapshot::{Interval, Member, PastPrediction, Prediction, Probability};

/// The point is called higher or lower than the last multiplier beyond this share of it.
const FLAT_SHARE: f64 = 0.01;

/// A forecast as a line of the history; `round` is absent while it is open.
pub(super) fn past(forecast: &Forecast, round: Option<Round>) -> PastPrediction {
    let actual = round.map(|round| round.multiplier.as_f64());
    PastPrediction {
        round: forecast.round,
        predicted_at: forecast.issued_at,
        predicted_multiplier: forecast.point(),
        calibrated_multiplier: forecast.calibrated(),
        prediction_range: range(forecast.interval80),
        lo: forecast.interval80.0,
        hi: forecast.interval80.1,
        actual,
        inside: actual.map(|actual| forecast.holds(actual)),
        late: forecast.late,
        settled_at: round.map(|round| round.time),
    }
}

/// The open forecast in full.
pub(super) fn prediction(forecast: &Forecast, is_simulated: bool) -> Prediction {
    let interval = |(lo, hi): (f64, f64), level| Interval { lo, hi, level };
    let chances = TARGETS.iter().zip(forecast.probabilities).zip(house_probabilities());
    Prediction {
        predicted_multiplier: forecast.point(),
        prediction_range: range(forecast.interval80),
        confidence: 80,
        last_actual: forecast.last_actual,
        trend: trend(forecast.point(), forecast.last_actual),
        predicted_at: forecast.issued_at,
        data_points_used: forecast.round - 1,
        calibrated_multiplier: forecast.calibrated(),
        kappa: forecast.kappa,
        scale: forecast.scale,
        house_multiplier: MEDIAN,
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
                multiplier: evaluation::house_law::point_from_mean_ln(mean_ln),
            })
            .collect(),
        model_version: forecast.model_version,
        for_round: forecast.round,
        late: forecast.late,
        simulated: is_simulated,
    }
}

fn range((lo, hi): (f64, f64)) -> String {
    format!("{lo:.2} - {hi:.2}")
}

fn trend(point: f64, last: f64) -> &'static str {
    match point / last - 1.0 {
        share if share > FLAT_SHARE => "up",
        share if share < -FLAT_SHARE => "down",
        _ => "flat",
    }
}
