//! A small regression model that stands in for the learners in simulations.

use serde::{Deserialize, Serialize};

use crate::house_law::HouseLaw;
use crate::intervals::outward;
use crate::pit::{SplitMix64, z_score};
use crate::sequential::{LaggedInputs, Regression};
use crate::{Kappa, TARGETS, ln_multiplier, normal};

/// A forecaster cheap enough for thousands of streams: a Bayesian regression of the normal score
/// under the house law on the 25 features. Figures that need many replications are measured on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SimpleModel {
    house: HouseLaw,
    random: SplitMix64,
    past: LaggedInputs,
    regression: Regression,
    kappa: Kappa,
}

/// The simple model's forecast of a round: its normal score is N(mean, variance).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleForecast {
    /// The expected normal score.
    pub mean: f64,
    /// Its variance, at least 1.
    pub variance: f64,
    /// How much of the mean has earned trust.
    pub kappa: f64,
    r: f64,
}

impl SimpleModel {
    /// No round yet; the uniform numbers of the transform are those of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            house: HouseLaw::default(),
            random: SplitMix64::new(seed),
            past: LaggedInputs::new(),
            regression: Regression::new(25, 0.002),
            kappa: Kappa::new(),
        }
    }

    /// What it says of the next round.
    pub fn forecast(&self) -> SimpleForecast {
        let (mean, variance) = self.regression.predict(&self.past.features());
        SimpleForecast { mean, variance, kappa: self.kappa.value(), r: self.house.r() }
    }

    /// Learns from a finished round, and returns its normal score.
    pub fn update(&mut self, cents: u64) -> f64 {
        let z = z_score(self.house.pit(cents, self.random.uniform()));
        let row = self.past.features();
        let (mean, _) = self.regression.predict(&row);
        self.kappa.update(mean, z);
        self.regression.bet(&row, z);
        self.past.push(z, ln_multiplier(cents));
        z
    }
}

impl SimpleForecast {
    /// P(M >= c) for the five targets, as the model says it.
    pub fn probabilities(&self) -> [f64; 5] {
        let sd = self.variance.sqrt();
        self.scores().map(|z| normal::survival((z - self.mean) / sd))
    }

    /// The same after kappa: what is served.
    pub fn shrunk(&self) -> [f64; 5] {
        self.scores().map(|z| normal::survival(z - self.kappa * self.mean))
    }

    /// Where a normal score lies in the model's law: uniform on (0, 1) if the model is right.
    pub fn transform(&self, z: f64) -> f64 {
        normal::cdf((z - self.mean) / self.variance.sqrt())
    }

    /// The interval between two levels of the model's law, outward to the cent grid.
    pub fn interval(&self, (lower, upper): (f64, f64)) -> (f64, f64) {
        let multiplier = |level: f64| {
            let z = self.mean + self.variance.sqrt() * normal::quantile(level);
            (self.r / normal::survival(z).max(1e-6)).min(1e6)
        };
        outward(multiplier(lower.max(1e-12)), multiplier(upper.min(1.0 - 1e-9)))
    }

    fn scores(&self) -> [f64; 5] {
        TARGETS.map(|c| normal::quantile(1.0 - self.r / c))
    }
}
