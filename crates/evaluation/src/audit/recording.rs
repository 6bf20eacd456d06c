//! Defects of a recording: missed rounds, dropped repeats, rows out of order.

use serde::Serialize;

use super::AuditRound;
use super::distributions::binomial_p;
use crate::house_law::M0;
use crate::{HouseLaw, ln_multiplier};

/// Seconds between the ends of two rounds: `PAUSE + PER_LN * ln M` of the later round, measured on
/// five recordings of Aviator. Because the later round's time reveals its multiplier, no forecast
/// may see the time of its own round.
const PAUSE: f64 = 11.5;
const PER_LN: f64 = 11.7;

/// Excess, in seconds, from which a gap counts as too long. A missed round adds at least `PAUSE`.
const TOO_LONG: f64 = 8.0;

/// Number of gaps listed individually.
const LISTED: usize = 20;

/// A gap long enough to contain missed rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The number of the round after the gap, counted from 1.
    pub before_round: usize,
    /// Excess over the expected length, in seconds.
    pub excess_seconds: f64,
    /// Estimated number of missed rounds.
    pub rounds_missing: f64,
}

/// Signs of defects in the recording rather than in the game.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// Gaps between two timed rounds.
    pub gaps_seen: usize,
    /// Gaps longer than the round after them explains.
    pub gaps_too_long: usize,
    /// Estimated number of rounds missed in those gaps.
    pub rounds_missing: f64,
    /// The gaps with the largest excess, at most 20.
    pub longest_gaps: Vec<Gap>,
    /// Gaps shorter than the round after them allows: rows out of order, batched or duplicated.
    pub gaps_too_short: usize,
    /// Pairs of consecutive rounds with the same multiplier.
    pub equal_neighbours: usize,
    /// Expected number of such pairs under the house law.
    pub equal_neighbours_expected: f64,
    /// The two-sided p-value of their number. A recorder that drops repeats records none.
    pub equal_neighbours_p: f64,
}

impl Recording {
    pub(super) fn of(rounds: &[AuditRound], house: &HouseLaw) -> Self {
        let excess: Vec<(usize, f64)> = rounds
            .windows(2)
            .enumerate()
            .filter_map(|(i, pair)| {
                let gap = pair[1].unix_seconds? - pair[0].unix_seconds?;
                Some((i + 2, gap - (PAUSE + PER_LN * ln_multiplier(pair[1].cents))))
            })
            .collect();
        let mut too_long: Vec<Gap> =
            excess.iter().filter(|&&(_, s)| s > TOO_LONG).map(|&(i, s)| gap(i, s)).collect();
        too_long.sort_by(|a, b| b.excess_seconds.total_cmp(&a.excess_seconds));
        let equal = rounds.windows(2).filter(|pair| pair[0].cents == pair[1].cents).count();
        let chance = equal_chance(house);
        let pairs = rounds.len().saturating_sub(1);
        Self {
            gaps_seen: excess.len(),
            gaps_too_long: too_long.len(),
            rounds_missing: too_long.iter().map(|gap| gap.rounds_missing).sum(),
            gaps_too_short: excess.iter().filter(|&&(_, s)| s < -TOO_LONG).count(),
            longest_gaps: too_long.into_iter().take(LISTED).collect(),
            equal_neighbours: equal,
            equal_neighbours_expected: pairs as f64 * chance,
            equal_neighbours_p: binomial_p(equal, pairs, chance),
        }
    }
}

fn gap(before_round: usize, excess_seconds: f64) -> Gap {
    let rounds_missing = (excess_seconds / (PAUSE + PER_LN * M0)).round().max(1.0);
    Gap { before_round, excess_seconds, rounds_missing }
}

/// Returns the probability that two independent rounds are equal. Multipliers from 100x up add
/// nothing to its first four digits.
fn equal_chance(house: &HouseLaw) -> f64 {
    (100..10_000)
        .map(|k| {
            let mass = house.survival_cents(k) - house.survival_cents(k + 1);
            mass * mass
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::simulate::Scenario;

    /// Rounds timed as the game times them, without every `skip`-th.
    fn rounds(skip: usize) -> Vec<AuditRound> {
        let mut now = 1e9;
        let stream = Scenario::Fair.stream(31).take(3000).enumerate();
        let timed = stream.map(|(i, cents)| {
            now += PAUSE + PER_LN * ln_multiplier(cents);
            (i, AuditRound { cents, unix_seconds: Some(now) })
        });
        timed.filter(|(i, _)| i % skip != 1).map(|(_, round)| round).collect()
    }

    #[test]
    fn missed_rounds_show_as_gaps_that_are_too_long() {
        let whole = Recording::of(&rounds(10_000), &HouseLaw::default());
        assert_eq!((whole.gaps_too_long, whole.gaps_too_short), (1, 0));
        let partial = Recording::of(&rounds(100), &HouseLaw::default());
        assert_eq!(partial.gaps_too_long, 30);
        assert!((partial.rounds_missing - 30.0).abs() < 25.0, "{}", partial.rounds_missing);
    }

    #[test]
    fn dropped_repeats_are_detected() {
        let mut rounds = rounds(10_000);
        let house = HouseLaw::default();
        assert!(Recording::of(&rounds, &house).equal_neighbours_p > 0.01);
        rounds.dedup_by_key(|round| round.cents);
        let recording = Recording::of(&rounds, &house);
        assert_eq!(recording.equal_neighbours, 0);
        assert!(recording.equal_neighbours_p < 1e-4);
        assert!((equal_chance(&house) - 0.004_612_5).abs() < 1e-6, "{}", equal_chance(&house));
    }

    #[test]
    fn without_a_clock_there_are_no_gaps() {
        let rounds: Vec<AuditRound> =
            rounds(10_000).iter().map(|r| AuditRound { unix_seconds: None, ..*r }).collect();
        assert_eq!(Recording::of(&rounds, &HouseLaw::default()).gaps_seen, 0);
    }
}
