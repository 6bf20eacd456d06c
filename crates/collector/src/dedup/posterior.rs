//! Places a list among the known rounds: the posterior probability of every hypothesis, and the
//! decision. Everything here is newest first.

use std::collections::VecDeque;

use super::likelihood::log_ratio;
use super::prior::Prior;
use super::{KnownRound, ListedRound};

/// Probability of an error that a decision may have while a later reading can still decide.
const TOLERANCE: f64 = 1e-6;
/// The same once no later reading can.
const LAST_TOLERANCE: f64 = 1e-3;
/// ln of a likelihood ratio below which the rest of a join is not looked at.
const NEGLIGIBLE: f64 = -80.0;
/// Number of entries that must agree for certainty, whatever the law says: a page may limit or round
/// what it shows.
const AGREEING_MIN: usize = 3;

/// The list continues the known rounds: it shows `fresh` new ones, or lacks the newest `lag` known
/// ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Join {
    pub(super) fresh: usize,
    pub(super) lag: usize,
    /// How many of the newest known rounds are taken to be without a missing row between them.
    pub(super) kept: usize,
    agreeing: usize,
    probability: f64,
}

/// Whether a later reading can still decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Waits,
    Ends,
}

/// What is concluded about a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Placement {
    /// It continues the known rounds. The number of new rounds is the smallest possible one;
    /// `others` are other possible ones. Not certain if the overlap is too short to exclude that
    /// no known round is shown.
    Joined { join: Join, others: Vec<usize>, is_certain: bool },
    /// It is of this table, but shows no known round.
    AllNew,
    /// It is another table's list, or none.
    OtherList,
    Undecided,
}

/// The posterior probabilities of all hypotheses about a list.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    /// Those with the list of this table, by number of new rounds.
    joins: Vec<Join>,
    all_new: f64,
    other_list: f64,
}

impl Posterior {
    /// Returns the probabilities for the list `shown`.
    pub(super) fn of(
        shown: &[ListedRound<'_>],
        known: &VecDeque<KnownRound>,
        prior: &Prior,
    ) -> Self {
        let ln_fresh = prior.ln_fresh(shown.len());
        let lags = (1..known.len()).map(|lag| (0, lag, prior.ln_lag(lag)));
        let fresh = (0..shown.len()).map(|fresh| (fresh, 0, ln_fresh[fresh]));
        let mut joins: Vec<Join> = lags
            .chain(fresh)
            .filter(|_| !known.is_empty())
            .map(|(fresh, lag, ln_prior)| {
                let overlap = overlap(shown, known, (fresh, lag), prior);
                let Overlap { kept, agreeing, ln_ratio } = overlap;
                // One or two values prove nothing that the time denies.
                let is_denied = fresh > prior.rounds_possible && agreeing < AGREEING_MIN;
                let ln_ratio = if is_denied { f64::NEG_INFINITY } else { ln_ratio };
                Join { fresh, lag, kept, agreeing, probability: ln_prior + ln_ratio }
            })
            .collect();
        let ln_all_new = ln_fresh[shown.len()];
        let ln_other = prior.ln_other_list();
        let largest =
            joins.iter().map(|join| join.probability).fold(f64::max(ln_all_new, ln_other), f64::max);
        let weight = |ln: f64| (ln - largest).exp();
        joins.iter_mut().for_each(|join| join.probability = weight(join.probability));
        let total = joins.iter().map(|join| join.probability).sum::<f64>()
            + weight(ln_all_new)
            + weight(ln_other);
        joins.iter_mut().for_each(|join| join.probability /= total);
        Self {
            joins,
            all_new: weight(ln_all_new) / total,
            other_list: weight(ln_other) / total,
        }
    }

    /// Returns the decision. Rounds count as new only if they are so under every hypothesis that
    /// is not negligible.
    pub(super) fn placement(&self, patience: Patience) -> Placement {
        let tolerance = match patience {
            Patience::Waits if self.other_list.max(self.all_new) > TOLERANCE => {
                return Placement::Undecided;
            }
            Patience::Ends if self.other_list > 0.5 => return Placement::OtherList,
            Patience::Waits => TOLERANCE,
            Patience::Ends => LAST_TOLERANCE,
        };
        let mut below = 0.0;
        let least = self.joins.iter().find(|join| {
            below += join.probability;
            below > tolerance
        });
        let likeliest = self.joins.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
        let (Some(least), Some(likeliest)) = (least, likeliest) else {
            return match patience {
                Patience::Waits => Placement::Undecided,
                Patience::Ends => Placement::AllNew,
            };
        };
        if patience == Patience::Waits && least.fresh != likeliest.fresh {
            return Placement::Undecided;
        }
        let join = if least.fresh == likeliest.fresh { *likeliest } else { *least };
        let is_possible = |other: &&Join| other.probability > tolerance && other.fresh != join.fresh;
        let others = self.joins.iter().filter(is_possible).map(|other| other.fresh).collect();
        let is_certain =
            self.all_new.max(self.other_list) <= TOLERANCE && join.agreeing >= AGREEING_MIN;
        if patience == Patience::Waits && !is_certain {
            return Placement::Undecided;
        }
        Placement::Joined { join, others, is_certain }
    }
}

/// How a list and the known rounds agree where they overlap.
#[derive(Clone, Copy)]
struct Overlap {
    kept: usize,
    agreeing: usize,
    /// ln of the likelihood ratio to chance.
    ln_ratio: f64,
}

/// Returns the overlap of a join. Rows of an earlier run may lack a round, and then nothing older
/// can be compared.
fn overlap(
    shown: &[ListedRound<'_>],
    known: &VecDeque<KnownRound>,
    (fresh, lag): (usize, usize),
    prior: &Prior,
) -> Overlap {
    let pairs = shown[fresh..].iter().zip(known.iter().skip(lag));
    let mut all = Overlap { kept: known.len(), agreeing: 0, ln_ratio: 0.0 };
    let mut broken = Overlap { ln_ratio: f64::NEG_INFINITY, ..all };
    for (index, (shown, known)) in pairs.enumerate() {
        let ln_ratio = all.ln_ratio + Prior::ln_missing_row();
        if index > 0 && known.is_old && ln_ratio > broken.ln_ratio {
            broken = Overlap { kept: lag + index, ln_ratio, ..all };
        }
        let is_drawn = index == 0 && fresh == 0 && (prior.is_drawn || known.is_drawn);
        let is_unlisted = lag + index < prior.unlisted;
        let ln_ratio = log_ratio(shown, known, (is_drawn, is_unlisted));
        all.agreeing += usize::from(ln_ratio > 0.0);
        all.ln_ratio += ln_ratio;
        if all.ln_ratio < NEGLIGIBLE {
            break;
        }
    }
    if broken.ln_ratio > all.ln_ratio { broken } else { all }
}
