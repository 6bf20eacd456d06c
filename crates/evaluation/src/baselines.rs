//! Baselines without a model: the constants and naive forecasts that every forecast is measured
//! against. All are causal.

mod climatology;
mod naive;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

pub use climatology::Climatology;
pub use naive::{EwmaFrequency, EwmaLn, LastValue, RollingFrequency50, RollingMedian20};

use crate::HouseLaw;

/// The forecast of a baseline for one round; `None` for what it does not forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineForecast {
    /// The point forecast, a multiplier.
    pub point: Option<f64>,
    /// P(M >= c) for the five targets.
    pub probabilities: Option<[f64; 5]>,
    /// The scale of the tilted house law, for a baseline that forecasts a whole law.
    pub scale: Option<f64>,
}

/// A forecaster without a model.
pub trait Baseline: Debug + Send {
    /// Its name on the scorecard.
    fn name(&self) -> &'static str;

    /// Returns its forecast of the next round.
    fn forecast(&self) -> BaselineForecast;

    /// Returns its CRPS of ln M for a round of `cents`; `None` when it forecasts no law of ln M, or
    /// when the score follows from [`BaselineForecast::scale`].
    fn log_crps(&self, _cents: u64) -> Option<f64> {
        None
    }

    /// Learns from a finished round.
    fn update(&mut self, cents: u64);
}

/// All seven baselines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baselines {
    house: HouseConstant,
    climatology: Climatology,
    last_value: LastValue,
    rolling_median: RollingMedian20,
    rolling_frequency: RollingFrequency50,
    ewma_ln: EwmaLn,
    ewma_frequency: EwmaFrequency,
}

impl Baselines {
    /// Returns the baselines before any round.
    pub fn new(house: &HouseLaw) -> Self {
        Self {
            house: HouseConstant::new(house),
            climatology: Climatology::under(house),
            last_value: LastValue::new(house),
            rolling_median: RollingMedian20::new(house),
            rolling_frequency: RollingFrequency50::new(),
            ewma_ln: EwmaLn::new(house),
            ewma_frequency: EwmaFrequency::new(house),
        }
    }

    /// Returns the seven in the order of the scorecard: the house first, climatology second.
    pub fn each(&self) -> [&dyn Baseline; 7] {
        [
            &self.house,
            &self.climatology,
            &self.last_value,
            &self.rolling_median,
            &self.rolling_frequency,
            &self.ewma_ln,
            &self.ewma_frequency,
        ]
    }

    /// Returns the observed frequencies.
    pub fn climatology(&self) -> &Climatology {
        &self.climatology
    }

    /// Updates all seven with a finished round.
    pub fn update(&mut self, cents: u64) {
        let all: [&mut dyn Baseline; 7] = [
            &mut self.house,
            &mut self.climatology,
            &mut self.last_value,
            &mut self.rolling_median,
            &mut self.rolling_frequency,
            &mut self.ewma_ln,
            &mut self.ewma_frequency,
        ];
        for baseline in all {
            baseline.update(cents);
        }
    }
}

/// The house law itself: 1.94x and the table of r/c. On a fair game no forecast beats it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HouseConstant {
    house: HouseLaw,
}

impl HouseConstant {
    /// Returns the constant forecast of a house law.
    pub fn new(house: &HouseLaw) -> Self {
        Self { house: *house }
    }
}

impl Baseline for HouseConstant {
    fn name(&self) -> &'static str {
        "house"
    }

    fn forecast(&self) -> BaselineForecast {
        BaselineForecast {
            point: Some(self.house.median()),
            probabilities: Some(self.house.probabilities()),
            scale: Some(1.0),
        }
    }

    fn update(&mut self, _cents: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_baseline_forecasts_what_its_name_says() {
        let house = HouseLaw::default();
        let mut all = Baselines::new(&house);
        for cents in [150, 400, 120, 1000] {
            all.update(cents);
        }
        let forecasts = all.each().map(Baseline::forecast);
        let close = |ours: Option<f64>, truth: f64| assert!((ours.unwrap() - truth).abs() < 1e-12);
        close(forecasts[0].point, 1.94);
        close(forecasts[0].probabilities.map(|p| p[4]), 0.097);
        close(forecasts[1].point, 2.75);
        close(forecasts[1].probabilities.map(|p| p[1]), 2.5 / 5.0);
        close(forecasts[2].point, 10.0);
        close(forecasts[2].probabilities.map(|p| p[4]), 1.0);
        close(forecasts[3].point, 2.75);
        close(forecasts[4].probabilities.map(|p| p[0]), 3.5 / 5.0);
        let mut mean = 1.5f64.ln();
        for x in [4.0f64, 1.2, 10.0] {
            mean += 2.0 / 11.0 * (x.ln() - mean);
        }
        close(forecasts[5].point, mean.exp());
        let mut share = 0.485;
        for hit in [0.0, 1.0, 0.0, 1.0] {
            share += 0.05 * (hit - share);
        }
        close(forecasts[6].probabilities.map(|p| p[1]), share);
    }
}
