//! Properties that any merge must have.

use proptest::prelude::*;

use evaluation::pit::SplitMix64;

use super::generated::{cents, check, merged, observed, some, table};
use crate::Round;

/// Pieces of a recording that overlap or touch, and together hold all of it.
fn pieces(rounds: &[Round], cuts: &[usize], overlap: usize) -> Vec<Vec<Round>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % rounds.len()).collect();
    cuts.extend([0, rounds.len()]);
    cuts.sort_unstable();
    let piece = |pair: &[usize]| rounds[pair[0].saturating_sub(overlap)..pair[1]].to_vec();
    cuts.windows(2).map(piece).collect()
}

fn slices(files: &[Vec<Round>]) -> Vec<&[Round]> {
    files.iter().map(Vec::as_slice).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_a_recording_give_the_recording(
        seed in any::<u64>(),
        count in 1usize..300,
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        overlap in 0usize..60,
    ) {
        let table = table(seed, count);
        let files = pieces(&table, &cuts, overlap);
        prop_assert_eq!(&merged(&slices(&files)).rounds, &table);
    }

    #[test]
    fn the_order_of_the_files_does_not_matter(
        seed in any::<u64>(),
        cuts in prop::collection::vec(any::<usize>(), 1..5),
        overlap in 40usize..80,
        clocks in prop::collection::vec(-60_000i64..60_000, 6),
        order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let table = table(seed, 500);
        let files: Vec<Vec<Round>> = pieces(&table, &cuts, overlap)
            .iter()
            .zip(clocks)
            .map(|(piece, clock)| observed(piece, seed, |_| clock))
            .filter(|piece| piece.len() > overlap)
            .collect();
        let shuffled: Vec<Vec<Round>> =
            order.iter().filter_map(|&index| files.get(index).cloned()).collect();
        let (one, other) = (merged(&slices(&files)), merged(&slices(&shuffled)));
        prop_assert_eq!(cents(&one.rounds), cents(&other.rounds));
    }

    #[test]
    fn merging_what_is_merged_changes_nothing(
        seed in any::<u64>(),
        clock in -600_000i64..600_000,
        from in 0usize..400,
    ) {
        let table = table(seed, 500);
        let second = observed(&some(&table[from..], |index, _| index % 7 != 3), seed, |_| clock);
        let once = merged(&[&table[..450], &second]).rounds;
        prop_assert_eq!(&merged(&[&once]).rounds, &once);
        let again = merged(&[&once, &table[..450], &second]);
        prop_assert_eq!(&again.rounds, &once);
    }

    /// Each recorder misses one round in five, and whole stretches; the union is what was played
    /// less what nobody observed.
    #[test]
    fn recorders_with_random_gaps_give_all_rounds_that_anybody_heard(
        seed in any::<u64>(),
        clocks in prop::collection::vec(-300_000i64..300_000, 3),
        gaps in prop::collection::vec((0usize..600, 0usize..80), 3),
    ) {
        let table = table(seed, 600);
        let mut random = SplitMix64::new(seed);
        let mut is_heard = vec![false; table.len()];
        let mut files = Vec::new();
        for (clock, (gap, length)) in clocks.into_iter().zip(gaps) {
            let rounds = some(&table, |index, _| {
                let is_gap = (gap..gap + length).contains(&index);
                let is_here = !random.next_u64().is_multiple_of(5) && !is_gap;
                is_heard[index] |= is_here;
                is_here
            });
            files.push(observed(&rounds, random.next_u64(), |_| clock));
        }
        let truth = some(&table, |index, _| is_heard[index]);
        check(&slices(&files), &truth);
    }

    #[test]
    fn repetitions_of_one_recording_stay(
        seed in any::<u64>(),
        repeated in prop::collection::vec(0usize..200, 1..10),
        clock in -60_000i64..60_000,
    ) {
        let mut table = table(seed, 200);
        for index in repeated {
            table[index].multiplier = crate::Multiplier::ONE;
            if index + 1 < 200 {
                table[index + 1].multiplier = crate::Multiplier::ONE;
            }
        }
        let second = observed(&table, seed, |_| clock);
        check(&[&table, &second], &table);
        check(&[&table, &table[50..150], &table[..20], &table[170..]], &table);
    }
}
