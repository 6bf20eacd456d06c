//! Gradient boosting for least squares (Friedman 2001) on binned columns.
//!
//! Tree k is fitted to the residuals on subset k mod P of the rows, where subset p holds the rows
//! p, p + P, p + 2 P, …: every row is used equally often and no tree is large. Fitting each tree to
//! a sample of the rows is Friedman's "Stochastic gradient boosting", Computational Statistics and
//! Data Analysis 38, 2002; cycling through disjoint subsets samples without replacement until all
//! rows are used. The residuals of a subset are updated only when its turn comes.
//!
//! Each tree also sees only a few randomly drawn columns. With so little signal in so much noise
//! this costs no skill, and it saves time, which mostly goes into sorting columns.
//! docs/explanation/performance.md has the figures behind each default.

use std::ops::RangeInclusive;

use features::COUNT;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{
    DecisionTreeRegressor, DecisionTreeRegressorParameters,
};

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::bins::{Binned, Bins};
use crate::models::{FitError, Model, TreeCounter, part_count, random};

/// Name in the API and the documentation.
pub const NAME: &str = "gradient_boosting";

/// Limits of the default minimum leaf size, a fifth of the rows of the tree. With fewer rows than
/// twice the lower limit a tree is only a root: so few rounds support no more than their mean.
const LEAF_ROWS: RangeInclusive<usize> = 40..=300;

/// Options of a boosted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoostingOptions {
    /// Number of trees, fitted one after another.
    pub trees: usize,
    /// Maximum number of levels of a tree, root included: its depth plus 1.
    pub levels_max: u16,
    /// Minimum number of rows in a leaf; by default a fifth of the tree's rows, but 40 to 300.
    pub leaf_rows_min: Option<usize>,
    /// Share of a tree's prediction that is added to the model.
    pub learning_rate: f64,
    /// Number of bins of a feature, 2 to 256.
    pub bins: usize,
    /// Number of features available to a tree.
    pub columns_per_tree: usize,
    /// Maximum number of rows on which a tree is fitted.
    pub rows_per_tree_max: usize,
}

impl Default for BoostingOptions {
    fn default() -> Self {
        Self {
            trees: 100,
            levels_max: 4,
            leaf_rows_min: None,
            learning_rate: 0.05,
            bins: 64,
            columns_per_tree: 6,
            rows_per_tree_max: 20_000,
        }
    }
}

/// A fitted boosted model.
#[derive(Debug)]
pub struct Boosting {
    bins: Bins,
    base: f64,
    learning_rate: f64,
    trees: Vec<Tree>,
}

/// A fitted tree and the columns it uses.
#[derive(Debug)]
struct Tree {
    regressor: DecisionTreeRegressor<u8, f64, DenseMatrix<u8>, Vec<f64>>,
    columns: Vec<usize>,
}

/// A subset of the rows, with its residuals.
struct RowSubset {
    binned: Binned,
    /// The targets minus the base and the steps of the first `applied` trees.
    residuals: Vec<f64>,
    applied: usize,
}

impl Boosting {
    /// Fits one tree after another.
    ///
    /// # Errors
    /// The fit is cancelled, or a tree cannot be fitted.
    pub(crate) fn fit(
        rows: &DatasetSnapshot,
        options: &BoostingOptions,
        seed: u64,
        counter: &TreeCounter<'_>,
    ) -> Result<Self, FitError> {
        counter.add(0)?;
        let mut model = Self {
            bins: Bins::of(rows, options.bins),
            base: rows.target_mean(),
            learning_rate: options.learning_rate,
            trees: Vec::with_capacity(options.trees),
        };
        let count = part_count(rows.len(), options.rows_per_tree_max, options.trees);
        let mut subsets: Vec<RowSubset> =
            (0..count).map(|p| model.subset(rows, p, count)).collect();
        for index in 0..options.trees {
            let subset = &mut subsets[index % count];
            subset.apply(&model.trees, model.learning_rate);
            model.trees.push(subset.tree(options, random(seed, index))?);
            counter.add(1)?;
        }
        Ok(model)
    }

    fn subset(&self, rows: &DatasetSnapshot, index: usize, count: usize) -> RowSubset {
        let (features, mut targets) = rows.every(index, count);
        for target in &mut targets {
            *target -= self.base;
        }
        RowSubset { binned: self.bins.binned(&features), residuals: targets, applied: 0 }
    }
}

impl Model for Boosting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let binned = self.bins.binned(rows);
        let mut forecasts = vec![self.base; rows.len()];
        for tree in &self.trees {
            for (forecast, step) in forecasts.iter_mut().zip(tree.steps(&binned)) {
                *forecast += self.learning_rate * step;
            }
        }
        forecasts
    }
}

impl Tree {
    fn steps(&self, rows: &Binned) -> Vec<f64> {
        let columns = rows.columns(&self.columns);
        self.regressor
            .predict(&columns)
            .expect("a fitted tree accepts the columns it was fitted on")
    }
}

impl RowSubset {
    fn apply(&mut self, trees: &[Tree], learning_rate: f64) {
        for tree in &trees[self.applied..] {
            for (residual, step) in self.residuals.iter_mut().zip(tree.steps(&self.binned)) {
                *residual -= learning_rate * step;
            }
        }
        self.applied = trees.len();
    }

    fn tree(&self, options: &BoostingOptions, seed: u64) -> Result<Tree, FitError> {
        let columns = drawn_columns(options.columns_per_tree, seed);
        let fifth = (self.residuals.len() / 5).clamp(*LEAF_ROWS.start(), *LEAF_ROWS.end());
        let leaf_rows_min = options.leaf_rows_min.unwrap_or(fifth);
        let parameters = DecisionTreeRegressorParameters {
            max_depth: Some(options.levels_max),
            min_samples_leaf: leaf_rows_min,
            min_samples_split: 2 * leaf_rows_min,
            seed: Some(seed),
        };
        DecisionTreeRegressor::fit(&self.binned.columns(&columns), &self.residuals, parameters)
            .map(|regressor| Tree { regressor, columns })
            .map_err(|source| FitError::Learner { member: NAME, source })
    }
}

/// Returns `count` distinct columns, in the order drawn (Fisher-Yates shuffle).
fn drawn_columns(count: usize, seed: u64) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..COUNT).collect();
    let count = count.clamp(1, COUNT);
    for place in 0..count {
        // 64 random bits over at most `COUNT` places: the bias is below 1e-17.
        let ahead = random(seed, place) % (COUNT - place) as u64;
        columns.swap(place, place + usize::try_from(ahead).expect("less than COUNT"));
    }
    columns.truncate(count);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_columns_are_distinct_and_every_column_is_drawn_equally_often() {
        let mut times = [0_u32; COUNT];
        for seed in 0..500 {
            let mut columns = drawn_columns(6, seed);
            for &column in &columns {
                times[column] += 1;
            }
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns.len(), 6);
        }
        // 120 expected, with a standard deviation of 9.5.
        assert!(times.iter().all(|drawn| (75..=165).contains(drawn)), "{times:?}");
        assert_eq!(drawn_columns(99, 1).len(), COUNT);
    }
}
