//! The table from the facts of a verdict to what is said.

use serde::Serialize;

use super::claim::{Claim, digits_that_exclude};
use super::{Deviation, Verdict};
use crate::confidence_sequence::Estimate;
use crate::quality::State;
use crate::sequential::FALSE_CHANGE_ROUNDS;
use crate::skill::NEGLIGIBLE_PERCENT;

/// Number of rounds below which silence of the tests means nothing.
pub const ROUNDS_MIN: u64 = 100;

/// A skill below this many percent is called little.
const LITTLE_PERCENT: f64 = 10.0;

/// What may be said: an answer, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// The answer, in one to four sentences.
    pub headline: Vec<Claim>,
    /// What it rests on, and what else the rounds show.
    pub notes: Vec<Claim>,
}

impl Statement {
    /// Returns what the facts allow to be said.
    pub(super) fn of(facts: &Verdict) -> Self {
        if let Some(fault) = facts.fault.filter(|_| facts.is_suspect()) {
            return Self {
                headline: vec![Claim::NotWhole { fault }],
                notes: vec![Claim::Remedy { fault }],
            };
        }
        let mut notes = notes(facts);
        let headline = match (facts.order, facts.forecast, facts.law) {
            (false, false, false) if facts.rounds < ROUNDS_MIN => {
                notes.retain(|note| matches!(note, Claim::Incomplete { .. }));
                vec![Claim::TooFew { rounds: facts.rounds, needed: ROUNDS_MIN }]
            }
            (false, false, false) => no_sign(facts),
            (false, false, true) => with(law(facts), Claim::LawTellsNothing),
            (false, true, law) => forecast_alone(facts, law),
            (true, forecast, law) => order(facts, forecast, law),
        };
        Self { headline, notes }
    }

    /// Returns the headline as text.
    pub fn sentence(&self) -> String {
        text(&self.headline)
    }

    /// Returns the notes as text; empty without notes.
    pub fn notes_text(&self) -> String {
        text(&self.notes)
    }
}

fn text(claims: &[Claim]) -> String {
    claims.iter().map(Claim::to_string).collect::<Vec<_>>().join(" ")
}

fn no_sign(facts: &Verdict) -> Vec<Claim> {
    let per_hundred = 100.0 * (1.0 - facts.advertised_return);
    let edge = (per_hundred > 0.0).then_some(Claim::HouseEdge { per_hundred });
    std::iter::once(Claim::NoSign { rounds: facts.rounds }).chain(edge).collect()
}

/// The order test has found something.
fn order(facts: &Verdict, has_forecast: bool, has_law: bool) -> Vec<Claim> {
    let rounds = facts.rounds;
    let answer = match facts.proven_skill() {
        Some(skill) => beats(facts, &skill),
        None if has_forecast => Claim::OrderUsed { rounds },
        None => Claim::OrderUnused { rounds },
    };
    // Rounds that depend on each other fail the law test too, although each may follow the law.
    let is_located = has_law && !facts.deviations.is_empty();
    let law = if is_located { law(facts) } else { Vec::new() };
    std::iter::once(answer).chain(next(facts)).chain(law).collect()
}

/// Only forecasts show an advantage; a law that deviates explains it as well.
fn forecast_alone(facts: &Verdict, has_law: bool) -> Vec<Claim> {
    let law = if has_law { law(facts) } else { Vec::new() };
    match facts.proven_skill() {
        Some(skill) => {
            let answer = std::iter::once(beats(facts, &skill));
            with(answer.chain(law).collect(), Claim::OrderUnconfirmed)
        }
        None if has_law => with(law, Claim::LawMayExplain),
        None => {
            vec![Claim::ModelsAhead { forecasts: facts.forecasts }, Claim::OrderUnconfirmed]
        }
    }
}

/// The models' forecasts are served only where the order test has found something.
fn beats(facts: &Verdict, skill: &Estimate) -> Claim {
    Claim::BeatsFixedOdds {
        forecasts: facts.forecasts,
        lo: skill.lo,
        hi: skill.hi,
        digits: digits_that_exclude(skill, 0.0).max(1),
        little: skill.hi < LITTLE_PERCENT,
        served: facts.order,
    }
}

/// Whether the next round is worth a stake, if the forecasts are right. Rounded away from the break-even chance, so that
/// both figures are never shown as equal.
fn next(facts: &Verdict) -> Option<Claim> {
    let chance = facts.next?;
    let target = chance.target;
    let percent = 1000.0 * chance.probability;
    let needed = (1000.0 / target).round() / 10.0;
    Some(if chance.pays() {
        Claim::Pays { target, chance: percent.ceil() / 10.0, needed }
    } else {
        Claim::DoesNotPay { target, chance: percent.floor() / 10.0, needed }
    })
}

fn law(facts: &Verdict) -> Vec<Claim> {
    let rounds = facts.rounds;
    let claim = |deviation: &Deviation| match *deviation {
        Deviation::Return { target, measured, stated } => {
            let digits = digits_that_exclude(&measured, stated);
            Claim::LawReturn { rounds, target, lo: measured.lo, hi: measured.hi, stated, digits }
        }
        Deviation::Atom { measured, stated } => {
            let digits = digits_that_exclude(&measured, stated);
            Claim::LawAtom { rounds, lo: measured.lo, hi: measured.hi, stated, digits }
        }
        Deviation::Cap(cap) => Claim::LawCap { rounds, at: cap.at, reached: cap.rounds },
    };
    if facts.deviations.is_empty() {
        return vec![Claim::LawUnlocated { rounds }];
    }
    let headline = std::iter::once(Claim::LawDiffers);
    headline.chain(facts.deviations.iter().map(claim)).collect()
}

fn notes(facts: &Verdict) -> Vec<Claim> {
    let incomplete = facts.fault.filter(|fault| fault.state() == State::Incomplete);
    let negligible = facts.negligible_after.filter(|_| !facts.forecast);
    [
        Some(Claim::Tested { rounds: facts.rounds, forecasts: facts.forecasts }),
        incomplete.map(|fault| Claim::Incomplete { fault }),
        negligible.map(|forecasts| Claim::Negligible { forecasts, percent: NEGLIGIBLE_PERCENT }),
        facts.changes.map(|changes| Claim::Changed {
            times: changes.times,
            round: changes.last,
            one_in: FALSE_CHANGE_ROUNDS,
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn with(mut claims: Vec<Claim>, last: Claim) -> Vec<Claim> {
    claims.push(last);
    claims
}

#[cfg(test)]
mod tests;
