//! The state that HTTP handlers read: immutable, rebuilt after every change and swapped atomically.

pub(crate) mod builder;
pub(crate) mod evidence;
mod prediction;
pub(crate) mod round_history;
mod running_statistics;
mod status_json;
pub(crate) mod survival_curve;

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use forecasting::score_history::ScoreHistory;
use forecasting::scorecard::Report;
use rounds::TableName;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::prediction::{PastPrediction, Prediction, Probability};
pub(crate) use self::status_json::Written;

use crate::input::collector_events::EventLog;
use crate::input::file_stats::Data;
use crate::snapshot::evidence::EvidenceView;
use crate::snapshot::round_history::{HistoryRow, RoundHistory};
use crate::snapshot::survival_curve::SurvivalCurve;
use crate::training::durations::Durations;
use crate::training::report::{Accuracy, Training};

/// Rounds shown in `recent`.
pub(crate) const RECENT_MAX: usize = 200;
/// Past predictions shown.
pub(crate) const HISTORY_MAX: usize = 10;
/// Everything a handler answers from.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) table: TableName,
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
    pub(crate) evidence: Option<EvidenceView>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) forecasts: Forecasts,
    /// Of `/api/history`; shared, not copied.
    #[serde(skip)]
    pub(crate) score_history: Arc<ScoreHistory>,
    /// All rounds, the multipliers they reached, and the collector's notes; each has its own route.
    #[serde(skip)]
    pub(crate) round_history: RoundHistory,
    #[serde(skip)]
    pub(crate) survival_curve: SurvivalCurve,
    #[serde(skip)]
    pub(crate) collector_events: Arc<EventLog>,
    /// Of `/metrics`.
    #[serde(skip)]
    pub(crate) scan_counts: ScanCounts,
    #[serde(skip)]
    pub(crate) training_durations: Durations,
    pub(crate) links: Links,
    pub(crate) version: &'static str,
    pub(crate) started_at: DateTime<Utc>,
    /// The status as text, serialised on first use.
    #[serde(skip)]
    pub(crate) written: OnceLock<Written>,
}

/// Number of scans by cause.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScanCounts {
    /// After a notification of the file system.
    pub(crate) hinted: u64,
    /// By the timer.
    pub(crate) timed: u64,
    /// On request.
    pub(crate) asked: u64,
    /// By the timer, with changes found that no notification had announced.
    pub(crate) recovered: u64,
}

impl ScanCounts {
    /// Counts a scan by the timer.
    pub(crate) fn timed(&mut self, is_recovered: bool) {
        self.timed += 1;
        self.recovered += u64::from(is_recovered);
    }
}

/// Addresses of the other routes, relative to the page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Links {
    rounds: String,
    distribution: String,
    history: String,
    recorder: String,
    events: String,
    train: String,
}

impl Links {
    /// Those of a table.
    pub(crate) fn of(table: &TableName) -> Self {
        let base =
            if table.is_default() { "api".to_owned() } else { format!("api/v1/tables/{table}") };
        let link = |route: &str| format!("{base}/{route}");
        Self {
            rounds: link("rounds"),
            distribution: link("distribution"),
            history: link("history"),
            recorder: link("recorder"),
            events: link("events"),
            train: link("train"),
        }
    }
}

impl Default for Links {
    fn default() -> Self {
        Self::of(&TableName::default())
    }
}

/// The four indicators of the status bar.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each lamp is on or off by itself")]
pub(crate) struct Indicators {
    pub(crate) auto_sync_active: bool,
    pub(crate) model_trained: bool,
    pub(crate) auto_training: bool,
    pub(crate) data_synced: bool,
}

/// Statistics of all multipliers.
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

impl From<HistoryRow> for RecentRound {
    fn from(HistoryRow { round, said }: HistoryRow) -> Self {
        Self {
            time: round.time,
            multiplier: round.multiplier.as_f64(),
            lo: said.map(|said| said.lo),
            hi: said.map(|said| said.hi),
            point: said.map(|said| said.point),
            inside: said.map(|said| said.inside),
        }
    }
}

/// The verdict in plain words.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    pub(crate) sentence: String,
    pub(crate) rounds: u64,
    /// What can be said about there being nothing to find.
    pub(crate) absence: Option<String>,
    /// Whether the game has changed.
    pub(crate) change: Option<String>,
    /// What the sentences are made from, for a page that says them in another language.
    pub(crate) facts: evaluation::verdict::Verdict,
    /// Which of order, law and forecast are in it: its figures move with every round.
    #[serde(skip)]
    pub(crate) evidence: [bool; 3],
}

/// Where forecasts are stored and how many were settled.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Forecasts {
    pub(crate) kept_in: Option<String>,
    pub(crate) settled: u64,
    pub(crate) late: u64,
    pub(crate) missed: u64,
    pub(crate) void: u64,
}
