//! Ridge regression by its normal equations.
//!
//! Columns are standardised and the target is centred, so the intercept is the mean of the target
//! and is not shrunk. The normal equations are summed over blocks of rows, which needs no second
//! copy of the data. It has a solution from one row on, even with constant or duplicate columns,
//! because the penalty makes it positive definite. `smartcore` solves it by Cholesky decomposition.
//! The ridge regression of `smartcore` would need a copy of all rows in f64, and more rows than
//! columns.

use features::COUNT;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linalg::traits::cholesky::CholeskyDecomposable;

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::scaler::Scaler;
use crate::models::{FitError, Model};

/// Name in the API and the documentation.
pub const NAME: &str = "linear_regression";

/// Rows standardised at a time: a block of all columns fits into the processor's cache.
const BLOCK: usize = 256;

/// Number of partial sums, which the processor can add in parallel.
const LANES: usize = 8;

/// A fitted ridge regression.
#[derive(Debug, Clone)]
pub struct Ridge {
    scaler: Scaler,
    intercept: f64,
    slopes: [f64; COUNT],
}

impl Ridge {
    /// Fits by least squares, with the penalty `lambda` times the sum of the squared slopes on
    /// standardised columns.
    ///
    /// # Errors
    /// The system cannot be solved, which a positive `lambda` rules out.
    pub fn fit(rows: &DatasetSnapshot, lambda: f64) -> Result<Self, FitError> {
        let scaler = Scaler::fit(rows);
        let intercept = rows.target_mean();
        let mut system = System::default();
        for (columns, targets) in rows.column_blocks() {
            for start in (0..targets.len()).step_by(BLOCK) {
                let end = targets.len().min(start + BLOCK);
                system.fill(&scaler, &columns.map(|column| &column[start..end]));
                system.fill_target(intercept, &targets[start..end]);
                system.add();
            }
        }
        let slopes =
            system.solve(lambda).map_err(|source| FitError::Learner { member: NAME, source })?;
        Ok(Self { scaler, intercept, slopes })
    }
}

impl Model for Ridge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut forecasts = vec![self.intercept; rows.len()];
        for (column, slope) in self.slopes.iter().enumerate() {
            for (forecast, &value) in forecasts.iter_mut().zip(rows.column(column)) {
                *forecast += slope * self.scaler.scaled(column, value);
            }
        }
        forecasts
    }
}

/// Sums of the products of the columns with each other and, last, with the target.
struct System {
    block: Vec<[f64; BLOCK]>,
    products: Vec<[f64; COUNT + 1]>,
}

impl Default for System {
    fn default() -> Self {
        Self { block: vec![[0.0; BLOCK]; COUNT + 1], products: vec![[0.0; COUNT + 1]; COUNT] }
    }
}

impl System {
    fn fill(&mut self, scaler: &Scaler, columns: &[&[f32]; COUNT]) {
        for (column, values) in columns.iter().enumerate() {
            let values = values.iter().map(|&value| scaler.scaled(column, value));
            fill(&mut self.block[column], values);
        }
    }

    fn fill_target(&mut self, mean: f64, targets: &[f64]) {
        fill(&mut self.block[COUNT], targets.iter().map(|target| target - mean));
    }

    fn add(&mut self) {
        for i in 0..COUNT {
            for j in i..=COUNT {
                self.products[i][j] += dot(&self.block[i], &self.block[j]);
            }
        }
    }

    fn solve(&self, lambda: f64) -> Result<[f64; COUNT], smartcore::error::Failed> {
        let product = |i: usize, j: usize| self.products[i.min(j)][i.max(j)];
        let matrix = (0..COUNT * COUNT).map(|place| {
            let (i, j) = (place / COUNT, place % COUNT);
            product(i, j) + if i == j { lambda } else { 0.0 }
        });
        let matrix = DenseMatrix::new(COUNT, COUNT, matrix.collect(), true)?;
        let right = (0..COUNT).map(|i| self.products[i][COUNT]).collect();
        let slopes = matrix.cholesky_solve_mut(DenseMatrix::new(COUNT, 1, right, true)?)?;
        let mut values = slopes.iter().copied();
        Ok(std::array::from_fn(|_| values.next().expect("as many slopes as columns")))
    }
}

/// Writes `values` to the front and fills the rest with zeros, which add nothing to a product.
fn fill(block: &mut [f64; BLOCK], values: impl ExactSizeIterator<Item = f64>) {
    let count = values.len();
    for (place, value) in block.iter_mut().zip(values) {
        *place = value;
    }
    block[count..].fill(0.0);
}

fn dot(left: &[f64; BLOCK], right: &[f64; BLOCK]) -> f64 {
    let mut sums = [0.0; LANES];
    for (left, right) in left.chunks_exact(LANES).zip(right.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    sums.iter().sum()
}
