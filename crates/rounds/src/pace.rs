//! How long a round of the game usually takes, and how high it usually flies.

use std::time::Duration;

use crate::Multiplier;

/// The share of all stakes that most crash games return, Aviator among them: a round reaches x with probability
/// `USUAL_RETURN / x`. For judging what a number may be, not for judging a game, whose return is configured.
pub const USUAL_RETURN: f64 = 0.97;
/// Seconds between the ends of two rounds if the second crashes at 1.00x: betting, take-off, pause.
const PAUSE: f64 = 11.5;
/// Seconds of flight per unit of ln M. Both are fitted to 16,379 recorded rounds of Aviator.
const FLIGHT: f64 = 11.7;

/// Returns how long the game takes from the end of the previous round to the end of a round with this
/// multiplier: 11.5 + 11.7 ln M seconds.
pub fn usual_gap(multiplier: Multiplier) -> Duration {
    Duration::from_secs_f64(PAUSE + FLIGHT * multiplier.ln())
}
