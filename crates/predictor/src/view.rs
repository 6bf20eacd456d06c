//! Makes the snapshot: what the API shows of everything the loop knows.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use evaluation::TARGETS;
use evaluation::law::MEDIAN;
use rounds::{Origin, Round};
use serde_json::Value;

use crate::config::Config;
use crate::engine::{Engine, Settlement};
use crate::forecast::{Forecast, MEMBERS, house_probabilities};
use crate::intake::Intake;
use crate::keeper::Keeper;
use crate::series::Series;
use crate::snapshot::{
    Data, Forecasts, HISTORY_MAX, Indicators, Interval, Member, PastPrediction, Prediction,
    Probability, RECENT_MAX, RecentRound, Snapshot,
};
use crate::statistics::RunningStatistics;
use crate::trainings::Trainings;

/// The collector's word on itself, beside its files.
const COLLECTOR_STATUS: &str = "status.json";
/// A status file larger than this is not the collector's.
const COLLECTOR_STATUS_BYTES_MAX: u64 = 64 * 1024;
/// The point is called higher or lower than the last multiplier beyond this share of it.
const FLAT_SHARE: f64 = 0.01;

/// What is kept for showing only.
#[derive(Debug, Default)]
pub(crate) struct View {
    statistics: RunningStatistics,
    recent: VecDeque<RecentRound>,
    past: VecDeque<PastPrediction>,
    void: u64,
}

/// Everything a snapshot is made from.
pub(crate) struct Picture<'a> {
    pub(crate) config: &'a Config,
    pub(crate) engine: &'a Engine,
    pub(crate) series: &'a Series,
    pub(crate) trainings: &'a Trainings,
    pub(crate) intake: &'a Intake,
    pub(crate) keeper: &'a Keeper,
    pub(crate) trouble: Option<&'a str>,
    pub(crate) watch: &'static str,
    pub(crate) origin: Option<Origin>,
    pub(crate) rebuilds: u64,
    pub(crate) started_at: DateTime<Utc>,
}

impl View {
    /// Takes the next round and what was forecast for it.
    pub(crate) fn round(&mut self, round: Round, settlement: Option<&Settlement>) {
        let multiplier = round.multiplier.as_f64();
        let forecast = settlement.map(|settlement| &settlement.forecast);
        self.statistics.push(round.multiplier);
        self.recent.push_back(RecentRound {
            time: round.time,
            multiplier,
            lo: forecast.map(|forecast| forecast.interval80.0),
            hi: forecast.map(|forecast| forecast.interval80.1),
            point: forecast.map(Forecast::calibrated),
            inside: forecast.map(|forecast| forecast.holds(multiplier)),
        });
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        if let Some(forecast) = forecast {
            self.past.push_front(past(forecast, Some(round)));
            self.past.truncate(HISTORY_MAX);
        }
    }

    /// Counts a forecast whose round is not the one it was settled by.
    pub(crate) fn void(&mut self) {
        self.void += 1;
    }

    /// The whole picture.
    pub(crate) fn snapshot(&self, from: &Picture<'_>) -> Snapshot {
        let engine = from.engine;
        let last = engine.last();
        let is_simulated = from.origin == Some(Origin::Simulated);
        let training = from.trainings.view(engine.rounds(), engine.next_training_at());
        let tally = engine.tally();
        Snapshot {
            model_trained: engine.installed().is_some(),
            model_accuracy: from.trainings.accuracy().cloned(),
            current_prediction: engine
                .open()
                .filter(|_| engine.installed().is_some())
                .map(|open| prediction(open, is_simulated)),
            prediction_history: self.history(engine.open()),
            auto_train_enabled: from.config.auto_train_enabled,
            csv_file: from.series.last_file().map(str::to_owned),
            csv_records: engine.rounds(),
            latest_multiplier: last.map(|last| last.multiplier.as_f64()),
            latest_timestamp: last.map(|last| last.time),
            simulated: is_simulated,
            origin: from.origin.unwrap_or(Origin::Recorded).word(),
            data_dir: from.config.data_dir.display().to_string(),
            indicators: Indicators {
                auto_sync_active: from.trouble.is_none(),
                model_trained: engine.installed().is_some(),
                auto_training: training.running,
                data_synced: from.trouble.is_none() && last.is_some(),
            },
            training,
            statistics: self.statistics.figures(),
            recent: self.recent.iter().copied().collect(),
            data: Data {
                duplicates_removed: from.series.duplicates(),
                watch: from.watch,
                rebuilds: from.rebuilds,
                last_error: from.trouble.map(str::to_owned),
                ..from.intake.view()
            },
            collector: collector_status(&from.config.data_dir),
            scorecard: None,
            lights: None,
            verdict: None,
            forecasts: Forecasts {
                kept_in: from.keeper.path().map(|path| path.display().to_string()),
                settled: tally.settled,
                late: tally.late,
                missed: tally.missed,
                void: self.void,
            },
            version: env!("CARGO_PKG_VERSION"),
            started_at: from.started_at,
        }
    }

    /// The open forecast and the last settled ones, newest first.
    fn history(&self, open: Option<&Forecast>) -> Vec<PastPrediction> {
        let open = open.map(|open| past(open, None));
        open.into_iter().chain(self.past.iter().cloned()).take(HISTORY_MAX).collect()
    }
}

fn past(forecast: &Forecast, round: Option<Round>) -> PastPrediction {
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

fn prediction(forecast: &Forecast, is_simulated: bool) -> Prediction {
    let interval = |(lo, hi): (f64, f64), level| Interval { lo, hi, level };
    let house = house_probabilities();
    let chances = TARGETS.iter().zip(forecast.probabilities).zip(house);
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
                multiplier: evaluation::law::point_from_mean_ln(mean_ln),
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

/// Nothing when there is none, or half of one: it is written whole, so the next look finds it.
fn collector_status(dir: &Path) -> Option<Value> {
    let path = dir.join(COLLECTOR_STATUS);
    let is_small = fs::metadata(&path).is_ok_and(|it| it.len() <= COLLECTOR_STATUS_BYTES_MAX);
    let text = if is_small { fs::read(&path).ok()? } else { return None };
    serde_json::from_slice(&text).ok().filter(Value::is_object)
}
