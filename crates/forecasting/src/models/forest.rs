//! Random forest (Breiman 2001) of sub-forests that each see a part of the rows.
//!
//! Part p of P holds the rows p, p + P, p + 2 P, …, so each part spans the whole history, every row
//! is used by equally many trees (or one more, where P does not divide their number), and no tree
//! is large. See Breiman, "Pasting small votes for classification in large databases and on-line",
//! Machine Learning 36, 1999. The sub-forests are independent, each with its own seed.
//!
//! Trees on a quarter of the rows, with leaves of at least the square root of a tree's rows,
//! forecast better than trees on all rows with leaves of five: there is more noise than signal, and
//! averaging less similar trees removes more of it. docs/explanation/performance.md has the
//! figures.

use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::{FitError, Model, TreeCounter, part_count, random};

/// Name in the API and the documentation.
pub const NAME: &str = "random_forest";

/// Options of a forest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestOptions {
    /// Total number of trees of all sub-forests.
    pub trees: usize,
    /// Maximum number of levels of a tree, root included: its depth plus 1.
    pub levels_max: u16,
    /// Minimum number of rows in a leaf; by default the square root of the tree's rows.
    pub leaf_rows_min: Option<usize>,
    /// Number of features, drawn for each split, from which the split chooses.
    pub split_candidates: usize,
    /// Minimum number of parts into which the rows are divided.
    pub parts_min: usize,
    /// Maximum number of rows of a part, as long as there are more trees than parts.
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
    sub_forests: Vec<SubForest>,
}

/// A forest fitted on one part of the rows.
#[derive(Debug)]
pub(crate) struct SubForest {
    regressor: RandomForestRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>,
    trees: usize,
}

/// How many trees to grow on part `index` of `count` of the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubForestPlan {
    index: usize,
    count: usize,
    trees: usize,
}

impl Forest {
    pub(crate) fn of_sub_forests(sub_forests: Vec<SubForest>) -> Self {
        Self { sub_forests }
    }
}

impl Model for Forest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        let mut trees = 0;
        for part in &self.sub_forests {
            let means = part.regressor.predict(rows.matrix()).expect("a fitted forest can predict");
            for (sum, mean) in sums.iter_mut().zip(means) {
                *sum += mean * part.trees as f64;
            }
            trees += part.trees;
        }
        sums.iter().map(|sum| sum / trees as f64).collect()
    }
}

/// Returns the plans of the sub-forests of a forest on `rows` rows.
pub(crate) fn plans(rows: usize, options: &ForestOptions) -> Vec<SubForestPlan> {
    let trees = options.trees.max(1);
    let rows_per_tree = options.rows_per_tree_max.min(rows.div_ceil(options.parts_min.max(1)));
    let count = part_count(rows, rows_per_tree, trees);
    // Where the trees cannot be divided evenly, the first parts get one more.
    (0..count)
        .map(|index| SubForestPlan { index, count, trees: (trees + count - 1 - index) / count })
        .collect()
}

impl SubForestPlan {
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
        let plans = plans(rows, &ForestOptions::default());
        assert_eq!(plans.len(), count);
        assert_eq!(plans.iter().map(|plan| plan.trees).sum::<usize>(), 100);
        let trees = || plans.iter().map(|plan| plan.trees);
        assert_eq!(trees().min(), Some(fewest_trees));
        assert!(trees().max() <= Some(fewest_trees + 1));
    }

    #[test]
    fn rows_are_divided_among_the_trees() {
        check(1, 1, 100);
        check(20, 4, 25);
        check(40_000, 4, 25);
        check(70_000, 7, 14);
        check(1_000_000, 100, 1);
        check(5_000_000, 100, 1);
    }
}
