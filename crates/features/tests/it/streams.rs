//! Histories shared by the tests.

use std::f64::consts::LN_10;

use features::X_MAX;
use proptest::prelude::*;

/// Returns `ln M` of fair rounds: M = 0.97 / u rounded down to cents, u from `SplitMix64`.
pub(crate) fn fair(seed: u64, rounds: usize) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    (0..rounds).map(|_| ((97.0 / uniform()).floor().clamp(100.0, 1e8) / 100.0).ln()).collect()
}

/// Histories that are hard on numerical code: constants, alternating values, steps, extremes.
pub(crate) fn awkward() -> Vec<Vec<f64>> {
    let cap = 1e6_f64.ln();
    let mut histories = vec![
        vec![0.0],
        vec![X_MAX],
        vec![0.0, X_MAX],
        vec![X_MAX, 0.0, 0.0],
        (0..90).map(|i| if i % 2 == 0 { 0.0 } else { X_MAX }).collect(),
        (0..90).map(|i| if i % 2 == 0 { 0.0 } else { cap }).collect(),
        (0..90).map(|i| if i < 45 { cap } else { 0.0 }).collect(),
        (0..90).map(|i| f64::from(i) * 0.1).collect(),
        vec![-0.0, 0.0, -0.0, 0.0, -0.0],
        vec![f64::MIN_POSITIVE; 30],
    ];
    for value in [0.0, 0.1, LN_10, cap, X_MAX] {
        histories.extend([1, 2, 3, 9, 10, 11, 20, 50, 70].map(|rounds| vec![value; rounds]));
    }
    histories
}

/// Generates histories of up to 120 rounds, many with equal values.
pub(crate) fn any_history() -> impl Strategy<Value = Vec<f64>> {
    let cents = prop_oneof![3 => 100_u32..=1_200, 1 => 100_u32..=100_000_000, 1 => 100_u32..=103];
    prop::collection::vec(cents.prop_map(|cents| (f64::from(cents) / 100.0).ln()), 1..120)
}

/// Generates histories on a grid of 1/64, where sums and differences are exact.
pub(crate) fn any_exact_history() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0_u32..=640).prop_map(|step| f64::from(step) / 64.0), 1..80)
}
