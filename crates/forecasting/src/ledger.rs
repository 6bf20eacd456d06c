//! Forecasts as lines of text, and which of them belong to the present rounds.

use chrono::{DateTime, TimeDelta, Utc};
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::forecast::Forecast;
use crate::history::{HistoryChain, HistoryHash};

/// Maximum difference between the clocks of a recorder and of the machine that reads its rounds.
const AHEAD_MAX: TimeDelta = TimeDelta::days(1);

/// One line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A forecast; the last one for a round counts.
    Forecast(Forecast),
    /// The outcome of the last forecast with this number.
    Settled(Settled),
    /// How far the rounds had been read by then, if no forecast shows it.
    Read(ReadMark),
}

impl Entry {
    /// Parses a line; `None` if no predictor would write it. A line with impossible numbers is
    /// damaged and must be rejected: once scored, such a number would stay in every sum.
    pub fn read(line: &[u8]) -> Option<Self> {
        let entry = Self::parse_written(line).or_else(|| serde_json::from_slice(line).ok());
        entry.filter(Self::is_possible)
    }

    /// Parses a line that begins with its kind, as all written ones do. Where the kind may stand anywhere, serde first
    /// makes a tree of the line's values, which takes longer than all else.
    fn parse_written(line: &[u8]) -> Option<Self> {
        if line.starts_with(br#"{"kind":"forecast","#) {
            serde_json::from_slice(line).ok().map(Self::Forecast)
        } else if line.starts_with(br#"{"kind":"settled","#) {
            serde_json::from_slice(line).ok().map(Self::Settled)
        } else {
            None
        }
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
            Self::Read(_) => true,
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

/// A history that had been read when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// Number of rounds.
    pub rounds: u64,
    /// Hash of the history.
    pub history: HistoryHash,
    /// Time at which its last round ended.
    pub time: DateTime<Utc>,
}

/// A forecast and its outcome, if known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LedgerForecast {
    /// The forecast.
    pub forecast: Forecast,
    /// The outcome of its round.
    pub settled: Option<Settled>,
}

impl LedgerForecast {
    /// Returns whether its outcome has been written and is this round.
    pub fn is_settled_by(&self, round: &Round) -> bool {
        self.settled.is_some_and(|settled| {
            settled.time == round.time
                && settled.actual.to_bits() == round.multiplier.as_f64().to_bits()
        })
    }
}

/// All entries of a ledger.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    forecasts: Vec<LedgerForecast>,
    /// Reading marks, each with the number of forecasts before it.
    marks: Vec<(usize, ReadMark)>,
    model_version: u64,
}

/// Forecasts and reading marks of a ledger that do not belong to the present rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// Number of forecasts that do not count.
    pub count: u64,
    /// Time of the newest round in a history that is absent. Such a history can be present again only
    /// if more rounds follow on a round that is no newer than that.
    pub until: Option<DateTime<Utc>>,
}

/// The forecasts of a ledger that count.
///
/// Invariant: each was made after more rounds than the one before it.
#[derive(Debug, Clone, Default)]
pub struct Counting {
    forecasts: Vec<LedgerForecast>,
    /// Number of forecasts that have been taken or passed over.
    taken: usize,
    /// How far the present rounds had been read, according to the ledger.
    read: u64,
    absent: Absent,
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
            (Entry::Settled(_) | Entry::Read(_), _) => None,
        }
    }

    /// Removes and returns the forecast that is still open after the last entry.
    pub fn take_open(&mut self) -> Option<LedgerForecast> {
        self.open.take().map(|forecast| LedgerForecast { forecast, settled: None })
    }
}

impl Ledger {
    /// Reads entries in the order written.
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        entries.into_iter().for_each(|entry| ledger.push(entry));
        ledger
    }

    /// Reads the next entry.
    pub fn push(&mut self, entry: Entry) {
        match entry {
            Entry::Forecast(forecast) => self.push_forecast(forecast),
            Entry::Read(mark) => self.marks.push((self.forecasts.len(), mark)),
            // Usually the last one; further back if the ledger was not writable when the round
            // ended.
            Entry::Settled(settled) => {
                let mut forecasts = self.forecasts.iter_mut().rev();
                // Ignore an outcome without a forecast.
                if let Some(stored) = forecasts.find(|it| it.forecast.round == settled.round) {
                    stored.settled = Some(settled);
                }
            }
        }
    }

    fn push_forecast(&mut self, forecast: Forecast) {
        self.model_version = self.model_version.max(forecast.model_version);
        let is_last_entry = self.marks.last().is_none_or(|(at, _)| *at < self.forecasts.len());
        let last = self.forecasts.last_mut().filter(|last| {
            is_last_entry && last.settled.is_none() && forecast.is_for_the_round_of(&last.forecast)
        });
        match last {
            Some(last) => last.forecast = forecast,
            None => self.forecasts.push(LedgerForecast { forecast, settled: None }),
        }
    }

    /// Returns the newest model version; 0 without forecasts.
    pub fn model_version(&self) -> u64 {
        self.model_version
    }

    /// Returns the number of forecasts.
    pub fn forecasts(&self) -> usize {
        self.forecasts.len()
    }

    /// Selects the forecasts that count for the present rounds, whose hashes are `chain`. Entries before
    /// these said that the first `read` rounds had been read, and named the histories in `absent`.
    ///
    /// The rule: a forecast for round t counts if and only if the rounds before t are those after which it was made,
    /// they begin with those on which its model was trained, and no earlier line shows that round t may have been read
    /// by then. Of several for one round the last counts. A line about a history that is no longer present names only
    /// its last round, so every round up to that time may have been read.
    pub fn counting(
        self,
        rounds: &[Round],
        chain: &HistoryChain,
        read: u64,
        absent: Absent,
    ) -> Counting {
        let mut counting = Counting { read, absent, ..Counting::default() };
        let mut marks = self.marks.into_iter().peekable();
        // Those that count move to the front of the same vector: a second one would double the memory.
        let mut forecasts = self.forecasts;
        let mut kept = 0;
        for index in 0..forecasts.len() {
            while let Some((_, mark)) = marks.next_if(|(before, _)| *before <= index) {
                counting.mark_read(&mark, chain);
            }
            let stored = forecasts[index];
            if counting.is_next(&stored, forecasts[..kept].last_mut(), rounds, chain) {
                forecasts[kept] = stored;
                kept += 1;
            }
        }
        marks.for_each(|(_, mark)| counting.mark_read(&mark, chain));
        forecasts.truncate(kept);
        Counting { forecasts, ..counting }
    }
}

impl Counting {
    fn mark_read(&mut self, mark: &ReadMark, chain: &HistoryChain) {
        if chain.contains(mark.rounds, mark.history) {
            self.read = self.read.max(mark.rounds);
        } else {
            self.absent.extend_to(mark.time);
        }
    }

    /// Returns whether a forecast counts and is for another round than `last`, the last one that counts. If it is for
    /// the same round and counts, it replaces `last`.
    fn is_next(
        &mut self,
        stored: &LedgerForecast,
        last: Option<&mut LedgerForecast>,
        rounds: &[Round],
        chain: &HistoryChain,
    ) -> bool {
        let forecast = &stored.forecast;
        let before = forecast.rounds_before();
        if !forecast.is_after(chain) {
            self.absent.count += 1;
            self.absent.extend_to(credible(forecast.after, forecast.issued_at));
            return false;
        }
        let round = usize::try_from(before).ok().and_then(|before| rounds.get(before));
        let earlier = last.filter(|last| last.forecast.rounds_before() == before);
        // A recorded outcome proves that its round had been read.
        let outcome = earlier.as_ref().and_then(|it| it.settled);
        let is_known = outcome.is_some_and(|outcome| {
            chain.contains(before + 1, forecast.history.followed_by(outcome.actual))
        });
        let is_read = before < self.read
            || is_known
            || round.is_some_and(|round| self.absent.may_follow(round));
        self.read = self.read.max(before);
        if is_read || !forecast.is_model_of(chain) {
            self.absent.count += 1;
            return false;
        }
        let is_next = earlier.is_none();
        if let Some(earlier) = earlier {
            *earlier = *stored;
        }
        is_next
    }

    /// Returns the forecast made after the first `rounds` rounds, and passes over earlier ones.
    pub fn take(&mut self, rounds: u64) -> Option<LedgerForecast> {
        let left = self.forecasts.get(self.taken..).unwrap_or_default();
        self.taken += left.partition_point(|it| it.forecast.rounds_before() < rounds);
        let found = self.forecasts.get(self.taken)?;
        (found.forecast.rounds_before() == rounds).then_some(*found)
    }

    /// Returns how far the present rounds have been read, according to the ledger.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Returns the forecasts and reading marks that do not belong to the present rounds.
    pub fn absent(&self) -> Absent {
        self.absent
    }
}

/// Returns the time of a round, unless it is wrong: a time a day ahead of the clock of the machine that read it would
/// make every round until then look as if it had been read.
pub fn credible(time: DateTime<Utc>, read_at: DateTime<Utc>) -> DateTime<Utc> {
    if time - read_at > AHEAD_MAX { read_at } else { time }
}

impl Absent {
    /// Returns whether this round, or one that follows on it, may belong to an absent history.
    pub fn may_follow(&self, last: &Round) -> bool {
        self.until.is_some_and(|until| last.time <= until)
    }

    /// Records an absent history whose last round ended at `time`.
    pub fn extend_to(&mut self, time: DateTime<Utc>) {
        self.until = self.until.max(Some(time));
    }
}

#[cfg(test)]
mod tests;
