//! The state that an engine has learnt from forecasts and their outcomes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use evaluation::HouseLaw;
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::forecast::Forecast;
use crate::score_history::ScoreHistory;
use crate::scorecard::Scorecard;

/// The state that an engine has learnt from forecasts and their outcomes: all of its state that
/// cannot be recomputed from the rounds alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LearnedState {
    pub(super) calibration: Calibration,
    pub(super) scorecard: Scorecard,
    pub(super) counts: ForecastCounts,
    #[serde(with = "shared")]
    pub(super) score_history: Arc<ScoreHistory>,
}

/// How many rounds had a forecast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastCounts {
    /// Rounds with a forecast.
    pub settled: u64,
    /// Those of them whose forecast was late.
    pub late: u64,
    /// Rounds that this run observed without a forecast although a model was installed.
    #[serde(skip)]
    pub missed: u64,
}

impl LearnedState {
    /// Returns the state before any round, under this law of the house.
    pub(super) fn new(house: HouseLaw) -> Self {
        Self {
            calibration: Calibration::new(house),
            scorecard: Scorecard::new(house),
            counts: ForecastCounts::default(),
            score_history: Arc::default(),
        }
    }

    /// Returns the law of the house under which everything was scored.
    pub fn house(&self) -> &HouseLaw {
        self.scorecard.house()
    }

    /// Learns from a round, given the forecast that was frozen for it and the time of the round before.
    pub(super) fn update(
        &mut self,
        round: &Round,
        frozen: Option<&Forecast>,
        before: Option<DateTime<Utc>>,
    ) {
        if let Some(forecast) = frozen {
            self.counts.settled += 1;
            self.counts.late += u64::from(forecast.late);
            let (cents, ln_m) = (round.multiplier.cents(), round.multiplier.ln());
            self.calibration.settle(forecast, self.scorecard.climatology(), cents, ln_m);
        }
        self.scorecard.update(round, frozen, before);
        if self.score_history.is_due(self.rounds()) {
            // This copies the history only while a snapshot still refers to it.
            Arc::make_mut(&mut self.score_history).note(&self.scorecard);
        }
    }

    /// Returns the number of rounds it covers.
    pub fn rounds(&self) -> u64 {
        self.scorecard.evidence().rounds()
    }
}

/// Serialises an `Arc` as its contents.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::score_history::ScoreHistory;

    pub(super) fn serialize<S: Serializer>(
        it: &Arc<ScoreHistory>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        ScoreHistory::serialize(it, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<ScoreHistory>, D::Error> {
        ScoreHistory::deserialize(from).map(Arc::new)
    }
}
