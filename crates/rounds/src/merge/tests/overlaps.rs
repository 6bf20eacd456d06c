//! Recordings of the same rounds end in the rounds that were played.

use chrono::TimeDelta;

use evaluation::pit::SplitMix64;

use super::generated::{check, merged, observed, round, some, table, within};
use crate::Round;
use crate::merge::{ClockOffset, OverlapEvidence};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn clock(evidence: OverlapEvidence) -> ClockOffset {
    match evidence {
        OverlapEvidence::Aligned { clock, chance_log10 } => {
            assert!(chance_log10 <= -12, "{chance_log10}");
            clock
        }
        OverlapEvidence::EqualRounds => panic!("aligned by equal rounds only"),
    }
}

#[track_caller]
fn assert_near(offset: TimeDelta, ms: i64) {
    assert!((offset.num_milliseconds() - ms).abs() < 700, "{offset}, not {ms} ms");
}

#[test]
fn two_exports_by_one_clock_end_in_the_true_series() {
    let table = table(1, 900);
    let merged = check(&[&table[..600], &table[400..]], &table);
    assert_eq!(merged.rounds, table);
    let [overlap] = &merged.overlaps[..] else { panic!("{:?}", merged.overlaps) };
    assert_eq!((overlap.shared, overlap.conflicts), (200, 0));
    assert_eq!((overlap.from, overlap.to), (table[400].time, table[599].time));
    assert_eq!(clock(overlap.evidence), ClockOffset::default());
    assert_eq!((&*overlap.first, &*overlap.second), ("file 000", "file 001"));
    assert!(merged.unresolved.is_empty());
}

#[test]
fn clocks_9_seconds_apart_end_in_the_true_series() {
    let table = table(2, 900);
    let (first, second) = (&table[..600], observed(&table[350..], 2, |_| 9 * SECOND));
    let merged = check(&[first, &second], &table);
    let [overlap] = &merged.overlaps[..] else { panic!("{:?}", merged.overlaps) };
    assert_eq!(overlap.shared, 250);
    assert_near(clock(overlap.evidence).at_start, 9 * SECOND);
    assert_eq!(merged.rounds[..600], table[..600], "the first file keeps its times");
    let text = overlap.to_string();
    assert!(text.ends_with(": 250 rounds counted once; clocks +9.2 s apart"), "{text}");
}

#[test]
fn a_file_of_high_rounds_only_adds_nothing() {
    let table = table(3, 800);
    let high = some(&table, |_, it| it.multiplier.cents() >= 1000);
    for off in [0, 4 * SECOND, -70 * SECOND] {
        let high = observed(&high, 3, |_| off);
        check(&[&table, &high], &table);
        check(&[&high, &table], &table);
    }
    check(&[&table, &high], &table);
}

#[test]
fn three_recorders_with_gaps_and_clocks_of_their_own_end_in_the_true_series() {
    let table = table(4, 3000);
    let mut random = SplitMix64::new(4);
    let missed: Vec<u64> = table.iter().map(|_| random.next_u64() % 12).collect();
    // Nobody can know of a round that all of them missed.
    let keeps = |who: u64, from: usize, to: usize| {
        some(&table, |index, _| missed[index] != who && !(from..to).contains(&index))
    };
    let a = keeps(0, 700, 900);
    let b = observed(&keeps(1, 1500, 1800), 5, |_| 7 * SECOND);
    let c = observed(&keeps(2, 2500, 2600), 6, |_| -3 * MINUTE);
    for files in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
        let merged = check(&files.map(|it| &**it), &table);
        assert!(merged.unresolved.is_empty());
        assert!(merged.overlaps.iter().all(|overlap| overlap.conflicts == 0));
    }
}

#[test]
fn any_clock_offset_up_to_a_quarter_of_an_hour_is_found() {
    let table = table(5, 500);
    for off in [1, 400, 2 * SECOND, -31 * SECOND, 5 * MINUTE, -14 * MINUTE] {
        let second = observed(&table[200..], 7, |_| off);
        check(&[&table[..400], &second], &table);
    }
}

#[test]
fn time_zone_mistakes_are_found_and_named() {
    let table = table(6, 1200);
    for hours in [1, -3, 14] {
        let second = observed(&table[300..], 8, |_| hours * HOUR + 4 * SECOND);
        let merged = check(&[&table[..900], &second], &table);
        let clock = clock(merged.overlaps[0].evidence);
        assert_eq!(clock.time_zone(), Some(TimeDelta::hours(hours)));
        let text = merged.overlaps[0].to_string();
        assert!(text.contains(&format!("(time zone {hours:+03}:00)")), "{text}");
    }
    let second = observed(&table[300..], 8, |_| 5 * HOUR + 45 * MINUTE);
    let merged = check(&[&table[..900], &second], &table);
    let zone = clock(merged.overlaps[0].evidence).time_zone();
    assert_eq!(zone, Some(TimeDelta::minutes(345)));
}

#[test]
fn a_clock_that_drifts_is_followed() {
    let table = table(7, 4000);
    let start = table[0].time.timestamp_millis();
    // 2 s an hour: a minute after 30 hours.
    let drifting = observed(&table, 9, |ms| (ms - start) / 1800);
    let merged = check(&[&table[..3500], &drifting[100..]], &table);
    let clock = clock(merged.overlaps[0].evidence);
    assert!(clock.at_end - clock.at_start > TimeDelta::seconds(30), "{clock:?}");
}

#[test]
fn a_clock_that_is_set_is_followed() {
    let table = table(8, 1500);
    for (at, jump) in [(400, 40 * SECOND), (777, 3 * MINUTE), (1001, 11 * SECOND)] {
        let set = table[at].time.timestamp_millis();
        let second = observed(&table, 10, |ms| if ms < set { 2 * SECOND } else { jump });
        check(&[&table, &second[50..]], &table);
        check(&[&second[..1400], &table[50..]], &table);
    }
}

#[test]
fn conflicting_rounds_are_reported_and_the_first_file_keeps_its_own() {
    let table = table(9, 400);
    let mut second = observed(&table[100..], 11, |_| 5 * SECOND);
    for index in [50, 120, 200] {
        second[index] = Round { multiplier: round(0, 123_456).multiplier, ..second[index] };
    }
    let merged = check(&[&table, &second], &table);
    let overlap = &merged.overlaps[0];
    assert_eq!((overlap.shared, overlap.conflicts), (297, 3));
    let conflict = overlap.examples[0];
    assert_eq!(conflict.first, Some(table[150]));
    assert_eq!(conflict.second, second[50]);
    assert!(overlap.to_string().contains(": 297 rounds counted once; 3 conflicting; clocks +5."));
}

#[test]
fn newest_first_and_shuffled_rows_are_put_in_order() {
    let table = table(10, 600);
    let mut second = observed(&table[200..], 12, |_| 8 * SECOND);
    second.reverse();
    check(&[&table[..500], &second], &table);
    let mut first = table[..500].to_vec();
    let mut random = SplitMix64::new(13);
    for index in 0..first.len() - 4 {
        first.swap(index, index + usize::try_from(within(&mut random, 0, 4)).unwrap());
    }
    check(&[&first, &second], &table);
}

/// A recorder that starts takes over the strip of the page: 20 rounds with the time of the look.
#[test]
fn a_strip_at_the_start_of_a_recording_is_aligned() {
    let table = table(11, 600);
    for off in [0, 9 * SECOND, -40 * SECOND] {
        let mut second = observed(&table[280..], 14, |_| off);
        let time = second[20].time;
        second[..20].iter_mut().for_each(|it| it.time = time - TimeDelta::seconds(3));
        check(&[&table[..500], &second], &table);
    }
}

/// A recorder that only looks every few minutes stamps each strip with the time of the look.
#[test]
fn a_recording_of_strips_alone_is_aligned() {
    let table = table(12, 700);
    let mut strips = table[100..].to_vec();
    for strip in strips.chunks_mut(15) {
        let time = strip.last().unwrap().time + TimeDelta::seconds(2);
        for it in strip {
            it.time = time;
        }
    }
    check(&[&table[..600], &strips], &table);
    check(&[&strips, &table[..600]], &table);
}

#[test]
fn times_without_milliseconds_or_seconds_are_aligned() {
    let table = table(13, 700);
    let cut = |unit: i64| -> Vec<Round> {
        let cut = |it: &Round| {
            round(it.time.timestamp_millis().div_euclid(unit) * unit, it.multiplier.cents())
        };
        table[200..].iter().map(cut).collect()
    };
    for unit in [SECOND, MINUTE] {
        check(&[&table[..500], &cut(unit)], &table);
        check(&[&cut(unit), &table[..500]], &table);
    }
}

#[test]
fn a_bridge_between_two_files_joins_all_three() {
    let table = table(14, 900);
    let middle = observed(&table[200..700], 15, |_| 30 * SECOND);
    let last = observed(&table[600..], 16, |_| -20 * SECOND);
    let merged = check(&[&table[..300], &last, &middle], &table);
    assert!(merged.unresolved.is_empty());
}

#[test]
fn a_few_shared_rounds_with_equal_times_are_left_out() {
    let table = table(15, 40);
    let merged = check(&[&table[..21], &table[20..]], &table);
    assert_eq!(merged.overlaps[0].evidence, OverlapEvidence::EqualRounds);
    check(&[&table[..23], &table[20..]], &table);
}

#[test]
fn what_is_too_short_for_certainty_is_kept_and_reported() {
    let table = table(16, 300);
    let second = observed(&table[100..104], 17, |_| 6 * SECOND);
    let found = merged(&[&table, &second]);
    assert_eq!(found.rounds.len(), 304);
    let [unresolved] = &found.unresolved[..] else { panic!("{:?}", found.unresolved) };
    assert_eq!(unresolved.rounds[1], 4);
    assert!(unresolved.to_string().contains("share no run of rounds"), "{unresolved}");
    assert_eq!(found.left_out(), 0);
}

/// The shape of two recordings that were published: 36,957 and 22,869 rows by clocks that differ
/// by seconds, with about 5,000 rounds in common.
#[test]
fn the_published_shape_ends_in_the_true_series() {
    let table = table(17, 54_826);
    let second = observed(&table[36_957 - 5000..], 18, |_| 6 * SECOND);
    assert_eq!(second.len(), 22_869);
    let merged = check(&[&table[..36_957], &second], &table);
    assert_eq!(merged.overlaps[0].shared, 5000);
    let text = merged.overlaps[0].to_string();
    assert!(text.contains(": 5,000 rounds counted once; clocks +6."), "{text}");
}
