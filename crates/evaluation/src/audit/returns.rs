//! The return to players at each cash-out target.

use serde::Serialize;

use crate::HouseLaw;
use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::{TARGET_CENTS, multiplier};

/// What a stake on one cash-out target returned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReturnRow {
    /// The target; 1.01 stands for "anything above 1.00x", by far the sharpest measure of r under
    /// the house law.
    pub target: f64,
    /// Rounds that reached it.
    pub hits: u64,
    /// Target times the share that reached it, with a confidence sequence at .05.
    pub measured: Estimate,
    /// What the house states.
    pub stated: f64,
    /// The stated return lies within the sequence.
    pub agrees: bool,
}

/// The return at 1.01x and at each target. The whole row matters: a house may be right at one and
/// wrong at another.
pub(super) fn table(cents: &[u64], house: &HouseLaw) -> Vec<ReturnRow> {
    let row = |target: u64| {
        let hits = cents.iter().filter(|&&k| k >= target).count() as u64;
        let factor = multiplier(target);
        let measured = beta_binomial(hits, cents.len() as u64, 0.05)?.times(factor);
        let stated = factor * house.survival_cents(target);
        Some(ReturnRow { target: factor, hits, measured, stated, agrees: measured.holds(stated) })
    };
    [101].into_iter().chain(TARGET_CENTS).filter_map(row).collect()
}
