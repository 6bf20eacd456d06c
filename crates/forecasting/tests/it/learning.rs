//! Guarantees of fitting: no leakage, no spurious skill, the same model on any workers, and a finite
//! model whatever the rounds.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use evaluation::ln_multiplier;
use evaluation::pit::SplitMix64;
use features::FeatureRow;
use forecasting::dataset::{Dataset, DatasetSnapshot, HISTORY_MIN, Rows};
use forecasting::ensemble::{self, Ensemble, FitOptions, OutOfSample, ROWS_MIN};
use forecasting::models::linear::Ridge;
use forecasting::models::{FitError, Model};
use forecasting::parallel::{Inline, Workers};
use test_support::simulate::Scenario;

use crate::threads::Threads;

const GO_ON: fn(usize, usize) -> ControlFlow<()> = |_, _| ControlFlow::Continue(());

fn logarithms(scenario: Scenario, seed: u64, rounds: usize) -> Vec<f64> {
    scenario.rounds(rounds, seed).into_iter().map(ln_multiplier).collect()
}

fn fair(seed: u64, rounds: usize) -> Vec<f64> {
    logarithms(Scenario::Fair, seed, rounds)
}

fn autoregressive(seed: u64, rounds: usize) -> Vec<f64> {
    logarithms(Scenario::Autoregressive(0.3), seed, rounds)
}

fn snapshot(history: &[f64]) -> DatasetSnapshot {
    Dataset::of_history(history).unwrap().snapshot()
}

fn fit(history: &[f64], workers: &dyn Workers) -> Ensemble {
    ensemble::fit(&snapshot(history), &FitOptions::default(), workers, &GO_ON).unwrap()
}

fn holdout(history: &[f64]) -> OutOfSample {
    ensemble::holdout(&snapshot(history), &FitOptions::default(), &Threads(2), &GO_ON).unwrap()
}

/// Feature rows that occur in no training data.
fn probes() -> Vec<FeatureRow> {
    let mut extractor = features::Extractor::new();
    fair(977, 60).into_iter().map(|x| extractor.push(x).unwrap()).collect()
}

#[track_caller]
fn check_same(one: &Ensemble, two: &Ensemble) {
    for probe in probes() {
        let (one, two) = (one.predict(&probe), two.predict(&probe));
        assert_eq!(one.random_forest.to_bits(), two.random_forest.to_bits());
        assert_eq!(one.gradient_boosting.to_bits(), two.gradient_boosting.to_bits());
        assert_eq!(one.linear_regression.to_bits(), two.linear_regression.to_bits());
        assert_eq!(one.mean.to_bits(), two.mean.to_bits());
    }
}

#[test]
fn rows_begin_at_the_eleventh_round_and_contain_only_the_past() {
    let history = fair(1, 40);
    let dataset = Dataset::of_history(&history).unwrap();
    assert_eq!(dataset.len(), history.len() - HISTORY_MIN);
    let (rows, targets) = dataset.snapshot().every(0, 1);
    for (i, target) in targets.iter().enumerate() {
        let round = i + HISTORY_MIN;
        let past = features::Window::new(&history[..round]).unwrap().row();
        assert_eq!(target.to_bits(), history[round].to_bits());
        assert_eq!(row(&rows, i), row(&Rows::of(&past), 0));
    }
}

#[test]
fn a_later_round_changes_no_earlier_row() {
    let history = fair(2, 9_000);
    let mut changed = history.clone();
    changed[8_500] += 1.0;
    let (one, two) = (snapshot(&history), snapshot(&changed));
    let unchanged = 8_500 - HISTORY_MIN;
    let (before, after) = (one.slice(0..unchanged), two.slice(0..unchanged));
    assert_eq!(values(&before), values(&after));
    // The round is the target of its own row and a feature of the next one.
    let (before, after) = (one.slice(unchanged..9_000), two.slice(unchanged..9_000));
    assert_ne!(before.every(0, 1).1[0].to_bits(), after.every(0, 1).1[0].to_bits());
    assert_ne!(row(&before.every(0, 1).0, 1), row(&after.every(0, 1).0, 1));
}

#[test]
fn a_snapshot_does_not_change_while_the_dataset_grows() {
    let history = fair(3, 10_000);
    let mut dataset = Dataset::new();
    let mut extractor = features::Extractor::new();
    let mut features = extractor.push(history[0]).unwrap();
    let mut taken = Vec::new();
    for &x in &history[1..] {
        dataset.push(&features, x);
        features = extractor.push(x).unwrap();
        if dataset.len().is_multiple_of(1_365) {
            taken.push((dataset.len(), dataset.snapshot()));
        }
    }
    let all = dataset.snapshot();
    assert_eq!(taken.len(), 7);
    for (rows, earlier) in taken {
        assert_eq!(earlier.len(), rows);
        assert_eq!(values(&earlier), values(&all.slice(0..rows)));
    }
}

#[test]
fn every_returns_each_nth_row_with_its_target() {
    let whole = snapshot(&fair(4, 9_010)).slice(100..8_900);
    let (rows, targets) = whole.every(0, 1);
    let (some_rows, some_targets) = whole.every(3, 7);
    assert_eq!(targets.len(), 8_800);
    assert_eq!(some_targets.len(), (8_800_usize - 3).div_ceil(7));
    for (i, target) in some_targets.iter().enumerate() {
        assert_eq!(target.to_bits(), targets[3 + 7 * i].to_bits());
        assert_eq!(row(&some_rows, i), row(&rows, 3 + 7 * i));
    }
}

#[test]
#[should_panic(expected = "a row of the dataset is finite")]
fn a_row_that_is_not_finite_panics() {
    Dataset::new().push(&[f64::NAN; features::COUNT], 0.5);
}

#[test]
fn the_same_seed_gives_the_same_model_on_any_workers() {
    let history = autoregressive(5, 2_500);
    // Small parts, so that there are many.
    let mut options = FitOptions::default();
    options.forest.rows_per_tree_max = 600;
    options.boosting.rows_per_tree_max = 600;
    let rows = snapshot(&history);
    let by = |workers: &dyn Workers, options: &FitOptions| {
        ensemble::fit(&rows, options, workers, &GO_ON).unwrap()
    };
    let inline = by(&Inline, &options);
    for threads in [1, 2, 5] {
        check_same(&inline, &by(&Threads(threads), &options));
    }
    let other = by(&Inline, &FitOptions { seed: 7, ..options });
    assert!(probes().iter().any(|probe| inline.predict(probe) != other.predict(probe)));
}

#[test]
fn twenty_rows_are_enough_and_nineteen_are_not() {
    let history = fair(6, ROWS_MIN + HISTORY_MIN);
    let ensemble = fit(&history, &Inline);
    assert_eq!(ensemble.rows(), ROWS_MIN);
    for probe in probes() {
        let means = ensemble.predict(&probe);
        let members = [means.random_forest, means.gradient_boosting, means.linear_regression];
        assert!(members.iter().all(|mean| mean.is_finite()), "{means:?}");
        assert!((means.mean - members.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    }
    let out = holdout(&history);
    assert_eq!((out.samples_trained, out.samples_tested), (16, 4));

    let rows = snapshot(&history[1..]);
    let error = ensemble::fit(&rows, &FitOptions::default(), &Inline, &GO_ON).unwrap_err();
    assert_eq!(error.to_string(), "too few rows to learn from: 19 of at least 20");
    assert!(ensemble::holdout(&rows, &FitOptions::default(), &Inline, &GO_ON).is_err());
}

#[test]
fn fitting_and_measuring_in_parallel_equals_doing_both_in_turn() {
    let rows = snapshot(&autoregressive(31, 3_000));
    let options = FitOptions::default();
    let alone = ensemble::fit(&rows, &options, &Inline, &GO_ON).unwrap();
    let measured = ensemble::holdout(&rows, &options, &Inline, &GO_ON).unwrap();
    let done = AtomicUsize::new(0);
    let count = |trees, total| {
        done.fetch_max(trees, Ordering::Relaxed);
        assert_eq!(total, 400, "trees of both fits");
        ControlFlow::Continue(())
    };
    let workers = Threads(3);
    let both = ensemble::fit_and_measure(&rows, &options, &workers, &count).unwrap();
    check_same(&both.ensemble, &alone);
    assert_eq!(both.out_of_sample, measured);
    assert_eq!(done.into_inner(), 400);
    let mean = both.members_r2.iter().sum::<f64>() / 3.0;
    assert!(both.members_r2.iter().all(|r2| (0.02..0.15).contains(r2)), "{:?}", both.members_r2);
    // Squared errors are convex: the mean of the three is at least as good as their average.
    assert!(both.out_of_sample.r2 >= mean, "{both:?}");
}

#[test]
fn a_cancellation_ends_both_fits() {
    let rows = snapshot(&fair(32, 2_000));
    let cancel = |trees, _| {
        if trees >= 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = FitOptions::default();
    for threads in [1, 2] {
        let fitted = ensemble::fit_and_measure(&rows, &options, &Threads(threads), &cancel);
        assert!(matches!(fitted, Err(FitError::Cancelled)));
    }
}

#[test]
fn equal_rounds_are_forecast_exactly() {
    let x = 1.94_f64.ln();
    let ensemble = fit(&[x; 200], &Inline);
    let row = features::Window::new(&[x; 200]).unwrap().row();
    let means = ensemble.predict(&row);
    for mean in [means.random_forest, means.gradient_boosting, means.linear_regression, means.mean]
    {
        assert!((mean - x).abs() < 1e-9, "{means:?}");
    }
    // The variance is 0, by which nothing is divided.
    assert!(holdout(&[x; 200]).r2.abs() < 1e-9);
}

#[test]
fn rounds_with_few_different_multipliers_give_finite_models() {
    let mut options = FitOptions::default();
    (options.forest.trees, options.boosting.trees) = (8, 8);
    let mut random = SplitMix64::new(15);
    for distinct in 1..=3 {
        for rounds in [30, 31, 45, 100, 250] {
            let history: Vec<f64> =
                (0..rounds).map(|_| (random.uniform() * f64::from(distinct)).floor()).collect();
            let rows = snapshot(&history);
            let ensemble = ensemble::fit(&rows, &options, &Inline, &GO_ON).unwrap();
            let means = Model::predict(&ensemble, &rows.every(0, 1).0);
            assert!(means.iter().all(|mean| (-1.0..=3.0).contains(mean)), "{means:?}");
            let out = ensemble::holdout(&rows, &options, &Inline, &GO_ON).unwrap();
            assert!([out.mae, out.rmse, out.r2, out.log_mae].iter().all(|e| e.is_finite()));
        }
    }
}

#[test]
fn two_alternating_multipliers_are_learnt() {
    let history: Vec<f64> = (0..400).map(|i| if i % 2 == 0 { 0.1 } else { 1.5 }).collect();
    let out = holdout(&history);
    // Below 1: on 312 rows the members are regularised against chance patterns.
    assert!(out.r2 > 0.8, "{out:?}");
}

#[test]
fn a_ridge_with_constant_and_duplicate_columns_is_finite_and_correct() {
    let mut dataset = Dataset::new();
    let mut draw = SplitMix64::new(8);
    let mut features = [0.25; features::COUNT];
    for _ in 0..500 {
        let value = draw.uniform();
        // Columns 3 and 4 are equal; all others are constant.
        (features[3], features[4]) = (value, value);
        dataset.push(&features, 2.0 + 0.5 * value);
    }
    let ridge = Ridge::fit(&dataset.snapshot(), 1.0).unwrap();
    for value in [-2.0, 0.0, 1.0] {
        (features[3], features[4]) = (value, value);
        let mean = ridge.predict(&Rows::of(&features))[0];
        assert!((mean - (2.0 + 0.5 * value)).abs() < 5e-3, "{mean} at {value}");
    }
}

/// For one column ridge regression has the slope Sxy / (Sxx + lambda) of the standardised column.
#[test]
fn a_ridge_on_one_column_equals_its_closed_form() {
    let values = [0.5, -1.0, 2.0, 0.25, -0.75, 1.5, 0.0, 3.0];
    let targets = [1.0, 0.2, 2.5, 0.9, 0.1, 1.4, 0.6, 2.2];
    let mut dataset = Dataset::new();
    for (value, target) in values.iter().zip(targets) {
        let mut features = [0.0; features::COUNT];
        features[7] = *value;
        dataset.push(&features, target);
    }
    let ridge = Ridge::fit(&dataset.snapshot(), 1.0).unwrap();

    let count = values.len() as f64;
    let centre = values.iter().sum::<f64>() / count;
    let height = targets.iter().sum::<f64>() / count;
    let scale = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / count).sqrt();
    let covariation: f64 =
        values.iter().zip(targets).map(|(v, t)| (v - centre) / scale * (t - height)).sum();
    let slope = covariation / (count + 1.0);
    let mut features = [0.0; features::COUNT];
    features[7] = 2.5;
    let expected = height + slope * (2.5 - centre) / scale;
    assert!((ridge.predict(&Rows::of(&features))[0] - expected).abs() < 1e-12);
}

#[test]
fn dependent_rounds_are_forecast_better_than_by_a_constant() {
    let out = holdout(&autoregressive(10_000, 5_000));
    assert_eq!((out.samples_trained, out.samples_tested), (3_992, 998));
    assert!(out.r2 > 0.03, "{out:?}");
    assert!(out.log_mae < out.baseline.log_mae - 0.01, "{out:?}");
}

#[test]
fn fair_rounds_show_no_skill() {
    let out = holdout(&fair(10_001, 5_000));
    assert!(out.r2 < 0.01, "{out:?}");
    assert!((out.log_mae - out.baseline.log_mae).abs() < 0.01, "{out:?}");
}

/// Forecasts the mean of its training targets, whatever the features.
#[derive(Debug, Clone, Copy)]
struct Constant {
    mean_ln: f64,
}

impl Constant {
    fn fit(rows: &DatasetSnapshot) -> Self {
        let (_, targets) = rows.every(0, 1);
        Self { mean_ln: targets.iter().sum::<f64>() / targets.len() as f64 }
    }
}

impl Model for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        vec![self.mean_ln; rows.len()]
    }
}

/// A model that memorises its training rows.
#[derive(Debug)]
struct Memoriser {
    seen: HashMap<Vec<u32>, f64>,
    otherwise: Constant,
}

impl Memoriser {
    fn fit(rows: &DatasetSnapshot) -> Self {
        let (features, targets) = rows.every(0, 1);
        let seen = targets.iter().enumerate().map(|(i, &t)| (row(&features, i), t)).collect();
        Self { seen, otherwise: Constant::fit(rows) }
    }
}

impl Model for Memoriser {
    fn name(&self) -> &'static str {
        "memoriser"
    }

    fn predict(&self, rows: &Rows) -> Vec<f64> {
        let constant = self.otherwise.predict(rows);
        let recall = |i| self.seen.get(&row(rows, i)).copied().unwrap_or(constant[i]);
        (0..rows.len()).map(recall).collect()
    }
}

#[test]
fn a_memoriser_has_skill_on_its_training_rows_and_none_on_later_ones() {
    let rows = snapshot(&fair(11, 3_000));
    let (train, test) = (rows.slice(0..2_400), rows.slice(2_400..rows.len()));
    let memoriser = Memoriser::fit(&train);
    let seen = ensemble::out_of_sample(&memoriser, train.len(), &train);
    let unseen = ensemble::out_of_sample(&memoriser, train.len(), &test);
    assert!(seen.r2 > 0.999, "{seen:?}");
    assert!(unseen.r2 <= 0.0, "{unseen:?}");
}

#[test]
fn the_baseline_errors_are_those_of_the_house_median() {
    let rows = snapshot(&[vec![0.5; 10], vec![0.0, 1.0, 2.0, 0.0]].concat());
    let out = ensemble::out_of_sample(&Constant::fit(&rows), rows.len(), &rows);
    let errors = [0.0_f64, 1.0, 2.0, 0.0].map(|x| (x.exp() - 1.94).abs());
    let logs = [0.0_f64, 1.0, 2.0, 0.0].map(|x| (x - 1.94_f64.ln()).abs());
    assert!((out.baseline.mae - errors.iter().sum::<f64>() / 4.0).abs() < 1e-12);
    let squares: f64 = errors.iter().map(|error| error * error).sum();
    assert!((out.baseline.rmse - (squares / 4.0).sqrt()).abs() < 1e-12);
    assert!((out.baseline.log_mae - logs.iter().sum::<f64>() / 4.0).abs() < 1e-12);
    assert!(out.r2.abs() < 1e-12);
    assert_eq!((out.samples_trained, out.samples_tested), (4, 4));
}

#[test]
fn a_fit_ends_soon_after_it_is_cancelled() {
    let rows = snapshot(&fair(12, 3_000));
    for stop_after in [0, 1, 30] {
        let calls = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let progress = |trees, _| {
            done.fetch_max(trees, Ordering::Relaxed);
            match calls.fetch_add(1, Ordering::Relaxed) {
                call if call < stop_after => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        };
        let error = ensemble::fit(&rows, &FitOptions::default(), &Inline, &progress).unwrap_err();
        assert!(matches!(error, FitError::Cancelled), "{error}");
        assert!(done.into_inner() <= stop_after + 1);
        // The callback is not called again after it has cancelled the fit.
        assert_eq!(calls.into_inner(), stop_after + 1);
    }
}

#[test]
fn progress_ends_at_all_trees() {
    let last = AtomicUsize::new(0);
    let progress = |done, total| {
        assert!(done <= total);
        last.fetch_max(done, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let options = FitOptions::default();
    ensemble::fit(&snapshot(&fair(13, 300)), &options, &Threads(2), &progress).unwrap();
    assert_eq!(last.into_inner(), options.forest.trees + options.boosting.trees);
}

#[test]
fn members_are_named_and_their_weights_sum_to_one() {
    let members = fit(&fair(14, 60), &Inline).members();
    assert_eq!(
        members.map(|(name, _)| name),
        ["random_forest", "gradient_boosting", "linear_regression"]
    );
    assert!((members.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
}

/// Returns the bits of row `i`.
fn row(rows: &Rows, i: usize) -> Vec<u32> {
    rows.row(i).iter().map(|value| value.to_bits()).collect()
}

fn values(rows: &DatasetSnapshot) -> (Vec<Vec<u32>>, Vec<u64>) {
    let (features, targets) = rows.every(0, 1);
    let rows = (0..targets.len()).map(|i| row(&features, i)).collect();
    (rows, targets.iter().map(|target| target.to_bits()).collect())
}
