//! Tests whether a growing file repeats the rounds of another file under a different clock.

use chrono::{DateTime, TimeDelta, Utc};

use crate::round::Round;

/// Evidence that makes a merge worth while: −ln 10⁻¹², the logarithms of the 1,000 offsets of clocks
/// and the 200 runs that the merge tries in three ways, and 3 nats to spare.
const DECIDED: f64 = 27.6 + 6.9 + 5.3 + 1.1 + 3.0;
/// Rounds of one recorder agree to this much.
const AGREE: TimeDelta = TimeDelta::seconds(5);

/// Rows that repeat multipliers of another file, in its order and by a constant clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    /// Evidence in nats.
    evidence: f64,
    /// Time in the series less time of the row, of the first row.
    offset: Option<TimeDelta>,
    /// Number of the latest round that was repeated, plus one.
    next: u64,
    /// Rows were held back.
    has_held: bool,
}

/// The rounds of the series that a row may repeat.
#[derive(Debug)]
pub(super) struct Seen {
    /// Rounds of other recordings with the multiplier of the row, and their numbers.
    pub(super) equal: Vec<(u64, Round)>,
    /// Whether the row can continue the series.
    pub(super) is_newest: bool,
    /// Share of the multiplier.
    pub(super) share: f64,
    /// Time of the newest round of other recordings.
    pub(super) newest: Option<DateTime<Utc>>,
    /// Evidence that other files repeat this one.
    pub(super) evidence: f64,
}

/// The effect of a row on the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It repeats the other file again.
    Held,
    /// A merge must settle the rows that were held back.
    Decided,
    /// It repeats nothing, and nothing was held back.
    Unlike,
}

impl Trial {
    /// Number of the first round that the next row may repeat.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The trial after a merge, which has counted what was held back; rounds are numbered anew.
    pub(super) fn resumed(&self, next: u64) -> Self {
        Self { next, has_held: false, ..self.clone() }
    }

    /// Takes the next row.
    ///
    /// The first repetition may be chance: a row that can continue the series is held back from the
    /// second one on.
    pub(super) fn enter(&mut self, row: &Round, seen: &Seen) -> Outcome {
        let fits = |other: &&(u64, Round)| {
            let offset = other.1.time - row.time;
            self.offset.is_none_or(|known| (known - offset).abs() <= AGREE)
        };
        let found = seen.equal.iter().rev().find(fits).copied();
        if found.is_none() && self.miss(row, seen) == Outcome::Decided {
            return Outcome::Decided;
        }
        // A trial starts with the newest of them: the others were reported long ago.
        let Some((number, other)) = found.or_else(|| self.restart(seen)) else {
            return Outcome::Unlike;
        };
        let is_open = self.offset.is_some();
        self.offset.get_or_insert(other.time - row.time);
        self.next = number + 1;
        let is_held = is_open || !seen.is_newest;
        self.has_held |= is_held;
        self.evidence += (0.5 + 0.5 / seen.share).ln();
        match (is_held, self.evidence + seen.evidence >= DECIDED) {
            (false, _) => Outcome::Unlike,
            (true, false) => Outcome::Held,
            (true, true) => Outcome::Decided,
        }
    }

    /// A row that repeats nothing ends the trial, unless the other recorder is yet to report it.
    fn miss(&mut self, row: &Round, seen: &Seen) -> Outcome {
        let is_ahead = self
            .offset
            .zip(seen.newest)
            .is_some_and(|(offset, newest)| row.time + offset > newest + AGREE);
        if is_ahead {
            return Outcome::Unlike;
        }
        let has_held = self.has_held;
        *self = Self { next: self.next, ..Self::default() };
        if has_held { Outcome::Decided } else { Outcome::Unlike }
    }

    /// The round that a new trial starts with, unless one goes on.
    fn restart(&self, seen: &Seen) -> Option<(u64, Round)> {
        if self.offset.is_none() { seen.equal.last().copied() } else { None }
    }

    /// Evidence of a trial the other way round: that rows of another file repeat this one's.
    pub(super) fn evidence_against(&self, other: &Self) -> f64 {
        let is_opposite = self
            .offset
            .zip(other.offset)
            .is_some_and(|(offset, other)| (offset + other).abs() <= AGREE);
        if is_opposite { other.evidence } else { 0.0 }
    }
}
