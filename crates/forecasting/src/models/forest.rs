//! Random forest (Breiman 2001) in sub-forests that each see a part of the rows.
//!
//! Part p of P holds the rows p, p + P, p + 2 P, …, so each part spans the whole history, every row
//! is used by equally many trees (or by one more, where P does not divide their number), and no
//! tree is large. See Breiman, "Pasting small votes for classification in large databases and
//! on-line", Machine Learning 36, 1999. Sub-forests are independent of each other, each with its
//! own seed.
//!
//! Trees on a quarter of the rows, with leaves of at least the square root of a tree's rows,
//! forecast better than trees on all rows with leaves of five: there is more noise than signal, and
//! averaging less alike trees removes more of it. docs/explanation/performance.md has the figures.

use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::{FitError, Model, TreeCounter, part_count, random};

/// Its name in API and documents.
pub const NAME: &str = "random_forest";

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestOptions {
    /// Trees of all sub-forests together.
    pub trees: usize,
    /// Levels of a tree, its root included: one more than its depth.
    pub levels_max: u16,
    /// Rows in a leaf, at least; by default the square root of the tree's rows.
    pub leaf_rows_min: Option<usize>,
    /// Features that a split chooses from, drawn anew for each.
    pub split_candidates: usize,
    /// Parts that the rows are cut into, at least.
    pub parts_min: usize,
    /// Rows of a part, at most, as long as there are more trees than parts.
    pub rows_per_tree_max: usize,
}

impl Default for ForestOptions {
    fn default() -> Self {
        Self {
            trees: 100,
            levels_max: 10,
            leaf_rows_min: None,
            split_candidates: 8,
            parts_min: 4,
            rows_per_tree_max: 10_000,
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

/// Which trees grow on which rows: part `index` of `count`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    index: usize,
    count: usize,
    trees: usize,
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
    let trees = options.trees.max(1);
    let rows_per_tree = options.rows_per_tree_max.min(rows.div_ceil(options.parts_min.max(1)));
    let count = part_count(rows, rows_per_tree, trees);
    // The first parts take a tree more where they do not share evenly.
    (0..count)
        .map(|index| Part { index, count, trees: (trees + count - 1 - index) / count })
        .collect()
}

impl Part {
    pub(crate) fn fit(
        &self,
        rows: &DatasetSnapshot,
        options: &ForestOptions,
        seed: u64,
        counter: &TreeCounter<'_>,
    ) -> Result<SubForest, FitError> {
        counter.add(0)?;
        let (features, targets) = rows.every(self.index, self.count);
        let leaf_rows_min = options.leaf_rows_min.unwrap_or(targets.len().isqrt().max(1));
        let parameters = RandomForestRegressorParameters {
            max_depth: Some(options.levels_max),
            min_samples_leaf: leaf_rows_min,
            min_samples_split: 2 * leaf_rows_min,
            n_trees: self.trees,
            m: Some(options.split_candidates),
            keep_samples: false,
            seed: random(seed, self.index),
        };
        let regressor = RandomForestRegressor::fit(features.matrix(), &targets, parameters)
            .map_err(|source| FitError::Learner { member: NAME, source })?;
        counter.add(self.trees)?;
        Ok(SubForest { regressor, trees: self.trees })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: usize, count: usize, fewest_trees: usize) {
        let parts = parts(rows, &ForestOptions::default());
        assert_eq!(parts.len(), count);
        assert_eq!(parts.iter().map(|part| part.trees).sum::<usize>(), 100);
        let trees = || parts.iter().map(|part| part.trees);
        assert_eq!(trees().min(), Some(fewest_trees));
        assert!(trees().max() <= Some(fewest_trees + 1));
    }

    #[test]
    fn rows_are_shared_among_the_trees() {
        check(1, 1, 100);
        check(20, 4, 25);
        check(40_000, 4, 25);
        check(70_000, 7, 14);
        check(1_000_000, 100, 1);
        check(5_000_000, 100, 1);
    }
}
