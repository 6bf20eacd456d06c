//! Generated recordings of a table with the law of a crash game.

use chrono::DateTime;
use evaluation::pit::SplitMix64;

use crate::merge::{FileRounds, Merged, merge};
use crate::{Multiplier, Round};

/// A whole number from `low` up to, not including, `high`.
pub(crate) fn within(random: &mut SplitMix64, low: i64, high: i64) -> i64 {
    low + i64::try_from(random.next_u64() % u64::try_from(high - low).unwrap()).unwrap()
}

/// Milliseconds of the first round of a table.
pub(crate) const START: i64 = 1_765_395_155_123;

pub(crate) fn round(ms: i64, cents: u64) -> Round {
    let time = DateTime::from_timestamp_millis(ms).unwrap();
    Round { time, multiplier: Multiplier::from_cents(cents).unwrap() }
}

/// Rounds with a house edge of 3 % and the times such a game takes: 11.5 s + 11.7 s · ln M.
pub(crate) fn table(seed: u64, count: usize) -> Vec<Round> {
    let mut random = SplitMix64::new(seed);
    let mut ms = START;
    (0..count)
        .map(|_| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below 2^53"
            )]
            let cents = ((97.0 / random.uniform()).floor() as u64).max(100);
            #[expect(clippy::cast_possible_truncation, reason = "seconds of one round")]
            let taken = (11_500.0 + 11_700.0 * (cents as f64 / 100.0).ln()) as i64;
            ms += taken + within(&mut random, 0, 600);
            round(ms, cents)
        })
        .collect()
}

/// What a recorder writes whose clock is ahead by `clock(ms)`, up to 400 ms late.
pub(crate) fn observed(rounds: &[Round], seed: u64, clock: impl Fn(i64) -> i64) -> Vec<Round> {
    let mut random = SplitMix64::new(seed);
    rounds
        .iter()
        .map(|it| {
            let ms = it.time.timestamp_millis();
            round(ms + clock(ms) + within(&mut random, 0, 400), it.multiplier.cents())
        })
        .collect()
}

/// The rounds that pass, each with its index.
pub(crate) fn some(rounds: &[Round], mut keeps: impl FnMut(usize, &Round) -> bool) -> Vec<Round> {
    let kept = rounds.iter().enumerate().filter(|(index, it)| keeps(*index, it));
    kept.map(|(_, it)| *it).collect()
}

pub(crate) fn cents(rounds: &[Round]) -> Vec<u64> {
    rounds.iter().map(|it| it.multiplier.cents()).collect()
}

/// Merges files called `a`, `b`, …
pub(crate) fn merged(files: &[&[Round]]) -> Merged {
    let names: Vec<String> = (0..files.len()).map(|index| format!("file {index:03}")).collect();
    let files: Vec<FileRounds<'_>> =
        names.iter().zip(files).map(|(file, &rounds)| FileRounds { file, rounds }).collect();
    merge(&files)
}

/// Merges the files and holds the multipliers of the series against those that were played.
#[track_caller]
pub(crate) fn check(files: &[&[Round]], truth: &[Round]) -> Merged {
    let merged = merged(files);
    let (found, truth) = (cents(&merged.rounds), cents(truth));
    if found != truth {
        let at = found.iter().zip(&truth).position(|(a, b)| a != b);
        let at = at.unwrap_or(found.len().min(truth.len()));
        let part = |all: &[u64]| all[at.min(all.len())..(at + 6).min(all.len())].to_vec();
        panic!(
            "{} rounds, {} were played; from {at} on {:?}, not {:?}\n{:?}\n{:?}",
            found.len(),
            truth.len(),
            part(&found),
            part(&truth),
            merged.overlaps,
            merged.unresolved,
        );
    }
    assert!(merged.rounds.is_sorted_by_key(|round| round.time));
    let rows: usize = files.iter().map(|rounds| rounds.len()).sum();
    assert_eq!(merged.left_out(), (rows - merged.rounds.len()) as u64);
    merged
}
