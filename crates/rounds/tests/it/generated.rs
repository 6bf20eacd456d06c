//! Recordings of a crash game with a law of our own, and random numbers for tables of other things.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use rounds::{Multiplier, Round};

/// Random numbers that are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number from 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number of the standard normal law (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// A fair recording with a house edge of 3 %, from 2026-03-01 11:00:00 UTC on, in whole seconds.
pub(crate) fn recording(seed: u64, rounds: usize) -> Vec<Round> {
    let mut random = Random::new(seed);
    let mut time = DateTime::from_timestamp(1_772_362_800, 0).unwrap();
    let mut rows = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let value = (0.97 / (1.0 - random.unit())).clamp(1.0, 100_000.0);
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
