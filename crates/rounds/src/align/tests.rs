//! Tests of the alignment of two recordings.

use proptest::prelude::*;

use super::*;
use crate::Multiplier;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_765_395_155_000 + millis).unwrap()
}

fn observed(millis: i64, cents: u64) -> RecordedRound {
    let round = Round { time: at(millis), multiplier: Multiplier::from_cents(cents).unwrap() };
    RecordedRound { round, is_estimate: false }
}

/// The rounds of a table: of different lengths, and often equal to their neighbours.
fn table(count: u64) -> Vec<RecordedRound> {
    let mut millis = 0;
    (0..count)
        .map(|number| {
            let hash = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            millis += 8_000 + i64::try_from(hash % 20_000).unwrap();
            observed(millis, 100 + hash % 40)
        })
        .collect()
}

/// What the second recorder observed: its clock is `off` behind, and each time is up to 400 ms
/// late.
fn second(table: &[RecordedRound], off: i64) -> Vec<RecordedRound> {
    let late = |index: usize| i64::try_from(index * 7919 % 400).unwrap();
    table
        .iter()
        .enumerate()
        .map(|(index, round)| RecordedRound {
            round: Round {
                time: round.round.time + TimeDelta::milliseconds(late(index) - off),
                ..round.round
            },
            ..*round
        })
        .collect()
}

fn without(rounds: &[RecordedRound], is_away: impl Fn(usize) -> bool) -> Vec<RecordedRound> {
    let here = rounds.iter().enumerate().filter(|(index, _)| !is_away(*index));
    here.map(|(_, observed)| *observed).collect()
}

/// The multipliers of the first recording, completed by those that only the second one has.
fn whole(first: &[RecordedRound], other: &[RecordedRound], joined: &[AlignedRound]) -> Vec<u64> {
    let mut rounds: Vec<_> = first.iter().map(|observed| observed.round).collect();
    for joined in joined {
        match *joined {
            AlignedRound::Missing { second, time } => {
                rounds.push(Round { time, ..other[second].round });
            }
            AlignedRound::Same { .. } => {}
            other => unreachable!("{other:?}"),
        }
    }
    rounds.sort_by_key(|round| round.time);
    cents(rounds.iter())
}

fn cents<'a>(rounds: impl Iterator<Item = &'a Round>) -> Vec<u64> {
    rounds.map(|round| round.multiplier.cents()).collect()
}

fn truth(table: &[RecordedRound]) -> Vec<u64> {
    cents(table.iter().map(|observed| &observed.round))
}

#[test]
fn gaps_of_one_are_filled_from_the_other_whatever_its_clock_says() {
    let table = table(1000);
    for off in [0, 4_000, -250_000, 590_000] {
        // No round is missing from both recordings: such a round could not be restored.
        let is_first_away = |index: usize| (300..600).contains(&index) || index.is_multiple_of(11);
        let is_other_away = |index: usize| (700..720).contains(&index) || index % 11 == 1;
        let first = without(&table, is_first_away);
        let other =
            without(&second(&table, off), |index| is_other_away(index) && !is_first_away(index));
        let joined = align(&first, &other, &Limits::default());
        assert_eq!(joined.len(), other.len());
        assert_eq!(whole(&first, &other, &joined), truth(&table), "clock off by {off} ms");
    }
}

#[test]
fn a_clock_that_is_put_right_in_between_is_followed() {
    let table = table(2000);
    let mut other = second(&table[..1024], 45_000);
    other.extend(&second(&table, 0)[1024..]);
    let first = without(&table, |index| index % 5 == 0);
    let joined = align(&first, &other, &Limits::default());
    assert_eq!(whole(&first, &other, &joined), truth(&table));
}

#[test]
fn rounds_told_differently_are_conflicts_and_the_first_stands() {
    let table = table(100);
    let mut other = second(&table, 1000);
    other[40].round.multiplier = Multiplier::from_cents(9_999).unwrap();
    let joined = align(&table, &other, &Limits::default());
    assert_eq!(joined[40], AlignedRound::Conflict { first: 40, second: 40 });
    assert_eq!(
        joined.iter().filter(|joined| matches!(joined, AlignedRound::Same { .. })).count(),
        99
    );
}

#[test]
fn what_the_first_has_no_time_for_is_not_taken() {
    let table = table(100);
    let mut other = second(&table, 0);
    // Halfway between two rounds that are about ten seconds apart.
    let (before, after) = (other[50].round.time, other[51].round.time);
    let between = RecordedRound {
        round: Round {
            time: before + (after - before) / 2,
            multiplier: Multiplier::from_cents(77_777).unwrap(),
        },
        is_estimate: false,
    };
    other.insert(51, between);
    let joined =
        align(&table, &other, &Limits { round: TimeDelta::seconds(15), ..Limits::default() });
    assert_eq!(joined[51], AlignedRound::NoRoom { second: 51 });
}

#[test]
fn too_little_in_common_places_nothing() {
    let table = table(8);
    let other: Vec<_> =
        (0..4).map(|number| observed(number * 20_000, 50_000 + number.unsigned_abs())).collect();
    let joined = align(&table, &other, &Limits::default());
    let is_left_alone = |joined: &AlignedRound| {
        matches!(joined, AlignedRound::Unplaced { .. } | AlignedRound::Conflict { .. })
    };
    assert!(joined.iter().all(is_left_alone), "{joined:?}");
    // While the first recorder was not running, its clock does not matter.
    let later: Vec<_> = (0..4).map(|number| observed(100_000_000 + number * 20_000, 150)).collect();
    let joined = align(&table, &later, &Limits::default());
    assert!(
        joined.iter().all(|joined| matches!(joined, AlignedRound::Missing { .. })),
        "{joined:?}"
    );
}

#[test]
fn estimated_times_are_joined_by_the_order_of_the_rounds() {
    let table = table(300);
    let mut other = second(&table, 2000);
    for (number, observed) in other[100..130].iter_mut().enumerate() {
        // As after an outage: the estimated times are spread evenly over a shorter period.
        observed.is_estimate = true;
        observed.round.time =
            table[100].round.time + TimeDelta::seconds(5 * i64::try_from(number).unwrap());
    }
    let first = without(&table, |index| (200..220).contains(&index));
    let joined = align(&first, &other, &Limits::default());
    assert_eq!(whole(&first, &other, &joined), truth(&table));
}

#[test]
fn laying_a_whole_series_on_itself_adds_nothing() {
    let table = table(700);
    let joined = align(&table, &table, &Limits::default());
    let same: Vec<_> =
        (0..700).map(|index| AlignedRound::Same { first: index, second: index }).collect();
    assert_eq!(joined, same);
    assert!(align(&table, &[], &Limits::default()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_each_of_them_misses_both_together_have(
        gaps in proptest::collection::vec((0_usize..400, 1_usize..30, any::<bool>()), 0..12),
        off in -500_000_i64..500_000,
    ) {
        let table = table(400);
        let is_away = |index: usize, who: bool| {
            gaps.iter().any(|&(start, length, whose)| whose == who && (start..start + length).contains(&index))
        };
        // No round is missing from both recordings: such a round could not be restored.
        let first = without(&table, |index| is_away(index, true));
        let other = without(&second(&table, off), |index| is_away(index, false) && !is_away(index, true));
        let joined = align(&first, &other, &Limits::default());
        prop_assert_eq!(whole(&first, &other, &joined), truth(&table));
    }
}
