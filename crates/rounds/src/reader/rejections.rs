//! Counts rejected lines by reason.

use crate::reader::RejectReason;

/// A line that is not a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Number of the line, counted from 1.
    pub line: u64,
    /// Why it was rejected.
    pub reason: RejectReason,
    /// The first characters of the line, at most [`REJECTED_TEXT_MAX`].
    pub text: String,
}

/// Rejected lines kept per read; further ones are only counted.
pub const REJECTED_MAX: usize = 1000;

/// Characters kept of a rejected line.
pub const REJECTED_TEXT_MAX: usize = 80;

/// Numbers of rejected lines by reason, with the first line of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejections {
    /// In the order of [`RejectReason::WORDS`]; reasons without a line are left out.
    reasons: Vec<RejectionsOfReason>,
}

/// The lines rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionsOfReason {
    /// Number of lines.
    pub count: u64,
    /// The first of them.
    pub example: Rejected,
}

impl Rejections {
    /// Counts one rejected line.
    pub(crate) fn add(&mut self, reason: RejectReason, example: impl FnOnce() -> Rejected) {
        self.add_many(reason, 1, example);
    }

    /// Adds the counts of a later part of the same file.
    pub(crate) fn extend(&mut self, later: &Self) {
        for RejectionsOfReason { count, example } in &later.reasons {
            self.add_many(example.reason, *count, || example.clone());
        }
    }

    fn add_many(&mut self, reason: RejectReason, count: u64, example: impl FnOnce() -> Rejected) {
        let index = |it: &RejectionsOfReason| it.example.reason.index();
        match self.reasons.binary_search_by_key(&reason.index(), index) {
            Ok(at) => self.reasons[at].count += count,
            Err(at) => self.reasons.insert(at, RejectionsOfReason { count, example: example() }),
        }
    }

    /// Returns the reasons, in the order of [`RejectReason::WORDS`].
    pub fn reasons(&self) -> &[RejectionsOfReason] {
        &self.reasons
    }

    /// Returns the number of rejected lines.
    pub fn total(&self) -> u64 {
        self.reasons.iter().map(|it| it.count).sum()
    }
}
