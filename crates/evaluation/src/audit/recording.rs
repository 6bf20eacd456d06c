//! What a recording leaves out: rounds that were missed, repeats that were dropped, rows out of
//! order.

use serde::Serialize;

use super::AuditRound;
use super::distributions::binomial_p;
use crate::house_law::M0;
use crate::{HouseLaw, ln_multiplier};

/// Seconds between the ends of two rounds: a pause and a flight that grows with ln M of the LATER
/// round. Measured on five recordings of Aviator; it finds missed rounds, and it is why no forecast
/// may see its own round's time.
const PAUSE: f64 = 11.5;
const PER_LN: f64 = 11.7;

/// Seconds by which a gap must be too long before a round is missing; a missed round takes at least
/// the pause.
const TOO_LONG: f64 = 8.0;

/// Gaps listed in full.
const LISTED: usize = 20;

/// A gap in which rounds are missing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The round after the gap, counted from 1.
    pub before_round: usize,
    /// Seconds too long.
    pub excess_seconds: f64,
    /// Rounds that fit into it.
    pub rounds_missing: f64,
}

/// What may be wrong with the recording rather than with the game.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// Gaps between two timed rounds.
    pub gaps_seen: usize,
    /// Gaps too long for the rounds they end with.
    pub gaps_too_long: usize,
    /// Rounds that fit into those gaps, about.
    pub rounds_missing: f64,
    /// The longest of them, by excess.
    pub longest_gaps: Vec<Gap>,
    /// Gaps too short for the rounds they end with: rows out of order, batched or doubled.
    pub gaps_too_short: usize,
    /// Neighbours with the same multiplier.
    pub equal_neighbours: usize,
    /// How many there should be under the house law.
    pub equal_neighbours_expected: f64,
    /// The two-sided p-value of that count; a recorder that drops repeats has none of them.
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

/// The chance that two independent rounds are equal; beyond 100x they never are, to four digits.
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
    use crate::simulate::Scenario;

    /// Rounds on the clock of the game, of which every `skip`-th was not recorded.
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
    fn a_gapless_recording_has_no_gap_and_a_holed_one_shows_its_holes() {
        let whole = Recording::of(&rounds(10_000), &HouseLaw::default());
        assert_eq!((whole.gaps_too_long, whole.gaps_too_short), (1, 0));
        let holed = Recording::of(&rounds(100), &HouseLaw::default());
        assert_eq!(holed.gaps_too_long, 30);
        assert!((holed.rounds_missing - 30.0).abs() < 25.0, "{}", holed.rounds_missing);
    }

    #[test]
    fn dropped_repeats_are_noticed() {
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
