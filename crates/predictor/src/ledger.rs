//! Forecasts that were made before their rounds, as lines of text, and how they find their rounds
//! again when everything is read anew.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::forecast::Forecast;

/// One line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A forecast; the last one for a round is the one that counts.
    Forecast(Forecast),
    /// The round of the last forecast with this number was read.
    Settled(Settled),
}

/// How a round came out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The number in the forecast.
    pub round: u64,
    /// When it ended.
    pub time: DateTime<Utc>,
    /// What it ended at.
    pub actual: f64,
    /// When it was read.
    pub settled_at: DateTime<Utc>,
}

/// A forecast that counted, and its settlement if it had one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// What was said.
    pub forecast: Forecast,
    /// What came.
    pub settled: Option<Settled>,
}

/// A forecast was settled by another round than the one that now follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Void;

/// All forecasts that counted, by the round they came after.
///
/// The round before is the name of a forecast: numbers shift when an older file appears.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    kept: HashMap<Key, VecDeque<Kept>>,
    left: usize,
    model_version: u64,
}

type Key = (DateTime<Utc>, u64);

impl Ledger {
    /// Reads entries in the order they were written.
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut all: Vec<Kept> = Vec::new();
        for entry in entries {
            match (entry, all.last_mut()) {
                (Entry::Forecast(forecast), Some(last))
                    if last.settled.is_none() && is_same_round(&last.forecast, &forecast) =>
                {
                    last.forecast = forecast;
                }
                (Entry::Forecast(forecast), _) => all.push(Kept { forecast, settled: None }),
                (Entry::Settled(settled), Some(last)) if last.forecast.round == settled.round => {
                    last.settled.get_or_insert(settled);
                }
                // A settlement of nothing settles nothing.
                (Entry::Settled(_), _) => {}
            }
        }
        let model_version = all.iter().map(|kept| kept.forecast.model_version).max().unwrap_or(0);
        let mut ledger = Self { left: all.len(), model_version, ..Self::default() };
        for kept in all {
            ledger.kept.entry(key(&kept.forecast)).or_default().push_back(kept);
        }
        ledger
    }

    /// Takes out the forecast that was made after `before`, for the round `next`, if there is one.
    ///
    /// # Errors
    /// The files have changed since it was settled.
    pub fn take(&mut self, before: &Round, next: &Round) -> Result<Option<Kept>, Void> {
        let Some(kept) = self.pop(before) else { return Ok(None) };
        let is_void = kept.settled.is_some_and(|settled| {
            settled.time != next.time
                || settled.actual.to_bits() != next.multiplier.as_f64().to_bits()
        });
        if is_void { Err(Void) } else { Ok(Some(kept)) }
    }

    /// Takes out the forecast that was made after the newest round and still waits for its own.
    pub fn take_open(&mut self, last: &Round) -> Option<Forecast> {
        self.pop(last).filter(|kept| kept.settled.is_none()).map(|kept| kept.forecast)
    }

    /// Forecasts that no round has asked for.
    pub fn left(&self) -> usize {
        self.left
    }

    /// The newest model that spoke; 0 if none did.
    pub fn model_version(&self) -> u64 {
        self.model_version
    }

    fn pop(&mut self, before: &Round) -> Option<Kept> {
        let name = (before.time, before.multiplier.as_f64().to_bits());
        let kept = self.kept.get_mut(&name)?.pop_front()?;
        self.left -= 1;
        Some(kept)
    }
}

fn key(forecast: &Forecast) -> Key {
    (forecast.after, forecast.last_actual.to_bits())
}

fn is_same_round(a: &Forecast, b: &Forecast) -> bool {
    key(a) == key(b) && a.round == b.round
}
