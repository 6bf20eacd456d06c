//! The ensemble: random forest, gradient boosting and ridge regression with equal weights.
//!
//! A fit is deterministic: the same rows and options, seed included, give the same model bit for
//! bit on any number of workers. It reads no clock and no file and starts no thread; independent
//! jobs go to the [`Workers`] that are passed in.

use evaluation::HouseLaw;
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

/// Minimum number of rows for a fit; 30 rounds have that many.
pub const ROWS_MIN: usize = 20;

/// Options of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitOptions {
    /// The law of the house, which turns forecasts of `ln M` into multipliers when errors are measured.
    pub house: HouseLaw,
    /// Seed of all random draws.
    pub seed: u64,
    /// Options of the random forest.
    pub forest: ForestOptions,
    /// Options of gradient boosting.
    pub boosting: BoostingOptions,
    /// Penalty of the ridge regression on standardised columns. 300 is optimal when slopes of about
    /// 0.06 are expected, so that all 25 together explain 8 % of a variance of 1.
    pub ridge_lambda: f64,
    /// Maximum number of rows, the latest, on which [`holdout()`] fits and on which it tests.
    pub holdout_rows_max: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            house: HouseLaw::default(),
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

/// The forecast of each member for a round, and their mean, all as `E[ln M]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberMeans {
    /// Forecast of the random forest.
    pub random_forest: f64,
    /// Forecast of gradient boosting.
    pub gradient_boosting: f64,
    /// Forecast of the ridge regression.
    pub linear_regression: f64,
    /// Forecast of the ensemble: the mean of the three.
    pub mean: f64,
}

/// Fits all three models on all rows.
///
/// # Errors
/// There are fewer than [`ROWS_MIN`] rows, `progress` cancels the fit, or a model cannot be fitted.
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
    let mut fit = EnsembleFit::new(rows, options);
    let counter = TreeCounter::new(fit.trees(), progress);
    workers.run(fit.jobs(&counter));
    fit.ensemble()
}

/// A fit, divided into independent jobs.
struct EnsembleFit<'a> {
    rows: &'a DatasetSnapshot,
    options: &'a FitOptions,
    plans: Vec<forest::SubForestPlan>,
    boosting: Option<Result<Boosting, FitError>>,
    ridge: Option<Result<Ridge, FitError>>,
    grown: Vec<Option<Result<forest::SubForest, FitError>>>,
}

impl<'a> EnsembleFit<'a> {
    fn new(rows: &'a DatasetSnapshot, options: &'a FitOptions) -> Self {
        let plans = forest::plans(rows.len(), &options.forest);
        let grown = plans.iter().map(|_| None).collect();
        Self { rows, options, plans, boosting: None, ridge: None, grown }
    }

    /// Returns the number of trees that the progress counts.
    fn trees(&self) -> usize {
        self.options.forest.trees.max(1) + self.options.boosting.trees
    }

    /// Returns the jobs. Boosting is one long sequence, so it comes first and the sub-forests run
    /// beside it.
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
        for (plan, place) in self.plans.iter().zip(&mut self.grown) {
            jobs.push(Box::new(move || {
                *place = Some(plan.fit(rows, &options.forest, seeds[1], counter));
            }));
        }
        jobs
    }

    fn ensemble(self) -> Result<Ensemble, FitError> {
        let ran = "workers run every job";
        let grown: Result<_, _> = self.grown.into_iter().map(|part| part.expect(ran)).collect();
        Ok(Ensemble {
            forest: Forest::of_sub_forests(grown?),
            boosting: self.boosting.expect(ran)?,
            ridge: self.ridge.expect(ran)?,
            rows: self.rows.len(),
        })
    }
}

impl Ensemble {
    /// Returns the members' forecasts of the round that follows these features.
    pub fn predict(&self, features: &FeatureRow) -> MemberMeans {
        let rows = Rows::of(features);
        let [random_forest, gradient_boosting, linear_regression] =
            self.models().map(|model| model.predict(&rows)[0]);
        let mean = (random_forest + gradient_boosting + linear_regression) / 3.0;
        MemberMeans { random_forest, gradient_boosting, linear_regression, mean }
    }

    /// Returns the names and weights of the members; the weights sum to 1.
    pub fn members(&self) -> [(&'static str, f64); 3] {
        [forest::NAME, boosting::NAME, linear::NAME].map(|name| (name, 1.0 / 3.0))
    }

    /// Returns the number of rows it was fitted on.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn mean_of(predictions: &[Vec<f64>; 3]) -> Vec<f64> {
        let mut means = vec![0.0; predictions[0].len()];
        for of_member in predictions {
            for (mean, prediction) in means.iter_mut().zip(of_member) {
                *mean += prediction / 3.0;
            }
        }
        means
    }

    /// Returns the members, in the order of [`members`](Self::members).
    pub fn models(&self) -> [&dyn Model; 3] {
        [&self.forest, &self.boosting, &self.ridge]
    }
}

impl Forecaster for Ensemble {
    fn means(&self, row: &FeatureRow) -> Means {
        let predictions = self.predict(row);
        let members = [
            predictions.random_forest,
            predictions.gradient_boosting,
            predictions.linear_regression,
        ];
        Means { members, mean: predictions.mean }
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
