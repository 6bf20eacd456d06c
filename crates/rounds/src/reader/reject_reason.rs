//! Why a line is not a round.

use crate::MultiplierError;
use crate::reader::LINE_BYTES_MAX;

/// Why a line is not a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// The bytes are not text.
    #[error("not UTF-8 text")]
    NotText,
    /// The line is longer than any row can be.
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// A quotation mark is opened and not closed on this line.
    #[error("a quotation mark is not closed")]
    Quote,
    /// The whole file is refused; its [`Refusal`](crate::Refusal) says why.
    #[error("the file as a whole is refused")]
    FileRefused,
    /// The line has fewer fields than its file has columns.
    #[error("too few fields: {found} for {expected} columns")]
    TooFewFields {
        /// Fields of this line.
        found: usize,
        /// Columns of this file.
        expected: usize,
    },
    /// The line has more fields than columns: perhaps a decimal comma that is not quoted.
    #[error("too many fields: {found} for {expected} columns")]
    TooManyFields {
        /// Fields of this line.
        found: usize,
        /// Columns of this file.
        expected: usize,
    },
    /// The field of the time holds something else.
    #[error("time: none of the accepted forms")]
    Time,
    /// Summer time began: the clocks of the reader's time zone skipped this local time.
    #[error("time: the clocks of this time zone skipped it")]
    SkippedTime,
    /// Day and month can be read in two orders, and no row of the file settles which.
    #[error("time: day and month can be read in two orders")]
    AmbiguousDate,
    /// No crash game ran at this time: before 2009, or more than a day from now.
    #[error("time: before 2009 or in the future")]
    TimeOutOfRange,
    /// The field of the multiplier holds something else.
    #[error("multiplier: {0}")]
    Multiplier(#[from] MultiplierError),
    /// Above the limit of the reader, [`ReadOptions::max_multiplier`](crate::ReadOptions).
    #[error("multiplier: above the limit")]
    AboveLimit,
    /// Time, multiplier and round id (or bet) are those of the row before.
    #[error("the same round as the row before")]
    SameRound,
}

impl RejectReason {
    /// The names of all reasons, as they are counted in metrics and in the API.
    pub const WORDS: [&'static str; 13] = [
        "not_text",
        "too_long",
        "quote",
        "file_refused",
        "too_few_fields",
        "too_many_fields",
        "time",
        "skipped_time",
        "ambiguous_date",
        "time_out_of_range",
        "multiplier",
        "above_limit",
        "same_round",
    ];

    /// Returns its name, one of [`RejectReason::WORDS`].
    pub fn word(&self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// Returns its index in [`RejectReason::WORDS`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::NotText => 0,
            Self::TooLong => 1,
            Self::Quote => 2,
            Self::FileRefused => 3,
            Self::TooFewFields { .. } => 4,
            Self::TooManyFields { .. } => 5,
            Self::Time => 6,
            Self::SkippedTime => 7,
            Self::AmbiguousDate => 8,
            Self::TimeOutOfRange => 9,
            Self::Multiplier(_) => 10,
            Self::AboveLimit => 11,
            Self::SameRound => 12,
        }
    }
}
