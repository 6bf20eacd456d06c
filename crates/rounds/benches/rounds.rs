//! `cargo bench -p rounds`: reading a file of rounds, and looking at a directory where nothing is new.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot prepare its data has nothing to measure"
)]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rounds::Multiplier;
use rounds::scan::Directory;

const ROWS: u32 = 10_000;

fn reading(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let mut time: DateTime<Utc> = "2025-01-01T00:00:00.123Z".parse().unwrap();
    let mut text = "timestamp,multiplier\n".to_owned();
    for row in 0..ROWS {
        time += TimeDelta::milliseconds(21_377);
        let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
        writeln!(text, "{time},{}.{:02}", 1 + row % 17, row % 100).unwrap();
    }
    fs::write(dir.path().join("aviator_payouts_20250101_000000.csv"), &text).unwrap();

    let mut group = criterion.benchmark_group("a directory");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("10,000 rows in one file", |bencher| {
        bencher.iter(|| Directory::new(dir.path()).scan().unwrap());
    });
    let mut known = Directory::new(dir.path());
    known.scan().unwrap();
    group.throughput(Throughput::Elements(1));
    group.bench_function("nothing new", |bencher| bencher.iter(|| known.scan().unwrap()));
    group.finish();

    criterion.bench_function("one multiplier", |bencher| {
        bencher.iter(|| black_box("1,090.08x").parse::<Multiplier>().unwrap());
    });
}

criterion_group!(benches, reading);
criterion_main!(benches);
