//! Mean scores over all, the recent, or the discounted rounds.

use serde::{Deserialize, Serialize};

use super::{Metric, Sums};
use crate::scores::skill;

/// Mean scores; square roots of means where the name says `rmse`. `None` for what the forecaster
/// does not forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rounds scored.
    pub rounds: u64,
    /// Mean |ln forecast - ln M|, the main metric of point forecasts.
    pub log_mae: Option<f64>,
    /// Mean |forecast - M|, both capped at 10x.
    pub mae_at_10: Option<f64>,
    /// Mean |forecast - M|, dominated by the few highest rounds.
    pub mae: Option<f64>,
    /// Root mean square of forecast - M, which does not converge on a crash game.
    pub rmse: Option<f64>,
    /// Root mean square of forecast - M, both capped at 10x.
    pub rmse_at_10: Option<f64>,
    /// Root mean square of ln forecast - ln M.
    pub log_rmse: Option<f64>,
    /// Mean CRPS of ln M.
    pub log_crps: Option<f64>,
    /// Mean CRPS of min(M, 20).
    pub crps_at_20: Option<f64>,
    /// Mean -ln P(M), in nats.
    pub log_loss: Option<f64>,
    /// Mean Brier score of each target.
    pub brier: [Option<f64>; 5],
    /// Their mean.
    pub brier_mean: Option<f64>,
    /// Share of rounds inside the 80 % interval.
    pub coverage_80: Option<f64>,
    /// Share of rounds inside the 90 % interval.
    pub coverage_90: Option<f64>,
    /// Mean interval score on ln M at 80 %.
    pub interval_score_80: Option<f64>,
    /// Mean interval score on ln M at 90 %.
    pub interval_score_90: Option<f64>,
    /// Mean pinball loss on ln M at .05, .1, .25, .5, .75, .9, .95.
    pub pinball: [Option<f64>; 7],
}

impl Summary {
    pub(super) fn of(sums: &Sums, rounds: u64) -> Self {
        let mean = |metric| sums.mean(metric);
        let root = |metric| sums.mean(metric).map(f64::sqrt);
        Self {
            rounds,
            log_mae: mean(Metric::LogAbsolute),
            mae_at_10: mean(Metric::AbsoluteAt10),
            mae: mean(Metric::Absolute),
            rmse: root(Metric::Squared),
            rmse_at_10: root(Metric::SquaredAt10),
            log_rmse: root(Metric::LogSquared),
            log_crps: mean(Metric::LogCrps),
            crps_at_20: mean(Metric::CrpsAt20),
            log_loss: mean(Metric::LogLoss),
            brier: Metric::BRIERS.map(mean),
            brier_mean: mean(Metric::BrierMean),
            coverage_80: mean(Metric::Covered80),
            coverage_90: mean(Metric::Covered90),
            interval_score_80: mean(Metric::IntervalScore80),
            interval_score_90: mean(Metric::IntervalScore90),
            pinball: Metric::PINBALLS.map(mean),
        }
    }

    /// Returns the skill against a reference scored on the same rounds: 100 (1 - ours/theirs).
    pub fn skill_against(&self, reference: &Self) -> Skill {
        let percent = |ours: Option<f64>, theirs: Option<f64>| skill(ours?, theirs?);
        Skill {
            log_mae: percent(self.log_mae, reference.log_mae),
            mae_at_10: percent(self.mae_at_10, reference.mae_at_10),
            log_crps: percent(self.log_crps, reference.log_crps),
            log_loss: percent(self.log_loss, reference.log_loss),
            brier_mean: percent(self.brier_mean, reference.brier_mean),
        }
    }
}

/// Skill against a reference, in percent; positive is better. `None` where either has no score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// Of the mean |ln forecast - ln M|.
    pub log_mae: Option<f64>,
    /// Of the mean |forecast - M|, both capped at 10x.
    pub mae_at_10: Option<f64>,
    /// Of the mean CRPS of ln M.
    pub log_crps: Option<f64>,
    /// Of the mean -ln P(M).
    pub log_loss: Option<f64>,
    /// Of the mean Brier score.
    pub brier_mean: Option<f64>,
}
