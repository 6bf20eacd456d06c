//! Rebuilds the engine from the files: at start-up, and whenever rounds that it has seen change.

use std::time::Instant;

use forecasting::engine::{Engine, Settings, Settlement};
use forecasting::ledger::{Ledger, Mismatch};
use rounds::{Origin, Round};
use serde_json::json;

use super::TableLoop;
use super::catch_up::AT_ONCE;
use crate::events::Topic;
use crate::snapshot::builder::SnapshotBuilder;
use crate::store::checkpoint::{RoundsDigest, Unmatched};
use crate::store::ledger_store::{RestoredCheckpoint, StoredState};

impl TableLoop {
    /// Rebuilds the engine from the files, starting at the newest checkpoint that matches them.
    ///
    /// Runs at start-up, whenever rounds already seen have changed, and when a failed sync has removed
    /// settled forecasts from the ledger. A round with a forecast in the ledger is scored by that
    /// forecast; any other round only updates the features. A rebuild appends at most one forecast, the
    /// open one, so its own sync never causes another rebuild.
    pub(super) fn rebuild(&mut self) {
        self.replies.announce(Topic::Data, json!({ "records": self.series.rounds().len() }));
        self.origin = self.read_origin();
        let settings = Settings {
            auto_train: self.config.auto_train_enabled,
            can_be_late: self.origin != Some(Origin::Replayed),
        };
        let installed = self.engine.installed().cloned();
        self.engine = Engine::new(settings);
        self.builder = SnapshotBuilder::default();
        self.digest = RoundsDigest::default();
        self.unmatched = Unmatched::default();
        let rounds: Vec<Round> = self.series.rounds().iter().collect();
        self.waiting = rounds.len()..rounds.len();
        let started = Instant::now();
        let StoredState { restored, mut ledger } = self.ledger_store.read(&rounds);
        let read = started.elapsed();
        self.training_status.count_from(ledger.model_version());
        let known = restored.map_or(0, |restored| self.restore(&rounds, restored));
        if !self.replay(&rounds, known, &mut ledger) {
            // A half-replayed ledger must never become a checkpoint.
            return self.ledger_store.disable_checkpoints();
        }
        if let Some(open) = rounds.last().and_then(|last| ledger.take_open(last)) {
            self.engine.resume(open);
        }
        self.report_unmatched(&ledger);
        drop(ledger);
        tracing::info!(
            rounds = rounds.len(),
            from_checkpoint = known,
            elapsed_ms = started.elapsed().as_millis(),
            state_read_ms = read.as_millis(),
            "Rebuilt the engine from the files."
        );
        if let Some(installed) = installed {
            let issued = self.engine.install(installed, (self.now)());
            if let Some(forecast) = issued {
                self.record_forecast(&forecast);
            }
        }
        self.sync();
        if self.engine.ask_for_training().is_some() {
            self.train(None);
        }
    }

    /// Restores a checkpoint and returns the number of rounds it covers.
    fn restore(&mut self, rounds: &[Round], restored: RestoredCheckpoint) -> usize {
        let RestoredCheckpoint { checkpoint, digest, mut shown } = restored;
        let known = usize::try_from(checkpoint.rounds).unwrap_or(rounds.len());
        let known_rounds = &rounds[..known];
        self.engine.restore(known_rounds, checkpoint.learned);
        let mut before: Option<&Round> = None;
        for round in known_rounds {
            let found = before.and_then(|before| shown.take(before, round).ok().flatten());
            let settlement = found.map(|it| Settlement { forecast: it.forecast, round: *round });
            self.builder.round(*round, settlement.as_ref());
            before = Some(round);
        }
        self.builder.add_mismatches(checkpoint.mismatches);
        self.training_status.count_from(checkpoint.model_version);
        self.digest = digest;
        self.unmatched = checkpoint.unmatched;
        known
    }

    /// Replays the rounds after the first `known`; returns false if the program is stopping.
    fn replay(&mut self, rounds: &[Round], known: usize, ledger: &mut Ledger) -> bool {
        let mut before = known.checked_sub(1).map(|last| &rounds[last]);
        for (number, round) in rounds.iter().enumerate().skip(known) {
            if number.is_multiple_of(AT_ONCE) && self.stop.is_cancelled() {
                return false;
            }
            let found = before.map_or(Ok(None), |before| ledger.take(before, round));
            let forecast = found.unwrap_or_else(|Mismatch| {
                self.builder.add_mismatches(1);
                None
            });
            let is_settled = forecast.is_some_and(|it| it.settled.is_some());
            let settlement = self.engine.replay(*round, forecast.map(|it| it.forecast));
            self.digest.push(round);
            self.builder.round(*round, settlement.as_ref());
            if let Some(settlement) = settlement.filter(|_| !is_settled) {
                self.record_settlement(&settlement, (self.now)());
            }
            before = Some(round);
        }
        true
    }

    fn report_unmatched(&mut self, ledger: &Ledger) {
        let (count, until) = ledger.left();
        self.unmatched = self.unmatched.and(Unmatched { count: count as u64, until });
        if self.unmatched.count > 0 {
            tracing::warn!(
                forecasts = self.unmatched.count,
                "The ledger has forecasts for rounds that are not in the files; leaving them out."
            );
        }
    }

    fn read_origin(&self) -> Option<Origin> {
        Origin::of(&self.config.data_dir).unwrap_or_else(|error| {
            tracing::warn!(
                %error,
                "The origin of the rounds is unknown; assuming that they are recorded."
            );
            Some(Origin::Recorded)
        })
    }
}
