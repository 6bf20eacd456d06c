//! A small regression model that stands in for the learners in simulations.

use evaluation::intervals::outward;
use evaluation::pit::{SplitMix64, z_score};
use evaluation::sequential::{LaggedInputs, Regression};
use evaluation::{HouseLaw, Kappa, TARGETS, ln_multiplier, normal};
use features::COUNT;
use serde::{Deserialize, Serialize};

/// A forecaster cheap enough for thousands of streams: a Bayesian regression of the normal score
/// under the house law on the features. It serves for figures that need many replications.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SimpleModel {
    house: HouseLaw,
    random: SplitMix64,
    inputs: LaggedInputs,
    regression: Regression,
    kappa: Kappa,
}

/// The forecast of the simple model: the normal score of the round is N(mean, variance).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleForecast {
    /// The expected normal score.
    pub mean: f64,
    /// Its variance, at least 1.
    pub variance: f64,
    /// The trust that the mean has earned, in \[0, 1\].
    pub kappa: f64,
    r: f64,
}

impl SimpleModel {
    /// Returns the model before any round; `seed` gives the uniform numbers of the transform.
    pub fn new(seed: u64) -> Self {
        Self {
            house: HouseLaw::default(),
            random: SplitMix64::new(seed),
            inputs: LaggedInputs::new(),
            regression: Regression::new(COUNT, 0.002),
            kappa: Kappa::new(),
        }
    }

    /// Returns its forecast of the next round.
    pub fn forecast(&self) -> SimpleForecast {
        let (mean, variance) = self.regression.predict(&self.inputs.features());
        SimpleForecast { mean, variance, kappa: self.kappa.value(), r: self.house.r() }
    }

    /// Learns from a finished round, and returns its normal score.
    pub fn update(&mut self, cents: u64) -> f64 {
        let z = z_score(self.house.pit(cents, self.random.uniform()));
        let row = self.inputs.features();
        let (mean, _) = self.regression.predict(&row);
        self.kappa.update(mean, z);
        self.regression.bet(&row, z);
        self.inputs.push(z, ln_multiplier(cents));
        z
    }
}

impl SimpleForecast {
    /// Returns the model's P(M >= c) for the five targets.
    pub fn probabilities(&self) -> [f64; 5] {
        let sd = self.variance.sqrt();
        self.scores().map(|z| normal::survival((z - self.mean) / sd))
    }

    /// Returns the probabilities after shrinkage by kappa, as they are served.
    pub fn shrunk(&self) -> [f64; 5] {
        self.scores().map(|z| normal::survival(z - self.kappa * self.mean))
    }

    /// Returns the probability integral transform of a normal score under the model's law: uniform
    /// on (0, 1) if the model is right.
    pub fn transform(&self, z: f64) -> f64 {
        normal::cdf((z - self.mean) / self.variance.sqrt())
    }

    /// Returns the interval between two levels of the model's law, widened to the cent grid.
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
