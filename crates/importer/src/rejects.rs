//! Rows that are not rounds: how many for each reason, with one example each.

use std::fmt;

use rounds::counted;

use crate::number_forms::NumberProblem;
use crate::record::Record;
use crate::time_forms::TimeProblem;

/// Why a row is not a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The row has more or fewer fields than the header.
    FieldCount,
    /// A quotation mark is not closed on its line.
    Quote,
    /// The field of the time is empty.
    EmptyTime,
    /// The field of the time holds something else.
    Time,
    /// A day or month that does not exist.
    NoSuchDate,
    /// The clocks skipped this time when summer time began.
    SkippedTime,
    /// Before 2009, or later than tomorrow.
    Year,
    /// The field of the multiplier is empty.
    EmptyMultiplier,
    /// The field of the multiplier holds something else.
    Multiplier,
    /// `1.090` in a file with decimal commas: 1.09 or 1090.
    AmbiguousNumber,
    /// Below 1.
    BelowOne,
    /// Above the limit.
    TooLarge,
    /// The id of the row before, with another multiplier.
    Conflict,
}

impl Reason {
    /// Returns what is wrong, in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::FieldCount => "more or fewer fields than the header",
            Self::Quote => "a quotation mark is not closed",
            Self::EmptyTime => "no time",
            Self::Time => "not a time",
            Self::NoSuchDate => "no such date",
            Self::SkippedTime => "a time that the clocks skipped as summer time began",
            Self::Year => "before 2009 or in the future",
            Self::EmptyMultiplier => "no multiplier",
            Self::Multiplier => "not a number",
            Self::AmbiguousNumber => {
                "a number that may have three decimals or a thousands separator"
            }
            Self::BelowOne => "a multiplier below 1",
            Self::TooLarge => "a multiplier above the limit (--max-multiplier)",
            Self::Conflict => "another multiplier for the round of the row before",
        }
    }
}

impl From<TimeProblem> for Reason {
    fn from(problem: TimeProblem) -> Self {
        match problem {
            TimeProblem::NotATime | TimeProblem::TwoDigitYear | TimeProblem::NoClock => Self::Time,
            TimeProblem::NoSuchDate => Self::NoSuchDate,
        }
    }
}

impl From<NumberProblem> for Reason {
    fn from(problem: NumberProblem) -> Self {
        match problem {
            NumberProblem::NotANumber => Self::Multiplier,
            NumberProblem::Ambiguous => Self::AmbiguousNumber,
        }
    }
}

/// The rows rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: u64,
    /// The line of the first of them, from 1.
    pub line: u64,
    /// That row, cut to a length that can be shown.
    pub example: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}; line {}: {}",
            counted(self.count, "row"),
            self.reason.text(),
            self.line,
            self.example
        )
    }
}

/// Rejected rows by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rejects(Vec<Rejected>);

/// Maximum number of characters of an example.
const EXAMPLE_CHARS: usize = 100;

impl Rejects {
    pub(crate) fn add(&mut self, reason: Reason, record: &Record) {
        self.add_with(reason, record.line, || record.excerpt(EXAMPLE_CHARS));
    }

    pub(crate) fn add_with(&mut self, reason: Reason, line: u64, example: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|rejected| rejected.reason == reason) {
            Some(rejected) => rejected.count += 1,
            None => self.0.push(Rejected { reason, count: 1, line, example: example() }),
        }
    }

    /// Returns the rejected rows, most frequent reason first.
    pub(crate) fn into_list(mut self) -> Vec<Rejected> {
        self.0.sort_by_key(|rejected| (std::cmp::Reverse(rejected.count), rejected.reason));
        self.0
    }
}
