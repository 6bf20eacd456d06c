//! Models of the next round's `ln M`.
//!
//! Fitting returns a model, so an unfitted model cannot exist. All models estimate the mean of `ln
//! M` given the features by least squares.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use evaluation::pit::SplitMix64;

use crate::dataset::Rows;

pub mod boosting;
pub mod forest;
pub mod linear;

mod bins;
mod scaler;

/// A fitted model that forecasts `E[ln M]` of a round from its features.
pub trait Model: std::fmt::Debug + Send + Sync {
    /// Returns its name in the API and the documentation.
    fn name(&self) -> &'static str;

    /// Returns a forecast for each row.
    fn predict(&self, rows: &Rows) -> Vec<f64>;
}

/// Why a fit has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There are fewer rows than a fit needs.
    #[error("too few rows to learn from: {have} of at least {need}")]
    TooFewRows {
        /// Number of rows given.
        have: usize,
        /// Number of rows needed.
        need: usize,
    },
    /// The caller cancelled the fit.
    #[error("the fit was cancelled")]
    Cancelled,
    /// The numerical library failed.
    #[error("fitting {member}: {source}")]
    Learner {
        /// Name of the model.
        member: &'static str,
        /// Error of the library.
        source: smartcore::error::Failed,
    },
}

/// A callback that receives the number of finished trees and the total. A `Break` ends the fit with
/// [`FitError::Cancelled`]. Any worker may call it.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync);

/// Counts the trees over all models of a fit, and records a cancellation.
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

    /// Reports `trees` more trees; an error means that the fit is cancelled.
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

/// Returns into how many parts to divide the rows so that none is larger than `rows_max`, but no
/// more parts than trees.
pub(crate) fn part_count(rows: usize, rows_max: usize, trees: usize) -> usize {
    rows.div_ceil(rows_max.max(1)).clamp(1, trees.max(1))
}

/// Returns random number `index` of a seed.
pub(crate) fn random(seed: u64, index: usize) -> u64 {
    SplitMix64::at(seed, index as u64).next_u64()
}
