//! Two recorders that append to two files of one directory at the same time.

use std::collections::BTreeMap;

use super::*;
use crate::merge::merge;
use evaluation::pit::SplitMix64;

use crate::merge::tests::generated::{cents, observed, round, table, within};

const SECOND: i64 = 1000;

/// A directory as a reader sees it that keeps a series of all rounds.
#[derive(Default)]
struct Live {
    files: BTreeMap<&'static str, Vec<Round>>,
    reconciler: Reconciler,
    series: Vec<Round>,
    left_out: u64,
    merges: u32,
    /// Merges that changed rounds which were there.
    rebuilds: u32,
}

impl Live {
    fn append(&mut self, file: &'static str, row: Round) {
        self.files.entry(file).or_default().push(row);
        match self.reconciler.append(file, &[row]) {
            Intake::Append(rounds) => self.series.extend(rounds),
            Intake::Merge => self.merge(),
        }
    }

    fn merge(&mut self) {
        let files: Vec<FileRounds<'_>> =
            self.files.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        let merged = merge(&files);
        self.merges += 1;
        self.rebuilds += u32::from(!cents(&merged.rounds).starts_with(&cents(&self.series)));
        self.reconciler = self.reconciler.renewed(&files, &merged);
        self.left_out = merged.left_out();
        self.series = merged.rounds;
    }

    fn left_out(&self) -> u64 {
        self.left_out + self.reconciler.left_out()
    }
}

/// Rows of two files in the order in which they are written; each with the index of its round.
fn arrivals(
    truth: &[Round],
    files: [(&'static str, Vec<(usize, Round)>); 2],
    seed: u64,
) -> Vec<(&'static str, Round)> {
    let mut random = SplitMix64::new(seed);
    let mut rows: Vec<(i64, &'static str, Round)> = Vec::new();
    for (file, rounds) in files {
        rows.extend(rounds.into_iter().map(|(index, row)| {
            (truth[index].time.timestamp_millis() + within(&mut random, 0, 3000), file, row)
        }));
    }
    rows.sort_by_key(|(written, ..)| *written);
    rows.into_iter().map(|(_, file, row)| (file, row)).collect()
}

/// The rows from an index on, each with its own.
fn from(rows: &[Round], index: usize) -> Vec<(usize, Round)> {
    rows.iter().copied().enumerate().skip(index).collect()
}

#[test]
fn aligned_files_grow_without_another_merge() {
    for (seed, clock) in [(1, 9 * SECOND), (2, -240 * SECOND), (3, 0), (4, 3 * 3600 * SECOND)] {
        let truth = table(seed, 600);
        let second = observed(&truth, seed, |_| clock);
        let mut live = Live::default();
        live.files.insert("a", truth[..200].to_vec());
        live.files.insert("b", second[100..200].to_vec());
        live.merge();
        assert_eq!(live.left_out(), 100);
        let files = [("a", from(&truth, 200)), ("b", from(&second, 200))];
        for (file, row) in arrivals(&truth, files, seed) {
            live.append(file, row);
        }
        assert_eq!(live.merges, 1, "clocks {clock} ms apart");
        assert_eq!(cents(&live.series), cents(&truth));
        assert_eq!(live.left_out(), 500);
    }
}

#[test]
fn what_one_recorder_misses_the_other_one_adds() {
    let truth = table(5, 800);
    let second = observed(&truth, 5, |_| 9 * SECOND);
    let mut live = Live::default();
    live.files.insert("a", truth[..200].to_vec());
    live.files.insert("b", second[100..200].to_vec());
    live.merge();
    // No round that both missed: nobody could know of it.
    let (a_away, b_away) = (300..340, 400..460);
    let is_a =
        |index: usize| !a_away.contains(&index) && (index % 5 != 1 || b_away.contains(&index));
    let is_b =
        |index: usize| !b_away.contains(&index) && (index % 5 != 3 || a_away.contains(&index));
    let (mut a, mut b) = (from(&truth, 200), from(&second, 200));
    a.retain(|(index, _)| is_a(*index));
    b.retain(|(index, _)| is_b(*index));
    let rows = arrivals(&truth, [("a", a), ("b", b)], 5);
    for (file, row) in rows {
        live.append(file, row);
    }
    assert_eq!((live.merges, cents(&live.series)), (1, cents(&truth)));
}

#[test]
fn a_drifting_clock_is_followed() {
    let truth = table(6, 3000);
    let start = truth[0].time.timestamp_millis();
    let second = observed(&truth, 6, |ms| 2 * SECOND + (ms - start) / 1200);
    let mut live = Live::default();
    live.files.insert("a", truth[..200].to_vec());
    live.files.insert("b", second[100..200].to_vec());
    live.merge();
    let files = [("a", from(&truth, 200)), ("b", from(&second, 200))];
    for (file, row) in arrivals(&truth, files, 6) {
        live.append(file, row);
    }
    assert_eq!((live.merges, cents(&live.series)), (1, cents(&truth)));
}

#[test]
fn a_conflicting_report_is_left_out_and_counted() {
    let truth = table(7, 300);
    let second = observed(&truth, 7, |_| 5 * SECOND);
    let mut live = Live::default();
    live.files.insert("a", truth[..200].to_vec());
    live.files.insert("b", second[..200].to_vec());
    live.merge();
    for index in 200..300 {
        live.append("a", truth[index]);
        let row = second[index];
        let other = round(row.time.timestamp_millis(), 98_765);
        live.append("b", if index == 250 { other } else { row });
    }
    assert_eq!(cents(&live.series), cents(&truth));
    assert_eq!((live.reconciler.conflicts(), live.merges), (1, 1));
    assert_eq!(live.left_out(), 300);
}

/// Until their rounds prove to be the same, a few count twice; then the series is rebuilt once.
#[test]
fn a_second_recorder_that_starts_is_recognised() {
    for clock in [9 * SECOND, -9 * SECOND, 70 * SECOND, 0] {
        for seed in 10..20 {
            let truth = table(seed, 300);
            let second = observed(&truth, seed, |_| clock);
            let mut live = Live::default();
            live.files.insert("a", truth[..100].to_vec());
            live.merge();
            let files = [("a", from(&truth, 100)), ("b", from(&second, 150))];
            let (mut excess, mut counts) = (0, [100, 0]);
            for (file, row) in arrivals(&truth, files, seed) {
                live.append(file, row);
                counts[usize::from(file == "b")] += 1;
                let reported = counts[0].max(150.min(counts[1] * 150) + counts[1]);
                excess = excess.max(live.series.len().saturating_sub(reported));
            }
            assert_eq!(cents(&live.series), cents(&truth), "{clock} ms, {seed}");
            // A clock that is ahead by more than a round puts rounds between those of the other.
            let bounds = if clock.abs() < 10 * SECOND { (5, 1) } else { (14, 12) };
            let (rebuilds, what) = (live.rebuilds, format!("{clock} ms, {seed}"));
            assert!(excess <= bounds.0, "{excess} rounds counted twice; {what}");
            assert!(rebuilds <= bounds.1, "{rebuilds} rebuilds; {what}");
        }
    }
}

#[test]
fn a_file_that_follows_another_one_is_never_held_back() {
    let truth = table(8, 2000);
    let mut live = Live::default();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    for (file, rounds) in names.into_iter().zip(truth.chunks(200)) {
        for row in rounds {
            let before = live.series.len();
            live.append(file, *row);
            assert_eq!(live.series.len(), before + 1);
        }
    }
    assert_eq!((live.merges, live.rebuilds), (0, 0));
    assert_eq!(live.series, truth);
}

#[test]
fn equal_rows_of_a_copy_that_grows_count_once() {
    let truth = table(9, 300);
    let mut live = Live::default();
    for row in &truth {
        live.append("a", *row);
        live.append("copy", *row);
    }
    assert_eq!((live.series.clone(), live.merges), (truth, 0));
    assert_eq!(live.left_out(), 300);
}

/// Two tables in one directory: their rounds all count, and hardly anything is rebuilt.
#[test]
fn unrelated_files_that_grow_in_turn_are_kept_whole() {
    let (first, second) = (table(21, 1000), table(22, 1000));
    let mut rows: Vec<(&str, Round)> = first.iter().map(|row| ("a", *row)).collect();
    rows.extend(second.iter().map(|row| ("b", *row)));
    rows.sort_by_key(|(_, row)| row.time);
    let mut live = Live::default();
    for (file, row) in rows {
        live.append(file, row);
    }
    live.merge();
    assert_eq!(live.series.len(), 2000);
    assert!(live.rebuilds <= 4, "{} rebuilds", live.rebuilds);
}
