//! Rounds in, forecasts and their scores out. No clock, file, task or thread.
//!
//! Serving and backtest drive this same machine, so the backtest measures what is served:
//!
//! ```text
//! for round in rounds {
//!     for effect in engine.observe(round, heard) {
//!         match effect {
//!             Settled(settlement) => keep it,
//!             Issued(forecast)    => keep it, before the next round is looked at,
//!             Retrain(records)    => fit a dataset of those rounds, then engine.install(model),
//!         }
//!     }
//! }
//! ```
//!
//! The same rounds, heard at the same times, with models installed at the same places, give the
//! same forecasts to the bit.

mod learned_state;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use features::{Extractor, FeatureRow};
use rounds::Round;

pub use self::learned_state::{ForecastCounts, LearnedState};
use crate::dataset::ln_of;
use crate::forecast::{Forecast, Forecaster};
use crate::score_history::ScoreHistory;
use crate::scorecard::Scorecard;
use crate::training_schedule;

/// Betting on a round is taken as closed this long after the round before it ended. The game keeps
/// it open for about five seconds, after a pause that differs from site to site.
pub const BETTING_CLOSES_AFTER: TimeDelta = TimeDelta::seconds(5);

/// Settings of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether the engine asks for trainings.
    pub auto_train: bool,
    /// Whether the times of rounds are those of now, so that a forecast can come too late. The
    /// rounds of a replay were played long ago: for them it cannot be told.
    pub can_be_late: bool,
}

/// A model in use.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// Counts from 1.
    pub version: u64,
    /// Rounds it was trained on.
    pub trained_on: u64,
}

/// A forecast and its round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settlement {
    /// The forecast.
    pub forecast: Forecast,
    /// The round it was for.
    pub round: Round,
}

/// What the caller has to do after a round or a new model.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The open forecast was settled by its round.
    Settled(Settlement),
    /// A forecast for the next round; it replaces the open one for that round, if there is one.
    Issued(Forecast),
    /// A training on all rounds so far is due.
    Retrain(u64),
}

/// The forecast for the next round.
#[derive(Debug, Clone, Copy, Default)]
enum OpenForecast {
    /// There is none.
    #[default]
    None,
    /// It will be scored. `replaced` is the scored forecast it stands in for, which counts again if
    /// this one cannot be kept.
    Frozen { forecast: Forecast, replaced: Option<Forecast> },
    /// It could not be kept: shown, never scored.
    Discarded(Forecast),
}

impl OpenForecast {
    /// A forecast that replaces none.
    fn frozen_if(forecast: Option<Forecast>) -> Self {
        forecast.map_or(Self::None, |forecast| Self::Frozen { forecast, replaced: None })
    }

    /// The forecast, if it will be scored.
    fn frozen(&self) -> Option<&Forecast> {
        match self {
            Self::Frozen { forecast, .. } => Some(forecast),
            Self::None | Self::Discarded(_) => None,
        }
    }

    /// The forecast, scored or not.
    fn shown(&self) -> Option<&Forecast> {
        match self {
            Self::Frozen { forecast, .. } | Self::Discarded(forecast) => Some(forecast),
            Self::None => None,
        }
    }

    /// What is left when this forecast cannot be kept.
    fn discarded(self) -> Self {
        match self {
            Self::Frozen { replaced: Some(replaced), .. } => Self::frozen_if(Some(replaced)),
            Self::Frozen { forecast, replaced: None } => Self::Discarded(forecast),
            Self::None | Self::Discarded(_) => self,
        }
    }
}

/// Everything known after some number of rounds.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    extractor: Extractor,
    /// Of the rounds so far; none before the first.
    row: Option<FeatureRow>,
    rounds: u64,
    last: Option<Round>,
    installed: Option<Installed>,
    open: OpenForecast,
    trained_on: Option<u64>,
    learned: LearnedState,
}

impl Engine {
    /// An engine that has taken no round.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            extractor: Extractor::new(),
            row: None,
            rounds: 0,
            last: None,
            installed: None,
            open: OpenForecast::None,
            trained_on: None,
            learned: LearnedState::default(),
        }
    }

    /// Replays a recorded round without issuing a forecast for it. The round is scored only if
    /// `frozen`, a forecast made before it, is given.
    pub fn replay(&mut self, round: Round, frozen: Option<Forecast>) -> Option<Settlement> {
        self.open = OpenForecast::frozen_if(frozen);
        self.take(round)
    }

    /// Restores what an engine had learnt after these rounds, in place of replaying them. Only for
    /// an engine that has taken no round.
    pub fn restore(&mut self, rounds: &[Round], learned: LearnedState) {
        for round in rounds {
            self.learn(*round);
        }
        self.learned = learned;
    }

    /// The state that [`Engine::restore`] takes.
    pub fn learned(&self) -> &LearnedState {
        &self.learned
    }

    /// Notes that the open forecast could not be kept. The forecast it replaced counts again; where
    /// there is none, the open forecast is still shown, but not scored.
    pub fn discard_open(&mut self) {
        self.open = self.open.discarded();
    }

    /// The open forecast, if it will be scored.
    pub fn frozen(&self) -> Option<&Forecast> {
        self.open.frozen()
    }

    /// Takes a new round: settles the open forecast, learns from it, and issues the next one.
    pub fn observe(&mut self, round: Round, heard: DateTime<Utc>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let settlement = self.take(round);
        if settlement.is_none() && self.installed.is_some() {
            self.learned.counts.missed += 1;
        }
        effects.extend(settlement.map(Effect::Settled));
        effects.extend(self.issue(heard).map(Effect::Issued));
        effects.extend(self.ask_for_training().map(Effect::Retrain));
        effects
    }

    /// A training on all rounds so far, if one is due. Asks once, and again when the next is due.
    pub fn ask_for_training(&mut self) -> Option<u64> {
        let is_due = self.settings.auto_train && self.rounds >= self.next_training_at();
        is_due.then(|| self.training_started())
    }

    /// Notes that a training on all rounds so far begins, whoever asked for it.
    pub fn training_started(&mut self) -> u64 {
        self.trained_on = Some(self.rounds);
        self.rounds
    }

    /// Installs a model and issues a forecast from it.
    ///
    /// A forecast that was in time is not replaced by one that is not: whether a training ends
    /// before a round does depends on how long the round lasts, and so on its multiplier.
    pub fn install(&mut self, installed: Installed, now: DateTime<Utc>) -> Option<Forecast> {
        self.installed = Some(installed);
        let is_frozen = self.frozen().is_some_and(|open| !open.late) && self.is_late(now);
        if is_frozen { None } else { self.issue(now) }
    }

    /// Adopts a forecast for the next round that an earlier run issued.
    pub fn resume(&mut self, open: Forecast) {
        self.open = OpenForecast::frozen_if(Some(open));
    }

    /// The forecast for the next round.
    pub fn open(&self) -> Option<&Forecast> {
        self.open.shown()
    }

    /// Rounds so far.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// The newest round.
    pub fn last(&self) -> Option<Round> {
        self.last
    }

    /// The model in use.
    pub fn installed(&self) -> Option<&Installed> {
        self.installed.as_ref()
    }

    /// Trust: the weight the model's forecast is served with, 0 to 1.
    pub fn kappa(&self) -> f64 {
        self.learned.calibration.kappa.served()
    }

    /// What the forecasts were worth.
    pub fn scorecard(&self) -> &Scorecard {
        &self.learned.scorecard
    }

    /// How many rounds met a forecast.
    pub fn counts(&self) -> ForecastCounts {
        self.learned.counts
    }

    /// How skill, coverage and evidence went; cheap to clone.
    pub fn score_history(&self) -> &Arc<ScoreHistory> {
        &self.learned.score_history
    }

    /// The number of rounds at which a training is due.
    pub fn next_training_at(&self) -> u64 {
        training_schedule::due_at(self.trained_on)
    }

    fn take(&mut self, round: Round) -> Option<Settlement> {
        let open = std::mem::take(&mut self.open);
        let settlement = open.frozen().map(|&forecast| Settlement { forecast, round });
        let before = self.last.map(|last| last.time);
        self.learned.take(&round, settlement.as_ref().map(|it| &it.forecast), before);
        self.learn(round);
        settlement
    }

    /// What needs no forecast: the features.
    fn learn(&mut self, round: Round) {
        let row = self.extractor.push(ln_of(&round));
        self.row = Some(row.expect("ln of a multiplier, cut at the limit"));
        self.rounds += 1;
        self.last = Some(round);
    }

    fn issue(&mut self, now: DateTime<Utc>) -> Option<Forecast> {
        let (installed, row, last) = (self.installed.as_ref()?, self.row.as_ref()?, self.last?);
        let means = installed.model.means(row);
        let served = self.learned.calibration.serve(&means);
        let forecast = Forecast {
            round: self.rounds + 1,
            issued_at: now,
            after: last.time,
            last_actual: last.multiplier.as_f64(),
            model_version: installed.version,
            trained_on: installed.trained_on,
            means,
            kappa: served.kappa,
            scale: served.scale,
            probabilities: served.probabilities,
            interval80: served.interval80,
            interval90: served.interval90,
            late: self.is_late(now),
        };
        self.open = OpenForecast::Frozen { forecast, replaced: self.open.frozen().copied() };
        Some(forecast)
    }

    /// Decided from the past alone: a rule that looked at the round itself would pick rounds by
    /// how long they last, and bets on such a choice prove nothing.
    fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.settings.can_be_late
            && self.last.is_some_and(|last| now - last.time > BETTING_CLOSES_AFTER)
    }
}

#[cfg(test)]
mod tests;
