//! Standardises columns to mean 0 and standard deviation 1.

use features::COUNT;

use crate::dataset::DatasetSnapshot;

/// Mean and scale of each column of the rows it was fitted on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaler {
    mean: [f64; COUNT],
    /// The reciprocal of the standard deviation (divisor n); 0 for a constant column.
    inverse: [f64; COUNT],
}

impl Scaler {
    /// Fits in two passes, the means and then the squares around them, which avoids cancellation in
    /// a column that varies little.
    pub(crate) fn fit(rows: &DatasetSnapshot) -> Self {
        let count = rows.len().max(1) as f64;
        let mut mean = [0.0; COUNT];
        for (columns, _) in rows.column_blocks() {
            for (sum, column) in mean.iter_mut().zip(columns) {
                *sum += column.iter().map(|&value| f64::from(value)).sum::<f64>();
            }
        }
        mean = mean.map(|sum| sum / count);
        let mut squares = [0.0; COUNT];
        for (columns, _) in rows.column_blocks() {
            for ((sum, column), mean) in squares.iter_mut().zip(columns).zip(mean) {
                *sum += column.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>();
            }
        }
        let inverse = std::array::from_fn(|i| {
            let deviation = (squares[i] / count).sqrt();
            // A column of equal values deviates only by the rounding error of its mean.
            if deviation > 1e-9 * (1.0 + mean[i].abs()) { 1.0 / deviation } else { 0.0 }
        });
        Self { mean, inverse }
    }

    /// Returns the standardised value; 0 in a constant column.
    pub(crate) fn scaled(&self, column: usize, value: f32) -> f64 {
        (f64::from(value) - self.mean[column]) * self.inverse[column]
    }
}
