//! Places a list among the known rounds: the posterior probability of every hypothesis, and the
//! decision. Everything here is newest first.

use std::collections::VecDeque;

use super::likelihood::log_ratio;
use super::prior::Prior;
use super::{KnownRound, ListedRound};

/// Maximum error probability of a decision while a later reading can still settle it.
const TOLERANCE: f64 = 1e-6;
/// The same when no later reading can.
const LAST_TOLERANCE: f64 = 1e-3;
/// ln of the likelihood ratio below which the rest of a join is skipped.
const NEGLIGIBLE: f64 = -80.0;
/// Minimum number of agreeing entries for certainty, whatever their probability: a page may cap or round
/// what it shows.
const AGREEING_MIN: usize = 3;

/// The list continues the known rounds: it shows `fresh` new ones, or lacks the newest `lag` known
/// ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Join {
    pub(super) fresh: usize,
    pub(super) lag: usize,
    /// Number of newest known rounds between which no row is assumed to be missing.
    pub(super) kept: usize,
    agreeing: usize,
    probability: f64,
}

/// Whether a later reading can still settle the question.
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
    Joined {
        join: Join,
        others: Vec<usize>,
        is_certain: bool,
    },
    /// It is of this table, but shows no known round.
    AllNew,
    /// It is another table's list, or none.
    OtherList,
    Undecided,
}

/// The posterior probabilities of all hypotheses about a list.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    /// Probabilities that the list is of this table, by number of new rounds.
    joins: Vec<Join>,
    all_new: f64,
    other_list: f64,
}

impl Posterior {
    /// Returns the posterior probabilities, given that the page shows `shown`.
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
                // One or two values cannot outweigh what the elapsed time rules out.
                let is_denied = fresh > prior.rounds_possible && agreeing < AGREEING_MIN;
                let ln_ratio = if is_denied { f64::NEG_INFINITY } else { ln_ratio };
                Join { fresh, lag, kept, agreeing, probability: ln_prior + ln_ratio }
            })
            .collect();
        let ln_all_new = ln_fresh[shown.len()];
        let ln_other = prior.ln_other_list();
        let largest = joins
            .iter()
            .map(|join| join.probability)
            .fold(f64::max(ln_all_new, ln_other), f64::max);
        let weight = |ln: f64| (ln - largest).exp();
        for join in &mut joins {
            join.probability = weight(join.probability);
        }
        let total = joins.iter().map(|join| join.probability).sum::<f64>()
            + weight(ln_all_new)
            + weight(ln_other);
        for join in &mut joins {
            join.probability /= total;
        }
        Self { joins, all_new: weight(ln_all_new) / total, other_list: weight(ln_other) / total }
    }

    /// Returns the decision. A round counts as new only if it is new under every hypothesis that is
    /// not negligible.
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
        let is_possible =
            |other: &&Join| other.probability > tolerance && other.fresh != join.fresh;
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

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
    use rounds::Multiplier;

    use super::*;
    use crate::dedup::prior::Continuity;
    use crate::observation::HistoryEntry;

    /// Draws values with P(M >= x) = 0.97 / x.
    fn draw(random: &mut ChaCha8Rng, count: usize) -> Vec<u64> {
        let mut value = || {
            let uniform = (f64::from(random.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at least 97, at most 97 * 2^32"
            )]
            let cents = (97.0 / uniform) as u64;
            cents.max(100)
        };
        (0..count).map(|_| value()).collect()
    }

    fn place(shown: &[u64], known: &[u64], prior: &Prior, patience: Patience) -> Placement {
        let entry = |&cents: &u64| HistoryEntry::Round(Multiplier::from_cents(cents).unwrap());
        let entries: Vec<HistoryEntry> = shown.iter().map(entry).collect();
        let known = known.iter().map(|&cents| KnownRound::of_list(Some(cents))).collect();
        Posterior::of(&crate::dedup::listed(&entries), &known, prior).placement(patience)
    }

    /// The bound of the error is one in a million; none may be seen in 50,000 unrelated lists.
    #[test]
    fn the_error_of_a_placement_is_below_its_bound() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let prior = Prior { rounds_expected: Some(1.0), ..Prior::timeless(Continuity::Unbroken) };
        for round in 0..50_000 {
            // A short known history, so that chance has the best opportunity.
            let known = draw(&mut random, 1 + round % 6);
            let shown = draw(&mut random, 8);
            let placement = place(&shown, &known, &prior, Patience::Waits);
            assert_eq!(placement, Placement::Undecided, "{shown:?} {known:?}");
        }
    }

    #[test]
    fn every_number_of_new_rounds_with_five_known_ones_below_is_found() {
        let mut random = ChaCha8Rng::seed_from_u64(8);
        let prior = Prior { rounds_expected: Some(0.1), ..Prior::timeless(Continuity::Unbroken) };
        let prior = Prior { rounds_possible: 2, ..prior };
        for round in 0..2_000 {
            let all = draw(&mut random, 60);
            let fresh = round % 21;
            let (shown, known) = (&all[20 - fresh..45 - fresh], &all[20..]);
            match place(shown, known, &prior, Patience::Waits) {
                Placement::Joined { join, .. } => assert_eq!((join.fresh, join.lag), (fresh, 0)),
                Placement::Undecided if fresh >= 19 => {}
                other => panic!("{other:?} for {fresh} in {all:?}"),
            }
        }
    }
}
