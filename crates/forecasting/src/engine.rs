//! Rounds in, forecasts and their scores out. No clock, file, task or thread.
//!
//! Serving and backtesting drive the same engine, so a backtest measures what is served:
//!
//! ```text
//! for round in rounds {
//!     for effect in engine.observe(round, now) {
//!         match effect {
//!             Settled(settlement) => store it,
//!             Issued(forecast)    => store it before reading the next round,
//!             Retrain(records)    => fit a model to those rounds, then engine.install(model),
//!         }
//!     }
//! }
//! ```
//!
//! A model forecasts only rounds that follow on those on which it was trained: the rounds so far must
//! begin with them. It issues nothing while they do not, for example after a file has been removed.
//!
//! The same rounds, observed at the same times, with the same models installed after the same
//! rounds, give the same forecasts bit for bit.

mod learned_state;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use evaluation::HouseLaw;
use features::{Extractor, FeatureRow};
use rounds::Round;

pub use self::learned_state::{ForecastCounts, LearnedState};
use crate::dataset::ln_of;
use crate::forecast::{Forecast, Forecaster};
use crate::history::{HistoryChain, HistoryHash};
use crate::ledger::ReadMark;
use crate::score_history::ScoreHistory;
use crate::scorecard::Scorecard;
use crate::training_schedule;

/// Time after the end of a round at which betting on the next one counts as closed. Games keep it
/// open for about five seconds, after a pause that differs from site to site.
pub const BETTING_CLOSES_AFTER: TimeDelta = TimeDelta::seconds(5);

/// Why the extractor takes every round.
const LN_IN_RANGE: &str = "ln of a multiplier, clamped to the limit";

/// Settings of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether the engine requests trainings.
    pub auto_train: bool,
    /// Whether rounds are observed live, so that a forecast can be late. The rounds of a replay
    /// were played long ago, so for them lateness is undefined.
    pub can_be_late: bool,
}

/// A model in use.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// Version, counted from 1.
    pub version: u64,
    /// Number of rounds on which it was trained.
    pub trained_on: u64,
    /// Hash of these rounds.
    pub history: HistoryHash,
}

/// A forecast and the round that settled it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settlement {
    /// The forecast.
    pub forecast: Forecast,
    /// The round it was for.
    pub round: Round,
}

/// What the caller must do after a round or a new model.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The open forecast was settled by its round.
    Settled(Settlement),
    /// A forecast for the next round was issued; it replaces an open one for that round.
    Issued(Forecast),
    /// A training is due, on all rounds so far; their number is given.
    Retrain(u64),
}

/// The state of the forecast for the next round.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::large_enum_variant, reason = "an engine has one of them")]
enum OpenForecast {
    /// There is no forecast.
    #[default]
    None,
    /// The forecast will be scored. `replaced` is the frozen forecast that it replaced, which
    /// counts again if this one cannot be stored.
    Frozen { forecast: Forecast, replaced: Option<Forecast> },
    /// The forecast could not be stored: it is shown but never scored.
    Discarded(Forecast),
}

impl OpenForecast {
    /// Returns the state with a forecast that replaces no other.
    fn frozen_if(forecast: Option<Forecast>) -> Self {
        forecast.map_or(Self::None, |forecast| Self::Frozen { forecast, replaced: None })
    }

    /// Returns the forecast, if it will be scored.
    fn frozen(&self) -> Option<&Forecast> {
        match self {
            Self::Frozen { forecast, .. } => Some(forecast),
            Self::None | Self::Discarded(_) => None,
        }
    }

    /// Returns the forecast, whether or not it will be scored.
    fn shown(&self) -> Option<&Forecast> {
        match self {
            Self::Frozen { forecast, .. } | Self::Discarded(forecast) => Some(forecast),
            Self::None => None,
        }
    }

    /// Returns the state after the forecast could not be stored.
    fn discarded(self) -> Self {
        match self {
            Self::Frozen { replaced: Some(replaced), .. } => Self::frozen_if(Some(replaced)),
            Self::Frozen { forecast, replaced: None } => Self::Discarded(forecast),
            Self::None | Self::Discarded(_) => self,
        }
    }
}

/// The forecasting engine: its state after some number of rounds.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    extractor: Extractor,
    /// Features of the next round; `None` before the first round.
    row: Option<FeatureRow>,
    chain: HistoryChain,
    last: Option<Round>,
    installed: Option<Installed>,
    open: OpenForecast,
    trained_on: Option<u64>,
    learned: LearnedState,
}

impl Engine {
    /// Returns an engine before any round, under the default house law.
    pub fn new(settings: Settings) -> Self {
        Self::with_house(settings, HouseLaw::default())
    }

    /// Returns an engine before any round, under this law of the house.
    pub fn with_house(settings: Settings, house: HouseLaw) -> Self {
        Self {
            settings,
            extractor: Extractor::new(),
            row: None,
            chain: HistoryChain::default(),
            last: None,
            installed: None,
            open: OpenForecast::None,
            trained_on: None,
            learned: LearnedState::new(house),
        }
    }

    /// Replays a recorded round without issuing a forecast for it. The round is scored only if
    /// `frozen`, a forecast made before it, is given.
    pub fn replay(&mut self, round: Round, frozen: Option<Forecast>) -> Option<Settlement> {
        self.open = OpenForecast::frozen_if(frozen);
        self.settle(round)
    }

    /// Restores what an engine had learnt after these rounds, instead of replaying them; `chain` is that of these
    /// rounds. Call it only on an engine without rounds.
    pub fn restore(&mut self, rounds: &[Round], chain: HistoryChain, learned: LearnedState) {
        for round in rounds {
            self.extractor.advance(ln_of(round)).expect(LN_IN_RANGE);
        }
        self.row = self.extractor.row();
        self.last = rounds.last().copied();
        self.chain = chain;
        self.learned = learned;
    }

    /// Returns the state for [`Engine::restore`].
    pub fn learned(&self) -> &LearnedState {
        &self.learned
    }

    /// Records that the open forecast could not be stored. The forecast that it replaced counts
    /// again; without one, the open forecast is still shown but not scored.
    pub fn discard_open(&mut self) {
        self.open = self.open.discarded();
    }

    /// Returns the open forecast, if it will be scored.
    pub fn frozen(&self) -> Option<&Forecast> {
        self.open.frozen()
    }

    /// Processes a new round observed at `now`: settles the open forecast, learns from the round,
    /// and issues the next forecast.
    pub fn observe(&mut self, round: Round, now: DateTime<Utc>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let has_model = self.installed().is_some();
        let settlement = self.settle(round);
        if settlement.is_none() && has_model {
            self.learned.counts.missed += 1;
        }
        effects.extend(settlement.map(Effect::Settled));
        effects.extend(self.issue(now).map(Effect::Issued));
        effects.extend(self.ask_for_training().map(Effect::Retrain));
        effects
    }

    /// Returns the number of rounds to train on, if a training is due; returns it once per
    /// training.
    pub fn ask_for_training(&mut self) -> Option<u64> {
        let is_due = self.settings.auto_train && self.rounds() >= self.next_training_at();
        is_due.then(|| self.training_started())
    }

    /// Records that a training on all rounds so far begins, whether or not the engine requested it;
    /// returns their number.
    pub fn training_started(&mut self) -> u64 {
        self.trained_on = Some(self.rounds());
        self.rounds()
    }

    /// Installs a model and issues a forecast from it. A model that was trained on other rounds than
    /// these issues none, and does not replace one that can.
    ///
    /// A late forecast does not replace one that was in time: whether a training ends before a
    /// round depends on the length of the round, and so on its multiplier.
    pub fn install(&mut self, installed: Installed, now: DateTime<Utc>) -> Option<Forecast> {
        let is_usable = self.chain.contains(installed.trained_on, installed.history);
        if !is_usable && self.installed().is_some() {
            return None;
        }
        self.installed = Some(installed);
        let is_frozen = self.frozen().is_some_and(|open| !open.late) && self.is_late(now);
        if is_frozen { None } else { self.issue(now) }
    }

    /// Adopts a forecast for the next round that an earlier run issued.
    pub fn resume(&mut self, open: Forecast) {
        self.open = OpenForecast::frozen_if(Some(open));
    }

    /// Returns the forecast for the next round.
    pub fn open(&self) -> Option<&Forecast> {
        self.open.shown()
    }

    /// Returns the number of rounds so far.
    pub fn rounds(&self) -> u64 {
        self.chain.rounds()
    }

    /// Returns the hash of the rounds so far.
    pub fn history(&self) -> HistoryHash {
        self.chain.head()
    }

    /// Returns how far the rounds have been read; `None` before the first.
    pub fn read_mark(&self) -> Option<ReadMark> {
        let (rounds, history) = (self.rounds(), self.history());
        self.last.map(|last| ReadMark { rounds, history, time: last.time })
    }

    /// Returns the newest round.
    pub fn last(&self) -> Option<Round> {
        self.last
    }

    /// Returns the model in use; `None` while the rounds so far do not begin with those on which it was
    /// trained.
    pub fn installed(&self) -> Option<&Installed> {
        self.newest_model().filter(|it| self.chain.contains(it.trained_on, it.history))
    }

    /// Returns the newest model, even one that has been trained on other rounds.
    pub fn newest_model(&self) -> Option<&Installed> {
        self.installed.as_ref()
    }

    /// Returns the trust: the weight that the models' forecast has earned, 0 to 1. It is served only if
    /// the models have also proved better than both references.
    pub fn kappa(&self) -> f64 {
        self.learned.calibration.kappa.served()
    }

    /// Returns the scores of the forecasts.
    pub fn scorecard(&self) -> &Scorecard {
        &self.learned.scorecard
    }

    /// Returns how many rounds had a forecast.
    pub fn counts(&self) -> ForecastCounts {
        self.learned.counts
    }

    /// Returns the history of skill, coverage and evidence; cheap to clone.
    pub fn score_history(&self) -> &Arc<ScoreHistory> {
        &self.learned.score_history
    }

    /// Returns the number of rounds at which a training is due.
    pub fn next_training_at(&self) -> u64 {
        training_schedule::due_at(self.trained_on)
    }

    /// Settles the open forecast with a round and learns from both.
    fn settle(&mut self, round: Round) -> Option<Settlement> {
        let open = std::mem::take(&mut self.open);
        let settlement = open.frozen().map(|&forecast| Settlement { forecast, round });
        let before = self.last.map(|last| last.time);
        self.learned.update(&round, settlement.as_ref().map(|it| &it.forecast), before);
        self.learn(round);
        settlement
    }

    /// Updates what needs no forecast: the features.
    fn learn(&mut self, round: Round) {
        self.row = Some(self.extractor.push(ln_of(&round)).expect(LN_IN_RANGE));
        self.chain.push(&round);
        self.last = Some(round);
    }

    fn issue(&mut self, now: DateTime<Utc>) -> Option<Forecast> {
        let (installed, row, last) = (self.installed()?, self.row.as_ref()?, self.last?);
        let means = installed.model.means(row);
        let LearnedState { calibration, scorecard, .. } = &self.learned;
        let (candidate, basis) = (calibration.candidate(&means), scorecard.basis());
        let served = calibration.serve(basis, &candidate, scorecard.climatology());
        let forecast = Forecast {
            round: self.rounds() + 1,
            issued_at: now,
            after: last.time,
            last_actual: last.multiplier.as_f64(),
            model_version: installed.version,
            trained_on: installed.trained_on,
            history: self.history(),
            model_history: installed.history,
            means,
            house: candidate.house,
            kappa: candidate.kappa,
            scale: candidate.scale,
            basis,
            observed_median: served.observed_median,
            probabilities: served.probabilities,
            interval80: served.interval80,
            interval90: served.interval90,
            late: self.is_late(now),
        };
        self.open = OpenForecast::Frozen { forecast, replaced: self.open.frozen().copied() };
        Some(forecast)
    }

    /// Returns whether a forecast issued at `now` is late, judged by the past alone. A rule that
    /// depended on the round itself would select rounds by their length, and bets on rounds
    /// selected that way prove nothing.
    fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.settings.can_be_late
            && self.last.is_some_and(|last| now - last.time > BETTING_CLOSES_AFTER)
    }
}

#[cfg(test)]
mod tests;
