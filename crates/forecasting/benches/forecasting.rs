//! `cargo bench -p forecasting`: a training, a forecast, and rounds through the engine.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot prepare its data has nothing to measure"
)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::DateTime;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evaluation::ln_multiplier;
use features::{Extractor, FeatureRow};
use forecasting::dataset::{Dataset, DatasetSnapshot};
use forecasting::ensemble::{self, Ensemble, FitOptions};
use forecasting::forecast::{Forecaster, Means};
use forecasting::parallel::Inline;
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

const ROUNDS: usize = 10_000;

fn history() -> Vec<f64> {
    Scenario::Fair.rounds(ROUNDS, 1).into_iter().map(ln_multiplier).collect()
}

fn rows() -> DatasetSnapshot {
    Dataset::of_history(&history()).unwrap().snapshot()
}

fn fit(rows: &DatasetSnapshot) -> Ensemble {
    let go_on = |_, _| ControlFlow::Continue(());
    ensemble::fit(rows, &FitOptions::default(), &Inline, &go_on).unwrap()
}

fn training(criterion: &mut Criterion) {
    let rows = rows();
    let mut group = criterion.benchmark_group("training");
    group.sample_size(10);
    group.bench_function("three learners on 10,000 rounds, one thread", |bencher| {
        bencher.iter(|| fit(black_box(&rows)));
    });
    group.finish();
}

fn forecast(criterion: &mut Criterion) {
    let ensemble = fit(&rows());
    let mut extractor = Extractor::new();
    let row = history().into_iter().map(|x| extractor.push(x).unwrap()).last().unwrap();
    criterion.bench_function("one forecast", |bencher| {
        bencher.iter(|| ensemble.predict(black_box(&row)));
    });
}

/// A model of negligible cost.
#[derive(Debug)]
struct Formula;

impl Forecaster for Formula {
    fn means(&self, row: &FeatureRow) -> Means {
        Means { members: [row[5], row[4], row[6]], mean: 0.9 + 0.1 * row[5] }
    }
}

fn engine(criterion: &mut Criterion) {
    let round = |(number, cents)| Round {
        time: DateTime::from_timestamp(20 * number, 0).unwrap(),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    let rounds: Vec<Round> = (0_i64..).zip(Scenario::Fair.rounds(ROUNDS, 1)).map(round).collect();
    let model: Fit<'_> = &|_| Ok(Arc::new(Formula));
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ROUNDS as u64));
    group.bench_function("features, forecast, scores and tests of 10,000 rounds", |bencher| {
        bencher.iter_batched(
            || rounds.clone(),
            |rounds| drive(&rounds, Refit::Rounds(u64::MAX / 2), model, &mut |_, _| ()).unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, training, forecast, engine);
criterion_main!(benches);
