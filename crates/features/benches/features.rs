//! `cargo bench -p features`: one round's features at the end of a long history.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot prepare its data has nothing to measure"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use features::{Extractor, Window};

const ROUNDS: usize = 10_000;

/// Returns ln M of fair rounds. The quality of the random numbers does not matter here.
fn history() -> Vec<f64> {
    let mut state = 1u64;
    let uniform = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..ROUNDS).map(uniform).map(|u| (0.97 / (1.0 - u)).ln().max(0.0)).collect()
}

fn features(criterion: &mut Criterion) {
    let history = history();
    let mut group = criterion.benchmark_group("features");
    group.throughput(Throughput::Elements(ROUNDS as u64));
    group.bench_function("streaming, 10,000 rounds", |bencher| {
        bencher.iter(|| {
            let mut extractor = Extractor::new();
            history.iter().map(|&x| extractor.push(black_box(x)).unwrap()[0]).sum::<f64>()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one row by definition", |bencher| {
        bencher.iter(|| Window::new(black_box(&history)).unwrap().row());
    });
    group.finish();
}

criterion_group!(benches, features);
criterion_main!(benches);
