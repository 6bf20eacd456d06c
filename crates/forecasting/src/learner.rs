//! The interface between the engine and whoever trains its models.

use std::sync::Arc;

use crate::dataset::DatasetSnapshot;
use crate::ensemble::OutOfSample;
use crate::forecast::Forecaster;
use crate::models::{FitError, Progress};

/// Fits a model to rows. Implemented by the ensemble's trainer and by tests that need a model at
/// once.
pub trait Learner: Send + 'static {
    /// Fits a model to all rows and measures its errors on rows it has not seen.
    ///
    /// # Errors
    /// As [`crate::ensemble::fit`].
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError>;
}

/// The outcome of a training.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// Its errors out of sample.
    pub out_of_sample: OutOfSample,
    /// What it consists of.
    pub members: Vec<Member>,
}

/// A member of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Its name in API and documents.
    pub name: &'static str,
    /// What part of the model's say is its.
    pub weight: f64,
    /// Part of the variance of `ln M` it explains out of sample, when that was measured.
    pub r2: Option<f64>,
}
