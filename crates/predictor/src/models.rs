//! Models of the next round's `ln M`.
//!
//! Fitting gives a model: there is no model that is not fitted. All of them learn the mean of
//! `ln M` given the features by least squares.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dataset::Rows;

pub mod baseline;
pub mod boosting;
pub mod forest;
pub mod linear;
pub mod scaler;

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

/// Counts trees over all models of a fit.
pub(crate) struct Tally<'a> {
    done: AtomicUsize,
    total: usize,
    progress: Progress<'a>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(total: usize, progress: Progress<'a>) -> Self {
        Self { done: AtomicUsize::new(0), total, progress }
    }

    /// Reports `trees` more. An error asks to stop.
    pub(crate) fn add(&self, trees: usize) -> Result<(), FitError> {
        let done = self.done.fetch_add(trees, Ordering::Relaxed) + trees;
        match (self.progress)(done, self.total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(FitError::Cancelled),
        }
    }
}

/// A seed of its own for piece `index` of a fit: one step of `SplitMix64` from a state that no two
/// pieces share.
pub(crate) fn seed_of(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(index + 1));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
