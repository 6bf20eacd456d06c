//! Orders to the trainer, and what comes back.

use std::sync::Arc;

use forecasting::engine::Installed;
use forecasting::learner::Learned;
use forecasting::training_schedule::FIRST_AT;
use serde_json::json;

use super::Live;
use crate::events::Topic;
use crate::training::status::{Asker, NoTraining, Running};
use crate::training::thread::{News, Order};

impl Live {
    pub(super) fn train_for(&mut self, asker: Asker) {
        let have = self.engine.rounds();
        let refused = match self.trainings.running() {
            Some(running) => NoTraining::Running { id: running.id },
            None if have < FIRST_AT => NoTraining::TooFewRounds { have, need: FIRST_AT },
            None => return self.train(Some(asker)),
        };
        self.outbox.answer(asker, Err(refused));
    }

    /// Orders a training on all rounds there are, or queues one if the trainer is busy.
    pub(super) fn train(&mut self, asker: Option<Asker>) {
        if self.trainings.running().is_some() {
            self.trainings.queued = true;
            return;
        }
        let records = self.engine.training_started();
        let id = self.trainings.begin(records, (self.now)(), asker);
        let rounds = self.series.rounds().clone();
        let order = Order { id, rounds, records, tell: Arc::clone(&self.tell) };
        if !self.trainer.order(order) {
            self.training_failed("the training thread has ended".to_owned());
        }
        self.say_training(id, "started");
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Progress { id, share } => {
                self.trainings.progress(id, share);
                self.say_training(id, "running");
            }
            News::Done { id, result } => {
                match result {
                    Ok(learned) => self.trained(&learned),
                    Err(error) => {
                        tracing::error!(id, "The model could not be trained: {error}.");
                        self.training_failed(error);
                    }
                }
                self.say_training(id, "ended");
                if std::mem::take(&mut self.trainings.queued) {
                    self.train(None);
                }
            }
        }
    }

    fn trained(&mut self, learned: &Learned) {
        let now = (self.now)();
        let is_automatic = self.trainings.running().is_some_and(Running::is_automatic);
        let Some((accuracy, asker)) = self.trainings.done(learned, now) else { return };
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
        };
        if let Some(forecast) = self.engine.install(installed, now) {
            self.keep_forecast(&forecast);
            self.sync();
        }
        if let Some(asker) = asker {
            self.outbox.answer(asker, Ok(accuracy));
        }
    }

    fn training_failed(&mut self, error: String) {
        if let Some(asker) = self.trainings.failed(error.clone()) {
            self.outbox.answer(asker, Err(NoTraining::Failed(error)));
        }
    }

    fn say_training(&mut self, id: u64, what: &str) {
        let view = self.trainings.view(self.engine.rounds(), self.engine.next_training_at());
        let said = json!({ "id": id, "what": what, "progress": view.progress });
        self.outbox.say(Topic::Training, said);
    }
}
