//! Features of the group patterns, for which players watch: runs below 2x and rounds since the last 10x.
//!
//! Multipliers are multiples of 0.01, whose logarithms near 2 and 10 are at least 9e-4 apart. So a
//! threshold with a tolerance of 1e-12 decides as a comparison of cents would, however `ln` rounds.

use std::f64::consts::{LN_2, LN_10};

use crate::window::{LOOK_BACK, Window};

const TOLERANCE: f64 = 1e-12;
const STREAK_MAX: usize = 20;

pub(crate) fn streak_below_2(window: &Window<'_>) -> f64 {
    rounds_since(window.last(STREAK_MAX), LN_2)
}

pub(crate) fn since_ge_10(window: &Window<'_>) -> f64 {
    let recent = window.last(LOOK_BACK);
    let rounds = rounds_since(recent, LN_10);
    // A history shorter than the look-back without such a round counts like a full one without it.
    if rounds < recent.len() as f64 { rounds } else { LOOK_BACK as f64 }
}

pub(crate) fn share_ge2_10(window: &Window<'_>) -> f64 {
    share(window.last(10), LN_2)
}

pub(crate) fn share_ge2_20(window: &Window<'_>) -> f64 {
    share(window.last(20), LN_2)
}

/// Returns how many values follow the last one that reaches `threshold`; all of them if none does.
fn rounds_since(values: &[f64], threshold: f64) -> f64 {
    values.iter().rev().take_while(|&&x| !reaches(x, threshold)).count() as f64
}

fn share(values: &[f64], threshold: f64) -> f64 {
    values.iter().filter(|&&x| reaches(x, threshold)).count() as f64 / values.len() as f64
}

fn reaches(x: f64, threshold: f64) -> bool {
    x >= threshold - TOLERANCE
}
