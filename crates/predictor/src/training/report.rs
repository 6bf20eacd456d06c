//! The state and the accuracy of trainings, as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api_json;

/// Maximum number of past trainings shown.
pub(crate) const TRAININGS_MAX: usize = 20;

/// The errors of a model on rounds it had not seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Accuracy {
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
    pub(crate) cv_mae: f64,
    pub(crate) cv_std: f64,
    pub(crate) r2_score: f64,
    pub(crate) log_mae: f64,
    pub(crate) baseline: BaselineAccuracy,
    pub(crate) samples_trained: u64,
    pub(crate) samples_tested: u64,
    pub(crate) total_records: u64,
    #[serde(serialize_with = "api_json::time")]
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

/// The state of the trainer.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Training {
    pub(crate) running: bool,
    pub(crate) id: Option<u64>,
    #[serde(serialize_with = "api_json::optional_time")]
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) records: Option<u64>,
    pub(crate) progress: f64,
    pub(crate) queued: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) needed: Option<Needed>,
    pub(crate) next_at_records: u64,
    pub(crate) history: Vec<PastTraining>,
}

/// The number of rounds there are, and the number that a first model needs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Needed {
    pub(crate) have: u64,
    pub(crate) need: u64,
}

/// A training that succeeded.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct PastTraining {
    #[serde(serialize_with = "api_json::time")]
    pub(crate) trained_at: DateTime<Utc>,
    pub(crate) records: u64,
    pub(crate) duration_ms: u64,
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
}
