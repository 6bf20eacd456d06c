//! Recordings of a crash game with a law of our own, and random numbers for tables of other things.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use evaluation::pit::SplitMix64;
use rounds::{Multiplier, Round};

/// A whole number from 0 up to, not including, `end`.
pub(crate) fn below(random: &mut SplitMix64, end: usize) -> usize {
    usize::try_from(random.next_u64() % u64::try_from(end).unwrap()).unwrap()
}

/// A number between `low` and `high`.
pub(crate) fn between(random: &mut SplitMix64, low: f64, high: f64) -> f64 {
    low + (high - low) * random.uniform()
}

/// A fair recording with a house edge of 3 %, from 2026-03-01 11:00:00 UTC on, in whole seconds.
pub(crate) fn recording(seed: u64, rounds: usize) -> Vec<Round> {
    let mut random = SplitMix64::new(seed);
    let mut time = DateTime::from_timestamp(1_772_362_800, 0).unwrap();
    let mut rows = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let value = (0.97 / (1.0 - random.uniform())).clamp(1.0, 100_000.0);
        let multiplier = Multiplier::new((value * 100.0).floor() / 100.0).unwrap();
        rows.push(Round { time, multiplier });
        // Seconds of waiting and of the flight.
        let milliseconds = 11_500.0 + 11_700.0 * multiplier.ln();
        time +=
            TimeDelta::from_std(Duration::from_secs_f64((milliseconds / 1000.0).round())).unwrap();
    }
    rows
}

/// The multiplier of a round with two decimals.
pub(crate) fn multiplier(round: &Round) -> String {
    round.multiplier.to_string()
}
