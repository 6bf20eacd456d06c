use std::sync::Arc;

use chrono::{DateTime, Utc};
use evaluation::HouseLaw;
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::chronicle::Chronicle;
use crate::forecast::{Calibration, Forecast};
use crate::scorecard::Scorecard;

/// What an engine has learnt from forecasts and their rounds: all of it that is not to be had from
/// the rounds alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    pub(super) calibration: Calibration,
    pub(super) scorecard: Scorecard,
    pub(super) tally: Tally,
    #[serde(with = "shared")]
    pub(super) chronicle: Arc<Chronicle>,
}

/// What became of the rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Rounds that met a forecast.
    pub settled: u64,
    /// Those among them whose forecast came late.
    pub late: u64,
    /// Rounds that this run heard without a forecast although a model was there.
    #[serde(skip)]
    pub missed: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            calibration: Calibration::default(),
            scorecard: Scorecard::new(HouseLaw::default()),
            tally: Tally::default(),
            chronicle: Arc::default(),
        }
    }
}

impl Memory {
    /// Takes the next round, the forecast that was frozen for it, and the time of the round before.
    pub(super) fn take(
        &mut self,
        round: &Round,
        frozen: Option<&Forecast>,
        before: Option<DateTime<Utc>>,
    ) {
        if let Some(forecast) = frozen {
            self.tally.settled += 1;
            self.tally.late += u64::from(forecast.late);
            self.calibration.settle(forecast, round.multiplier.cents(), round.multiplier.ln());
        }
        self.scorecard.update(round, frozen, before);
        if self.chronicle.is_due(self.rounds()) {
            // Copied only while a snapshot still shows the last state.
            Arc::make_mut(&mut self.chronicle).note(&self.scorecard);
        }
    }

    /// Rounds it stands for.
    pub fn rounds(&self) -> u64 {
        self.scorecard.lights().rounds()
    }
}

/// Written as what it holds.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::chronicle::Chronicle;

    pub(super) fn serialize<S: Serializer>(it: &Arc<Chronicle>, to: S) -> Result<S::Ok, S::Error> {
        Chronicle::serialize(it, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<Chronicle>, D::Error> {
        Chronicle::deserialize(from).map(Arc::new)
    }
}
