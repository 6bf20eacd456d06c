//! What HTTP may see: one immutable picture, made whole after every change and swapped in at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use evaluation::{HouseLaw, TiltedLaw};
use serde::Serialize;
use serde_json::Value;

use crate::chronicle::Chronicle;
use crate::scorecard::Report;
use crate::view::LightsView;

/// Rounds shown in `recent`.
pub(crate) const RECENT_MAX: usize = 200;
/// Past predictions shown.
pub(crate) const HISTORY_MAX: usize = 10;
/// Trainings shown.
pub(crate) const TRAININGS_MAX: usize = 20;
/// Rejected rows named one by one.
pub(crate) const REJECTED_MAX: usize = 20;

/// Everything a handler answers from.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) model_trained: bool,
    pub(crate) model_accuracy: Option<Accuracy>,
    pub(crate) current_prediction: Option<Prediction>,
    pub(crate) prediction_history: Vec<PastPrediction>,
    pub(crate) auto_train_enabled: bool,
    pub(crate) csv_file: Option<String>,
    pub(crate) csv_records: u64,
    pub(crate) latest_multiplier: Option<f64>,
    pub(crate) latest_timestamp: Option<DateTime<Utc>>,
    pub(crate) simulated: bool,
    pub(crate) origin: &'static str,
    pub(crate) data_dir: String,
    pub(crate) indicators: Indicators,
    pub(crate) training: Training,
    pub(crate) statistics: Option<Statistics>,
    pub(crate) recent: Vec<RecentRound>,
    pub(crate) data: Data,
    #[serde(skip)]
    pub(crate) collector: Option<Value>,
    pub(crate) scorecard: Option<Report>,
    pub(crate) lights: Option<LightsView>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) forecasts: Forecasts,
    /// Of `/api/history`; shared, not copied.
    #[serde(skip)]
    #[expect(dead_code, reason = "the address that shows it is still to come")]
    pub(crate) chronicle: Arc<Chronicle>,
    pub(crate) version: &'static str,
    pub(crate) started_at: DateTime<Utc>,
}

/// The four lamps of the status bar.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each lamp is on or off by itself")]
pub(crate) struct Indicators {
    pub(crate) auto_sync_active: bool,
    pub(crate) model_trained: bool,
    pub(crate) auto_training: bool,
    pub(crate) data_synced: bool,
}

/// What the model in use did on rounds it had not seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Accuracy {
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
    pub(crate) r2_score: f64,
    pub(crate) log_mae: f64,
    pub(crate) baseline: BaselineAccuracy,
    pub(crate) samples_trained: u64,
    pub(crate) samples_tested: u64,
    pub(crate) total_records: u64,
    pub(crate) trained_at: DateTime<Utc>,
    pub(crate) version: u64,
    pub(crate) duration_ms: u64,
    pub(crate) members: Vec<MemberAccuracy>,
}

/// The constant 1.94 on the same rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct BaselineAccuracy {
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
    pub(crate) log_mae: f64,
}

/// One learner of the ensemble.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MemberAccuracy {
    pub(crate) name: &'static str,
    pub(crate) weight: f64,
    pub(crate) r2_score: Option<f64>,
}

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

/// What the trainer does.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Training {
    pub(crate) running: bool,
    pub(crate) id: Option<u64>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) records: Option<u64>,
    pub(crate) progress: f64,
    pub(crate) queued: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) needed: Option<Needed>,
    pub(crate) next_at_records: u64,
    pub(crate) history: Vec<PastTraining>,
}

/// Rounds there are and rounds a first model needs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Needed {
    pub(crate) have: u64,
    pub(crate) need: u64,
}

/// A training that ended well.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct PastTraining {
    pub(crate) trained_at: DateTime<Utc>,
    pub(crate) records: u64,
    pub(crate) duration_ms: u64,
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
}

/// All multipliers there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Statistics {
    pub(crate) mean: f64,
    pub(crate) std: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) median: f64,
}

/// One of the latest rounds, with what was forecast for it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct RecentRound {
    pub(crate) time: DateTime<Utc>,
    pub(crate) multiplier: f64,
    pub(crate) lo: Option<f64>,
    pub(crate) hi: Option<f64>,
    pub(crate) point: Option<f64>,
    pub(crate) inside: Option<bool>,
}

/// What was read and what could not be.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Data {
    pub(crate) files: Vec<DataFile>,
    pub(crate) rejected_rows: u64,
    pub(crate) rejected_recent: Vec<RejectedRow>,
    pub(crate) torn_bytes: u64,
    pub(crate) duplicates_removed: u64,
    pub(crate) watch: &'static str,
    pub(crate) rebuilds: u64,
    pub(crate) last_error: Option<String>,
}

/// One CSV file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DataFile {
    pub(crate) name: String,
    pub(crate) records: u64,
    pub(crate) rejected: u64,
}

/// A row that was left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RejectedRow {
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// The answer in plain words.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    pub(crate) sentence: String,
    pub(crate) rounds: u64,
    /// What can be said about there being nothing to find.
    pub(crate) absence: Option<String>,
    /// Whether the game has changed.
    pub(crate) change: Option<String>,
}

/// Where forecasts are kept and what became of them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Forecasts {
    pub(crate) kept_in: Option<String>,
    pub(crate) settled: u64,
    pub(crate) late: u64,
    pub(crate) missed: u64,
    pub(crate) void: u64,
}

/// A snapshot as `/api/status` shows it at a given moment.
#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    success: bool,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
    data_age_seconds: Option<f64>,
    collector: Option<Value>,
    now: DateTime<Utc>,
}

impl Snapshot {
    /// Everything, with the ages it has at `now`.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> Status<'_> {
        Status {
            success: true,
            snapshot: self,
            data_age_seconds: self.latest_timestamp.map(|time| seconds_between(time, now)),
            collector: self.collector.clone().map(|status| with_age(status, now)),
            now,
        }
    }
}

fn with_age(mut status: Value, now: DateTime<Utc>) -> Value {
    let updated = status.get("updated_at").and_then(Value::as_str);
    let updated = updated.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let age = updated.map(|updated| seconds_between(updated.to_utc(), now));
    if let Value::Object(fields) = &mut status {
        fields.insert("age_seconds".to_owned(), age.map_or(Value::Null, Value::from));
    }
    status
}

/// Never negative: clocks of two programs may differ a little.
fn seconds_between(earlier: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    ((now - earlier).num_milliseconds() as f64 / 1000.0).max(0.0)
}
