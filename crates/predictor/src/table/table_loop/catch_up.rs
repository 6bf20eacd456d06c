//! Feeds rounds to the engine: one by one as they arrive, or all of them when the engine is rebuilt.

use std::time::Instant;

use chrono::{DateTime, Utc};
use forecasting::engine::{Effect, Engine, Settings, Settlement};
use forecasting::forecast::Forecast;
use forecasting::ledger::{Entry, Ledger, Mismatch, Settled};
use rounds::{Origin, Round};
use serde_json::json;

use super::TableLoop;
use crate::events::Topic;
use crate::input::round_series::SeriesChange;
use crate::snapshot::builder::SnapshotBuilder;
use crate::store::checkpoint::{Checkpoint, CheckpointInputs, RoundsDigest, Unmatched};
use crate::store::ledger_store::{CutOff, NotWritten, RestoredCheckpoint, StoredState};

/// Rounds taken between two checks of the inbox.
const AT_ONCE: usize = 64;

impl TableLoop {
    pub(super) fn apply_change(&mut self, change: SeriesChange) {
        match change {
            SeriesChange::Unchanged => {}
            SeriesChange::From(0) | SeriesChange::Rebuilt => {
                if self.engine.rounds() > 0 {
                    self.rebuilds += 1;
                    tracing::warn!(
                        "Earlier rounds have changed; recomputing everything from the files."
                    );
                }
                self.rebuild();
            }
            SeriesChange::From(first) => {
                let first = if self.waiting.is_empty() { first } else { self.waiting.start };
                self.waiting = first..self.series.rounds().len();
            }
        }
    }

    /// Feeds some of the waiting rounds to the engine, then syncs the ledger: the forecast that is open
    /// afterwards is on disk.
    pub(super) fn catch_up(&mut self) {
        let next = self.waiting.start..self.waiting.end.min(self.waiting.start + AT_ONCE);
        self.waiting.start = next.end;
        let rounds: Vec<Round> = self.series.rounds().range(next).collect();
        for round in rounds {
            self.observe_round(round);
        }
        self.sync();
        if self.ledger_store.is_checkpoint_due(self.engine.rounds())
            && let Some(checkpoint) = self.checkpoint()
        {
            self.ledger_store.write(checkpoint);
        }
    }

    /// Rebuilds the engine from the files, starting at the newest checkpoint that matches them.
    ///
    /// Runs at start-up and whenever rounds already seen have changed. A round with a forecast in the
    /// ledger is scored by that forecast; any other round only updates the features. Appends at most
    /// one forecast, so the nested sync ends.
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
            "{} rounds loaded in {} ms, {known} of them from the checkpoint; state read in {} ms.",
            rounds.len(),
            started.elapsed().as_millis(),
            read.as_millis(),
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
                "{} forecasts in the ledger belong to rounds that are not in the files; leaving them out.",
                self.unmatched.count
            );
        }
    }

    fn observe_round(&mut self, round: Round) {
        let now = (self.now)();
        let mut settlement = None;
        for effect in self.engine.observe(round, now) {
            match effect {
                Effect::Settled(it) => {
                    self.record_settlement(&it, now);
                    settlement = Some(it);
                }
                Effect::Issued(forecast) => self.record_forecast(&forecast),
                Effect::Retrain(_) => self.train(None),
            }
        }
        self.digest.push(&round);
        self.builder.round(round, settlement.as_ref());
        let data = json!({
            "round": self.engine.rounds(),
            "time": round.time,
            "multiplier": round.multiplier,
            "forecast": settlement.map(|it| it.forecast.calibrated()),
        });
        self.replies.announce(Topic::Round, data);
    }

    /// Appends a forecast to the ledger; one that is not there before its round does not count.
    pub(super) fn record_forecast(&mut self, forecast: &Forecast) {
        if self.ledger_store.append(&Entry::Forecast(*forecast)) == Err(NotWritten) {
            self.engine.discard_open();
        }
        let data = json!({ "round": forecast.round, "model_version": forecast.model_version });
        self.replies.announce(Topic::Forecast, data);
    }

    fn record_settlement(&mut self, settlement: &Settlement, now: DateTime<Utc>) {
        let settled = Entry::Settled(Settled {
            round: settlement.forecast.round,
            time: settlement.round.time,
            actual: settlement.round.multiplier.as_f64(),
            settled_at: now,
        });
        // The store retries a settlement before the next entry; the CSV files hold it as well.
        drop(self.ledger_store.append(&settled));
    }

    /// Syncs the ledger to disk. If that fails, only what is on disk counts: the open forecast does
    /// not, and if other forecasts were settled since the last sync, the engine is rebuilt.
    pub(super) fn sync(&mut self) {
        match self.ledger_store.sync() {
            Ok(()) | Err(CutOff::Settlements) => {}
            Err(CutOff::Open) => self.engine.discard_open(),
            Err(CutOff::Forecasts) => self.rebuild(),
        }
    }

    /// Returns the current state as a checkpoint; `None` if nothing has changed since the last one.
    pub(super) fn checkpoint(&mut self) -> Option<Checkpoint> {
        let ledger = self.ledger_store.position()?;
        if !self.ledger_store.is_checkpoint_old(self.engine.rounds(), &ledger) {
            return None;
        }
        let inputs = CheckpointInputs {
            ledger,
            open: self.engine.frozen().copied(),
            unmatched: self.unmatched,
            mismatches: self.builder.mismatches(),
            model_version: self.training_status.last_id(),
            learned: self.engine.learned().clone(),
        };
        Some(Checkpoint::new(&self.digest, inputs))
    }

    fn read_origin(&self) -> Option<Origin> {
        Origin::of(&self.config.data_dir).unwrap_or_else(|error| {
            tracing::warn!(
                "The origin of the rounds is unknown, assuming that they are recorded: {error}."
            );
            Some(Origin::Recorded)
        })
    }
}
