//! What is expected of a list before it is read: how many rounds are new, and whether it is the
//! same table's at all.

use std::time::Duration;

/// Weight, spread evenly over all numbers of new rounds, of those that the pace does not explain.
const UNEXPLAINED: f64 = 0.01;
/// Factor applied where more rounds are new than can have ended in the time: a page may have been
/// frozen for longer than its clock shows.
const IMPOSSIBLE: f64 = 1e-6;
/// Probability of a list that lacks the newest known rounds: because they arrived by message,
/// because the page is loading, or for no known reason.
const LAGS_BEHIND_MESSAGES: f64 = 0.1;
const LAGS_WHILE_LOADING: f64 = 0.01;
const LAGS: f64 = 1e-14;
/// Probability that the rows of an earlier run lack a round at a given place.
const ROW_IS_MISSING: f64 = 1e-4;

/// Whether the page has been watched without a break; after one, another table is likelier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Continuity {
    /// The page has been read without a break.
    Unbroken,
    /// The page was away, this is the first reading of a run, or several readings in a row could not
    /// be placed.
    Broken,
}

/// The prior probabilities of all hypotheses about a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    /// Time since the newest known round, in rounds at the game's pace; `None` if unknown.
    pub(super) rounds_expected: Option<f64>,
    /// Maximum number of rounds that can have ended in this time.
    pub(super) rounds_possible: usize,
    /// Number of newest known rounds that no list has shown yet.
    pub(super) unlisted: usize,
    /// Whether the page may still be loading.
    pub(super) is_loading: bool,
    pub(super) continuity: Continuity,
    /// Whether the page may still be drawing the newest entry of the list.
    pub(super) is_drawn: bool,
}

impl Prior {
    /// Returns a prior that knows nothing of the time.
    pub(super) fn timeless(continuity: Continuity) -> Self {
        Self {
            rounds_expected: None,
            rounds_possible: usize::MAX,
            unlisted: 0,
            is_loading: false,
            continuity,
            is_drawn: false,
        }
    }

    /// Returns ln of the probability of each number of new rounds from 0 to `len - 1` and, last, of
    /// `len` or more.
    pub(super) fn ln_fresh(&self, len: usize) -> Vec<f64> {
        let uniform = 1.0 / (len as f64 + 1.0);
        let mut rest = 1.0;
        let mut weights: Vec<f64> = (0..=len)
            .map(|fresh| {
                let paced = match self.rounds_expected {
                    None => uniform,
                    Some(_) if fresh == len => rest,
                    Some(expected) => poisson(fresh, expected),
                };
                rest = f64::max(rest - paced, 0.0);
                (1.0 - UNEXPLAINED) * paced + UNEXPLAINED * uniform
            })
            .collect();
        for weight in weights.iter_mut().skip(self.rounds_possible.saturating_add(1)) {
            *weight *= IMPOSSIBLE;
        }
        weights.into_iter().map(f64::ln).collect()
    }

    /// Returns ln of the probability that the list lacks the newest `lag` known rounds.
    pub(super) fn ln_lag(&self, lag: usize) -> f64 {
        let probability = match lag {
            _ if lag <= self.unlisted => LAGS_BEHIND_MESSAGES,
            _ if self.is_loading => LAGS_WHILE_LOADING,
            _ => LAGS,
        };
        probability.ln()
    }

    /// Returns ln of the probability that the list is another table's, or none at all.
    pub(super) fn ln_other_list(&self) -> f64 {
        let probability: f64 = match self.continuity {
            Continuity::Unbroken => 1e-7,
            Continuity::Broken => 1e-2,
        };
        probability.ln()
    }

    /// Returns ln of the probability that a row is missing at a given place.
    pub(super) fn ln_missing_row() -> f64 {
        ROW_IS_MISSING.ln()
    }
}

/// Returns the expected number of rounds in `elapsed`, given their mean length `pace`.
pub(super) fn rounds_in(elapsed: Duration, pace: Duration) -> f64 {
    elapsed.as_secs_f64() / pace.as_secs_f64().max(1e-3)
}

fn poisson(count: usize, expected: f64) -> f64 {
    let ln_factorial: f64 = (1..=count).map(|factor| (factor as f64).ln()).sum();
    (count as f64 * expected.max(1e-9).ln() - expected - ln_factorial).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probabilities_of_all_numbers_of_new_rounds_sum_to_one() {
        for rounds_expected in [None, Some(0.0), Some(0.4), Some(23.0), Some(5000.0)] {
            let prior = Prior { rounds_expected, ..Prior::timeless(Continuity::Unbroken) };
            let total: f64 = prior.ln_fresh(25).iter().map(|ln| ln.exp()).sum();
            assert!((total - 1.0).abs() < 1e-6, "{rounds_expected:?}: {total}");
        }
    }

    #[test]
    fn more_rounds_than_the_time_allows_are_a_million_times_less_likely() {
        let free = Prior { rounds_expected: Some(1.0), ..Prior::timeless(Continuity::Unbroken) };
        let bound = Prior { rounds_possible: 3, ..free };
        let (free, bound) = (free.ln_fresh(25), bound.ln_fresh(25));
        assert!((free[3] - bound[3]).abs() < 1e-12);
        assert!((free[4] - bound[4] - 1e6_f64.ln()).abs() < 1e-9);
    }
}
