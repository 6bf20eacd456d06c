//! Judges whether a recording is complete and correct, before anything is concluded about the game.
//!
//! A recorder that drops repeats, misses rounds or rounds values makes a fair game look predictable. The
//! judgement is streaming and keeps a bounded state. Judgement k is made after 2^k rounds, with an error of
//! alpha/(k (k + 1)) each, so that it may be watched for ever: all judgements together name a fault of a
//! sound recording with a probability of at most [`ALPHA`].

mod gap_fit;
mod gaps;
mod repeats;
mod values;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::gap_fit::{GAPS_MIN, GapFit, PaceEstimate};
use self::gaps::Gaps;
pub(crate) use self::gaps::gaps;
pub use self::repeats::EqualNeighbours;
use self::repeats::NeighbourCounts;
pub use self::values::ObservedCap;
pub(crate) use self::values::Values;
use crate::figures::thousands;
use crate::{Pace, multiplier};

/// Probability that a sound recording of independent rounds is ever suspected for its repeats.
pub const ALPHA: f64 = 0.01;

/// Number of rounds at the first judgement.
const FIRST_AT: u64 = 64;

/// A recorded round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordedRound {
    /// Its multiplier in cents.
    pub cents: u64,
    /// Time at which it ended, in seconds since 1970.
    pub unix_seconds: Option<f64>,
}

/// How far a recording can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No fault was found.
    #[default]
    Sound,
    /// Rounds are missing, or high values are cut off; the recorded values are otherwise right.
    Incomplete,
    /// The recorded rounds are not what was played. They say more about the recorder than about the
    /// game.
    Suspect,
}

/// A fault of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Fewer equal neighbours than chance gives: the recorder drops repeats.
    RepeatsDropped {
        /// Pairs of equal neighbours.
        seen: u64,
        /// Pairs expected of these rounds in random order.
        expected: f64,
    },
    /// More equal neighbours than chance gives: rounds are recorded twice.
    RepeatsDoubled {
        /// Pairs of equal neighbours.
        seen: u64,
        /// Pairs expected of these rounds in random order.
        expected: f64,
    },
    /// Gaps too long for the round that ends them: rounds were missed.
    GapsTooLong {
        /// Number of such gaps among the latest ones.
        count: u64,
        /// Number of the latest gaps.
        of: u64,
    },
    /// Gaps too short for the round that ends them.
    GapsTooShort {
        /// Number of such gaps among the latest ones.
        count: u64,
        /// Number of the latest gaps.
        of: u64,
    },
    /// Rounds whose time is before that of the round before.
    OutOfOrder {
        /// Number of such rounds.
        count: u64,
    },
    /// All times are whole minutes.
    TimesToTheMinute,
    /// All multipliers are whole numbers.
    IntegersOnly,
    /// All multipliers are multiples of a step wider than a cent.
    CoarseGrid {
        /// The step in cents.
        step_cents: u64,
    },
    /// Several rounds share the highest multiplier: higher ones were cut.
    Capped {
        /// The highest multiplier in cents.
        cents: u64,
        /// Number of rounds with it.
        count: u64,
    },
}

impl State {
    /// Returns how far a recording with these faults can be relied on.
    pub fn of<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Self {
        faults.into_iter().map(Fault::state).max().unwrap_or_default()
    }
}

impl Fault {
    /// Returns how far a recording with this fault can be relied on.
    pub fn state(&self) -> State {
        match self {
            Self::GapsTooLong { .. } | Self::Capped { .. } => State::Incomplete,
            Self::RepeatsDropped { .. }
            | Self::RepeatsDoubled { .. }
            | Self::GapsTooShort { .. }
            | Self::OutOfOrder { .. }
            | Self::TimesToTheMinute
            | Self::IntegersOnly
            | Self::CoarseGrid { .. } => State::Suspect,
        }
    }

    /// Returns what to do about it, as a sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::RepeatsDropped { .. } => {
                "Record anew with a recorder that keeps a round equal to the one before it, as the collector does."
            }
            Self::RepeatsDoubled { .. } => {
                "Join files that hold the same rounds with `predictor merge`, or record anew."
            }
            Self::GapsTooLong { .. } => {
                "`collector doctor` says why rounds were missed; the rounds that are there can be used."
            }
            Self::GapsTooShort { .. } => {
                "Keep each game in a directory of its own, and join recorders of one game with `predictor merge`."
            }
            Self::OutOfOrder { .. } => {
                "`predictor import` puts the rounds of a file in the order of their times."
            }
            Self::TimesToTheMinute => "Export the rounds with seconds.",
            Self::IntegersOnly | Self::CoarseGrid { .. } => {
                "Export the multipliers with two decimals."
            }
            Self::Capped { .. } => {
                "Export the rounds without a limit; if the game has one, every target up to it can be judged."
            }
        }
    }

    /// Returns whether the fault is in the gaps between rounds, so that it matters only for a recording at the pace of
    /// the game.
    pub fn is_of_pace(&self) -> bool {
        matches!(self, Self::GapsTooLong { .. } | Self::GapsTooShort { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RepeatsDropped { seen, expected } => write!(
                f,
                "the recorder drops repeats: {} pairs of equal neighbours, {expected:.0} expected",
                thousands(seen)
            ),
            Self::RepeatsDoubled { seen, expected } => write!(
                f,
                "rounds are recorded twice: {} pairs of equal neighbours, {expected:.0} expected",
                thousands(seen)
            ),
            Self::GapsTooLong { count, of } => write!(
                f,
                "rounds were missed: {} of the last {} gaps are too long for the rounds that end them",
                thousands(count),
                thousands(of)
            ),
            Self::GapsTooShort { count, of } => write!(
                f,
                "{} of the last {} gaps are too short for the rounds that end them",
                thousands(count),
                thousands(of)
            ),
            Self::OutOfOrder { count } => write!(f, "{} rounds are out of order", thousands(count)),
            Self::TimesToTheMinute => write!(f, "all times are whole minutes"),
            Self::IntegersOnly => write!(f, "all multipliers are whole numbers"),
            Self::CoarseGrid { step_cents } => {
                write!(f, "all multipliers are multiples of {:.2}", multiplier(step_cents))
            }
            Self::Capped { cents, count } => write!(
                f,
                "{} rounds share the highest multiplier, {:.2}×: higher ones were cut",
                thousands(count),
                multiplier(cents)
            ),
        }
    }
}

/// The streaming judgement of a recording.
#[derive(Clone, Debug, Default)]
pub struct Quality {
    rounds: u64,
    repeats: NeighbourCounts,
    values: Values,
    gaps: Gaps,
    fit: Option<GapFit>,
    /// Rounds at the latest judgement, and what it found.
    judged_at: u64,
    faults: Vec<Fault>,
}

impl Quality {
    /// Returns the judgement of no rounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the judgement of no rounds; gaps will be judged by this pace, if one is given, instead of by
    /// that of the recording.
    pub fn with_pace(pace: Option<Pace>) -> Self {
        Self { gaps: Gaps::with_pace(pace), ..Self::default() }
    }

    /// Returns the judgement of a whole recording, made after its last round too.
    ///
    /// That look has the error of the next power of two, which is not reached, so that [`ALPHA`] still
    /// holds for all of them.
    pub fn of_recording(
        rounds: impl IntoIterator<Item = RecordedRound>,
        pace: Option<Pace>,
    ) -> Self {
        let mut quality = Self::with_pace(pace);
        for round in rounds {
            quality.push(&round);
        }
        if quality.rounds > quality.judged_at && quality.rounds >= FIRST_AT {
            quality.judge(quality.rounds.ilog2() + 1);
        }
        quality
    }

    /// Adds the next round.
    pub fn push(&mut self, round: &RecordedRound) {
        self.rounds += 1;
        self.repeats.push(round.cents);
        self.values.push(round.cents);
        self.gaps.push(round);
        if self.rounds >= FIRST_AT && self.rounds.is_power_of_two() {
            self.judge(self.rounds.ilog2());
        }
    }

    /// Judges the rounds so far, with the error of the look number `k`.
    fn judge(&mut self, k: u32) {
        let k = f64::from(k);
        let alpha = ALPHA / (k * (k + 1.0));
        self.judged_at = self.rounds;
        self.faults.clear();
        self.faults.extend(self.repeats.fault(alpha));
        self.faults.extend(self.values.faults());
        self.fit = self.gaps.fit();
        self.faults.extend(self.gaps.faults(self.fit.as_ref()));
    }

    /// Returns how far the recording can be relied on.
    pub fn state(&self) -> State {
        State::of(&self.faults)
    }

    /// Returns the faults that the latest judgement found.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Returns the number of rounds at the latest judgement; 0 before the first.
    pub fn judged_at(&self) -> u64 {
        self.judged_at
    }

    /// Returns the pace by which the latest judgement judged gaps; `None` while there are fewer than
    /// [`GAPS_MIN`] of them and none is known.
    pub fn pace(&self) -> Option<Pace> {
        self.fit.map(|fit| fit.pace)
    }

    /// Returns the equal neighbours so far.
    pub fn equal_neighbours(&self) -> EqualNeighbours {
        self.repeats.equal_neighbours()
    }
}

#[cfg(test)]
mod tests;
