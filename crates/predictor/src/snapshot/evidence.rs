//! The three lights as they are shown.

use evaluation::sequential::{Bettor, Epoch, Evidence, Level, TestEvidence, Wealth};
use serde::Serialize;

/// A wealth beyond this is shown as this: JSON has no infinity, and nobody reads so many zeros.
const E_MAX: f64 = 1e300;

/// All three, with the epochs that changes of the game have ended.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EvidenceView {
    order: LightView,
    law: LightView,
    forecast: LightView,
    rounds: u64,
    epoch: u32,
    epoch_from: u64,
    closed: Vec<Epoch>,
}

#[derive(Debug, Clone, Serialize)]
struct LightView {
    /// What one imaginary euro has become.
    e: f64,
    /// The most it has been.
    e_max: f64,
    /// Where it turns amber.
    amber_at: f64,
    ln_e: f64,
    ln_e_max: f64,
    level: Level,
    anytime_p: f64,
    alarm_round: Option<u64>,
    bettors: Vec<Bettor>,
    rounds: u64,
}

impl EvidenceView {
    pub(crate) fn of(lights: &Evidence) -> Self {
        let [order, law, forecast] = lights.lights();
        Self {
            order: LightView::of(&order, lights.order().wealth(), lights.order().bettors()),
            law: LightView::of(&law, lights.law().wealth(), lights.law().bettors()),
            forecast: LightView::of(
                &forecast,
                lights.forecast().wealth(),
                lights.forecast().bettors(),
            ),
            rounds: lights.rounds(),
            epoch: lights.epoch(),
            epoch_from: lights.epoch_from(),
            closed: lights.closed().to_vec(),
        }
    }
}

impl EvidenceView {
    /// ln e of each by its name.
    pub(crate) fn ln_e(&self) -> [(&'static str, f64); 3] {
        [("order", self.order.ln_e), ("law", self.law.ln_e), ("forecast", self.forecast.ln_e)]
    }
}

impl LightView {
    fn of(light: &TestEvidence, wealth: &Wealth, bettors: Vec<Bettor>) -> Self {
        let euros = |ln_e: f64| ln_e.exp().min(E_MAX);
        Self {
            e: euros(light.ln_e),
            e_max: euros(light.ln_e_max),
            amber_at: euros(light.ln_amber),
            ln_e: light.ln_e,
            ln_e_max: light.ln_e_max,
            level: light.level,
            anytime_p: light.anytime_p,
            alarm_round: light.alarm_round,
            bettors,
            rounds: wealth.rounds(),
        }
    }
}
