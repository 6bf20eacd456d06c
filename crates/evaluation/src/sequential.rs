//! Anytime-valid tests: three tests and a change detector whose results are valid after every round.
//!
//! Each test is an e-process: it starts with one imaginary euro and bets it on every round, at odds
//! that are fair under the null hypothesis, using only what was known before the round. If the null
//! hypothesis is true, the wealth ever reaches 20 euros with a probability of at most 1 in 20 (Ville
//! 1939). The result may therefore be checked, and the test stopped, at any time.
//!
//! | test | null hypothesis |
//! |---|---|
//! | [`OrderTest`] (E3) | shuffling the rounds would change nothing |
//! | [`LawTest`] (E1) | the rounds are independent and follow the house law |
//! | [`ForecastTest`] (E2) | no forecast is expected to score better than fixed odds |
//!
//! [`Evidence`] combines the three with the [`ChangeDetector`], whose notes begin epochs but never
//! restart a test.

mod bettors;
mod bits;
mod cap;
mod cells;
mod change_detector;
mod clock_scale;
mod contexts;
mod evidence;
mod forecast;
mod lagged_inputs;
mod law;
mod order;
mod regression;
mod repeats;
mod scale;
mod streaks;
mod test_run;
mod wealth;

use serde::{Deserialize, Serialize};

pub use bits::Bits;
pub use cap::Cap;
pub use cells::Cells;
pub use change_detector::{ChangeDetector, FALSE_CHANGE_ROUNDS};
pub use clock_scale::ClockScale;
pub use contexts::Contexts;
pub use evidence::{
    Epoch, Evidence, EvidenceUpdate, Level, MeasuredCap, MeasuredLaw, TestEvidence,
};
pub use forecast::ForecastTest;
pub use lagged_inputs::LaggedInputs;
pub use law::LawTest;
pub use order::OrderTest;
pub use regression::Regression;
pub use repeats::Repeats;
pub use scale::Scale;
pub use streaks::Streaks;
pub use wealth::Wealth;

/// The wealth E at which a test turns amber: over unlimited time, a false alarm
/// in at most 1 of 20 fair games.
pub const AMBER: f64 = 20.0;

/// The wealth E at which a test turns red.
pub const RED: f64 = 100.0;

/// A round as the tests observe it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObservedRound {
    /// The multiplier of the round, in hundredths.
    pub cents: u64,
    /// The time of day, in \[0, 1), at which this round was forecast: that of the round *before*
    /// it. The round's own time is recorded when it ends and would reveal its length. `None`
    /// without a clock.
    pub day_phase: Option<f64>,
    /// The previous round was not yet known when this one was forecast: the tests learn from this
    /// round but do not bet on it.
    pub late: bool,
}

impl ObservedRound {
    /// Returns a round that was forecast in time, without a time of day.
    pub fn new(cents: u64) -> Self {
        Self { cents, day_phase: None, late: false }
    }

    /// Returns a round that was forecast in time, at the given time of day in \[0, 1).
    pub fn at(cents: u64, day_phase: f64) -> Self {
        Self { cents, day_phase: Some(day_phase), late: false }
    }
}

/// The state of one bettor in a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bettor {
    /// Its name.
    pub name: &'static str,
    /// The logarithm of its wealth.
    pub ln_e: f64,
}

/// Returns ln of the mean of exp(`ln`): the log-wealth of a portfolio that gave every bettor the
/// same share at the start.
pub(crate) fn ln_mean_exp(ln: &[f64]) -> f64 {
    let largest = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let sum: f64 = ln.iter().map(|&l| (l - largest).exp()).sum();
    largest + (sum / ln.len() as f64).ln()
}

/// Returns ln of the sum of `shares` times exp(`ln`): the log-wealth of a portfolio that gave the
/// bettors these shares at the start.
pub(crate) fn ln_weighted_sum<const N: usize>(shares: &[f64; N], ln: &[f64; N]) -> f64 {
    let largest = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let sum: f64 = shares.iter().zip(ln).map(|(share, l)| share * (l - largest).exp()).sum();
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_has_the_mean_wealth_however_rich_or_ruined_its_bettors() {
        let ruined = f64::NEG_INFINITY;
        assert_eq!(ln_mean_exp(&[ruined; 3]).to_bits(), ruined.to_bits());
        for (ln, mean) in [
            (&[0.0, 0.0][..], 0.0),
            (&[3f64.ln(), 1f64.ln()], 2f64.ln()),
            (&[900.0, 900.0, ruined], 900.0 + (2f64 / 3.0).ln()),
        ] {
            assert!((ln_mean_exp(ln) - mean).abs() < 1e-12, "{ln:?}");
        }
    }
}
