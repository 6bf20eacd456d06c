//! Builds the snapshot from the state of a table loop.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use evaluation::GameParameters;
use forecasting::engine::{Engine, Settlement};
use forecasting::forecast::Forecast;
use forecasting::ledger::Absent;
use forecasting::scorecard::{Report, Scorecard};
use rounds::{Origin, Round, TableName, read_regular};
use serde_json::Value;

use super::evidence::EvidenceView;
use super::prediction::{past, prediction};
use crate::config::Config;
use crate::input::collector_events::CollectorEvents;
use crate::input::file_stats::Data;
use crate::input::file_stats::FileStats;
use crate::input::recording_quality::RecordingQuality;
use crate::input::round_series::RoundSeries;
use crate::snapshot::round_history::{RecentForecasts, RoundHistory, ServedInterval};
use crate::snapshot::running_statistics::RunningStatistics;
use crate::snapshot::survival_curve::SurvivalCurve;
use crate::snapshot::{
    Forecasts, GameView, HISTORY_MAX, Indicators, Links, PastPrediction, RECENT_MAX, RecentRound,
    ScanCounts, Snapshot, VerdictView,
};
use crate::store::ledger_store::LedgerStore;
use crate::training::status::TrainingStatus;

/// The collector's own status file, beside the CSV files.
const COLLECTOR_STATUS: &str = "status.json";
/// A status file larger than this is not the collector's.
const COLLECTOR_STATUS_BYTES_MAX: u64 = 64 * 1024;
/// State that only the snapshot needs, updated round by round.
#[derive(Debug, Default)]
pub(crate) struct SnapshotBuilder {
    statistics: RunningStatistics,
    forecasts: RecentForecasts,
    survival_curve: SurvivalCurve,
    quality: RecordingQuality,
    past: VecDeque<PastPrediction>,
    report: Option<Report>,
    /// All scored forecasts.
    #[cfg(test)]
    pub(crate) settlements: Vec<Settlement>,
}

/// Everything a snapshot is built from.
pub(crate) struct SnapshotInputs<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) config: &'a Config,
    pub(crate) engine: &'a Engine,
    pub(crate) series: &'a RoundSeries,
    pub(crate) training_status: &'a TrainingStatus,
    pub(crate) file_stats: &'a FileStats,
    pub(crate) ledger_store: &'a LedgerStore,
    pub(crate) absent: Absent,
    pub(crate) collector_events: &'a CollectorEvents,
    pub(crate) scan_counts: ScanCounts,
    pub(crate) scan_error: Option<&'a str>,
    pub(crate) watch: &'static str,
    pub(crate) origin: Option<Origin>,
    pub(crate) rebuilds: u64,
    pub(crate) started_at: DateTime<Utc>,
}

impl SnapshotBuilder {
    /// Returns the state before any round of this game.
    pub(crate) fn new(game: &GameParameters) -> Self {
        Self { quality: RecordingQuality::with_pace(game.pace()), ..Self::default() }
    }

    /// Adds the next round and its forecast.
    pub(crate) fn round(&mut self, round: Round, settlement: Option<&Settlement>) {
        let forecast = settlement.map(|settlement| &settlement.forecast);
        #[cfg(test)]
        self.settlements.extend(settlement.copied());
        self.statistics.push(round.multiplier);
        self.survival_curve.push(round.multiplier);
        self.quality.push(&round);
        let served = forecast.map(|forecast| ServedInterval {
            lo: forecast.interval80.0,
            hi: forecast.interval80.1,
            point: forecast.median(),
            inside: forecast.holds(round.multiplier.as_f64()),
        });
        self.forecasts.push(served);
        if let Some(forecast) = forecast {
            self.past.push_front(past(forecast, Some(round)));
            self.past.truncate(HISTORY_MAX);
        }
    }

    /// Updates the score report, if there are new scores.
    pub(crate) fn refresh(&mut self, scorecard: &Scorecard) {
        let shown = self.report.as_ref().map_or(0, |report| report.rounds);
        if scorecard.scored() != shown {
            self.report = Some(scorecard.report());
        }
    }

    /// Builds the snapshot.
    pub(crate) fn snapshot(&self, from: &SnapshotInputs<'_>) -> Snapshot {
        let engine = from.engine;
        let last = engine.last();
        let origin = from.origin.unwrap_or(Origin::Recorded);
        let is_simulated = origin == Origin::Simulated;
        let training = from.training_status.view(engine.rounds(), engine.next_training_at());
        let counts = engine.counts();
        let round_history = RoundHistory::new(from.series.rounds().clone(), self.forecasts.clone());
        Snapshot {
            model_trained: engine.installed().is_some(),
            model_accuracy: from.training_status.accuracy().cloned(),
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
            origin: origin.word(),
            table: from.table.clone(),
            links: Links::of(from.table),
            data_dir: from.config.data_dir.display().to_string(),
            indicators: Indicators {
                auto_sync_active: from.scan_error.is_none(),
                model_trained: engine.installed().is_some(),
                auto_training: training.running,
                data_synced: from.scan_error.is_none() && last.is_some(),
            },
            training,
            statistics: self.statistics.figures(),
            recent: round_history.newest(RECENT_MAX).map(RecentRound::from).collect(),
            data: Data {
                duplicates_removed: from.series.duplicates(),
                overlaps: from.series.overlaps().to_vec(),
                watch: from.watch,
                rebuilds: from.rebuilds,
                last_error: from.scan_error.map(str::to_owned),
                ..from.file_stats.view()
            },
            collector: collector_status(&from.config.data_dir),
            scorecard: self.report.clone(),
            evidence: last.map(|_| EvidenceView::of(engine.scorecard().evidence())),
            verdict: self.verdict(engine, origin),
            quality: self.quality.view(origin),
            game: GameView::new(&from.config.game, self.quality.pace()),
            law: *from.config.game.law(),
            forecasts: Forecasts {
                kept_in: from.ledger_store.path().map(|path| path.display().to_string()),
                settled: counts.settled,
                late: counts.late,
                missed: counts.missed,
                void: from.absent.count,
            },
            score_history: Arc::clone(engine.score_history()),
            round_history,
            survival_curve: self.survival_curve.clone(),
            collector_events: from.collector_events.log(),
            scan_counts: from.scan_counts,
            training_durations: from.training_status.durations(),
            version: env!("CARGO_PKG_VERSION"),
            started_at: from.started_at,
            ..Snapshot::default()
        }
    }

    /// Returns what may be said of the rounds; `None` without rounds.
    fn verdict(&self, engine: &Engine, origin: Origin) -> Option<VerdictView> {
        let open = engine.open().map(|forecast| &forecast.probabilities);
        let verdict = engine.scorecard().verdict();
        let verdict = verdict.on_recording(self.quality.faults(origin)).before_round(open);
        (verdict.rounds > 0).then(|| VerdictView::from(&verdict))
    }

    /// Returns the last settled forecasts and the open one, oldest first.
    fn history(&self, open: Option<&Forecast>) -> Vec<PastPrediction> {
        let open = open.map(|open| past(open, None));
        let newest_first = open.into_iter().chain(self.past.iter().cloned()).take(HISTORY_MAX);
        let mut history: Vec<PastPrediction> = newest_first.collect();
        history.reverse();
        history
    }
}

/// Reads the collector's status; `None` if there is no such file, or if it is not complete yet; the
/// next scan reads it again.
fn collector_status(dir: &Path) -> Option<Value> {
    let path = dir.join(COLLECTOR_STATUS);
    let text = read_regular(&path, COLLECTOR_STATUS_BYTES_MAX).ok()?;
    serde_json::from_slice(&text).ok().filter(Value::is_object)
}
