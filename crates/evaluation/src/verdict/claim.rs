//! The sentences that a verdict is made of, in English. The page has them in other languages, by their kind.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::confidence_sequence::Estimate;
use crate::figures::{fixed, plain, thousands};
use crate::quality::Fault;

/// One sentence, with its figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentence in `Display` names each figure")]
pub enum Claim {
    /// What is recorded is not what was played.
    NotWhole { fault: Fault },
    /// What to do about a fault.
    Remedy { fault: Fault },
    /// Rounds are missing, or high multipliers cut.
    Incomplete { fault: Fault },
    /// Silence means nothing yet.
    TooFew { rounds: u64, needed: u64 },
    /// No test has found anything.
    NoSign { rounds: u64 },
    /// What every target loses under the advertised law.
    HouseEdge { per_hundred: f64 },
    /// What the answer rests on.
    Tested { rounds: u64, forecasts: u64 },
    /// Order matters, and the models' forecasts show no advantage.
    OrderUnused { rounds: u64 },
    /// Order matters, and the models' forecasts have an advantage of unknown size.
    OrderUsed { rounds: u64 },
    /// The models' forecasts beat fixed odds by a known margin, in percent. `served` says whether these are the
    /// forecasts that we serve.
    BeatsFixedOdds { forecasts: u64, lo: f64, hi: f64, digits: usize, little: bool, served: bool },
    /// Only the forecast test has found something.
    ModelsAhead { forecasts: u64 },
    /// The order test has found nothing.
    OrderUnconfirmed,
    /// The next round is worth a stake if the forecast is right; chances in percent.
    Pays { target: f64, chance: f64, needed: f64 },
    /// It is not.
    DoesNotPay { target: f64, chance: f64, needed: f64 },
    /// The multipliers do not follow the advertised law.
    LawDiffers,
    /// What a target returns of 100 staked.
    LawReturn { rounds: u64, target: f64, lo: f64, hi: f64, stated: f64, digits: usize },
    /// How many of 100 rounds end at 1.00x.
    LawAtom { rounds: u64, lo: f64, hi: f64, stated: f64, digits: usize },
    /// A multiplier that is often reached and never exceeded.
    LawCap { rounds: u64, at: f64, reached: u64 },
    /// The law differs, and no single figure shows where.
    LawUnlocated { rounds: u64 },
    /// Another law does not make rounds predictable.
    LawTellsNothing,
    /// Another law is enough to explain the advantage of the forecasts.
    LawMayExplain,
    /// The models' forecasts have an edge of less than `percent`, if any.
    Negligible { forecasts: u64, percent: f64 },
    /// The game may have changed. `one_in` rounds bring one such note by chance.
    Changed { times: u32, round: u64, one_in: u64 },
}

impl Display for Claim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotWhole { fault } => write!(
                f,
                "These rounds are not whole, so they say nothing about the game: {fault}."
            ),
            Self::Remedy { fault } => write!(f, "{}", fault.remedy()),
            Self::Incomplete { fault } => write!(f, "The recording is incomplete: {fault}."),
            Self::TooFew { rounds, needed } => {
                write!(f, "Too few rounds to say: {} of {needed}.", thousands(rounds))
            }
            Self::NoSign { rounds } => write!(
                f,
                "No: nothing in {} rounds helps to guess the next one.",
                thousands(rounds)
            ),
            Self::HouseEdge { per_hundred } => write!(
                f,
                "Whatever you aim for, about {} of every 100 staked are lost in the long run.",
                plain(per_hundred)
            ),
            Self::Tested { rounds, forecasts } => tested(f, rounds, forecasts),
            Self::OrderUnused { rounds } => write!(
                f,
                "Something is not random in these {} rounds. Our forecasts cannot use it yet.",
                thousands(rounds)
            ),
            Self::OrderUsed { rounds } => write!(
                f,
                "Something is not random in these {} rounds, and the models see some of it. How much that helps is \
                 not certain yet.",
                thousands(rounds)
            ),
            Self::BeatsFixedOdds { forecasts, lo, hi, digits, little, served } => write!(
                f,
                "Yes{}: {} beat fixed odds (over {} rounds, by {} to {} %).",
                if little { ", a little" } else { "" },
                if served { "our forecasts" } else { "the models" },
                thousands(forecasts),
                fixed(lo, digits),
                fixed(hi, digits)
            ),
            Self::ModelsAhead { forecasts } => write!(
                f,
                "The models may do better than fixed odds: {} forecasts show a sign of it, too small to measure.",
                thousands(forecasts)
            ),
            Self::OrderUnconfirmed => {
                write!(f, "The test of the order alone has not confirmed it.")
            }
            Self::Pays { target, chance, needed } => {
                stake(f, target, chance, needed, "so it pays now if the forecast is right")
            }
            Self::DoesNotPay { target, chance, needed } => {
                stake(f, target, chance, needed, "so it does not pay now")
            }
            Self::Negligible { forecasts, percent } => write!(
                f,
                "After {} forecasts we can say: if the models have an edge, it improves forecasts by less than {} %.",
                thousands(forecasts),
                plain(percent)
            ),
            Self::Changed { times, round, one_in } => changed(f, times, round, one_in),
            _ => self.of_law(f),
        }
    }
}

impl Claim {
    fn of_law(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LawReturn { rounds, target, lo, hi, stated, digits } => write!(
                f,
                "Over {} rounds, {}× comes back {} to {} of 100 staked, not {}.",
                thousands(rounds),
                plain(target),
                fixed(lo, digits),
                fixed(hi, digits),
                plain(stated)
            ),
            Self::LawAtom { rounds, lo, hi, stated, digits } => write!(
                f,
                "Over {} rounds, {} to {} of 100 end at 1.00×, not {}.",
                thousands(rounds),
                fixed(lo, digits),
                fixed(hi, digits),
                plain(stated)
            ),
            Self::LawCap { rounds, at, reached } => write!(
                f,
                "None of {} rounds exceeds {}×, where {} end.",
                thousands(rounds),
                plain(at),
                thousands(reached)
            ),
            Self::LawUnlocated { rounds } => write!(
                f,
                "The game pays differently from what it says: {} rounds show it, but not yet at which target.",
                thousands(rounds)
            ),
            Self::LawTellsNothing => write!(f, "That alone does not tell the next round."),
            Self::LawMayExplain => {
                write!(f, "That alone may be why the models do better than fixed odds.")
            }
            // `LawDiffers`; the others are above.
            _ => write!(f, "The game pays differently from what it says."),
        }
    }
}

fn stake(
    f: &mut Formatter<'_>,
    target: f64,
    chance: f64,
    needed: f64,
    follows: &str,
) -> fmt::Result {
    let [target, chance, needed] = [target, chance, needed].map(plain);
    write!(f, "For the next round: {chance} % for {target}×, {needed} % needed, {follows}.")
}

fn tested(f: &mut Formatter<'_>, rounds: u64, forecasts: u64) -> fmt::Result {
    let rounds = thousands(rounds);
    match forecasts {
        0 => write!(
            f,
            "Tested: the order and the multipliers of {rounds} rounds. No forecast has been scored yet."
        ),
        1 => write!(
            f,
            "Tested: the order and the multipliers of {rounds} rounds, and 1 forecast made before its round."
        ),
        forecasts => write!(
            f,
            "Tested: the order and the multipliers of {rounds} rounds, and {} forecasts made before their rounds.",
            thousands(forecasts)
        ),
    }
}

fn changed(f: &mut Formatter<'_>, times: u32, round: u64, one_in: u64) -> fmt::Result {
    let (round, one_in) = (thousands(round), thousands(one_in));
    let chance = format!("(one such note in {one_in} rounds is chance)");
    match times {
        1 => write!(f, "The rounds may have changed around #{round} {chance}."),
        times => {
            write!(f, "The rounds may have changed {times} times, last around #{round} {chance}.")
        }
    }
}

/// Returns the smallest number of decimals, 0 to 3, with which the bounds differ from each other and exclude `value`.
pub(super) fn digits_that_exclude(bounds: &Estimate, value: f64) -> usize {
    let shows = |digits: usize| {
        let scale = 10f64.powi(i32::try_from(digits).unwrap_or(3));
        let [lo, hi, value] = [bounds.lo, bounds.hi, value].map(|it| (scale * it).round());
        lo < hi && (value < lo || value > hi)
    };
    (0..3).find(|&digits| shows(digits)).unwrap_or(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_bounds_still_exclude_what_they_exclude() {
        let bounds = |lo, hi| Estimate { value: lo, lo, hi };
        assert_eq!(digits_that_exclude(&bounds(91.2, 94.3), 97.0), 0);
        assert_eq!(digits_that_exclude(&bounds(95.8, 96.8), 97.0), 1);
        assert_eq!(digits_that_exclude(&bounds(95.8, 96.96), 97.0), 2);
        assert_eq!(digits_that_exclude(&bounds(97.0004, 98.0), 97.0), 3);
        assert_eq!(digits_that_exclude(&bounds(0.04, 1.2), 0.0), 2);
        assert_eq!(digits_that_exclude(&bounds(3.41, 3.42), 0.0), 2);
    }
}
