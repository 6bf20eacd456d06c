//! Rebuilds the engine from all files: at start-up, and whenever rounds that it has seen change.

use std::time::Instant;

use forecasting::engine::{Engine, Settings, Settlement};
use forecasting::history::HistoryChain;
use forecasting::ledger::{Absent, Counting, LedgerForecast, ReadMark, credible};
use rounds::{Origin, Round};
use serde_json::json;

use super::TableLoop;
use super::catch_up::AT_ONCE;
use crate::events::Topic;
use crate::snapshot::builder::SnapshotBuilder;
use crate::store::checkpoint::{Checkpoint, RoundsDigest};
use crate::store::ledger_store::{RestoredCheckpoint, StoredState};

impl TableLoop {
    /// Rebuilds the engine from the files, starting at the newest checkpoint that matches them.
    ///
    /// Runs at start-up, whenever rounds already seen have changed or come back, and when a failed sync has removed
    /// settled forecasts from the ledger. A round is scored by the forecast in the ledger that counts for it; any other
    /// round only updates the features. A rebuild appends at most one forecast, the open one, so its own sync never
    /// causes another rebuild. It changes the state of this loop and appends to the ledger; it never writes a CSV file.
    pub(super) fn rebuild(&mut self) {
        self.replies.announce(Topic::Data, json!({ "records": self.series.rounds().len() }));
        self.origin = self.read_origin();
        let settings = Settings {
            auto_train: self.config.auto_train_enabled,
            can_be_late: self.origin != Some(Origin::Replayed),
        };
        let (installed, left) = (self.engine.newest_model().cloned(), self.engine.read_mark());
        self.engine = Engine::with_house(settings, *self.config.game.law());
        self.builder = SnapshotBuilder::new(&self.config.game);
        self.digest = RoundsDigest::default();
        self.absent = Absent::default();
        self.marked = None;
        let rounds: Vec<Round> = self.series.rounds().iter().collect();
        self.waiting = rounds.len()..rounds.len();
        let started = Instant::now();
        let chain = HistoryChain::of(&rounds);
        let StoredState { restored, ledger } = self.ledger_store.read(&rounds);
        let read = started.elapsed();
        self.training_status.count_from(ledger.model_version());
        let covered = restored.as_ref().map(|it| (it.checkpoint.rounds, it.checkpoint.absent));
        let (known, absent) = covered.unwrap_or_default();
        let mut counting = ledger.counting(&rounds, &chain, known, absent);
        let known = restored.map_or(0, |restored| self.restore(&rounds, &chain, restored));
        if !self.replay(&rounds, known, &mut counting) {
            // A half-replayed ledger must never become a checkpoint.
            return self.ledger_store.disable_checkpoints();
        }
        if let Some(open) = counting.take(self.engine.rounds()).filter(|it| self.is_of_this_law(it))
        {
            self.engine.resume(open.forecast);
        }
        self.absent = counting.absent();
        self.report_absent();
        tracing::info!(
            rounds = rounds.len(),
            from_checkpoint = known,
            elapsed_ms = started.elapsed().as_millis(),
            state_read_ms = read.as_millis(),
            "Rebuilt the engine from the files."
        );
        self.note_left(left, &chain);
        if counting.read() >= chain.rounds() {
            self.marked = self.engine.read_mark();
        }
        if let Some(installed) = installed {
            let issued = self.engine.install(installed, (self.now)());
            if let Some(forecast) = issued {
                self.record_forecast(&forecast);
            }
        }
        self.mark_read();
        self.sync();
        if self.engine.ask_for_training().is_some() {
            self.train(None);
        }
    }

    /// Records how far the rounds had been read before this rebuild, if those rounds are no longer in the files.
    fn note_left(&mut self, left: Option<ReadMark>, chain: &HistoryChain) {
        if let Some(left) = left.filter(|left| !chain.contains(left.rounds, left.history)) {
            drop(self.record_read(left));
            self.absent.extend_to(credible(left.time, (self.now)()));
        }
    }

    /// Returns whether a forecast of the ledger was made for the game that is configured: scores under
    /// another law say nothing of this one.
    fn is_of_this_law(&self, found: &LedgerForecast) -> bool {
        found.forecast.house == *self.config.game.law()
    }

    /// Restores a checkpoint and returns the number of rounds it covers.
    fn restore(
        &mut self,
        rounds: &[Round],
        chain: &HistoryChain,
        restored: RestoredCheckpoint,
    ) -> usize {
        let RestoredCheckpoint { checkpoint, digest, shown } = restored;
        let Checkpoint { rounds: known, learned, model_version, .. } = checkpoint;
        let known = usize::try_from(known).unwrap_or(rounds.len());
        let known_rounds = &rounds[..known];
        self.engine.restore(known_rounds, chain.first(known), learned);
        let mut shown = shown.counting(rounds, chain, 0, Absent::default());
        for (before, round) in (0..).zip(known_rounds) {
            let found = shown.take(before).filter(|it| self.is_of_this_law(it));
            let settlement = found.map(|it| Settlement { forecast: it.forecast, round: *round });
            self.builder.round(*round, settlement.as_ref());
        }
        self.training_status.count_from(model_version);
        self.digest = digest;
        known
    }

    /// Replays the rounds after the first `known`; returns false if the program is stopping.
    fn replay(&mut self, rounds: &[Round], known: usize, counting: &mut Counting) -> bool {
        for (number, round) in rounds.iter().enumerate().skip(known) {
            if number.is_multiple_of(AT_ONCE) && self.stop.is_cancelled() {
                return false;
            }
            let found = counting.take(number as u64).filter(|it| self.is_of_this_law(it));
            let settlement = self.engine.replay(*round, found.map(|it| it.forecast));
            self.digest.push(round);
            self.builder.round(*round, settlement.as_ref());
            let is_written = found.is_some_and(|it| it.is_settled_by(round));
            if let Some(settlement) = settlement.filter(|_| !is_written) {
                self.record_settlement(&settlement, (self.now)());
            }
        }
        true
    }

    fn report_absent(&self) {
        if self.absent.count > 0 {
            tracing::warn!(
                forecasts = self.absent.count,
                "The ledger has forecasts that do not belong to the rounds in the files; leaving them out."
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
