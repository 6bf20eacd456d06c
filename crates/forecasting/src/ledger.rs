//! Forecasts as lines of text, and their matching with rounds when everything is read again.

use chrono::{DateTime, Utc};
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::forecast::Forecast;

/// One line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A forecast; the last one for a round counts.
    Forecast(Forecast),
    /// The outcome of the last forecast with this number.
    Settled(Settled),
}

impl Entry {
    /// Parses a line; `None` if no predictor would write it. A line with impossible numbers is
    /// damaged and must be rejected: once scored, such a number would stay in every sum.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok().filter(Self::is_possible)
    }

    /// Returns its line, newline included.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("entries are plain numbers and times");
        line.push(b'\n');
        line
    }

    fn is_possible(&self) -> bool {
        match self {
            Self::Forecast(forecast) => forecast.is_possible(),
            Self::Settled(settled) => settled.actual >= 1.0,
        }
    }
}

/// The outcome of the round of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Number of the round in the forecast.
    pub round: u64,
    /// Time at which the round ended.
    pub time: DateTime<Utc>,
    /// Multiplier of the round.
    pub actual: f64,
    /// Time at which the round was read.
    pub settled_at: DateTime<Utc>,
}

/// A forecast and its outcome, if known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LedgerForecast {
    /// The forecast.
    pub forecast: Forecast,
    /// The outcome of its round.
    pub settled: Option<Settled>,
}

/// The error of a forecast that was settled by another round than the one that now follows in the
/// files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch;

/// All forecasts of a ledger, keyed by the round after which they were made.
///
/// The number of a round is not a key, because numbers shift when an older file appears.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// In the order written; sorted by key once the first is taken.
    stored: Vec<LedgerForecast>,
    is_taken: Vec<bool>,
    model_version: u64,
}

/// Pairs forecasts with their outcomes in the order written, one at a time and in constant space.
/// Unlike [`Ledger`], it does not look further back for the forecast of an outcome written late.
#[derive(Debug, Clone, Default)]
pub struct ForecastPairing {
    open: Option<Forecast>,
}

impl ForecastPairing {
    /// Reads the next entry; returns the forecast that it completes, settled or not.
    pub fn push(&mut self, entry: Entry) -> Option<LedgerForecast> {
        match (entry, self.open) {
            (Entry::Forecast(forecast), open) => {
                self.open = Some(forecast);
                let passed = open.filter(|open| !forecast.is_for_the_round_of(open))?;
                Some(LedgerForecast { forecast: passed, settled: None })
            }
            (Entry::Settled(settled), Some(open)) if open.round == settled.round => {
                self.open = None;
                Some(LedgerForecast { forecast: open, settled: Some(settled) })
            }
            // Ignore an outcome without a forecast.
            (Entry::Settled(_), _) => None,
        }
    }

    /// Removes and returns the forecast that is still open after the last entry.
    pub fn take_open(&mut self) -> Option<LedgerForecast> {
        self.open.take().map(|forecast| LedgerForecast { forecast, settled: None })
    }
}

type Key = (DateTime<Utc>, u64);

impl Ledger {
    /// Reads entries in the order written.
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        entries.into_iter().for_each(|entry| ledger.push(entry));
        ledger
    }

    /// Reads the next entry. Read all entries before taking the first forecast.
    pub fn push(&mut self, entry: Entry) {
        match (entry, self.stored.last_mut()) {
            (Entry::Forecast(forecast), Some(last))
                if last.settled.is_none() && forecast.is_for_the_round_of(&last.forecast) =>
            {
                last.forecast = forecast;
                self.model_version = self.model_version.max(forecast.model_version);
            }
            (Entry::Forecast(forecast), _) => {
                self.stored.push(LedgerForecast { forecast, settled: None });
                self.model_version = self.model_version.max(forecast.model_version);
            }
            // Usually the last one; further back if the ledger was not writable when the round
            // ended.
            (Entry::Settled(settled), _) => {
                let mut stored = self.stored.iter_mut().rev();
                // Ignore an outcome without a forecast.
                if let Some(stored) = stored.find(|stored| stored.forecast.round == settled.round) {
                    stored.settled.get_or_insert(settled);
                }
            }
        }
    }

    /// Removes and returns the forecast that was made after `before`, for the round `next`.
    ///
    /// # Errors
    /// The forecast was settled by another round: the files have changed since.
    pub fn take(
        &mut self,
        before: &Round,
        next: &Round,
    ) -> Result<Option<LedgerForecast>, Mismatch> {
        let Some(stored) = self.pop(before) else { return Ok(None) };
        let is_mismatch = stored.settled.is_some_and(|settled| {
            settled.time != next.time
                || settled.actual.to_bits() != next.multiplier.as_f64().to_bits()
        });
        if is_mismatch { Err(Mismatch) } else { Ok(Some(stored)) }
    }

    /// Removes and returns the unsettled forecast that was made after the newest round, `last`.
    pub fn take_open(&mut self, last: &Round) -> Option<Forecast> {
        self.pop(last).filter(|stored| stored.settled.is_none()).map(|stored| stored.forecast)
    }

    /// Returns the number of forecasts not taken, and the latest time of a round after which one
    /// was made.
    pub fn left(&self) -> (usize, Option<DateTime<Utc>>) {
        let is_left = |index: &usize| !self.is_taken.get(*index).is_some_and(|taken| *taken);
        let left = (0..self.stored.len()).filter(is_left);
        left.fold((0, None), |(count, until), index| {
            (count + 1, until.max(Some(self.stored[index].forecast.after)))
        })
    }

    /// Returns the newest model version; 0 without forecasts.
    pub fn model_version(&self) -> u64 {
        self.model_version
    }

    fn pop(&mut self, before: &Round) -> Option<LedgerForecast> {
        if self.is_taken.len() != self.stored.len() {
            // A stable sort: of two with the same key the one written first comes first.
            self.stored.sort_by_key(|stored| key(&stored.forecast));
            self.is_taken = vec![false; self.stored.len()];
        }
        let wanted = (before.time, before.multiplier.as_f64().to_bits());
        let mut at = self.stored.partition_point(|stored| key(&stored.forecast) < wanted);
        while self.stored.get(at).is_some_and(|stored| key(&stored.forecast) == wanted) {
            if !std::mem::replace(&mut self.is_taken[at], true) {
                return Some(self.stored[at]);
            }
            at += 1;
        }
        None
    }
}

fn key(forecast: &Forecast) -> Key {
    (forecast.after, forecast.last_actual.to_bits())
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

    use super::*;
    use crate::calibration::Calibration;
    use crate::forecast::Means;

    fn at(second: u64) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::try_from(second).unwrap(), 0).unwrap()
    }

    /// Round `number` ends at second `number`, `number` cents above 2.00.
    fn round(number: u64) -> Round {
        Round { time: at(number), multiplier: Multiplier::from_cents(200 + number).unwrap() }
    }

    fn forecast(number: u64, version: u64) -> Entry {
        let means = Means { members: [1.0 / 3.0, 0.1, 0.7], mean: 0.1 + 0.2 };
        let served = Calibration::default().serve(&means);
        let before = round(number - 1);
        Entry::Forecast(Forecast {
            round: number,
            issued_at: before.time,
            after: before.time,
            last_actual: before.multiplier.as_f64(),
            model_version: version,
            trained_on: 30,
            means,
            kappa: served.kappa,
            scale: served.scale,
            probabilities: served.probabilities,
            interval80: served.interval80,
            interval90: served.interval90,
            late: false,
        })
    }

    fn settled(number: u64) -> Entry {
        let round = round(number);
        let actual = round.multiplier.as_f64();
        Entry::Settled(Settled { round: number, time: round.time, actual, settled_at: round.time })
    }

    #[test]
    fn a_line_read_back_equals_the_written_entry_bit_for_bit() {
        for entry in [forecast(31, 1), settled(31)] {
            let line = serde_json::to_string(&entry).unwrap();
            assert!(!line.contains('\n'));
            let back: Entry = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), line);
            assert_eq!(back, entry);
        }
    }

    #[test]
    fn the_last_forecast_for_a_round_counts() {
        let entries = [forecast(31, 1), forecast(31, 2), settled(31), forecast(32, 2)];
        let mut ledger = Ledger::from_entries(entries);
        assert_eq!((ledger.left(), ledger.model_version()), ((2, Some(at(31))), 2));
        let stored = ledger.take(&round(30), &round(31)).unwrap().unwrap();
        assert_eq!(stored.forecast.model_version, 2);
        assert!(stored.settled.is_some());
        assert_eq!(ledger.take(&round(30), &round(31)), Ok(None), "it is taken once");
        assert_eq!(ledger.take_open(&round(31)).map(|open| open.round), Some(32));
        assert_eq!(ledger.left(), (0, None));
    }

    #[test]
    fn a_forecast_is_found_by_the_round_before_it_even_if_numbers_have_shifted() {
        let mut ledger = Ledger::from_entries([forecast(31, 1), settled(31)]);
        assert_eq!(ledger.take(&round(29), &round(30)), Ok(None));
        assert!(ledger.take(&round(30), &round(31)).unwrap().is_some());
    }

    #[test]
    fn a_forecast_settled_by_another_round_is_a_mismatch() {
        let mut ledger = Ledger::from_entries([forecast(31, 1), settled(31)]);
        let other = Round { time: at(31), multiplier: Multiplier::from_cents(999).unwrap() };
        assert_eq!(ledger.take(&round(30), &other), Err(Mismatch));
    }

    #[test]
    fn unmatched_and_repeated_outcomes_change_nothing() {
        let twice = [settled(9), forecast(31, 1), settled(31), settled(31), settled(32)];
        let mut ledger = Ledger::from_entries(twice);
        assert_eq!(ledger.left(), (1, Some(at(30))));
        assert!(ledger.take(&round(30), &round(31)).unwrap().unwrap().settled.is_some());
    }

    #[test]
    fn an_outcome_written_late_settles_its_forecast() {
        let entries = [forecast(31, 1), forecast(34, 1), settled(34), forecast(35, 1), settled(31)];
        let mut ledger = Ledger::from_entries(entries);
        let stored = ledger.take(&round(30), &round(31)).unwrap().unwrap();
        assert!(stored.settled.is_some());
        assert_eq!(ledger.take_open(&round(34)).map(|open| open.round), Some(35));
    }

    #[test]
    fn a_settled_forecast_is_not_open() {
        let mut ledger = Ledger::from_entries([forecast(31, 1), settled(31)]);
        assert_eq!(ledger.take_open(&round(30)), None);
    }
}
