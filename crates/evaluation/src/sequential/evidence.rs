//! The three sequential tests without resets, their levels, and the epochs between changes.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::test_run::TestRun;
use super::{AMBER, Bettor, ChangeDetector, ObservedRound, RED, Repeats, Wealth};
use crate::HouseLaw;
use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::multiplier;
use crate::returns::{ReturnRow, TargetCounts};

/// Maximum number of ended epochs kept; older ones are dropped from the list but still counted.
const EPOCHS_KEPT: usize = 100;

/// Share of the order test's euro that is bet on repetitions; the rest is bet on ranks.
const REPEATS_SHARE: f64 = 1.0 / 16.0;

/// The three tests, the change detector, and the epochs between noticed changes.
///
/// No test ever restarts. Half of each euro is bet from the first round on, a quarter by a second run of
/// the tests that starts at the first noticed change, an eighth by a third run that starts at
/// the second one, and so on; E is the fullest of these purses. If `w_k` E(k) is the purse of run k,
/// then P(any purse ever holds 20) is at most the sum over k of P(sup E(k) >= 20 / `w_k`) <= `w_k` / 20,
/// so at most 1 in 20: the threshold stays 20 however often a change is noticed, and a run from the
/// first round on loses ln 2.
///
/// The maximum is used and not the sum of the purses, which exceeds it by less than a factor of 2 for
/// two purses: Ville's bound holds for a sum only if all its terms are martingales given the same
/// past, and the ranks within an epoch are not uniform given the ranks over all rounds. The union
/// bound above needs no such condition.
///
/// Two runs are live at any time, the first and the newest: run k stops betting when run k + 1
/// starts, which a martingale may do at any time. So memory and cost are bounded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    house: HouseLaw,
    salt: u64,
    rounds: u64,
    first: TestRun,
    /// Started at the newest noticed change.
    newest: Option<TestRun>,
    /// The fullest purses of the runs that have stopped, as ln E.
    stopped: Option<[f64; 3]>,
    repeats: Repeats,
    /// The fullest purse of each test, after each round.
    shown: [Wealth; 3],
    alarms: [Option<u64>; 3],
    detector: ChangeDetector,
    changes: u32,
    epoch_from: u64,
    /// The rounds of this epoch.
    epoch_counts: TargetCounts,
    counts: TargetCounts,
    closed: Vec<Epoch>,
}

/// The level of evidence that a test has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// E has stayed below amber.
    Quiet,
    /// E has reached 20.
    Amber,
    /// E has reached 100.
    Red,
}

/// The state of one test, for display.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestEvidence {
    /// `order`, `law` or `forecast`.
    pub name: String,
    /// The level that E has reached.
    pub level: Level,
    /// The current ln E.
    pub ln_e: f64,
    /// The highest ln E so far.
    pub ln_e_max: f64,
    /// The ln E at which it turns amber, ln 20.
    pub ln_amber: f64,
    /// The anytime-valid p-value, min(1, 1 / sup E).
    pub anytime_p: f64,
    /// The first round, counted from 1, at which E reached 20.
    pub alarm_round: Option<u64>,
}

/// An epoch that ended when a change was noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 0.
    pub number: u32,
    /// Its first round, counted over the whole stream from 1.
    pub first_round: u64,
    /// Its last round: the most likely one, so the game may have changed after it.
    pub last_round: u64,
    /// The round at which the change was noticed.
    pub noticed_at: u64,
    /// The return at each target within the epoch. The bounds do not allow for the epoch having been
    /// chosen by the same rounds.
    pub returns: Vec<ReturnRow>,
}

/// What the multipliers so far show of their law, to say where it deviates if the law test finds that it
/// does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredLaw {
    /// The return at each target over all rounds.
    pub returns: Vec<ReturnRow>,
    /// The share of rounds at 1.00x, with a 95 % confidence sequence; `None` without rounds.
    pub atom: Option<Estimate>,
    /// That share under the stated law.
    pub atom_stated: f64,
    /// The cap, if the multipliers show one that the law does not have.
    pub cap: Option<MeasuredCap>,
}

/// A multiplier that is often reached and never exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredCap {
    /// The multiplier.
    pub at: f64,
    /// How often it has occurred.
    pub rounds: u64,
}

/// How one round affected the tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvidenceUpdate {
    /// The round's normal score under the house law.
    pub law_z: f64,
    /// The normal score of the round's rank since the last noticed change.
    pub order_z: f64,
    /// Whether a change was noticed.
    pub changed: bool,
}

impl Evidence {
    /// Returns the tests before any round; `salt` is the published salt of the uniform numbers.
    pub fn new(house: HouseLaw, salt: u64) -> Self {
        Self {
            house,
            salt,
            rounds: 0,
            first: TestRun::from_first_round(house, salt),
            newest: None,
            stopped: None,
            repeats: Repeats::new(),
            shown: [Wealth::new(); 3],
            alarms: [None; 3],
            detector: ChangeDetector::new(),
            changes: 0,
            epoch_from: 1,
            epoch_counts: TargetCounts::new(),
            counts: TargetCounts::new(),
            closed: Vec::new(),
        }
    }

    /// Bets on a round, then learns from it. `served` are the probabilities fixed before the round;
    /// `None` if there were none.
    pub fn update(&mut self, round: &ObservedRound, served: Option<&[f64; 5]>) -> EvidenceUpdate {
        let served = served.filter(|_| !round.late);
        self.rounds += 1;
        let mut scores = self.first.update(round, served);
        if let Some(newest) = &mut self.newest {
            scores = newest.update(round, served);
        }
        self.repeats.update(round.cents, round.late);
        let shown = self.purses();
        for ((wealth, alarm), ln_e) in self.shown.iter_mut().zip(&mut self.alarms).zip(shown) {
            wealth.record(ln_e);
            if alarm.is_none() && ln_e >= AMBER.ln() {
                *alarm = Some(self.rounds);
            }
        }
        let change = self.detector.update(scores.order, &self.epoch_counts);
        self.epoch_counts.update(round.cents);
        self.counts.update(round.cents);
        if let Some(before) = change {
            self.begin_epoch(before);
        }
        EvidenceUpdate { law_z: scores.law, order_z: scores.order, changed: change.is_some() }
    }

    /// Ends the epoch after the rounds counted in `before`.
    fn begin_epoch(&mut self, before: TargetCounts) {
        // The first round of an epoch has no rank, so no epoch ends before it.
        let before = if before.rounds() > 0 { before } else { self.epoch_counts };
        let last_round = self.epoch_from + before.rounds() - 1;
        self.closed.push(Epoch {
            number: self.changes,
            first_round: self.epoch_from,
            last_round,
            noticed_at: self.rounds,
            returns: before.rows(&self.house),
        });
        if self.closed.len() > EPOCHS_KEPT {
            self.closed.remove(0);
        }
        self.stopped = self.later_purses();
        self.newest = Some(TestRun::after(self.house, self.salt, self.rounds));
        self.detector = ChangeDetector::new();
        self.changes += 1;
        self.epoch_from = last_round + 1;
        self.epoch_counts = self.epoch_counts.without(&before);
    }

    /// Returns ln of the fullest purse of the order, law and forecast tests.
    fn purses(&self) -> [f64; 3] {
        let mut fullest = purses_of(self.first.ln_e(), 0);
        if let Some(others) = self.later_purses() {
            fullest = maxima(fullest, others);
        }
        fullest[0] = fullest[0].max(self.repeats.ln_e() + REPEATS_SHARE.ln());
        fullest
    }

    /// Returns ln of the fullest purses of all runs but the first.
    fn later_purses(&self) -> Option<[f64; 3]> {
        let newest = self.newest.as_ref().map(|run| purses_of(run.ln_e(), self.changes));
        match (self.stopped, newest) {
            (Some(stopped), Some(newest)) => Some(maxima(stopped, newest)),
            (stopped, newest) => stopped.or(newest),
        }
    }

    /// Returns the levels that the order, law and forecast tests have reached.
    pub fn levels(&self) -> [Level; 3] {
        self.shown.each_ref().map(level_of)
    }

    /// Returns the state of the order, law and forecast tests.
    pub fn tests(&self) -> [TestEvidence; 3] {
        let test = |number: usize| self.test(number, ["order", "law", "forecast"][number]);
        std::array::from_fn(test)
    }

    fn test(&self, number: usize, name: &str) -> TestEvidence {
        let wealth = &self.shown[number];
        TestEvidence {
            name: name.to_owned(),
            level: level_of(wealth),
            ln_e: wealth.ln_e(),
            ln_e_max: wealth.ln_e_max(),
            ln_amber: AMBER.ln(),
            anytime_p: wealth.anytime_p(),
            alarm_round: self.alarms[number],
        }
    }
}

// Accessors.
impl Evidence {
    /// Returns the number of rounds.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the current ln E of the order, law and forecast tests.
    pub fn ln_e(&self) -> [f64; 3] {
        self.shown.map(|wealth| wealth.ln_e())
    }

    /// Returns the bettors of the order, law and forecast tests, each of the run that has the fuller
    /// purse: the one from the first round on, or the newest.
    pub fn bettors(&self) -> [Vec<Bettor>; 3] {
        let mut bettors = self.first.bettors();
        if let Some(newest) = &self.newest {
            let first = purses_of(self.first.ln_e(), 0);
            let theirs = purses_of(newest.ln_e(), self.changes);
            let fuller = |test: usize| theirs[test] > first[test];
            let swaps = newest.bettors().into_iter().enumerate().filter(|&(test, _)| fuller(test));
            swaps.for_each(|(test, other)| bettors[test] = other);
        }
        bettors[0].push(Bettor { name: "repeats", ln_e: self.repeats.ln_e() });
        bettors
    }

    /// Returns the number of the current epoch, equal to the number of changes noticed so far.
    pub fn epoch(&self) -> u32 {
        self.changes
    }

    /// Returns the first round of the current epoch, counted from 1.
    pub fn epoch_from(&self) -> u64 {
        self.epoch_from
    }

    /// Returns the return at each target in the current epoch.
    pub fn epoch_returns(&self) -> Vec<ReturnRow> {
        self.epoch_counts.rows(&self.house)
    }

    /// Returns the ended epochs, oldest first, at most the last 100.
    pub fn closed(&self) -> &[Epoch] {
        &self.closed
    }

    /// Returns what the multipliers so far show of their law.
    pub fn measured(&self) -> MeasuredLaw {
        let (at_atom, rounds) = (self.counts.at_atom(), self.counts.rounds());
        let cap = self.first.law().cap().filter(|&(cents, _)| cents != self.house.cap_cents());
        MeasuredLaw {
            returns: self.counts.rows(&self.house),
            atom: beta_binomial(at_atom, rounds, 0.05),
            atom_stated: self.house.atom(),
            cap: cap.map(|(cents, rounds)| MeasuredCap { at: multiplier(cents), rounds }),
        }
    }

    /// Returns the change detector.
    pub fn detector(&self) -> &ChangeDetector {
        &self.detector
    }
}

fn level_of(wealth: &Wealth) -> Level {
    match wealth.ln_e_max() {
        peak if peak >= RED.ln() => Level::Red,
        peak if peak >= AMBER.ln() => Level::Amber,
        _ => Level::Quiet,
    }
}

/// Returns ln of the purses of run number k, given its ln E: a share of 2^-(k + 1), for the order test
/// of what is not bet on repetitions.
fn purses_of(ln_e: [f64; 3], k: u32) -> [f64; 3] {
    let share = -LN_2 * (f64::from(k) + 1.0);
    let [order, law, forecast] = ln_e.map(|ln_e| ln_e + share);
    [order + (-REPEATS_SHARE).ln_1p(), law, forecast]
}

fn maxima(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i].max(b[i]))
}
