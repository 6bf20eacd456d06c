//! The interface through which the caller of the engine trains models.

use std::sync::Arc;

use crate::dataset::DatasetSnapshot;
use crate::ensemble::OutOfSample;
use crate::forecast::Forecaster;
use crate::models::{FitError, Progress};

/// Fits a model to rows. Implemented for the ensemble, and in tests by models that need no training
/// time.
pub trait Learner: Send + 'static {
    /// Fits a model to all rows and measures its errors on rows it has not seen.
    ///
    /// # Errors
    /// The same as for [`crate::ensemble::fit`].
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError>;
}

/// The outcome of a training.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// Its out-of-sample errors.
    pub out_of_sample: OutOfSample,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Name in the API and the documentation.
    pub name: &'static str,
    /// Its weight in the model's forecast.
    pub weight: f64,
    /// Share of the variance of `ln M` that it explains out of sample, if measured.
    pub r2: Option<f64>,
}
