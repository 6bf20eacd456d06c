//! Computes feature rows incrementally, one round at a time.

use crate::catalog::FeatureRow;
use crate::sorted::Sorted;
use crate::window::{LOOK_BACK, Window, WindowError, check, next_ewm};

/// Size of the buffer: several times the look-back, so that values rarely have to be moved to its
/// front.
const CAPACITY: usize = 16 * LOOK_BACK;

/// Feature rows of a growing history, one round at a time.
///
/// Every row equals [`Window::row`] of the history so far, to the bit: the same functions compute
/// the features from the same values in the same order. No sum is carried over, so nothing drifts.
/// The state is exact: the last 50 values, two sorted copies of them, and the moving average, which
/// is defined by this recursion.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// The newest values end at `filled`; it holds at least the last `LOOK_BACK` of the history.
    buffer: Box<[f64; CAPACITY]>,
    filled: usize,
    rounds: usize,
    ewm: f64,
    sorted_20: Sorted<20>,
    sorted_50: Sorted<LOOK_BACK>,
}

impl Extractor {
    /// Returns an extractor that has seen no round.
    pub fn new() -> Self {
        Self {
            buffer: Box::new([0.0; CAPACITY]),
            filled: 0,
            rounds: 0,
            ewm: 0.0,
            sorted_20: Sorted::EMPTY,
            sorted_50: Sorted::EMPTY,
        }
    }

    /// Returns how many rounds have been pushed.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Adds a finished round's `ln M` and returns the features of the round that follows.
    ///
    /// # Errors
    /// `x` is not the logarithm of a multiplier; the extractor is unchanged.
    pub fn push(&mut self, x: f64) -> Result<FeatureRow, WindowError> {
        self.advance(x)?;
        Ok(self.next_row())
    }

    /// Adds a finished round's `ln M` without computing features, which takes most of the time of [`Extractor::push`].
    ///
    /// # Errors
    /// `x` is not the logarithm of a multiplier; the extractor is unchanged.
    pub fn advance(&mut self, x: f64) -> Result<(), WindowError> {
        check(self.rounds, x)?;
        self.sorted_20.slide(self.leaving(20), x);
        self.sorted_50.slide(self.leaving(LOOK_BACK), x);
        self.ewm = if self.rounds == 0 { x } else { next_ewm(self.ewm, x) };
        if self.filled == CAPACITY {
            self.buffer.copy_within(CAPACITY - LOOK_BACK.., 0);
            self.filled = LOOK_BACK;
        }
        self.buffer[self.filled] = x;
        self.filled += 1;
        self.rounds += 1;
        Ok(())
    }

    /// Returns the features of the round that follows those so far; `None` before the first.
    pub fn row(&self) -> Option<FeatureRow> {
        (self.rounds > 0).then(|| self.next_row())
    }

    fn next_row(&self) -> FeatureRow {
        let recent = &self.buffer[self.filled.saturating_sub(LOOK_BACK)..self.filled];
        let (sorted_20, sorted_50) = (self.sorted_20.as_slice(), self.sorted_50.as_slice());
        Window::of_parts(recent, self.ewm, sorted_20, sorted_50).row()
    }

    /// Returns the value that leaves a window of `length` when the next one enters.
    fn leaving(&self, length: usize) -> Option<f64> {
        self.filled.checked_sub(length).map(|oldest| self.buffer[oldest])
    }
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new()
    }
}
