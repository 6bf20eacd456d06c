//! What the tests allow to be said after some number of rounds.
//!
//! A [`Verdict`] holds the facts. [`Statement`] is the one table from facts to sentences: a recording that is not whole
//! comes before anything about the game, silence is worded as silence, and a claim of skill needs the forecast test at
//! its threshold and an anytime-valid bound above zero against both references.

mod claim;
mod deviation;
mod statement;

pub use claim::Claim;
pub use deviation::Deviation;
pub use statement::{ROUNDS_MIN, Statement};

use crate::confidence_sequence::Estimate;
use crate::quality::{Fault, State};
use crate::sequential::{Evidence, Level};
use crate::skill::SkillTrack;
use crate::{HouseLaw, TARGETS};

/// The facts that a statement rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Rounds seen.
    pub rounds: u64,
    /// Forecasts made before their round and scored.
    pub forecasts: u64,
    /// Whether the evidence of the order test has ever reached its threshold.
    pub order: bool,
    /// Whether the evidence of the law test has ever reached its threshold.
    pub law: bool,
    /// Whether the evidence of the forecast test has ever reached its threshold.
    pub forecast: bool,
    /// The advertised return r.
    pub advertised_return: f64,
    /// How the multipliers deviate from the advertised law, where that is known; empty while `law` is false.
    pub deviations: Vec<Deviation>,
    /// The skill of the models' forecasts, weighed by trust, against fixed odds, in percent, with bounds that are
    /// valid at every n.
    pub skill: Option<Estimate>,
    /// The same against the observed frequencies.
    pub skill_against_climatology: Option<Estimate>,
    /// The number of scored forecasts, once they show that the models' forecasts before shrinkage have an edge of
    /// less than 0.5 %.
    pub negligible_after: Option<u64>,
    /// How often a change of the game was noticed, and the first round after the last one.
    pub changes: Option<Changes>,
    /// The gravest fault of the recording.
    pub fault: Option<Fault>,
    /// The served chance of the next round, where a forecast is open.
    pub next: Option<Chance>,
}

/// Noticed changes of the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// How many were noticed.
    pub times: u32,
    /// The first round after the last of them, counted from 1.
    pub last: u64,
}

/// The chance of reaching a cash-out target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The target.
    pub target: f64,
    /// The probability of reaching it.
    pub probability: f64,
}

impl Chance {
    /// Returns the target that returns most per unit staked, given the chances of [`TARGETS`].
    pub fn best_of(probabilities: &[f64; 5]) -> Option<Self> {
        let chances = TARGETS.into_iter().zip(*probabilities);
        let chances = chances.map(|(target, probability)| Self { target, probability });
        chances.max_by(|a, b| a.mean_return().total_cmp(&b.mean_return()))
    }

    /// Returns the mean return per unit staked.
    pub fn mean_return(&self) -> f64 {
        self.target * self.probability
    }

    /// Returns whether a stake is expected to return more than it costs.
    pub fn pays(&self) -> bool {
        self.mean_return() > 1.0
    }
}

/// The skill of the forecasters that a verdict speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Skills<'a> {
    /// The models' forecasts, weighed by trust, against fixed odds.
    pub candidate: &'a SkillTrack,
    /// The same against the observed frequencies.
    pub against_climatology: &'a SkillTrack,
    /// The models' forecasts before shrinkage, against fixed odds. Only these can show that there is no edge: forecasts
    /// shrunk to fixed odds show no difference after any number of rounds.
    pub unshrunk: &'a SkillTrack,
}

impl Verdict {
    /// Returns the verdict on the tests so far, of a recording without faults and without an open forecast. An alarm
    /// counts for ever.
    pub fn of(tests: &Evidence, house: &HouseLaw, skills: Skills<'_>) -> Self {
        let [order, law, forecast] = tests.levels().map(|level| level >= Level::Amber);
        let deviations = if law { Deviation::of(&tests.measured()) } else { Vec::new() };
        let last = tests.closed().last().map(|epoch| epoch.last_round + 1);
        let unshrunk = skills.unshrunk;
        Self {
            rounds: tests.rounds(),
            forecasts: skills.candidate.rounds(),
            order,
            law,
            forecast,
            advertised_return: house.r(),
            deviations,
            skill: skills.candidate.claimed_percent(),
            skill_against_climatology: skills.against_climatology.claimed_percent(),
            negligible_after: unshrunk.edge_is_negligible().then(|| unshrunk.rounds()),
            changes: last.map(|last| Changes { times: tests.epoch(), last }),
            fault: None,
            next: None,
        }
    }

    /// Returns the verdict on rounds whose recording has these faults.
    #[must_use]
    pub fn on_recording<'a>(self, faults: impl IntoIterator<Item = &'a Fault>) -> Self {
        let fault = faults
            .into_iter()
            .copied()
            .reduce(|gravest, fault| if fault.state() > gravest.state() { fault } else { gravest });
        Self { fault, ..self }
    }

    /// Returns the verdict with the served chances of the next round.
    #[must_use]
    pub fn before_round(self, probabilities: Option<&[f64; 5]>) -> Self {
        Self { next: probabilities.and_then(Chance::best_of), ..self }
    }

    /// Returns whether what is recorded is not what was played, so that nothing may be said of the game.
    pub fn is_suspect(&self) -> bool {
        self.fault.is_some_and(|fault| fault.state() == State::Suspect)
    }

    /// Returns the skill of the models' forecasts against fixed odds once it may be claimed: the forecast test has
    /// reached its threshold, and the lower bounds of the skill against both references are above 0.
    pub fn proven_skill(&self) -> Option<Estimate> {
        let is_above = |skill: &Estimate| skill.lo > 0.0;
        self.skill_against_climatology.filter(is_above)?;
        self.skill.filter(is_above).filter(|_| self.forecast)
    }

    /// Returns what may be said.
    pub fn statement(&self) -> Statement {
        Statement::of(self)
    }
}
