//! Naive baselines: the last value, a rolling median, moving averages and frequencies.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Baseline, BaselineForecast};
use crate::{HouseLaw, TARGET_CENTS, ln_multiplier, multiplier};

/// Forecasts that the last multiplier repeats, with certainty.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LastValue {
    first: [f64; 5],
    median: f64,
    last: Option<u64>,
}

impl LastValue {
    /// Returns the baseline before any round: median and table of the house law.
    pub fn new(house: &HouseLaw) -> Self {
        Self { first: house.probabilities(), median: house.median(), last: None }
    }
}

impl Baseline for LastValue {
    fn name(&self) -> &'static str {
        "last value"
    }

    fn forecast(&self) -> BaselineForecast {
        let probabilities = self.last.map_or(self.first, hits);
        BaselineForecast {
            point: Some(self.last.map_or(self.median, multiplier)),
            probabilities: Some(probabilities),
            scale: None,
        }
    }

    /// The CRPS of a point mass is its absolute error.
    fn log_crps(&self, cents: u64) -> Option<f64> {
        let last = self.last.map_or_else(|| self.median.ln(), ln_multiplier);
        Some((last - ln_multiplier(cents)).abs())
    }

    fn update(&mut self, cents: u64) {
        self.last = Some(cents);
    }
}

/// The median of the last 20 rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RollingMedian20 {
    median: f64,
    recent: VecDeque<u64>,
}

impl RollingMedian20 {
    /// Returns the baseline before any round: the median of the house law.
    pub fn new(house: &HouseLaw) -> Self {
        Self { median: house.median(), recent: VecDeque::new() }
    }
}

impl Baseline for RollingMedian20 {
    fn name(&self) -> &'static str {
        "rolling median 20"
    }

    fn forecast(&self) -> BaselineForecast {
        let mut sorted: Vec<u64> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        let half = sorted.len() / 2;
        let point = match sorted.len() {
            0 => self.median,
            n if n % 2 == 1 => multiplier(sorted[half]),
            _ => multiplier(sorted[half - 1]).midpoint(multiplier(sorted[half])),
        };
        BaselineForecast { point: Some(point), ..BaselineForecast::default() }
    }

    fn update(&mut self, cents: u64) {
        slide(&mut self.recent, cents, 20);
    }
}

/// The frequencies of the last 50 rounds, (reached + 1/2)/(rounds + 1).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RollingFrequency50 {
    recent: VecDeque<u64>,
}

impl RollingFrequency50 {
    /// Returns the baseline before any round: one half for every target.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Baseline for RollingFrequency50 {
    fn name(&self) -> &'static str {
        "rolling frequency 50"
    }

    fn forecast(&self) -> BaselineForecast {
        let n = self.recent.len() as f64;
        let frequency = |target: u64| {
            let reached = self.recent.iter().filter(|&&cents| cents >= target).count();
            (reached as f64 + 0.5) / (n + 1.0)
        };
        BaselineForecast {
            probabilities: Some(TARGET_CENTS.map(frequency)),
            ..BaselineForecast::default()
        }
    }

    fn update(&mut self, cents: u64) {
        slide(&mut self.recent, cents, 50);
    }
}

/// The exponential of the exponentially weighted mean of ln M, weight 2/11.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct EwmaLn {
    median: f64,
    mean: Option<f64>,
}

impl EwmaLn {
    /// Returns the baseline before any round: the median of the house law.
    pub fn new(house: &HouseLaw) -> Self {
        Self { median: house.median(), mean: None }
    }
}

impl Baseline for EwmaLn {
    fn name(&self) -> &'static str {
        "moving average of ln M"
    }

    fn forecast(&self) -> BaselineForecast {
        let point = self.mean.map_or(self.median, f64::exp);
        BaselineForecast { point: Some(point), ..BaselineForecast::default() }
    }

    fn update(&mut self, cents: u64) {
        let x = ln_multiplier(cents);
        self.mean = Some(self.mean.map_or(x, |mean| mean + 2.0 / 11.0 * (x - mean)));
    }
}

/// Exponentially weighted frequencies, weight .05, starting from the house table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct EwmaFrequency {
    frequencies: [f64; 5],
}

impl EwmaFrequency {
    /// Returns the baseline before any round: the house table.
    pub fn new(house: &HouseLaw) -> Self {
        Self { frequencies: house.probabilities() }
    }
}

impl Baseline for EwmaFrequency {
    fn name(&self) -> &'static str {
        "moving frequency"
    }

    fn forecast(&self) -> BaselineForecast {
        BaselineForecast { probabilities: Some(self.frequencies), ..BaselineForecast::default() }
    }

    fn update(&mut self, cents: u64) {
        for (frequency, hit) in self.frequencies.iter_mut().zip(hits(cents)) {
            *frequency += 0.05 * (hit - *frequency);
        }
    }
}

/// Returns 1 for each target the round reached, 0 for the others.
fn hits(cents: u64) -> [f64; 5] {
    TARGET_CENTS.map(|target| f64::from(cents >= target))
}

fn slide(recent: &mut VecDeque<u64>, cents: u64, length: usize) {
    recent.push_back(cents);
    if recent.len() > length {
        recent.pop_front();
    }
}
