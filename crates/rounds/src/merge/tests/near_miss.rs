//! Recordings of different tables are never merged.

use evaluation::pit::SplitMix64;

use super::generated::{merged, observed, round, table, within};
use crate::Round;

/// 10,000 pairs of tables with one law, recorded at the same time.
#[test]
fn ten_thousand_pairs_of_unrelated_tables_are_never_merged() {
    let mut random = SplitMix64::new(100);
    for pair in 0..10_000u64 {
        let count = |random: &mut SplitMix64| usize::try_from(within(random, 50, 400)).unwrap();
        let first = table(random.next_u64(), count(&mut random));
        let shift = within(&mut random, -500_000, 500_000);
        let second = observed(&table(random.next_u64(), count(&mut random)), pair, |_| shift);
        let merged = merged(&[&first, &second]);
        assert_eq!(merged.rounds.len(), first.len() + second.len(), "{:?}", merged.overlaps);
        assert_eq!((merged.left_out(), merged.unresolved.len()), (0, 1));
    }
}

/// Rounds of equal times come about by chance where times have no milliseconds.
#[test]
fn unrelated_tables_by_whole_seconds_are_never_aligned() {
    let mut random = SplitMix64::new(200);
    let cut = |rounds: Vec<Round>| -> Vec<Round> {
        let cut = |it: &Round| round(it.time.timestamp() * 1000, it.multiplier.cents());
        rounds.iter().map(cut).collect()
    };
    for _ in 0..1000 {
        let (first, second) =
            (cut(table(random.next_u64(), 300)), cut(table(random.next_u64(), 300)));
        let merged = merged(&[&first, &second]);
        assert_eq!(merged.rounds.len(), 600, "{:?}", merged.overlaps);
        assert_eq!(merged.unresolved.len(), 1);
    }
}

/// Whole hours apart, there are many more offsets at which chance might agree.
#[test]
fn unrelated_tables_are_not_taken_for_a_time_zone_mistake() {
    let mut random = SplitMix64::new(300);
    for pair in 0..20 {
        let first = table(random.next_u64(), 3000);
        let second = observed(&table(random.next_u64(), 3000), pair, |_| random_hours(pair));
        assert_eq!(merged(&[&first, &second]).rounds.len(), 6000);
    }
}

fn random_hours(pair: u64) -> i64 {
    (i64::try_from(pair).unwrap() - 10) * 3_600_000
}
