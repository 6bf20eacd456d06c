//! The evidence of the three sequential tests, as the API shows it.

use evaluation::returns::ReturnRow;
use evaluation::sequential::{Bettor, Epoch, Evidence, Level, MeasuredLaw, TestEvidence};
use serde::Serialize;

/// Upper limit of `e` and `e_max`: JSON has no infinity.
const E_MAX: f64 = 1e300;

/// The evidence of all three tests, the measured law, and the epochs between noticed changes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EvidenceView {
    order: TestView,
    law: TestView,
    forecast: TestView,
    rounds: u64,
    measured: MeasuredLaw,
    epoch: u32,
    epoch_from: u64,
    epoch_returns: Vec<ReturnRow>,
    closed: Vec<Epoch>,
}

/// The evidence of one test.
#[derive(Debug, Clone, Serialize)]
struct TestView {
    /// What one euro bet against the test's claim has become.
    e: f64,
    /// The maximum of `e` so far.
    e_max: f64,
    /// The value of `e` at which the level turns amber.
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
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let [order, law, forecast] = evidence.tests();
        let [order_bettors, law_bettors, forecast_bettors] = evidence.bettors();
        let rounds = evidence.rounds();
        Self {
            order: TestView::of(&order, order_bettors, rounds),
            law: TestView::of(&law, law_bettors, rounds),
            forecast: TestView::of(&forecast, forecast_bettors, rounds),
            rounds,
            measured: evidence.measured(),
            epoch: evidence.epoch(),
            epoch_from: evidence.epoch_from(),
            epoch_returns: evidence.epoch_returns(),
            closed: evidence.closed().to_vec(),
        }
    }
}

impl EvidenceView {
    /// Returns ln e of each test with its name.
    pub(crate) fn ln_e(&self) -> [(&'static str, f64); 3] {
        [("order", self.order.ln_e), ("law", self.law.ln_e), ("forecast", self.forecast.ln_e)]
    }
}

impl TestView {
    fn of(test: &TestEvidence, bettors: Vec<Bettor>, rounds: u64) -> Self {
        let euros = |ln_e: f64| ln_e.exp().min(E_MAX);
        Self {
            e: euros(test.ln_e),
            e_max: euros(test.ln_e_max),
            amber_at: euros(test.ln_amber),
            ln_e: test.ln_e,
            ln_e_max: test.ln_e_max,
            level: test.level,
            anytime_p: test.anytime_p,
            alarm_round: test.alarm_round,
            bettors,
            rounds,
        }
    }
}
