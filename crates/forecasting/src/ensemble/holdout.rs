//! Out-of-sample errors: fit on the first four fifths of the rows, test on the rest.

use evaluation::HouseLaw;

use crate::dataset::DatasetSnapshot;
use crate::ensemble::{Ensemble, EnsembleFit, FitOptions, check_rows, fit_unchecked};
use crate::models::{FitError, Model, Progress, TreeCounter};
use crate::parallel::Workers;

/// Number of folds of the tested rounds.
const FOLDS: usize = 5;

/// Errors of forecasts of rounds that are later than all rounds of the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfSample {
    /// Mean absolute error of the multiplier.
    pub mae: f64,
    /// Root mean square error of the multiplier. A single high round can dominate it.
    pub rmse: f64,
    /// Mean of the mean absolute errors of consecutive folds of the tested rounds.
    pub cv_mae: f64,
    /// Standard deviation of these errors.
    pub cv_std: f64,
    /// Share of the variance of `ln M` that is explained; below 0 when the mean of the tested
    /// rounds would have been a better forecast.
    pub r2: f64,
    /// Mean absolute error of `ln M`.
    pub log_mae: f64,
    /// Errors of the median of the house law, a constant, on the same rounds.
    pub baseline: PointErrors,
    /// Number of rows fitted on.
    pub samples_trained: usize,
    /// Number of rows forecast.
    pub samples_tested: usize,
}

/// Errors of point forecasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointErrors {
    /// Mean absolute error of the multiplier.
    pub mae: f64,
    /// Root mean square error of the multiplier.
    pub rmse: f64,
    /// Mean absolute error of `ln M`.
    pub log_mae: f64,
}

/// Fits on the first four fifths of the rows and forecasts the last fifth.
///
/// To be cheap compared with a full fit, it uses only the latest `holdout_rows_max` rows on either
/// side. Models fitted on all rows are at least as good as the ones measured here.
///
/// # Errors
/// The same as for [`fit`](crate::ensemble::fit) on all rows.
pub fn holdout(
    rows: &DatasetSnapshot,
    options: &FitOptions,
    workers: &dyn Workers,
    progress: Progress<'_>,
) -> Result<OutOfSample, FitError> {
    check_rows(rows)?;
    let (train, test) = split(rows, options);
    let ensemble = fit_unchecked(&train, options, workers, progress)?;
    let (features, targets) = test.every(0, 1);
    let means = Model::predict(&ensemble, &features);
    Ok(errors(&means, &targets, train.len(), &options.house))
}

/// A model of all rows, and the out-of-sample errors of such a model.
#[derive(Debug)]
pub struct Measured {
    /// The model.
    pub ensemble: Ensemble,
    /// The result of [`holdout()`].
    pub out_of_sample: OutOfSample,
    /// Share of the variance of `ln M` that each member explains out of sample, in the order of
    /// [`Ensemble::members`].
    pub members_r2: [f64; 3],
}

/// Runs [`fit`](crate::ensemble::fit) and [`holdout()`] in parallel, with the same results as one
/// after the other.
///
/// # Errors
/// The same as for [`fit`](crate::ensemble::fit) on all rows.
pub fn fit_and_measure(
    rows: &DatasetSnapshot,
    options: &FitOptions,
    workers: &dyn Workers,
    progress: Progress<'_>,
) -> Result<Measured, FitError> {
    check_rows(rows)?;
    let (train, test) = split(rows, options);
    let (mut whole, mut earlier) =
        (EnsembleFit::new(rows, options), EnsembleFit::new(&train, options));
    let counter = TreeCounter::new(whole.trees() + earlier.trees(), progress);
    let mut jobs = whole.jobs(&counter);
    let mut holdout_jobs = earlier.jobs(&counter);
    // The two boosting jobs, the longest, come first.
    jobs.insert(1, holdout_jobs.remove(0));
    jobs.extend(holdout_jobs);
    workers.run(jobs);
    let (ensemble, measured) = (whole.ensemble()?, earlier.ensemble()?);
    let (features, targets) = test.every(0, 1);
    let means = measured.models().map(|model| model.predict(&features));
    let members_r2 = [0, 1, 2].map(|member| r2(&means[member], &targets));
    let mean = Ensemble::mean_of(&means);
    let out_of_sample = errors(&mean, &targets, train.len(), &options.house);
    Ok(Measured { ensemble, out_of_sample, members_r2 })
}

/// Returns the rows to fit on and the rows to forecast.
fn split(rows: &DatasetSnapshot, options: &FitOptions) -> (DatasetSnapshot, DatasetSnapshot) {
    let boundary = rows.len() - rows.len() / 5;
    let train = rows.slice(boundary.saturating_sub(options.holdout_rows_max)..boundary);
    let test_rows = (rows.len() - boundary).min(options.holdout_rows_max);
    (train, rows.slice(rows.len() - test_rows..rows.len()))
}

/// Returns the errors, under the default house law, on the rows of `test` of a model that was fitted on
/// `samples_trained` earlier rows.
pub fn out_of_sample(
    model: &dyn Model,
    samples_trained: usize,
    test: &DatasetSnapshot,
) -> OutOfSample {
    let (rows, targets) = test.every(0, 1);
    errors(&model.predict(&rows), &targets, samples_trained, &HouseLaw::default())
}

fn errors(means: &[f64], targets: &[f64], samples_trained: usize, house: &HouseLaw) -> OutOfSample {
    let points: Vec<f64> = means.iter().map(|&mean| house.point_from_mean_ln(mean)).collect();
    let constant = vec![house.median(); targets.len()];
    let (model, constant) =
        (PointErrors::of(&points, targets), PointErrors::of(&constant, targets));
    let (cv_mae, cv_std) = fold_errors(&points, targets);
    OutOfSample {
        mae: model.mae,
        rmse: model.rmse,
        cv_mae,
        cv_std,
        r2: r2(means, targets),
        log_mae: model.log_mae,
        baseline: constant,
        samples_trained,
        samples_tested: targets.len(),
    }
}

impl PointErrors {
    fn of(points: &[f64], targets_ln: &[f64]) -> Self {
        let count = targets_ln.len().max(1) as f64;
        let mean = |error: fn(f64, f64) -> f64| {
            points.iter().zip(targets_ln).map(|(&p, &t)| error(p, t)).sum::<f64>() / count
        };
        Self {
            mae: mean(|point, target| (target.exp() - point).abs()),
            rmse: mean(|point, target| (target.exp() - point).powi(2)).sqrt(),
            log_mae: mean(|point, target| (target - point.ln()).abs()),
        }
    }
}

/// Cuts the rounds into consecutive folds of about equal length; returns the mean and the standard deviation of the folds'
/// mean absolute errors.
fn fold_errors(points: &[f64], targets_ln: &[f64]) -> (f64, f64) {
    let length = targets_ln.len().div_ceil(FOLDS).max(1);
    let folds = points.chunks(length).zip(targets_ln.chunks(length));
    let errors: Vec<f64> =
        folds.map(|(points, targets)| PointErrors::of(points, targets).mae).collect();
    let count = errors.len().max(1) as f64;
    let mean = errors.iter().sum::<f64>() / count;
    let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn r2(means: &[f64], targets: &[f64]) -> f64 {
    let centre = targets.iter().sum::<f64>() / targets.len().max(1) as f64;
    let total: f64 = targets.iter().map(|target| (target - centre).powi(2)).sum();
    let left: f64 = means.iter().zip(targets).map(|(mean, target)| (target - mean).powi(2)).sum();
    // Equal rounds have no variance to explain.
    if total > 0.0 { 1.0 - left / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_consecutive_and_together_all_tested_rounds() {
        // Errors 1, 1, 3, 3, 5, 5, 7, 7, 9, 9 in order of time.
        let targets: Vec<f64> =
            [2.0_f64, 2.0, 4.0, 4.0, 6.0, 6.0, 8.0, 8.0, 10.0, 10.0].map(f64::ln).to_vec();
        let (mean, deviation) = fold_errors(&[1.0; 10], &targets);
        assert!(
            (mean - 5.0).abs() < 1e-12 && (deviation - 8_f64.sqrt()).abs() < 1e-12,
            "{mean} {deviation}"
        );
        assert_eq!(fold_errors(&[1.0], &[2_f64.ln()]), (1.0, 0.0));
        assert_eq!(fold_errors(&[], &[]), (0.0, 0.0));
    }
}
