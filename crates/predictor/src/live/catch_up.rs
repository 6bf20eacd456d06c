//! Rounds on their way through the engine: one by one as they come, or all of them anew.

use chrono::{DateTime, Utc};
use rounds::{Origin, Round};
use serde_json::json;

use super::Live;
use crate::engine::{Effect, Engine, Settings, Settlement};
use crate::http::Topic;
use crate::ledger::{Entry, Ledger, Settled, Void};
use crate::series::Growth;
use crate::view::View;

/// Rounds heard before a look at messages.
const AT_ONCE: usize = 64;

impl Live {
    pub(super) fn grow(&mut self, growth: Growth) {
        match growth {
            Growth::Unchanged => {}
            Growth::From(0) | Growth::Rebuilt => self.reload(),
            Growth::From(first) => {
                let first = if self.waiting.is_empty() { first } else { self.waiting.start };
                self.waiting = first..self.series.rounds().len();
            }
        }
    }

    /// Hears some of the rounds that wait. The forecast that is open in the end is on the disk.
    pub(super) fn catch_up(&mut self) {
        for _ in 0..AT_ONCE {
            let Some(next) = self.waiting.next() else { break };
            self.hear_round(self.series.rounds()[next]);
        }
        self.keeper.sync();
    }

    /// Takes all rounds anew: those that have a forecast in the ledger are scored by it, the others
    /// are only learnt from.
    fn reload(&mut self) {
        if self.engine.rounds() > 0 {
            self.rebuilds += 1;
            tracing::warn!(
                "Earlier rounds have changed; everything is computed anew from the files."
            );
        }
        self.outbox.say(Topic::Data, json!({ "records": self.series.rounds().len() }));
        self.origin = self.read_origin();
        let settings = Settings {
            auto_train: self.config.auto_train_enabled,
            can_be_late: self.origin != Some(Origin::Replayed),
        };
        let installed = self.engine.installed().cloned();
        self.engine = Engine::new(settings);
        self.view = View::default();
        let mut ledger = self.keeper.read();
        self.trainings.count_from(ledger.model_version());
        let rounds = self.series.rounds().to_vec();
        self.remember(&rounds, &mut ledger);
        if let Some(open) = rounds.last().and_then(|last| ledger.take_open(last)) {
            self.engine.resume(open);
        }
        if ledger.left() > 0 {
            tracing::warn!(
                "{} forecasts in the ledger belong to rounds that are not in the files; they are left out.",
                ledger.left()
            );
        }
        if let Some(installed) = installed {
            let issued = self.engine.install(installed, (self.now)());
            if let Some(forecast) = issued {
                self.keep(&Entry::Forecast(forecast));
            }
        }
        self.waiting = rounds.len()..rounds.len();
        self.keeper.sync();
        if self.engine.ask_for_training().is_some() {
            self.train(None);
        }
    }

    fn remember(&mut self, rounds: &[Round], ledger: &mut Ledger) {
        let mut before: Option<&Round> = None;
        for round in rounds {
            let found = before.map_or(Ok(None), |before| ledger.take(before, round));
            let kept = found.unwrap_or_else(|Void| {
                self.view.void();
                None
            });
            let is_settled = kept.is_some_and(|kept| kept.settled.is_some());
            let settlement = self.engine.remember(*round, kept.map(|kept| kept.forecast));
            self.view.round(*round, settlement.as_ref());
            if let Some(settlement) = settlement.filter(|_| !is_settled) {
                self.keep(&settled(&settlement, (self.now)()));
            }
            before = Some(round);
        }
    }

    fn hear_round(&mut self, round: Round) {
        let heard = (self.now)();
        let mut settlement = None;
        for effect in self.engine.observe(round, heard) {
            match effect {
                Effect::Settled(it) => {
                    self.keep(&settled(&it, heard));
                    settlement = Some(it);
                }
                Effect::Issued(forecast) => self.keep(&Entry::Forecast(forecast)),
                Effect::Retrain(_) => self.train(None),
            }
        }
        self.view.round(round, settlement.as_ref());
        let said = json!({
            "round": self.engine.rounds(),
            "time": round.time,
            "multiplier": round.multiplier,
            "forecast": settlement.map(|it| it.forecast.calibrated()),
        });
        self.outbox.say(Topic::Round, said);
    }

    pub(super) fn keep(&mut self, entry: &Entry) {
        self.keeper.append(entry);
        if let Entry::Forecast(forecast) = entry {
            let said = json!({ "round": forecast.round, "model_version": forecast.model_version });
            self.outbox.say(Topic::Forecast, said);
        }
    }

    fn read_origin(&self) -> Option<Origin> {
        Origin::of(&self.config.data_dir).unwrap_or_else(|error| {
            tracing::warn!("The origin of the rounds is taken as recorded: {error}.");
            Some(Origin::Recorded)
        })
    }
}

fn settled(settlement: &Settlement, now: DateTime<Utc>) -> Entry {
    Entry::Settled(Settled {
        round: settlement.forecast.round,
        time: settlement.round.time,
        actual: settlement.round.multiplier.as_f64(),
        settled_at: now,
    })
}
