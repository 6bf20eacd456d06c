//! The running scores of one forecaster in three views: all rounds, the last 500, and fading.

mod metric;
mod summary;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use metric::{Metric, PINBALL_LEVELS, Scores};
pub use summary::{Skill, Summary};

use crate::HouseLaw;
use crate::baselines::BaselineForecast;

/// Rounds in the sliding view.
pub const WINDOW: usize = 500;

/// Factor by which the weight of a round shrinks with each later round in the fading view (Gama,
/// Sebastião and Rodrigues 2013).
pub const FADING: f64 = 0.998;

/// The forecast issued before a round; `None` for what the forecaster does not forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForecastRecord {
    /// The point forecast, a multiplier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub point: Option<f64>,
    /// The scale of the tilted house law, when the forecast is a whole law. The five probabilities
    /// then follow from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scale: Option<f64>,
    /// P(M >= c) for the five targets, when there is no scale or they differ from those of the law.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub probabilities: Option<[f64; 5]>,
    /// The 80 % interval, both ends included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval80: Option<(f64, f64)>,
    /// The 90 % interval, both ends included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval90: Option<(f64, f64)>,
}

impl ForecastRecord {
    /// Returns a forecast of a point and a whole law.
    pub fn law(point: f64, scale: f64) -> Self {
        Self { point: Some(point), scale: Some(scale), ..Self::default() }
    }
}

impl From<BaselineForecast> for ForecastRecord {
    fn from(forecast: BaselineForecast) -> Self {
        let probabilities = forecast.probabilities.filter(|_| forecast.scale.is_none());
        Self { point: forecast.point, scale: forecast.scale, probabilities, ..Self::default() }
    }
}

/// A weighted sum of scores per metric, and the total weight of the rounds scored by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    sums: [f64; Metric::COUNT],
    weights: [f64; Metric::COUNT],
}

impl Sums {
    fn add(&mut self, scores: &Scores, keep: f64) {
        for metric in Metric::ALL {
            let i = metric as usize;
            if let Some(score) = scores.get(metric) {
                self.sums[i] = score + keep * self.sums[i];
                self.weights[i] = 1.0 + keep * self.weights[i];
            }
        }
    }

    fn mean(&self, metric: Metric) -> Option<f64> {
        let i = metric as usize;
        (self.weights[i] > 0.0).then(|| self.sums[i] / self.weights[i])
    }
}

/// A round of the sliding view, with all that is needed to compute its scores again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    cents: u64,
    issued: ForecastRecord,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    log_crps: Option<f64>,
}

/// The running scores of one forecaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreSheet {
    name: String,
    house: HouseLaw,
    rounds: u64,
    all: Sums,
    fading: Sums,
    recent: VecDeque<Entry>,
}

impl ScoreSheet {
    /// Returns the sheet of a forecaster without rounds.
    pub fn new(name: &str, house: &HouseLaw) -> Self {
        Self {
            name: name.to_owned(),
            house: *house,
            rounds: 0,
            all: Sums::default(),
            fading: Sums::default(),
            recent: VecDeque::with_capacity(WINDOW + 1),
        }
    }

    /// Returns the name of the forecaster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of rounds scored.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Scores the forecast issued before a round of `cents` and returns the scores.
    pub fn record(&mut self, issued: &ForecastRecord, cents: u64) -> Scores {
        self.record_with(issued, cents, None)
    }

    /// Does the same for a forecaster that computes its own CRPS of ln M
    /// ([`Baseline::log_crps`](crate::baselines::Baseline::log_crps)).
    pub fn record_with(
        &mut self,
        issued: &ForecastRecord,
        cents: u64,
        log_crps: Option<f64>,
    ) -> Scores {
        let entry = Entry { cents, issued: *issued, log_crps };
        let scores = self.scores(&entry);
        self.rounds += 1;
        self.all.add(&scores, 1.0);
        self.fading.add(&scores, FADING);
        self.recent.push_back(entry);
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
        scores
    }

    fn scores(&self, entry: &Entry) -> Scores {
        let mut scores = Scores::of(&entry.issued, &self.house, entry.cents);
        if let Some(log_crps) = entry.log_crps {
            scores.set(Metric::LogCrps, log_crps);
        }
        scores
    }

    /// Returns the mean scores of all rounds.
    pub fn all_time(&self) -> Summary {
        Summary::of(&self.all, self.rounds)
    }

    /// Returns the mean scores of the last 500 rounds. Summing them at each call avoids the rounding
    /// error that subtracting a 100,000x round would leave.
    pub fn recent(&self) -> Summary {
        let mut sums = Sums::default();
        for entry in &self.recent {
            sums.add(&self.scores(entry), 1.0);
        }
        Summary::of(&sums, self.recent.len() as u64)
    }

    /// Returns the fading mean scores: the weight of a round is .998 to the power of its age.
    pub fn fading(&self) -> Summary {
        Summary::of(&self.fading, self.rounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baselines::Baselines;
    use test_support::simulate::Scenario;

    #[test]
    fn the_three_views_are_plain_means() {
        let house = HouseLaw::default();
        let mut sheet = ScoreSheet::new("constant", &house);
        let rounds = Scenario::Fair.rounds(1200, 9);
        for &cents in &rounds {
            sheet.record(&ForecastRecord::law(1.94, 1.0), cents);
        }
        let errors: Vec<f64> =
            rounds.iter().map(|&cents| (1.94 - crate::multiplier(cents)).abs()).collect();
        let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
        assert!((sheet.all_time().mae.unwrap() - mean(&errors)).abs() < 1e-9);
        assert!((sheet.recent().mae.unwrap() - mean(&errors[700..])).abs() < 1e-9);
        let weights: Vec<f64> = (0..1200).rev().map(|age| 0.998f64.powi(age)).collect();
        let sum: f64 = errors.iter().zip(&weights).map(|(e, w)| e * w).sum();
        let fading = sum / weights.iter().sum::<f64>();
        assert!((sheet.fading().mae.unwrap() - fading).abs() < 1e-9);
        assert_eq!((sheet.rounds(), sheet.recent().rounds), (1200, 500));
    }

    #[test]
    fn a_long_fair_stream_has_the_expected_scores() {
        let mut sheet = ScoreSheet::new("house", &HouseLaw::default());
        let issued =
            ForecastRecord { interval80: Some((1.07, 9.70)), ..ForecastRecord::law(1.94, 1.0) };
        for cents in Scenario::Fair.stream(21).take(100_000) {
            sheet.record(&issued, cents);
        }
        let summary = sheet.all_time();
        // Four standard errors at 100,000 rounds.
        assert!((summary.log_mae.unwrap() - 0.6938).abs() < 0.010);
        assert!((summary.log_crps.unwrap() - 0.50026).abs() < 0.007);
        assert!((summary.brier_mean.unwrap() - 0.188_202).abs() < 0.002);
        assert!((summary.log_loss.unwrap() - 6.5198).abs() < 0.030);
        assert!((summary.mae_at_10.unwrap() - 1.8882).abs() < 0.030);
        assert!((summary.coverage_80.unwrap() - 0.8071).abs() < 0.006);
        assert_eq!(summary.coverage_90, None);
        assert!((summary.pinball[5].unwrap() - 0.230_43).abs() < 0.006);
    }

    #[test]
    fn no_baseline_beats_the_house_on_fair_rounds() {
        let house = HouseLaw::default();
        let mut baselines = Baselines::new(&house);
        let mut sheets = baselines.each().map(|b| ScoreSheet::new(b.name(), &house));
        for cents in Scenario::Fair.stream(12).take(10_000) {
            for (baseline, sheet) in baselines.each().into_iter().zip(&mut sheets) {
                sheet.record_with(&baseline.forecast().into(), cents, baseline.log_crps(cents));
            }
            baselines.update(cents);
        }
        let [house, others @ ..] = sheets.map(|sheet| sheet.all_time());
        for other in others {
            let skill = other.skill_against(&house);
            for percent in [skill.log_mae, skill.log_crps, skill.brier_mean].into_iter().flatten() {
                assert!(percent < 0.1, "{other:?}");
            }
        }
    }

    #[test]
    fn serialising_and_restoring_a_sheet_changes_nothing() {
        let mut sheet = ScoreSheet::new("house", &HouseLaw::default());
        for cents in Scenario::Fair.stream(3).take(700) {
            sheet.record(&ForecastRecord::law(1.9, 0.97), cents);
        }
        let text = serde_json::to_string(&sheet).unwrap();
        let back: ScoreSheet = serde_json::from_str(&text).unwrap();
        assert_eq!(back, sheet);
        assert!(text.len() < 60_000, "{}", text.len());
    }
}
