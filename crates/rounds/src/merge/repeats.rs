//! Rows that a file repeats, because a stretch of rounds was pasted into it again or exports that overlap were joined.

use std::borrow::Cow;

use crate::round::Round;

/// Stretches in order of time up to which a file is taken for pasted ones; more are rows out of place.
const STRETCHES_MAX: usize = 64;
/// Rounds that a stretch has in common with the rows before it before they are taken for the same: five rows of equal
/// time and multiplier may be rows out of place in a file whose times have no seconds.
const COMMON_MIN: usize = 10;

/// Returns rounds in order of time, and how many were left out because an earlier stretch of the file holds them.
///
/// A file that has its newest round first is reversed. Where time steps back, another stretch begins; if at least four
/// of five of its rounds in the time of the earlier ones are among these, the rounds in common count once.
pub fn in_time_order(rounds: &[Round]) -> (Cow<'_, [Round]>, u64) {
    let (mut up, mut down) = (0usize, 0usize);
    for pair in rounds.windows(2) {
        up += usize::from(pair[0].time < pair[1].time);
        down += usize::from(pair[0].time > pair[1].time);
    }
    if down == 0 {
        return (Cow::Borrowed(rounds), 0);
    }
    let mut all = rounds.to_vec();
    if down > up {
        all.reverse();
    }
    let before = all.len();
    if up.min(down) < STRETCHES_MAX {
        all = without_repeats(&all);
    }
    let repeats = (before - all.len()) as u64;
    all.sort_by_key(|round| round.time);
    (Cow::Owned(all), repeats)
}

fn without_repeats(rounds: &[Round]) -> Vec<Round> {
    let mut kept: Vec<Round> = Vec::with_capacity(rounds.len());
    for stretch in rounds.chunk_by(|a, b| a.time <= b.time) {
        let is_known = known(&kept, stretch);
        let new = stretch.iter().zip(is_known).filter(|(_, is_known)| !is_known);
        kept.extend(new.map(|(round, _)| *round));
        kept.sort_by_key(|round| round.time);
    }
    kept
}

/// Returns which rounds of a stretch are among earlier ones, which are in order of time; none of them unless they are
/// most of those that may be.
fn known(earlier: &[Round], stretch: &[Round]) -> Vec<bool> {
    let mut known = vec![false; stretch.len()];
    let (Some(first), Some(last)) = (earlier.first(), earlier.last()) else { return known };
    let mut at = earlier.partition_point(|round| round.time < stretch[0].time);
    let mut is_taken = vec![false; earlier.len() - at];
    let start = at;
    let (mut common, mut possible) = (0, 0);
    for (index, round) in stretch.iter().enumerate() {
        possible += usize::from((first.time..=last.time).contains(&round.time));
        at += earlier[at..].iter().take_while(|it| it.time < round.time).count();
        let same = earlier[at..].iter().take_while(|it| it.time == round.time);
        let free = same.zip(at - start..).find(|(it, taken)| *it == round && !is_taken[*taken]);
        if let Some((_, taken)) = free {
            is_taken[taken] = true;
            known[index] = true;
            common += 1;
        }
    }
    if common < COMMON_MIN || common * 5 < possible * 4 {
        known.fill(false);
    }
    known
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn rounds(count: i64, step: i64) -> Vec<Round> {
        let round = |at: i64| Round {
            time: DateTime::from_timestamp(1_772_000_000 + step * at, 0).unwrap(),
            multiplier: format!("{}.{:02}", 1 + at % 7, at * 37 % 100).parse().unwrap(),
        };
        (0..count).map(round).collect()
    }

    #[track_caller]
    fn check(rows: &[Round], expected: &[Round]) {
        let (found, repeats) = in_time_order(rows);
        assert_eq!(found, expected);
        assert_eq!(repeats, (rows.len() - expected.len()) as u64);
    }

    #[test]
    fn a_stretch_that_is_pasted_again_counts_once() {
        let all = rounds(400, 15);
        let newest_first: Vec<Round> = all.iter().rev().copied().collect();
        check(&[&all[..], &all[..]].concat(), &all);
        check(&[&newest_first[..], &newest_first[..]].concat(), &all);
        check(&[&all[..250], &all[150..]].concat(), &all);
        check(&[&all[200..], &all[..220]].concat(), &all);
        check(&[&all[..100], &all[50..300], &all[20..120], &all[250..]].concat(), &all);
    }

    #[test]
    fn rows_out_of_place_are_kept() {
        let mut all = rounds(400, 15);
        // Two rounds of one time and multiplier are two rounds in a file in order.
        all[20] = all[19];
        check(&all, &all);
        let mut shuffled = all.clone();
        (0..400).step_by(40).for_each(|at| shuffled.swap(at, (at + 7).min(399)));
        let (found, repeats) = in_time_order(&shuffled);
        assert_eq!((found.len(), repeats), (400, 0));
    }

    #[test]
    fn rounds_that_share_a_minute_by_chance_are_kept() {
        // Times without seconds, and two stretches whose rounds are others.
        let first = rounds(300, 60);
        let second: Vec<Round> = rounds(300, 60)
            .into_iter()
            .zip(rounds(330, 60).into_iter().skip(30))
            .map(|(round, other)| Round { multiplier: other.multiplier, ..round })
            .collect();
        let both = [first, second].concat();
        let (found, repeats) = in_time_order(&both);
        assert_eq!((found.len(), repeats), (600, 0));
    }
}
