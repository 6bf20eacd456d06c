//! The three tests, run from one starting round on.

use serde::{Deserialize, Serialize};

use super::{Bettor, ForecastTest, LawTest, ObservedRound, OrderTest};
use crate::HouseLaw;

/// Offsets added to the published salt, for the transforms of the law test and the ranks of the
/// order test.
const LAW_SALT: u64 = 1_000_003;
const ORDER_SALT: u64 = 2_000_003;

/// The order, law and forecast tests from one starting round on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TestRun {
    order: OrderTest,
    law: LawTest,
    forecast: ForecastTest,
}

/// The normal scores of a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct NormalScores {
    /// That of its rank within the run.
    pub(super) order: f64,
    /// That of its transform under the house law.
    pub(super) law: f64,
}

impl TestRun {
    /// Returns the tests from the first round of the stream on.
    pub(super) fn from_first_round(house: HouseLaw, salt: u64) -> Self {
        Self { forecast: ForecastTest::new(&house), ..Self::after(house, salt, 0) }
    }

    /// Returns the tests of the rounds after round number `rounds`. The forecast test bets at once,
    /// because by then the forecaster has warmed up.
    pub(super) fn after(house: HouseLaw, salt: u64, rounds: u64) -> Self {
        Self {
            order: OrderTest::starting_at(salt.wrapping_add(ORDER_SALT), rounds),
            law: LawTest::starting_at(house, salt.wrapping_add(LAW_SALT), rounds),
            forecast: ForecastTest::skipping(&house, 0),
        }
    }

    /// Bets on a round, then learns from it.
    pub(super) fn update(
        &mut self,
        round: &ObservedRound,
        served: Option<&[f64; 5]>,
    ) -> NormalScores {
        let scores = NormalScores { order: self.order.update(round), law: self.law.update(round) };
        self.forecast.update(served, round.cents);
        scores
    }

    /// Returns ln E of the order, law and forecast tests.
    pub(super) fn ln_e(&self) -> [f64; 3] {
        [self.order.ln_e(), self.law.ln_e(), self.forecast.ln_e()]
    }

    /// Returns the bettors of the order, law and forecast tests.
    pub(super) fn bettors(&self) -> [Vec<Bettor>; 3] {
        [self.order.bettors(), self.law.bettors(), self.forecast.bettors()]
    }

    /// Returns the law test.
    pub(super) fn law(&self) -> &LawTest {
        &self.law
    }
}
