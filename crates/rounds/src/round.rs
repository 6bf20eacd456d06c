//! A finished round and its row in a CSV file.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::Multiplier;

/// One finished game round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Round {
    /// When it ended.
    pub time: DateTime<Utc>,
    /// The multiplier at which it ended.
    pub multiplier: Multiplier,
}

impl Round {
    /// Returns the round's row, newline included: `2025-12-10T19:32:35.000Z,12.06`.
    ///
    /// The format keeps milliseconds; the time is truncated to them.
    pub fn to_row(&self) -> String {
        let time = self.time.to_rfc3339_opts(SecondsFormat::Millis, true);
        format!("{time},{}\n", self.multiplier)
    }
}
