//! The history that features are computed from.

use std::borrow::Cow;
use std::fmt;

/// The largest value a window accepts: `ln` of the largest finite multiplier. It keeps every sum over
/// a window finite.
pub const X_MAX: f64 = 709.782_712_893_384;

/// The longest look-back of any feature except the moving average, in rounds.
pub(crate) const LOOK_BACK: usize = 50;

/// Weight of the newest value in the exponentially weighted mean: span 10, so 2 / (10 + 1).
pub(crate) const EWM_WEIGHT: f64 = 2.0 / 11.0;

/// A game's history up to some round, from which every feature is computed.
///
/// A window holds at least one round, and every value lies in `[0, X_MAX]`, so each feature is defined
/// and finite.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    recent: &'a [f64],
    ewm: f64,
    sorted_20: Cow<'a, [f64]>,
    sorted_50: Cow<'a, [f64]>,
}

/// Why a history cannot be a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WindowError {
    /// The history holds no round.
    Empty,
    /// A value is not the logarithm of a multiplier: it is not finite, below 0 or above [`X_MAX`].
    OutOfRange {
        /// Index of the value; the oldest round has 0.
        index: usize,
        /// The value.
        value: f64,
    },
}

impl<'a> Window<'a> {
    /// Returns the window of a whole history of `ln M`, oldest first.
    ///
    /// # Errors
    /// The history is empty, or a value in it is not the logarithm of a multiplier.
    pub fn new(history: &'a [f64]) -> Result<Self, WindowError> {
        let (&first, later) = history.split_first().ok_or(WindowError::Empty)?;
        for (index, &value) in history.iter().enumerate() {
            check(index, value)?;
        }
        Ok(Self {
            recent: &history[history.len().saturating_sub(LOOK_BACK)..],
            ewm: later.iter().fold(first, |ewm, &x| next_ewm(ewm, x)),
            sorted_20: Cow::Owned(sorted_last(history, 20)),
            sorted_50: Cow::Owned(sorted_last(history, LOOK_BACK)),
        })
    }

    /// Returns a window whose parts the caller maintains: the last 50 values or fewer, at least one, and
    /// the last 20 and 50 in ascending order.
    pub(crate) fn of_parts(
        recent: &'a [f64],
        ewm: f64,
        sorted_20: &'a [f64],
        sorted_50: &'a [f64],
    ) -> Self {
        let (sorted_20, sorted_50) = (Cow::Borrowed(sorted_20), Cow::Borrowed(sorted_50));
        Self { recent, ewm, sorted_20, sorted_50 }
    }

    /// Returns the newest value.
    pub(crate) fn latest(&self) -> f64 {
        self.recent[self.recent.len() - 1]
    }

    /// Returns the value `rounds` before the newest, if the look-back reaches that far.
    pub(crate) fn before_latest(&self, rounds: usize) -> Option<f64> {
        self.recent.iter().rev().nth(rounds).copied()
    }

    /// Returns the last `count` values, oldest first; fewer while the history is shorter, at least one.
    pub(crate) fn last(&self, count: usize) -> &'a [f64] {
        &self.recent[self.recent.len().saturating_sub(count)..]
    }

    /// Returns the exponentially weighted mean over the whole history.
    pub(crate) fn ewm_10(&self) -> f64 {
        self.ewm
    }

    /// Returns the last 20 values, ascending.
    pub(crate) fn sorted_20(&self) -> &[f64] {
        &self.sorted_20
    }

    /// Returns the last 50 values, ascending.
    pub(crate) fn sorted_50(&self) -> &[f64] {
        &self.sorted_50
    }
}

/// Returns the exponentially weighted mean after one more value.
pub(crate) fn next_ewm(ewm: f64, x: f64) -> f64 {
    ewm + EWM_WEIGHT * (x - ewm)
}

fn sorted_last(history: &[f64], count: usize) -> Vec<f64> {
    let mut sorted = history[history.len().saturating_sub(count)..].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Checks that `value`, at `index` of a history, is the logarithm of a multiplier.
pub(crate) fn check(index: usize, value: f64) -> Result<(), WindowError> {
    if (0.0..=X_MAX).contains(&value) {
        Ok(())
    } else {
        Err(WindowError::OutOfRange { index, value })
    }
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a window needs at least one round"),
            Self::OutOfRange { index, value } => write!(
                f,
                "value {value} at index {index} is not the logarithm of a multiplier: \
                 it must lie in 0..={X_MAX}"
            ),
        }
    }
}

impl std::error::Error for WindowError {}
