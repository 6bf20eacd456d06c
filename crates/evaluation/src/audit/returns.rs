//! The return to the player at each cash-out target.

use serde::Serialize;

use crate::HouseLaw;
use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::{TARGET_CENTS, multiplier};

/// The return of one cash-out target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReturnRow {
    /// The target. 1.01 stands for "anything above 1.00x", under the house law by far the most
    /// precise measure of r.
    pub target: f64,
    /// Rounds that reached it.
    pub hits: u64,
    /// Target times the share of rounds that reached it, with a 95 % confidence sequence.
    pub measured: Estimate,
    /// The return under the stated law.
    pub stated: f64,
    /// Whether the stated return lies within the confidence sequence.
    pub agrees: bool,
}

/// Returns one row for 1.01x and one for each target. All are needed: a house may pay as stated at
/// one target and not at another.
pub(super) fn table(cents: &[u64], house: &HouseLaw) -> Vec<ReturnRow> {
    let row = |target: u64| {
        let hits = cents.iter().filter(|&&k| k >= target).count() as u64;
        let factor = multiplier(target);
        let measured = beta_binomial(hits, cents.len() as u64, 0.05)?.times(factor);
        let stated = factor * house.survival_cents(target);
        Some(ReturnRow {
            target: factor,
            hits,
            measured,
            stated,
            agrees: measured.contains(stated),
        })
    };
    [101].into_iter().chain(TARGET_CENTS).filter_map(row).collect()
}
