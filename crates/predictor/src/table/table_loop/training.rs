//! Requests trainings and applies their results.

use std::sync::Arc;

use forecasting::engine::Installed;
use forecasting::learner::Learned;
use forecasting::training_schedule::FIRST_AT;
use serde_json::json;

use super::TableLoop;
use crate::events::Topic;
use crate::training::status::{Done, NoTraining, Running, TrainReply};
use crate::training::thread::{TrainRequest, TrainerEvent};

impl TableLoop {
    /// Starts a training that a client has requested, or refuses it.
    pub(super) fn train_for(&mut self, reply: TrainReply) {
        let have = self.engine.rounds();
        let refused = match self.training_status.running() {
            Some(running) => NoTraining::Running { id: running.id },
            None if have < FIRST_AT => NoTraining::TooFewRounds { have, need: FIRST_AT },
            None => return self.train(Some(reply)),
        };
        self.replies.answer(reply, Err(refused));
    }

    /// Starts a training on all rounds, or queues one if the trainer is busy.
    pub(super) fn train(&mut self, reply: Option<TrainReply>) {
        if self.training_status.running().is_some() {
            self.training_status.queued = true;
            return;
        }
        let records = self.engine.training_started();
        let history = self.engine.history();
        let id = self.training_status.begin((records, history), (self.now)(), reply);
        let rounds = self.series.rounds().clone();
        let events = Arc::clone(&self.trainer_events);
        if !self.trainer.request(TrainRequest { id, rounds, records, events }) {
            self.training_failed("the training thread has ended".to_owned());
        }
        self.send_training_event(id, "started");
    }

    pub(super) fn on_trainer_event(&mut self, event: TrainerEvent) {
        match event {
            TrainerEvent::Progress { id, share } => {
                self.training_status.progress(id, share);
                self.send_training_event(id, "running");
            }
            TrainerEvent::Done { id, result } => {
                match result {
                    Ok(learned) => self.trained(&learned),
                    Err(error) => {
                        tracing::error!(id, error, "The model could not be trained.");
                        self.training_failed(error);
                    }
                }
                self.send_training_event(id, "ended");
                if std::mem::take(&mut self.training_status.queued) {
                    self.train(None);
                }
            }
        }
    }

    fn trained(&mut self, learned: &Learned) {
        let now = (self.now)();
        let is_automatic = self.training_status.running().is_some_and(Running::is_automatic);
        let Some(done) = self.training_status.done(learned, now) else { return };
        let Done { accuracy, history, reply } = done;
        let tag = if is_automatic { "[AUTO-TRAIN]" } else { "[TRAIN]" };
        tracing::info!(
            "🤖 {tag} Model retrained! MAE: {:.3}, RMSE: {:.3}, Records: {}",
            accuracy.mae,
            accuracy.rmse,
            accuracy.total_records
        );
        let installed = Installed {
            model: Arc::clone(&learned.model),
            version: accuracy.version,
            trained_on: accuracy.total_records,
            history,
        };
        if let Some(forecast) = self.engine.install(installed, now) {
            self.record_forecast(&forecast);
            self.sync();
        }
        if let Some(reply) = reply {
            self.replies.answer(reply, Ok(accuracy));
        }
    }

    fn training_failed(&mut self, error: String) {
        if let Some(reply) = self.training_status.failed(error.clone()) {
            self.replies.answer(reply, Err(NoTraining::Failed(error)));
        }
    }

    fn send_training_event(&mut self, id: u64, what: &str) {
        let view = self.training_status.view(self.engine.rounds(), self.engine.next_training_at());
        let data = json!({ "id": id, "what": what, "progress": view.progress });
        self.replies.announce(Topic::Training, data);
    }
}
