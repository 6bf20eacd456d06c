//! The running training, the finished ones, and the reply that a client waits for.

use std::collections::VecDeque;
use std::time::Instant;

use chrono::{DateTime, Utc};
use daemon::prometheus::Histogram;
use forecasting::history::HistoryHash;
use forecasting::learner::Learned;
use forecasting::training_schedule::FIRST_AT;
use tokio::sync::oneshot;

use crate::training::report::{
    Accuracy, BaselineAccuracy, MemberAccuracy, Needed, PastTraining, TRAININGS_MAX, Training,
};

/// Why a requested training does not take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoTraining {
    /// One is running already.
    Running { id: u64 },
    /// There are too few rounds to learn from.
    TooFewRounds { have: u64, need: u64 },
    /// It failed.
    Failed(String),
}

/// The reply to a `POST /api/train`.
pub(crate) type TrainReply = oneshot::Sender<Result<Accuracy, NoTraining>>;

/// The state of all trainings of a table.
#[derive(Debug)]
pub(crate) struct TrainingStatus {
    running: Option<Running>,
    /// Another training follows as soon as this one ends.
    pub(crate) queued: bool,
    ids: u64,
    last_error: Option<String>,
    accuracy: Option<Accuracy>,
    history: VecDeque<PastTraining>,
    durations: Histogram,
}

/// Upper ends of the buckets of trainings' times, in seconds.
const SECONDS: [f64; 10] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];

impl Default for TrainingStatus {
    fn default() -> Self {
        Self {
            running: None,
            queued: false,
            ids: 0,
            last_error: None,
            accuracy: None,
            history: VecDeque::new(),
            durations: Histogram::new(&SECONDS),
        }
    }
}

/// A running training.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: u64,
    pub(crate) records: u64,
    history: HistoryHash,
    started_at: DateTime<Utc>,
    started: Instant,
    progress: f64,
    reply: Option<TrainReply>,
}

/// A training that has succeeded.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) accuracy: Accuracy,
    /// Hash of the rounds on which the model was trained.
    pub(crate) history: HistoryHash,
    /// The reply for which a client waits.
    pub(crate) reply: Option<TrainReply>,
}

impl Running {
    /// Returns whether the engine requested it, and not a client.
    pub(crate) fn is_automatic(&self) -> bool {
        self.reply.is_none()
    }
}

impl TrainingStatus {
    /// Returns the running training.
    pub(crate) fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// Returns the accuracy of the model in use.
    pub(crate) fn accuracy(&self) -> Option<&Accuracy> {
        self.accuracy.as_ref()
    }

    /// Starts a training on so many rounds with this hash; returns its id, which becomes the version of
    /// its model.
    pub(crate) fn begin(
        &mut self,
        (records, history): (u64, HistoryHash),
        now: DateTime<Utc>,
        reply: Option<TrainReply>,
    ) -> u64 {
        self.ids += 1;
        self.running = Some(Running {
            id: self.ids,
            records,
            history,
            started_at: now,
            started: Instant::now(),
            progress: 0.0,
            reply,
        });
        self.ids
    }

    /// Continues the ids of an earlier run, so that no two models have the same version.
    pub(crate) fn count_from(&mut self, id: u64) {
        self.ids = self.ids.max(id);
    }

    /// Returns the latest id.
    pub(crate) fn last_id(&self) -> u64 {
        self.ids
    }

    /// Records the progress, 0 to 1.
    pub(crate) fn progress(&mut self, id: u64, share: f64) {
        if let Some(running) = self.running.as_mut().filter(|running| running.id == id) {
            running.progress = share;
        }
    }

    /// Ends the running training as failed; returns the pending reply.
    pub(crate) fn failed(&mut self, error: String) -> Option<TrainReply> {
        self.last_error = Some(error);
        self.running.take().and_then(|running| running.reply)
    }

    /// Ends the running training with its result.
    pub(crate) fn done(&mut self, learned: &Learned, now: DateTime<Utc>) -> Option<Done> {
        let running = self.running.take()?;
        let found = &learned.out_of_sample;
        let accuracy = Accuracy {
            mae: found.mae,
            rmse: found.rmse,
            cv_mae: found.cv_mae,
            cv_std: found.cv_std,
            r2_score: found.r2,
            log_mae: found.log_mae,
            baseline: BaselineAccuracy {
                mae: found.baseline.mae,
                rmse: found.baseline.rmse,
                log_mae: found.baseline.log_mae,
            },
            samples_trained: found.samples_trained as u64,
            samples_tested: found.samples_tested as u64,
            total_records: running.records,
            trained_at: now,
            version: running.id,
            duration_ms: u64::try_from(running.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            members: learned
                .members
                .iter()
                .map(|it| MemberAccuracy { name: it.name, weight: it.weight, r2_score: it.r2 })
                .collect(),
        };
        self.durations.observe(running.started.elapsed().as_secs_f64());
        self.history.push_front(PastTraining {
            trained_at: now,
            records: running.records,
            duration_ms: accuracy.duration_ms,
            mae: accuracy.mae,
            rmse: accuracy.rmse,
        });
        self.history.truncate(TRAININGS_MAX);
        self.last_error = None;
        self.accuracy = Some(accuracy.clone());
        Some(Done { accuracy, history: running.history, reply: running.reply })
    }

    /// Returns how long trainings took.
    pub(crate) fn durations(&self) -> Histogram {
        self.durations.clone()
    }

    /// Returns the state as the API shows it.
    pub(crate) fn view(&self, have: u64, next_at_records: u64) -> Training {
        let running = self.running.as_ref();
        let needed = Needed { have, need: FIRST_AT };
        Training {
            running: running.is_some(),
            id: running.map(|running| running.id),
            started_at: running.map(|running| running.started_at),
            records: running.map(|running| running.records),
            progress: running.map_or(0.0, |running| running.progress),
            queued: self.queued,
            last_error: self.last_error.clone(),
            needed: (have < FIRST_AT).then_some(needed),
            next_at_records,
            history: self.history.iter().copied().collect(),
        }
    }
}
