//! The ensemble: random forest, gradient boosting and ridge regression with equal weights.
//!
//! The fit is deterministic by its seed: the same rows and options give the same model to the bit
//! on any number of workers. It reads no clock and no file and makes no thread; what is independent
//! goes to the [`Workers`] that are passed in.

use features::FeatureRow;

use crate::dataset::{DatasetSnapshot, Rows};
use crate::forecast::{Forecaster, Means};
use crate::models::boosting::{self, Boosting, BoostingOptions};
use crate::models::forest::{self, Forest, ForestOptions};
use crate::models::linear::{self, Ridge};
use crate::models::{FitError, Model, Progress, TreeCounter, random};
use crate::parallel::{Job, Workers};

mod holdout;

pub use holdout::{Measured, OutOfSample, PointErrors, fit_and_measure, holdout, out_of_sample};

/// Rows it takes to fit: 30 rounds.
pub const ROWS_MIN: usize = 20;

/// How an ensemble is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitOptions {
    /// Decides all that is drawn.
    pub seed: u64,
    /// The random forest.
    pub forest: ForestOptions,
    /// The gradient boosting.
    pub boosting: BoostingOptions,
    /// The ridge regression's penalty on standardised columns. 300 is what is right when a slope is
    /// expected to be about 0.06, so all 25 together to explain 8 % of a variance of 1.
    pub ridge_lambda: f64,
    /// Rows that [`holdout()`] fits on, and that it tests on, at most: the latest.
    pub holdout_rows_max: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            seed: 42,
            forest: ForestOptions::default(),
            boosting: BoostingOptions::default(),
            ridge_lambda: 300.0,
            holdout_rows_max: 10_000,
        }
    }
}

/// Three fitted models.
#[derive(Debug)]
pub struct Ensemble {
    forest: Forest,
    boosting: Boosting,
    ridge: Ridge,
    rows: usize,
}

/// What each member says of a round, and their mean: all `E[ln M]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberMeans {
    /// The random forest's say.
    pub random_forest: f64,
    /// The gradient boosting's say.
    pub gradient_boosting: f64,
    /// The ridge regression's say.
    pub linear_regression: f64,
    /// The ensemble's say: their mean.
    pub mean: f64,
}

/// Fits all three models on all rows.
///
/// # Errors
/// When there are fewer than [`ROWS_MIN`] rows, when `progress` asks to stop, or when a model
/// cannot be fitted.
pub fn fit(
    rows: &DatasetSnapshot,
    options: &FitOptions,
    workers: &dyn Workers,
    progress: Progress<'_>,
) -> Result<Ensemble, FitError> {
    check_rows(rows)?;
    fit_unchecked(rows, options, workers, progress)
}

fn check_rows(rows: &DatasetSnapshot) -> Result<(), FitError> {
    match rows.len() {
        ROWS_MIN.. => Ok(()),
        have => Err(FitError::TooFewRows { have, need: ROWS_MIN }),
    }
}

fn fit_unchecked(
    rows: &DatasetSnapshot,
    options: &FitOptions,
    workers: &dyn Workers,
    progress: Progress<'_>,
) -> Result<Ensemble, FitError> {
    let mut fit = Fit::new(rows, options);
    let counter = TreeCounter::new(fit.trees(), progress);
    workers.run(fit.jobs(&counter));
    fit.ensemble()
}

/// A fit cut into pieces of work that do not depend on each other.
struct Fit<'a> {
    rows: &'a DatasetSnapshot,
    options: &'a FitOptions,
    parts: Vec<forest::Part>,
    boosting: Option<Result<Boosting, FitError>>,
    ridge: Option<Result<Ridge, FitError>>,
    grown: Vec<Option<Result<forest::SubForest, FitError>>>,
}

impl<'a> Fit<'a> {
    fn new(rows: &'a DatasetSnapshot, options: &'a FitOptions) -> Self {
        let parts = forest::parts(rows.len(), &options.forest);
        let grown = parts.iter().map(|_| None).collect();
        Self { rows, options, parts, boosting: None, ridge: None, grown }
    }

    /// How many trees it counts as.
    fn trees(&self) -> usize {
        self.options.forest.trees.max(1) + self.options.boosting.trees
    }

    /// Boosting is one long chain: it comes first, and the forest's parts fill in beside it.
    fn jobs<'j>(&'j mut self, counter: &'j TreeCounter<'_>) -> Vec<Job<'j>> {
        let (rows, options) = (self.rows, self.options);
        let seeds = [random(options.seed, 0), random(options.seed, 1)];
        let (boosting, ridge) = (&mut self.boosting, &mut self.ridge);
        let mut jobs: Vec<Job<'j>> = vec![
            Box::new(move || {
                *boosting = Some(Boosting::fit(rows, &options.boosting, seeds[0], counter));
            }),
            Box::new(move || *ridge = Some(Ridge::fit(rows, options.ridge_lambda))),
        ];
        for (part, place) in self.parts.iter().zip(&mut self.grown) {
            jobs.push(Box::new(move || {
                *place = Some(part.fit(rows, &options.forest, seeds[1], counter));
            }));
        }
        jobs
    }

    fn ensemble(self) -> Result<Ensemble, FitError> {
        let ran = "workers run every job";
        let grown: Result<_, _> = self.grown.into_iter().map(|part| part.expect(ran)).collect();
        Ok(Ensemble {
            forest: Forest::of_parts(grown?),
            boosting: self.boosting.expect(ran)?,
            ridge: self.ridge.expect(ran)?,
            rows: self.rows.len(),
        })
    }
}

impl Ensemble {
    /// What the members say of the round that these features precede.
    pub fn predict(&self, features: &FeatureRow) -> MemberMeans {
        let rows = Rows::of(features);
        let [random_forest, gradient_boosting, linear_regression] =
            self.models().map(|model| model.predict(&rows)[0]);
        let mean = (random_forest + gradient_boosting + linear_regression) / 3.0;
        MemberMeans { random_forest, gradient_boosting, linear_regression, mean }
    }

    /// Names and weights of the members; the weights add to 1.
    pub fn members(&self) -> [(&'static str, f64); 3] {
        [forest::NAME, boosting::NAME, linear::NAME].map(|name| (name, 1.0 / 3.0))
    }

    /// How many rows it has learnt from.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn mean_of(said: &[Vec<f64>; 3]) -> Vec<f64> {
        let mut means = vec![0.0; said[0].len()];
        for says in said {
            for (mean, say) in means.iter_mut().zip(says) {
                *mean += say / 3.0;
            }
        }
        means
    }

    /// The members, in the order of [`members`](Self::members).
    pub fn models(&self) -> [&dyn Model; 3] {
        [&self.forest, &self.boosting, &self.ridge]
    }
}

impl Forecaster for Ensemble {
    fn means(&self, row: &FeatureRow) -> Means {
        let said = self.predict(row);
        let members = [said.random_forest, said.gradient_boosting, said.linear_regression];
        Means { members, mean: said.mean }
    }
}

impl Model for Ensemble {
    fn name(&self) -> &'static str {
        "ensemble"
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        Self::mean_of(&self.models().map(|model| model.predict(rows)))
    }
}
