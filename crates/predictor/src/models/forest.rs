//! Random forest (Breiman 2001) in sub-forests that each see a part of the rows.
//!
//! Part p of P holds the rows p, p + P, p + 2 P, …, so each part spans the whole history, every row
//! is used by equally many trees (but for one where P does not divide their number), and no tree is
//! larger than `rows_per_tree_max`. See Breiman, "Pasting small votes for classification in large
//! databases and on-line", Machine Learning 36, 1999. Sub-forests are independent of each other,
//! each with its own seed.

use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::{FitError, Model, Tally, seed_of};

/// Its name in API and documents.
pub const NAME: &str = "random_forest";

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestOptions {
    /// Trees of all sub-forests together.
    pub trees: usize,
    /// Levels of a tree, its root included.
    pub levels_max: u16,
    /// Rows in a leaf, at least.
    pub leaf_rows_min: usize,
    /// Features that a split chooses from, drawn anew for each.
    pub split_candidates: usize,
    /// Rows a tree is drawn from, at most.
    pub rows_per_tree_max: usize,
}

impl Default for ForestOptions {
    fn default() -> Self {
        Self {
            trees: 100,
            levels_max: 10,
            leaf_rows_min: 5,
            split_candidates: 8,
            rows_per_tree_max: 20_000,
        }
    }
}

/// A fitted forest.
#[derive(Debug)]
pub struct Forest {
    parts: Vec<SubForest>,
}

/// A fitted part of a forest.
#[derive(Debug)]
pub(crate) struct SubForest {
    regressor: RandomForestRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>,
    trees: usize,
}

/// Which trees grow on which rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    index: usize,
    trees: usize,
    first_row: usize,
    row_step: usize,
}

impl Forest {
    pub(crate) fn of_parts(parts: Vec<SubForest>) -> Self {
        Self { parts }
    }
}

impl Model for Forest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        let mut trees = 0;
        for part in &self.parts {
            let means = part.regressor.predict(rows.matrix()).expect("a fitted forest forecasts");
            for (sum, mean) in sums.iter_mut().zip(means) {
                *sum += mean * part.trees as f64;
            }
            trees += part.trees;
        }
        sums.iter().map(|sum| sum / trees as f64).collect()
    }
}

/// The parts of a forest on so many rows.
pub(crate) fn parts(rows: usize, options: &ForestOptions) -> Vec<Part> {
    let row_step = rows.div_ceil(options.rows_per_tree_max).clamp(1, options.trees.max(1));
    // A part of its own for every few trees, so that there is work for each thread.
    let count = row_step.max(options.trees.min(4));
    (0..count)
        .map(|index| Part {
            index,
            trees: (options.trees + count - 1 - index) / count,
            first_row: index % row_step,
            row_step,
        })
        .collect()
}

impl Part {
    pub(crate) fn fit(
        &self,
        rows: &DatasetSnapshot,
        options: &ForestOptions,
        seed: u64,
        tally: &Tally<'_>,
    ) -> Result<SubForest, FitError> {
        tally.add(0)?;
        let (columns, targets) = rows.every(self.first_row, self.row_step);
        let parameters = RandomForestRegressorParameters {
            max_depth: Some(options.levels_max),
            min_samples_leaf: options.leaf_rows_min,
            min_samples_split: 2 * options.leaf_rows_min,
            n_trees: self.trees,
            m: Some(options.split_candidates),
            keep_samples: false,
            seed: seed_of(seed, self.index as u64),
        };
        let regressor = RandomForestRegressor::fit(columns.matrix(), &targets, parameters)
            .map_err(|source| FitError::Learner { member: NAME, source })?;
        tally.add(self.trees)?;
        Ok(SubForest { regressor, trees: self.trees })
    }
}
