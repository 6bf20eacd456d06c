//! Simulated streams of rounds whose law is known: one fair, seven with a pattern to find, two that
//! deviate from the house law but cannot be predicted. All acceptance figures are measured on them;
//! the same seed gives the same rounds on every machine.

mod planted;
mod simple_model;

use std::f64::consts::PI;

pub use planted::{PlantedGame, TimedRound};
pub use simple_model::{SimpleForecast, SimpleModel};

use evaluation::normal;
use evaluation::pit::SplitMix64;

/// Rounds per day in a simulated stream: one every 30 s.
pub const ROUNDS_A_DAY: u64 = 2880;

/// The highest multiplier of a simulated stream, in cents.
const CAP_CENTS: f64 = 100_000_000.0;

/// The law of a simulated stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scenario {
    /// Independent rounds under the house law.
    Fair,
    /// Consecutive rounds have normal scores with this correlation; each round on its own follows
    /// the house law exactly.
    Autoregressive(f64),
    /// Alternating hot (tail index .80) and cold (1.25) regimes of 50 rounds on average.
    Regime,
    /// The tail index is exp(-0.2 sin(2 pi x)) at time of day x in \[0, 1).
    TimeOfDay,
    /// After three rounds or more below 2x the next multiplier is 1 / 0.8 times as high.
    Due,
    /// The tail index falls from 1 to .85 at round 2,500.
    Shift,
    /// Independent rounds with another return and tail index: not the house law, and not
    /// predictable.
    Independent {
        /// The return r.
        r: f64,
        /// The tail index.
        theta: f64,
    },
}

impl Scenario {
    /// The ten scenarios, with the names used in the acceptance figures.
    pub const ALL: [(&'static str, Self); 10] = [
        ("fair", Self::Fair),
        ("ar03", Self::Autoregressive(0.3)),
        ("ar02", Self::Autoregressive(0.2)),
        ("ar01", Self::Autoregressive(0.1)),
        ("regime", Self::Regime),
        ("tod", Self::TimeOfDay),
        ("due", Self::Due),
        ("shift", Self::Shift),
        ("iid_r95", Self::Independent { r: 0.95, theta: 1.0 }),
        ("iid_th09", Self::Independent { r: 0.97, theta: 0.90 }),
    ];

    /// Returns the scenario with a name from [`ALL`](Self::ALL).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, scenario)| scenario)
    }

    /// Returns the endless stream of a seed, in cents.
    pub fn stream(self, seed: u64) -> Stream {
        let mut random = SplitMix64::new(seed);
        let z = if let Self::Autoregressive(_) = self { random.normal() } else { 0.0 };
        let hot = if self == Self::Regime { random.uniform() < 0.5 } else { true };
        Stream { scenario: self, random, t: 0, z, hot, low_run: 0 }
    }

    /// Returns the first n rounds of a seed, in cents.
    pub fn rounds(self, n: usize, seed: u64) -> Vec<u64> {
        self.stream(seed).take(n).collect()
    }
}

/// Returns the time of day of the simulated round number t (0 = the first), in \[0, 1).
pub fn day_phase(t: u64) -> f64 {
    (t % ROUNDS_A_DAY) as f64 / ROUNDS_A_DAY as f64
}

/// An endless stream of simulated rounds, in cents.
#[derive(Clone, Debug)]
pub struct Stream {
    scenario: Scenario,
    random: SplitMix64,
    t: u64,
    z: f64,
    hot: bool,
    low_run: u32,
}

impl Stream {
    fn multiplier(&mut self) -> f64 {
        match self.scenario {
            Scenario::Fair => 0.97 / self.random.uniform(),
            Scenario::Autoregressive(rho) => {
                let e = self.random.normal();
                self.z = rho * self.z + (1.0 - rho * rho).sqrt() * e;
                0.97 / normal::survival(self.z).max(1e-12)
            }
            Scenario::Regime => {
                if self.random.uniform() > 0.98 {
                    self.hot = !self.hot;
                }
                let theta = if self.hot { 0.80 } else { 1.25 };
                (0.97 / self.random.uniform()).powf(1.0 / theta)
            }
            Scenario::TimeOfDay => {
                let theta = (-0.20 * (2.0 * PI * self.t as f64 / ROUNDS_A_DAY as f64).sin()).exp();
                (0.97 / self.random.uniform()).powf(1.0 / theta)
            }
            Scenario::Due => {
                let u = self.random.uniform();
                0.97 / if self.low_run >= 3 { u * 0.80 } else { u }
            }
            Scenario::Shift => {
                let theta = if self.t < 2500 { 1.0 } else { 0.85 };
                (0.97 / self.random.uniform()).powf(1.0 / theta)
            }
            Scenario::Independent { r, theta } => (r / self.random.uniform()).powf(1.0 / theta),
        }
    }
}

impl Iterator for Stream {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let cents = floor_cents(self.multiplier());
        self.low_run = if cents < 200 { self.low_run + 1 } else { 0 };
        self.t += 1;
        Some(cents)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to 100..=100,000,000 before the cast"
)]
fn floor_cents(multiplier: f64) -> u64 {
    (100.0 * multiplier).floor().clamp(100.0, CAP_CENTS) as u64
}
