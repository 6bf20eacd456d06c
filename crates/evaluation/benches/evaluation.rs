//! `cargo bench -p evaluation`: the work done once per round, and its two most expensive formulas.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evaluation::HouseLaw;
use evaluation::baselines::Baselines;
use evaluation::score_sheet::{ForecastRecord, ScoreSheet};
use evaluation::scores::log_crps;
use evaluation::sequential::{Evidence, ObservedRound};
use test_support::simulate::{Scenario, day_phase};

const ROUNDS: usize = 10_000;
/// The served probabilities on which the forecast test bets.
const SERVED: [f64; 5] = [0.65, 0.49, 0.32, 0.19, 0.097];

fn rounds(criterion: &mut Criterion) {
    let cents = Scenario::Fair.rounds(ROUNDS, 1);
    let house = HouseLaw::default();
    let mut group = criterion.benchmark_group("10,000 rounds");
    group.throughput(Throughput::Elements(ROUNDS as u64));
    group.bench_function("three tests", |bencher| {
        bencher.iter(|| {
            let mut tests = Evidence::new(house, 7);
            for (t, &cents) in (0_u64..).zip(&cents) {
                tests.update(&ObservedRound::at(cents, day_phase(t)), Some(&SERVED));
            }
            tests
        });
    });
    group.bench_function("one score sheet", |bencher| {
        bencher.iter(|| {
            let mut sheet = ScoreSheet::new("served", &house);
            for &cents in &cents {
                sheet.record(&ForecastRecord::law(2.0, 1.05), cents);
            }
            sheet
        });
    });
    group.bench_function("seven baselines", |bencher| {
        bencher.iter(|| {
            let mut baselines = Baselines::new(&house);
            for &cents in &cents {
                baselines.update(cents);
            }
            baselines
        });
    });
    group.finish();
}

fn formulas(criterion: &mut Criterion) {
    let law = HouseLaw::default().tilted(1.1);
    criterion.bench_function("log-CRPS of one forecast", |bencher| {
        bencher.iter(|| log_crps(black_box(0.7), black_box(&law)));
    });
    criterion.bench_function("quantile of the tilted law", |bencher| {
        bencher.iter(|| law.quantile(black_box(0.9)));
    });
}

criterion_group!(benches, rounds, formulas);
criterion_main!(benches);
