//! Plain stretches are aligned as the search aligns them.

use std::borrow::Cow;

use evaluation::pit::SplitMix64;

use super::generated::{observed, round, table, within};
use crate::Round;
use crate::align::{AlignedRound, Limits, RecordedRound, align_on_one_clock};
use crate::merge::clock::ClockMap;
use crate::merge::evidence::Pair;
use crate::merge::join::Pace;
use crate::merge::plain::{Decision, decisions};
use crate::merge::recording::Recording;

/// What one of two recorders of a table holds: it misses rounds, misreads some, and may hear two at once.
fn recorder(random: &mut SplitMix64, table: &[Round], one_in: u64) -> Vec<Round> {
    let seed = random.next_u64();
    let kept: Vec<Round> =
        table.iter().filter(|_| !random.next_u64().is_multiple_of(one_in)).copied().collect();
    let mut observed = observed(&kept, seed, |_| 0);
    for at in 1..observed.len() {
        match random.next_u64() % 200 {
            0 => observed[at] = round(observed[at].time.timestamp_millis(), 777),
            1 => observed[at].time = observed[at - 1].time,
            _ => {}
        }
    }
    observed
}

#[test]
fn plain_stretches_are_aligned_as_the_search_aligns_them() {
    let mut random = SplitMix64::new(77);
    let mut decided = 0;
    for _ in 0..400 {
        let table = table(random.next_u64(), 300);
        let one_in = [4, 12, 100][usize::try_from(within(&mut random, 0, 3)).unwrap()];
        let ours = recorder(&mut random, &table, one_in);
        let theirs = recorder(&mut random, &table, one_in);
        let first = Recording::new(0, Cow::Borrowed(&ours));
        let second = Recording::new(1, Cow::Borrowed(&theirs));
        let clock = ClockMap::constant(0);
        let pair = Pair { first: &first, second: &second, clock: &clock };
        let pace = Pace::of(&first, &second);
        let found = decisions(&pair, (0, ours.len()), (0, theirs.len()), pace.bounds(i64::MIN));
        let recorded = |recording: &Recording<'_>| -> Vec<RecordedRound> {
            (0..recording.len())
                .map(|at| RecordedRound {
                    round: recording.rounds[at],
                    is_estimate: recording.is_estimate(at),
                })
                .collect()
        };
        let limits: Limits = pace.limits(false);
        let aligned = align_on_one_clock(&recorded(&first), &recorded(&second), &limits);
        for (at, decision) in found.iter().enumerate() {
            let expected = match *decision {
                Decision::Same(first) => AlignedRound::Same { first, second: at },
                Decision::Missing(_) => AlignedRound::Missing { second: at, time: theirs[at].time },
            };
            assert_eq!(aligned[at], expected);
        }
        decided += found.len();
    }
    assert!(decided > 10_000, "{decided}");
}
