//! Models of the next round's `ln M`.
//!
//! Fitting gives a model: there is no model that is not fitted. All of them learn the mean of
//! `ln M` given the features by least squares.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use evaluation::pit::SplitMix64;

use crate::dataset::Rows;

pub mod baseline;
pub mod boosting;
pub mod forest;
pub mod linear;

mod bins;
mod scaler;

/// Something fitted that forecasts `E[ln M]` of a round from its features.
pub trait Model: std::fmt::Debug + Send + Sync {
    /// What API and documents call it.
    fn name(&self) -> &'static str;

    /// A forecast for each row.
    fn predict(&self, rows: &Rows) -> Vec<f64>;
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There is less to learn from than any model needs.
    #[error("{have} rows to learn from, at least {need} are needed")]
    TooFewRows {
        /// Rows there are.
        have: usize,
        /// Rows it takes.
        need: usize,
    },
    /// Its caller asked to stop.
    #[error("the fit was cancelled")]
    Cancelled,
    /// The numerical library could not fit.
    #[error("fitting {member}: {source}")]
    Learner {
        /// Which model.
        member: &'static str,
        /// What the library says.
        source: smartcore::error::Failed,
    },
}

/// What a fit calls now and then with the number of trees done and of all trees; it stops with
/// [`FitError::Cancelled`] after a `Break`. Calls come from whichever worker is at work.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync);

/// Counts trees over all models of a fit, and remembers that it has been asked to stop.
pub(crate) struct TreeCounter<'a> {
    done: AtomicUsize,
    stopped: AtomicBool,
    total: usize,
    progress: Progress<'a>,
}

impl<'a> TreeCounter<'a> {
    pub(crate) fn new(total: usize, progress: Progress<'a>) -> Self {
        Self { done: AtomicUsize::new(0), stopped: AtomicBool::new(false), total, progress }
    }

    /// Reports `trees` more. An error asks to stop.
    pub(crate) fn add(&self, trees: usize) -> Result<(), FitError> {
        if !self.stopped.load(Ordering::Relaxed) {
            let done = self.done.fetch_add(trees, Ordering::Relaxed) + trees;
            if (self.progress)(done, self.total).is_continue() {
                return Ok(());
            }
            self.stopped.store(true, Ordering::Relaxed);
        }
        Err(FitError::Cancelled)
    }
}

/// How many parts the rows are cut into so that none is larger than `rows_max`, if there is a tree
/// for each part.
pub(crate) fn part_count(rows: usize, rows_max: usize, trees: usize) -> usize {
    rows.div_ceil(rows_max.max(1)).clamp(1, trees.max(1))
}

/// The random number of piece `index` of what has the seed `seed`.
pub(crate) fn random(seed: u64, index: usize) -> u64 {
    SplitMix64::at(seed, index as u64).next_u64()
}
