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
use daemon::prometheus::Histogram;
use evaluation::verdict::{Statement, Verdict};
use evaluation::{GameParameters, HouseLaw, Pace};
use forecasting::score_history::ScoreHistory;
use forecasting::scorecard::Report;
use rounds::TableName;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::prediction::{PastPrediction, Prediction, Probability};
pub(crate) use self::status_json::StatusText;

use crate::api_json;
use crate::input::collector_events::EventLog;
use crate::input::file_stats::Data;
use crate::input::recording_quality::QualityView;
use crate::snapshot::evidence::EvidenceView;
use crate::snapshot::round_history::{HistoryRow, RoundHistory};
use crate::snapshot::survival_curve::SurvivalCurve;
use crate::training::report::{Accuracy, Training};

/// Maximum number of rounds in `recent`.
pub(crate) const RECENT_MAX: usize = 200;
/// Maximum number of predictions in `prediction_history`.
pub(crate) const HISTORY_MAX: usize = 10;
/// The state of a table that handlers answer from.
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
    #[serde(serialize_with = "api_json::optional_time")]
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
    pub(crate) verdict: Option<VerdictView>,
    pub(crate) quality: QualityView,
    pub(crate) game: GameView,
    /// The law of the game, for the routes.
    #[serde(skip)]
    pub(crate) law: HouseLaw,
    pub(crate) forecasts: Forecasts,
    /// For `/api/history`; shared, not copied.
    #[serde(skip)]
    pub(crate) score_history: Arc<ScoreHistory>,
    /// For the routes of rounds, distribution and recorder.
    #[serde(skip)]
    pub(crate) round_history: RoundHistory,
    #[serde(skip)]
    pub(crate) survival_curve: SurvivalCurve,
    #[serde(skip)]
    pub(crate) collector_events: Arc<EventLog>,
    /// For `/metrics`.
    #[serde(skip)]
    pub(crate) scan_counts: ScanCounts,
    #[serde(skip)]
    pub(crate) training_durations: Histogram,
    pub(crate) links: Links,
    pub(crate) version: &'static str,
    #[serde(serialize_with = "api_json::time")]
    pub(crate) started_at: DateTime<Utc>,
    /// The status as text, serialised on first use.
    #[serde(skip)]
    pub(crate) status_text: OnceLock<StatusText>,
}

/// Number of scans by cause.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScanCounts {
    /// After a notification of the file system.
    pub(crate) hinted: u64,
    /// By the timer.
    pub(crate) timed: u64,
    /// On request.
    pub(crate) requested: u64,
    /// By the timer, with changes found that no notification had announced.
    pub(crate) recovered: u64,
}

impl ScanCounts {
    /// Returns the number of scans after a hint or on request.
    pub(crate) fn prompted(&self) -> u64 {
        self.hinted + self.requested
    }

    /// Counts a scan by the timer.
    pub(crate) fn timed(&mut self, is_recovered: bool) {
        self.timed += 1;
        self.recovered += u64::from(is_recovered);
    }
}

/// Addresses of a table's routes, relative to the page.
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
    /// Returns the addresses of a table's routes.
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
#[expect(clippy::struct_excessive_bools, reason = "each indicator is independent")]
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

/// One of the latest rounds, with its forecast.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct RecentRound {
    #[serde(serialize_with = "api_json::time")]
    pub(crate) time: DateTime<Utc>,
    pub(crate) multiplier: f64,
    pub(crate) lo: Option<f64>,
    pub(crate) hi: Option<f64>,
    pub(crate) point: Option<f64>,
    pub(crate) inside: Option<bool>,
}

impl From<HistoryRow> for RecentRound {
    fn from(HistoryRow { round, forecast }: HistoryRow) -> Self {
        Self {
            time: round.time,
            multiplier: round.multiplier.as_f64(),
            lo: forecast.map(|it| it.lo),
            hi: forecast.map(|it| it.hi),
            point: forecast.map(|it| it.point),
            inside: forecast.map(|it| it.inside),
        }
    }
}

/// What may be said of the rounds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct VerdictView {
    /// The answer, in English.
    pub(crate) sentence: String,
    /// What it rests on, in English.
    pub(crate) notes: String,
    pub(crate) rounds: u64,
    /// Both as claims with their figures, for a page in another language.
    pub(crate) claims: Statement,
    /// What it speaks of; unlike its figures, this rarely changes.
    #[serde(skip)]
    pub(crate) findings: Findings,
}

/// What a verdict speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Findings {
    /// No test has found anything.
    #[default]
    None,
    /// The recording is suspect, so nothing is said of the game.
    Suspect,
    /// Which of the order, law and forecast test have found something.
    Tests([bool; 3]),
}

impl Findings {
    fn of(verdict: &Verdict) -> Self {
        match [verdict.order, verdict.law, verdict.forecast] {
            _ if verdict.is_suspect() => Self::Suspect,
            [false, false, false] => Self::None,
            tests => Self::Tests(tests),
        }
    }
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> Self {
        let claims = verdict.statement();
        Self {
            sentence: claims.sentence(),
            notes: claims.notes_text(),
            rounds: verdict.rounds,
            claims,
            findings: Findings::of(verdict),
        }
    }
}

/// The parameters of the game by which everything is judged.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct GameView {
    /// The preset.
    name: &'static str,
    /// The return to the player.
    #[serde(rename = "return")]
    pub(crate) returns: f64,
    /// The share of rounds at 1.00x, the lowest multiplier.
    atom: f64,
    /// The highest multiplier.
    cap: f64,
    /// Seconds from round to round at 1.00x, and per unit of ln M; `None` until there are 200 gaps.
    #[serde(flatten)]
    pace: PaceView,
}

/// The pace by which gaps are judged.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct PaceView {
    pause_seconds: Option<f64>,
    slope_seconds: Option<f64>,
    /// Whether it was fitted to the recording, not configured.
    pace_fitted: bool,
}

impl GameView {
    /// Returns the parameters of the game, with the pace that the recording was judged by.
    pub(crate) fn new(game: &GameParameters, judged_by: Option<Pace>) -> Self {
        let pace = game.pace().or(judged_by);
        Self {
            name: game.preset().name,
            returns: game.law().r(),
            atom: game.law().atom(),
            cap: evaluation::multiplier(game.law().cap_cents()),
            pace: PaceView {
                pause_seconds: pace.map(|pace| pace.pause),
                slope_seconds: pace.map(|pace| pace.slope),
                pace_fitted: pace.is_some() && game.pace().is_none(),
            },
        }
    }
}

impl Default for GameView {
    fn default() -> Self {
        Self::new(&GameParameters::default(), None)
    }
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
