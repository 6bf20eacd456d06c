//! Feeds new rounds to the engine one by one, and keeps their forecasts in the ledger.

use chrono::{DateTime, Utc};
use forecasting::engine::{Effect, Settlement};
use forecasting::forecast::Forecast;
use forecasting::ledger::{Entry, ReadMark, Settled, credible};
use rounds::Round;
use serde_json::json;

use super::TableLoop;
use crate::events::Topic;
use crate::input::round_series::SeriesChange;
use crate::store::checkpoint::{Checkpoint, CheckpointInputs};
use crate::store::ledger_store::{CutOff, NotWritten};

/// Rounds taken between two checks of the inbox.
pub(super) const AT_ONCE: usize = 64;

impl TableLoop {
    /// Queues new rounds for the engine; rebuilds it if rounds already seen have changed.
    pub(super) fn apply_change(&mut self, change: SeriesChange) {
        match change {
            SeriesChange::Unchanged => {}
            SeriesChange::From(0) | SeriesChange::Rebuilt => {
                if self.engine.rounds() > 0 {
                    self.rebuilds += 1;
                    tracing::warn!(
                        "Earlier rounds have changed; rebuilding the engine from the files."
                    );
                }
                self.rebuild();
            }
            // Rounds that were read before are not forecast again; the ledger decides which of their forecasts count.
            SeriesChange::From(first) if self.may_have_been_read(first) => self.rebuild(),
            SeriesChange::From(first) => {
                let first = if self.waiting.is_empty() { first } else { self.waiting.start };
                self.waiting = first..self.series.rounds().len();
            }
        }
    }

    /// Returns whether the rounds from this index on may have been read before, and removed since.
    fn may_have_been_read(&self, first: usize) -> bool {
        let before = first.checked_sub(1).and_then(|last| self.series.rounds().get(last));
        before.is_some_and(|before| self.absent.may_follow(&before))
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
        self.mark_read();
        self.sync();
        if self.ledger_store.is_checkpoint_due(self.engine.rounds())
            && let Some(checkpoint) = self.checkpoint()
        {
            self.ledger_store.write(checkpoint);
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
            "forecast": settlement.map(|it| it.forecast.median()),
        });
        self.replies.announce(Topic::Round, data);
    }

    /// Appends a forecast to the ledger. If that fails, the forecast does not count.
    pub(super) fn record_forecast(&mut self, forecast: &Forecast) {
        if self.ledger_store.append(&Entry::Forecast(*forecast)) == Err(NotWritten) {
            self.engine.discard_open();
        } else {
            self.marked = self.engine.read_mark();
        }
        let data = json!({ "round": forecast.round, "model_version": forecast.model_version });
        self.replies.announce(Topic::Forecast, data);
    }

    /// Records how far the rounds have been read, unless a forecast in the ledger already shows it: a forecast made
    /// later for one of these rounds never counts.
    pub(super) fn mark_read(&mut self) {
        if let Some(mark) = self.engine.read_mark().filter(|mark| self.marked != Some(*mark)) {
            self.marked = self.record_read(mark).ok().map(|()| mark);
        }
    }

    /// Appends a reading mark; if it cannot be written, the store retries it before the next entry.
    pub(super) fn record_read(&mut self, mark: ReadMark) -> Result<(), NotWritten> {
        let mark = ReadMark { time: credible(mark.time, (self.now)()), ..mark };
        self.ledger_store.append(&Entry::Read(mark))
    }

    pub(super) fn record_settlement(&mut self, settlement: &Settlement, now: DateTime<Utc>) {
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
            Err(CutOff::Open) => {
                self.engine.discard_open();
                self.marked = None;
            }
            Err(CutOff::Forecasts) => self.rebuild(),
        }
    }

    /// Returns the current state as a checkpoint; `None` if nothing has changed since the last one.
    pub(super) fn checkpoint(&mut self) -> Option<Checkpoint> {
        // Without rounds a checkpoint saves no time, and there is no last round by which to notice that some came back.
        if self.engine.rounds() == 0 || self.marked != self.engine.read_mark() {
            return None;
        }
        let ledger = self.ledger_store.position()?;
        if !self.ledger_store.is_checkpoint_old(self.engine.rounds(), &ledger) {
            return None;
        }
        let inputs = CheckpointInputs {
            ledger,
            open: self.engine.frozen().copied(),
            absent: self.absent,
            model_version: self.training_status.last_id(),
            learned: self.engine.learned().clone(),
        };
        Some(Checkpoint::new(&self.digest, inputs))
    }
}
