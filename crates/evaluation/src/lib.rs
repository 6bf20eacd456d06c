//! Honest evaluation of a next-round forecast: the house law, proper scores, anytime-valid tests,
//! prediction intervals with guaranteed coverage, and a fairness audit.
//!
//! Everything here is pure and streaming: no clock, file, task or thread. Every state is `Clone`
//! and (de)serialisable, so that a restart continues bit for bit. `docs/explanation/what-the-numbers-mean.md` explains
//! what the numbers mean, and what none of them can mean.
//!
//! Reading order: [`house_law`] and [`kappa`] (what is served), [`scores`] and [`baselines`] (how
//! good it is), [`pit`] and [`sequential`] (is there anything to predict?), [`intervals`],
//! [`skill`], [`verdict`], [`audit`].

pub mod audit;
pub mod baselines;
pub mod confidence_sequence;
mod figures;
pub mod flat_stakes;
pub mod game;
pub mod game_fit;
pub mod house_law;
pub mod intervals;
pub mod kappa;
pub mod normal;
mod order_statistics;
pub mod pit;
pub mod quality;
pub mod reliability;
pub mod returns;
pub mod score_sheet;
pub mod scores;
pub mod sequential;
pub mod skill;
pub mod verdict;

pub use game::{GameParameters, Pace};
pub use house_law::{HouseLaw, LawError, TiltedLaw};
pub use kappa::Kappa;

/// The five cash-out targets whose probabilities are served and scored.
pub const TARGETS: [f64; 5] = [1.5, 2.0, 3.0, 5.0, 10.0];

/// [`TARGETS`] in cents. Whether a round reaches a target is decided in cents, never by comparing
/// floats.
pub const TARGET_CENTS: [u64; 5] = [150, 200, 300, 500, 1000];

/// Returns how many of the five targets a round reached, 0 to 5.
pub fn targets_reached(cents: u64) -> usize {
    TARGET_CENTS.iter().take_while(|&&target| cents >= target).count()
}

/// Converts cents to a multiplier: 194 to 1.94.
pub fn multiplier(cents: u64) -> f64 {
    cents as f64 / 100.0
}

/// Returns ln M for a round of `cents`; 0 at 1.00x and below.
pub fn ln_multiplier(cents: u64) -> f64 {
    multiplier(cents).ln().max(0.0)
}
