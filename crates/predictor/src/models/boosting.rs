//! Gradient boosting for least squares (Friedman 2001) on binned columns.
//!
//! Features are sorted into at most 256 bins by quantiles of the rows at hand. Tree k is fitted to
//! what is left of the targets on part k mod P of the rows, where part p holds the rows p, p + P,
//! p + 2 P, …: every row is used equally often and no tree is large. Drawing the rows of each tree
//! is Friedman's "Stochastic gradient boosting", Computational Statistics and Data Analysis 38,
//! 2002; going round disjoint parts is drawing without replacement until all are used.
//!
//! A part's residuals are needed only when its turn comes, so they are brought up to date then.

use features::COUNT;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{
    DecisionTreeRegressor, DecisionTreeRegressorParameters,
};

use crate::dataset::{DatasetSnapshot, Rows};
use crate::models::{FitError, Model, Tally, seed_of};

/// Its name in API and documents.
pub const NAME: &str = "gradient_boosting";

/// Rows whose quantiles bound the bins, at most; they are spread evenly over all rows.
const BIN_SAMPLE_MAX: usize = 16_384;

/// How a boosted model is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoostingOptions {
    /// Trees, one after another.
    pub trees: usize,
    /// Levels of a tree, its root included.
    pub levels_max: u16,
    /// Rows in a leaf, at least.
    pub leaf_rows_min: usize,
    /// What part of a tree's say is added to the model.
    pub learning_rate: f64,
    /// Bins of a feature, at most 256.
    pub bins: usize,
    /// Rows a tree is fitted on, at most.
    pub rows_per_tree_max: usize,
}

impl Default for BoostingOptions {
    fn default() -> Self {
        Self {
            trees: 100,
            levels_max: 4,
            leaf_rows_min: 20,
            learning_rate: 0.05,
            bins: 64,
            rows_per_tree_max: 20_000,
        }
    }
}

type Tree = DecisionTreeRegressor<u8, f64, DenseMatrix<u8>, Vec<f64>>;

/// A fitted boosted model.
#[derive(Debug)]
pub struct Boosting {
    bins: Bins,
    base: f64,
    learning_rate: f64,
    trees: Vec<Tree>,
}

/// A part of the rows: its bins, and its residuals after the first `applied` trees.
struct Part {
    columns: DenseMatrix<u8>,
    residuals: Vec<f64>,
    applied: usize,
}

/// Upper bounds of the bins of each feature, ascending; above the last bound lies one more bin.
#[derive(Debug, Clone)]
struct Bins([Vec<f32>; COUNT]);

impl Boosting {
    /// Fits one tree after another.
    ///
    /// # Errors
    /// When cancelled, or when a tree cannot be fitted.
    pub(crate) fn fit(
        rows: &DatasetSnapshot,
        options: &BoostingOptions,
        seed: u64,
        tally: &Tally<'_>,
    ) -> Result<Self, FitError> {
        tally.add(0)?;
        let count = rows.len().div_ceil(options.rows_per_tree_max).clamp(1, options.trees.max(1));
        let mut model = Self {
            bins: Bins::fit(rows, options.bins),
            base: rows.target_mean(),
            learning_rate: options.learning_rate,
            trees: Vec::with_capacity(options.trees),
        };
        let mut parts: Vec<Part> = (0..count)
            .map(|index| {
                let (rows, mut residuals) = rows.every(index, count);
                for target in &mut residuals {
                    *target -= model.base;
                }
                Part { columns: model.bins.binned(&rows), residuals, applied: 0 }
            })
            .collect();
        for index in 0..options.trees {
            let part = &mut parts[index % count];
            part.apply(&model.trees, model.learning_rate);
            let parameters = DecisionTreeRegressorParameters {
                max_depth: Some(options.levels_max),
                min_samples_leaf: options.leaf_rows_min,
                min_samples_split: 2 * options.leaf_rows_min,
                seed: Some(seed_of(seed, index as u64)),
            };
            let tree = Tree::fit(&part.columns, &part.residuals, parameters)
                .map_err(|source| FitError::Learner { member: NAME, source })?;
            model.trees.push(tree);
            tally.add(1)?;
        }
        Ok(model)
    }
}

impl Model for Boosting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let columns = self.bins.binned(rows);
        let mut forecasts = vec![self.base; rows.len()];
        for tree in &self.trees {
            let steps = tree.predict(&columns).expect("a fitted tree forecasts");
            for (forecast, step) in forecasts.iter_mut().zip(steps) {
                *forecast += self.learning_rate * step;
            }
        }
        forecasts
    }
}

impl Part {
    fn apply(&mut self, trees: &[Tree], learning_rate: f64) {
        for tree in &trees[self.applied..] {
            let steps = tree.predict(&self.columns).expect("a fitted tree forecasts");
            for (residual, step) in self.residuals.iter_mut().zip(steps) {
                *residual -= learning_rate * step;
            }
        }
        self.applied = trees.len();
    }
}

impl Bins {
    /// Bounds at equal steps of the ranks of a sample, each value once.
    fn fit(rows: &DatasetSnapshot, bins: usize) -> Self {
        let bins = bins.clamp(2, 256);
        let (sample, _) = rows.every(0, rows.len().div_ceil(BIN_SAMPLE_MAX).max(1));
        let values: Vec<f32> = sample.values().collect();
        let mut columns = values.chunks_exact(sample.len().max(1));
        Self(std::array::from_fn(|_| {
            let mut sorted = columns.next().unwrap_or_default().to_vec();
            sorted.sort_unstable_by(f32::total_cmp);
            sorted.dedup();
            let bounds = bins.min(sorted.len());
            (1..bounds).map(|bin| sorted[bin * sorted.len() / bounds - 1]).collect()
        }))
    }

    fn binned(&self, rows: &Rows) -> DenseMatrix<u8> {
        let count = rows.len();
        let values = rows.values().enumerate().map(|(i, value)| self.bin(i / count, value));
        DenseMatrix::new(count, COUNT, values.collect(), true)
            .expect("as many bins as rows times columns")
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 256 bins")]
    fn bin(&self, column: usize, value: f32) -> u8 {
        self.0[column].partition_point(|&bound| bound < value) as u8
    }
}
