//! Computes the feature rows of 1,000,000 fair rounds and prints the time taken.
//!
//! `cargo run --release -p features --example rows_of_a_million_rounds`

use std::time::Instant;

use features::{COUNT, Extractor, WindowError};

const ROUNDS: usize = 1_000_000;

#[expect(clippy::print_stdout, reason = "it prints its measurement")]
fn main() -> Result<(), WindowError> {
    let history: Vec<f64> = fair_logarithms(42).take(ROUNDS).collect();
    let started = Instant::now();
    let mut extractor = Extractor::new();
    let mut totals = [0.0; COUNT];
    for &x in &history {
        let row = extractor.push(x)?;
        for (total, value) in totals.iter_mut().zip(row) {
            *total += value;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let nanoseconds = seconds * 1e9 / ROUNDS as f64;
    println!("rows of {ROUNDS} rounds: {seconds:.3} s, {nanoseconds:.0} ns per round");
    println!("mean of lag_1: {:.4}", totals[0] / ROUNDS as f64);
    Ok(())
}

/// Returns `ln M` of fair rounds: M = 0.97 / u rounded down to cents, u from `SplitMix64`.
fn fair_logarithms(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let u = ((z >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        Some(((97.0 / u).floor().clamp(100.0, 1e8) / 100.0).ln())
    })
}
