//! The three sequential tests combined, their levels, and the epochs between changes.

use serde::{Deserialize, Serialize};

use super::{AMBER, ChangeDetector, ForecastTest, LawTest, ObservedRound, OrderTest, RED, Wealth};
use crate::HouseLaw;

/// Offsets added to the published salt, for the transforms of the law test and the ranks of the
/// order test.
const LAW_SALT: u64 = 1_000_003;
const ORDER_SALT: u64 = 2_000_003;

/// Maximum number of ended epochs kept; older ones are dropped from the list but still counted.
const EPOCHS_KEPT: usize = 100;

/// The three tests, the change detector, and the epochs between changes.
///
/// An alarm of the detector ends the epoch: all three tests restart with doubled thresholds. Summed
/// over all epochs, the probability of a false amber level stays below 1 in 10 per test. In the
/// first epoch the detector watches the score under the house law, in later epochs the score of the
/// rank within the epoch: a game that no longer follows the law would otherwise raise an alarm
/// every few hundred rounds forever.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    house: HouseLaw,
    salt: u64,
    rounds: u64,
    epoch: u32,
    epoch_from: u64,
    order: OrderTest,
    law: LawTest,
    forecast: ForecastTest,
    detector: ChangeDetector,
    alarms: [Option<u64>; 3],
    closed: Vec<Epoch>,
}

/// The level of evidence that a test has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// E has stayed below amber.
    Quiet,
    /// E has reached 20 times 2^epoch.
    Amber,
    /// E has reached 100 times 2^epoch.
    Red,
}

/// The state of one test, for display.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestEvidence {
    /// `order`, `law` or `forecast`.
    pub name: String,
    /// Its level in this epoch.
    pub level: Level,
    /// The current ln E.
    pub ln_e: f64,
    /// The highest ln E in this epoch.
    pub ln_e_max: f64,
    /// The ln E at which it turns amber in this epoch.
    pub ln_amber: f64,
    /// The anytime-valid p-value over all epochs, min(1, 2^epoch / sup E).
    pub anytime_p: f64,
    /// The round, counted over the whole stream from 1, at which it turned amber.
    pub alarm_round: Option<u64>,
}

/// An epoch that was ended by a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 0.
    pub number: u32,
    /// Its first round, counted over the whole stream from 1.
    pub first_round: u64,
    /// Its last round, at which the change was detected.
    pub last_round: u64,
    /// The final state of the order, law and forecast tests.
    pub tests: [TestEvidence; 3],
}

/// How one round affected the tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvidenceUpdate {
    /// The round's normal score under the house law.
    pub law_z: f64,
    /// The normal score of the round's rank within this epoch.
    pub order_z: f64,
    /// Whether the detector raised an alarm: a new epoch then begins with the next round.
    pub changed: bool,
}

impl Evidence {
    /// Returns the tests before any round; `salt` is the published salt of the uniform numbers.
    pub fn new(house: HouseLaw, salt: u64) -> Self {
        Self::starting(house, salt, 0)
    }

    fn starting(house: HouseLaw, salt: u64, rounds: u64) -> Self {
        Self {
            house,
            salt,
            rounds,
            epoch: 0,
            epoch_from: rounds + 1,
            order: OrderTest::starting_at(salt.wrapping_add(ORDER_SALT), rounds),
            law: LawTest::starting_at(house, salt.wrapping_add(LAW_SALT), rounds),
            forecast: ForecastTest::new(&house),
            detector: ChangeDetector::new(),
            alarms: [None; 3],
            closed: Vec::new(),
        }
    }

    /// Bets on a round, then learns from it. `served` are the probabilities fixed before the round;
    /// `None` if there were none.
    pub fn update(&mut self, round: &ObservedRound, served: Option<&[f64; 5]>) -> EvidenceUpdate {
        self.rounds += 1;
        let order_z = self.order.update(round);
        let law_z = self.law.update(round);
        self.forecast.update(served.filter(|_| !round.late), round.cents);
        let threshold = self.threshold(AMBER);
        for (alarm, ln_e) in
            self.alarms.iter_mut().zip([self.order.ln_e(), self.law.ln_e(), self.forecast.ln_e()])
        {
            if alarm.is_none() && ln_e >= threshold {
                *alarm = Some(self.rounds);
            }
        }
        let changed = self.detector.update(if self.epoch == 0 { law_z } else { order_z });
        if changed {
            self.begin_epoch();
        }
        EvidenceUpdate { law_z, order_z, changed }
    }

    fn begin_epoch(&mut self) {
        let ended = Epoch {
            number: self.epoch,
            first_round: self.epoch_from,
            last_round: self.rounds,
            tests: self.tests(),
        };
        let mut closed = std::mem::take(&mut self.closed);
        closed.push(ended);
        if closed.len() > EPOCHS_KEPT {
            closed.remove(0);
        }
        let epoch = self.epoch + 1;
        let forecast = ForecastTest::skipping(&self.house, 0);
        *self =
            Self { epoch, forecast, closed, ..Self::starting(self.house, self.salt, self.rounds) };
    }

    /// Returns ln of a threshold in this epoch, given its value in the first.
    fn threshold(&self, first: f64) -> f64 {
        first.ln() + f64::from(self.epoch) * std::f64::consts::LN_2
    }

    /// Returns the state of the order, law and forecast tests.
    pub fn tests(&self) -> [TestEvidence; 3] {
        [
            self.test(0, "order", self.order.wealth()),
            self.test(1, "law", self.law.wealth()),
            self.test(2, "forecast", self.forecast.wealth()),
        ]
    }

    fn test(&self, number: usize, name: &str, wealth: &Wealth) -> TestEvidence {
        let (amber, red) = (self.threshold(AMBER), self.threshold(RED));
        let level = match wealth.ln_e_max() {
            peak if peak >= red => Level::Red,
            peak if peak >= amber => Level::Amber,
            _ => Level::Quiet,
        };
        TestEvidence {
            name: name.to_owned(),
            level,
            ln_e: wealth.ln_e(),
            ln_e_max: wealth.ln_e_max(),
            ln_amber: amber,
            anytime_p: (amber - AMBER.ln() - wealth.ln_e_max()).exp().min(1.0),
            alarm_round: self.alarms[number],
        }
    }

    /// Returns the number of rounds over all epochs.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the number of the current epoch, equal to the number of changes so far.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns the first round of the current epoch, counted from 1.
    pub fn epoch_from(&self) -> u64 {
        self.epoch_from
    }

    /// Returns the ended epochs, oldest first, at most the last 100.
    pub fn closed(&self) -> &[Epoch] {
        &self.closed
    }

    /// Returns the order test of the current epoch.
    pub fn order(&self) -> &OrderTest {
        &self.order
    }

    /// Returns the law test of the current epoch.
    pub fn law(&self) -> &LawTest {
        &self.law
    }

    /// Returns the forecast test of the current epoch.
    pub fn forecast(&self) -> &ForecastTest {
        &self.forecast
    }

    /// Returns the change detector.
    pub fn detector(&self) -> &ChangeDetector {
        &self.detector
    }
}
