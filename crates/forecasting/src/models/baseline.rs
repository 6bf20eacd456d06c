//! The constant forecast, which ignores all features.

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::Model;

/// Forecasts the mean of its training targets, whatever the features: the baseline that a model
/// must beat.
#[derive(Debug, Clone, Copy)]
pub struct Constant {
    mean_ln: f64,
}

impl Constant {
    /// Fits the mean of the targets.
    pub fn fit(rows: &DatasetSnapshot) -> Self {
        Self { mean_ln: rows.target_mean() }
    }
}

impl Model for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        vec![self.mean_ln; rows.len()]
    }
}
