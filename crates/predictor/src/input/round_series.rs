//! All rounds of a directory in memory, in order of time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::TimeDelta;
use rounds::{FileRepeats, FileRounds, Intake, Merged, Reconciler, Round};

use crate::input::compact_rounds::CompactRounds;

/// Maximum number of rows of one scan that are settled one by one; for more, all files are merged.
const ROWS_MAX: usize = 64;
/// Maximum difference between two reports of one round after correcting the clocks.
const REPORTS_APART_MAX: TimeDelta = TimeDelta::seconds(8);

/// How a file of the directory changed.
#[derive(Debug, Clone)]
pub(crate) enum FileChange {
    /// Rows were added at its end, or the file is new.
    Appended(Vec<Round>),
    /// It was replaced by a file with these rows.
    Replaced(Vec<Round>),
    /// It was removed.
    Removed,
}

/// How the series changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesChange {
    /// The same rounds as before.
    Unchanged,
    /// The rounds from this index on are new; those before are unchanged.
    From(usize),
    /// Earlier rounds were changed, removed or inserted: everything derived from them is invalid.
    Rebuilt,
}

/// All rounds in the order [`rounds::merge`] gives them, kept up to date.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundSeries {
    files: BTreeMap<String, FileRows>,
    rounds: CompactRounds,
    last_file: String,
    /// Files that were left out as copies of others.
    copies: BTreeSet<String>,
    /// Settles appended rows between two merges.
    reconciler: Reconciler,
    /// Rows left out by the last merge.
    left_out: u64,
    /// Rounds from this index on may have been reported by two files: they keep the time of the
    /// first report, although a merge prefers that of the first file.
    live_from: Option<usize>,
    /// Notices about files that overlap in time.
    overlaps: Vec<String>,
    /// Pairs of files whose overlap has been logged.
    logged: BTreeSet<(String, String)>,
}

/// Returns what is to be said of files that hold rounds twice or overlap, a sentence per file or pair of files.
pub(crate) fn overlap_texts(merged: &Merged) -> Vec<String> {
    let repeats = merged.repeats.iter().map(|it| format!("{}: {it}", it.file));
    let overlaps = merged.overlaps.iter();
    let overlaps = overlaps.map(|it| format!("{} and {}: {it}", it.first, it.second));
    let unresolved = merged.unresolved.iter();
    let unresolved = unresolved.map(|it| format!("{} and {}: {it}", it.files[0], it.files[1]));
    repeats.chain(overlaps).chain(unresolved).collect()
}

/// The rounds of a file, in the order of its rows.
#[derive(Debug, Clone)]
enum FileRows {
    /// They are this range of all rounds, in this order, as is nearly always the case.
    Contiguous(Range<usize>),
    /// Other rounds lie between them, or their order differs.
    Separate(Vec<Round>),
}

impl RoundSeries {
    /// Returns all rounds, oldest first.
    pub(crate) fn rounds(&self) -> &CompactRounds {
        &self.rounds
    }

    /// Returns the number of rows left out because another file holds the same round.
    pub(crate) fn duplicates(&self) -> u64 {
        self.left_out + self.reconciler.left_out()
    }

    /// Returns the file of the newest round.
    pub(crate) fn last_file(&self) -> Option<&str> {
        (!self.rounds.is_empty()).then_some(self.last_file.as_str())
    }

    /// Applies the changes of a scan together, so that the series is rebuilt once and not per file.
    pub(crate) fn apply(&mut self, changes: Vec<(String, FileChange)>) -> SeriesChange {
        if changes.is_empty() {
            return SeriesChange::Unchanged;
        }
        if self.can_append(&changes) {
            return self.append(changes);
        }
        for (file, change) in changes {
            self.change(file, change);
        }
        self.merge()
    }

    /// Returns whether all changes are a few rows at the ends of files in order of time, as running
    /// collectors write them.
    fn can_append(&self, changes: &[(String, FileChange)]) -> bool {
        let mut count = 0;
        let is_tail = |(file, change): &(String, FileChange)| {
            let FileChange::Appended(rows) = change else { return false };
            count += rows.len();
            rows.is_sorted_by_key(|round| round.time)
                && self.files.get(file).is_none_or(FileRows::is_sorted)
        };
        !self.rounds.is_empty() && changes.iter().all(is_tail) && count <= ROWS_MAX
    }

    /// Compares appended rows with the newest rounds; merges all files if that does not decide
    /// whether they are new.
    fn append(&mut self, changes: Vec<(String, FileChange)>) -> SeriesChange {
        let mut tails: Vec<(String, Vec<Round>)> = changes
            .into_iter()
            .filter_map(|(file, change)| match change {
                FileChange::Appended(rows) => Some((file, rows)),
                FileChange::Replaced(_) | FileChange::Removed => None,
            })
            .collect();
        tails.sort_by_key(|(_, rows)| rows.first().map(|round| round.time));
        let settled: Option<Vec<Vec<Round>>> = tails
            .iter()
            .map(|(file, rows)| match self.reconciler.append(file, rows) {
                Intake::Append(rounds) => Some(rounds),
                Intake::Merge => None,
            })
            .collect();
        let Some(settled) = settled else {
            for (file, rows) in tails {
                self.change(file, FileChange::Appended(rows));
            }
            return self.merge();
        };
        let before = self.rounds.len();
        for ((file, rows), new) in tails.into_iter().zip(settled) {
            self.follow(file, rows, &new);
        }
        if self.rounds.len() == before {
            SeriesChange::Unchanged
        } else {
            SeriesChange::From(before)
        }
    }

    /// Appends the rows of a file, and to all rounds the `new` ones of them.
    fn follow(&mut self, file: String, rows: Vec<Round>, new: &[Round]) {
        let end = self.rounds.len();
        self.rounds.extend(new.iter().copied());
        if !new.is_empty() {
            self.last_file.clone_from(&file);
        }
        let is_whole = rows == new;
        if !is_whole {
            self.live_from.get_or_insert(end.saturating_sub(ROWS_MAX));
        }
        let file_rows = self.files.entry(file).or_insert(FileRows::Separate(Vec::new()));
        match file_rows {
            FileRows::Contiguous(range) if is_whole && range.end == end => {
                range.end = self.rounds.len();
            }
            FileRows::Separate(own) if is_whole && own.is_empty() => {
                *file_rows = FileRows::Contiguous(end..self.rounds.len());
            }
            // Rounds of another file lie between, or stand for these.
            _ => file_rows.own(&self.rounds).extend(rows),
        }
    }

    fn change(&mut self, file: String, change: FileChange) {
        match change {
            FileChange::Appended(rows) => {
                let file_rows = self.files.entry(file).or_insert(FileRows::Separate(Vec::new()));
                file_rows.own(&self.rounds).extend(rows);
            }
            FileChange::Replaced(rows) => drop(self.files.insert(file, FileRows::Separate(rows))),
            FileChange::Removed => drop(self.files.remove(&file)),
        }
    }

    /// Merges all files from scratch.
    fn merge(&mut self) -> SeriesChange {
        for file_rows in self.files.values_mut() {
            file_rows.own(&self.rounds);
        }
        let files: Vec<FileRounds<'_>> = self
            .files
            .iter()
            .filter_map(|(file, file_rows)| {
                Some(FileRounds { file, rounds: file_rows.separate()? })
            })
            .collect();
        let mut merged = rounds::merge(&files);
        self.reconciler = self.reconciler.renewed(&files, &merged);
        let change = self.replace(&mut merged.rounds);
        self.left_out = merged.left_out();
        self.copies = merged.copies.iter().map(|copy| copy.file.clone()).collect();
        for file_rows in self.files.values_mut() {
            file_rows.find(&merged.rounds);
        }
        self.last_file = merged.rounds.last().map(|last| self.file_of(last)).unwrap_or_default();
        self.note_overlaps(&merged);
        change
    }

    /// Takes over merged rounds. Those already there keep their times where only these differ.
    fn replace(&mut self, merged: &mut [Round]) -> SeriesChange {
        let before = self.rounds.len();
        let live_from = self.live_from.unwrap_or(before);
        let is_same = |(index, (old, new)): (usize, (Round, &Round))| {
            old == *new
                || (index >= live_from
                    && old.multiplier == new.multiplier
                    && (old.time - new.time).abs() <= REPORTS_APART_MAX)
        };
        let is_kept = merged.len() >= before
            && self.rounds.iter().zip(merged.iter()).enumerate().all(is_same);
        if !is_kept {
            self.rounds = merged.iter().copied().collect();
            self.live_from = None;
            return SeriesChange::Rebuilt;
        }
        let live = self.rounds.range(live_from.min(before)..before);
        for (new, old) in merged[live_from.min(before)..].iter_mut().zip(live) {
            *new = old;
        }
        self.rounds.extend(merged[before..].iter().copied());
        if merged.len() == before { SeriesChange::Unchanged } else { SeriesChange::From(before) }
    }

    /// Stores the notices about overlapping files, and logs each pair once.
    fn note_overlaps(&mut self, merged: &Merged) {
        self.overlaps = overlap_texts(merged);
        for overlap in &merged.overlaps {
            if self.logged.insert((overlap.first.clone(), overlap.second.clone())) {
                let (first, second) = (&overlap.first, &overlap.second);
                tracing::info!(%first, %second, detail = %overlap, "Two files hold the same rounds; each counts once.");
            }
        }
        for repeats in &merged.repeats {
            let FileRepeats { file, rounds } = repeats;
            if self.logged.insert((file.clone(), file.clone())) {
                tracing::info!(%file, rounds, "A file holds rounds twice; each counts once.");
            }
        }
        for unresolved in &merged.unresolved {
            let [first, second] = &unresolved.files;
            if self.logged.insert((first.clone(), second.clone())) {
                tracing::warn!(%first, %second, detail = %unresolved, "Rounds may count twice.");
            }
        }
    }

    /// Returns what is to be said of files that overlap, a sentence per pair of files.
    pub(crate) fn overlaps(&self) -> &[String] {
        &self.overlaps
    }

    /// Returns the file of the newest round: the last one by name that holds it and is not a copy. If none holds it at
    /// this time, a file that ends with its multiplier.
    fn file_of(&self, newest: &Round) -> String {
        let same_time = self.rounds.since(newest.time);
        let holds = |file_rows: &FileRows| match file_rows {
            FileRows::Contiguous(range) => {
                let latest = range.start.max(same_time)..range.end;
                self.rounds.range(latest).any(|round| round == *newest)
            }
            FileRows::Separate(rounds) => rounds.contains(newest),
        };
        let ends = |file_rows: &FileRows| {
            let last = file_rows.separate().and_then(<[Round]>::last);
            last.is_some_and(|last| last.multiplier == newest.multiplier)
        };
        let mut files = self.files.iter().rev().filter(|(file, _)| !self.copies.contains(*file));
        files
            .clone()
            .find(|(_, file_rows)| holds(file_rows))
            .or_else(|| files.find(|(_, file_rows)| ends(file_rows)))
            .map(|(file, _)| file.clone())
            .unwrap_or_default()
    }
}

impl FileRows {
    fn is_sorted(&self) -> bool {
        self.separate().is_none_or(|rounds| rounds.is_sorted_by_key(|round| round.time))
    }

    fn separate(&self) -> Option<&[Round]> {
        match self {
            Self::Contiguous(_) => None,
            Self::Separate(rounds) => Some(rounds),
        }
    }

    /// Copies the rounds out of all rounds unless they are separate already.
    fn own(&mut self, all: &CompactRounds) -> &mut Vec<Round> {
        if let Self::Contiguous(range) = self {
            *self = Self::Separate(all.range(range.clone()).collect());
        }
        match self {
            Self::Separate(rounds) => rounds,
            Self::Contiguous(_) => unreachable!("just made separate"),
        }
    }

    /// Replaces the rounds by their range, if all rounds hold them contiguously.
    fn find(&mut self, all: &[Round]) {
        let Self::Separate(rounds) = self else { return };
        let Some(first) = rounds.first() else { return };
        let from = all.partition_point(|round| round.time < first.time);
        let to = all.partition_point(|round| round.time <= first.time);
        if let Some(start) = (from..to).find(|&start| all[start..].starts_with(rounds)) {
            *self = Self::Contiguous(start..start + rounds.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rounds::Multiplier;

    use super::*;

    fn round(second: i64, cents: u64) -> Round {
        let time = DateTime::<Utc>::from_timestamp(second, 0).unwrap();
        Round { time, multiplier: Multiplier::from_cents(cents).unwrap() }
    }

    fn rows(seconds: &[i64]) -> Vec<Round> {
        seconds.iter().map(|&second| round(second, 200 + second.unsigned_abs())).collect()
    }

    fn append(file: &str, seconds: &[i64]) -> (String, FileChange) {
        (file.to_owned(), FileChange::Appended(rows(seconds)))
    }

    #[track_caller]
    fn check(
        series: &mut RoundSeries,
        changes: Vec<(String, FileChange)>,
        expected: SeriesChange,
        seconds: &[i64],
    ) {
        assert_eq!(series.apply(changes), expected);
        assert_eq!(series.rounds().iter().collect::<Vec<_>>(), rows(seconds));
    }

    #[test]
    fn newer_rows_are_added_whichever_file_they_are_in() {
        let mut series = RoundSeries::default();
        check(&mut series, vec![append("a", &[1, 2])], SeriesChange::From(0), &[1, 2]);
        check(&mut series, vec![append("b", &[3])], SeriesChange::From(2), &[1, 2, 3]);
        check(
            &mut series,
            vec![append("b", &[5]), append("a", &[4])],
            SeriesChange::From(3),
            &[1, 2, 3, 4, 5],
        );
        assert_eq!(series.last_file(), Some("b"));
        check(&mut series, vec![], SeriesChange::Unchanged, &[1, 2, 3, 4, 5]);
    }

    #[test]
    fn an_older_file_that_appears_is_sorted_in() {
        let mut series = RoundSeries::default();
        check(&mut series, vec![append("b", &[5, 6])], SeriesChange::From(0), &[5, 6]);
        check(&mut series, vec![append("a", &[1, 2])], SeriesChange::Rebuilt, &[1, 2, 5, 6]);
        assert_eq!(series.last_file(), Some("b"));
    }

    #[test]
    fn a_copied_file_counts_once_while_both_grow() {
        let mut series = RoundSeries::default();
        check(&mut series, vec![append("a", &[1, 2])], SeriesChange::From(0), &[1, 2]);
        check(&mut series, vec![append("copy", &[1, 2])], SeriesChange::Unchanged, &[1, 2]);
        assert_eq!(series.duplicates(), 2);
        check(&mut series, vec![append("a", &[3])], SeriesChange::From(2), &[1, 2, 3]);
        check(&mut series, vec![append("copy", &[3, 4])], SeriesChange::From(3), &[1, 2, 3, 4]);
        assert_eq!(series.duplicates(), 3);
    }

    #[test]
    fn a_round_of_two_files_counts_once_where_the_files_part() {
        let mut series = RoundSeries::default();
        let b = vec![round(1, 201), round(2, 999)];
        let changes = vec![append("a", &[1, 2]), ("b".to_owned(), FileChange::Appended(b))];
        series.apply(changes);
        assert_eq!(series.rounds().len(), 3);
        assert_eq!(series.duplicates(), 1);
    }

    /// Two recorders of one table, the clock of the second one 9 s ahead: whichever reports a round
    /// first, it counts once, and nothing that is derived from earlier rounds is void.
    #[test]
    fn two_recorders_that_write_at_once_add_each_round_once() {
        let cents = |n: i64| 100 + (n.unsigned_abs() + 1).wrapping_mul(0x9e37_79b9) % 7919;
        let a: Vec<Round> = (0..300).map(|n| round(1000 + 20 * n, cents(n))).collect();
        let b: Vec<Round> = (0..300).map(|n| round(1009 + 20 * n, cents(n))).collect();
        let row = |file: &str, row: Round| (file.to_owned(), FileChange::Appended(vec![row]));
        let mut series = RoundSeries::default();
        let start = [("a", &a), ("b", &b)];
        let start =
            start.map(|(file, rows)| (file.to_owned(), FileChange::Appended(rows[..100].to_vec())));
        assert_eq!(series.apply(start.to_vec()), SeriesChange::From(0));
        assert_eq!((series.rounds().len(), series.duplicates()), (100, 100));
        for n in 100..300 {
            let (first, second) = match n % 3 {
                0 => (vec![row("a", a[n])], vec![row("b", b[n])]),
                1 => (vec![row("b", b[n])], vec![row("a", a[n])]),
                _ => (vec![row("a", a[n]), row("b", b[n])], vec![]),
            };
            assert_eq!(series.apply(first), SeriesChange::From(n));
            assert_eq!(series.apply(second), SeriesChange::Unchanged);
            assert_eq!(series.rounds().last().unwrap().multiplier, a[n].multiplier);
        }
        assert_eq!((series.rounds().len(), series.duplicates()), (300, 300));
        // A merge would take the times of the first file; those that were told stay.
        let gone = ("c".to_owned(), FileChange::Removed);
        assert_eq!(series.apply(vec![gone]), SeriesChange::Unchanged);
        assert_eq!((series.rounds().len(), series.duplicates()), (300, 300));
    }

    #[test]
    fn a_replaced_or_removed_file_takes_its_rows_with_it() {
        let mut series = RoundSeries::default();
        series.apply(vec![append("a", &[1, 2]), append("b", &[3])]);
        let replaced = ("a".to_owned(), FileChange::Replaced(rows(&[2])));
        check(&mut series, vec![replaced], SeriesChange::Rebuilt, &[2, 3]);
        check(
            &mut series,
            vec![("b".to_owned(), FileChange::Removed)],
            SeriesChange::Rebuilt,
            &[2],
        );
        check(&mut series, vec![("a".to_owned(), FileChange::Removed)], SeriesChange::Rebuilt, &[]);
        assert_eq!(series.last_file(), None);
    }

    #[test]
    fn the_order_does_not_depend_on_which_file_was_seen_first() {
        let (a, b) = (vec![round(1, 300), round(1, 301)], vec![round(1, 400)]);
        let mut together = RoundSeries::default();
        together.apply(vec![
            ("a".to_owned(), FileChange::Appended(a.clone())),
            ("b".to_owned(), FileChange::Appended(b.clone())),
        ]);
        let mut one_by_one = RoundSeries::default();
        one_by_one.apply(vec![("b".to_owned(), FileChange::Appended(b))]);
        one_by_one.apply(vec![("a".to_owned(), FileChange::Appended(a))]);
        assert!(together.rounds().iter().eq(one_by_one.rounds().iter()));
    }

    #[test]
    fn rounds_of_files_are_stored_once() {
        let mut series = RoundSeries::default();
        series.apply(vec![append("a", &[1, 2]), append("b", &[]), append("copy", &[1, 2])]);
        series.apply(vec![append("b", &[3, 4])]);
        series.apply(vec![append("c", &[5])]);
        let is_separate =
            |series: &RoundSeries, file: &str| series.files[file].separate().is_some();
        assert!(!["a", "b", "c", "copy"].iter().any(|file| is_separate(&series, file)));
        // Not contiguous any more.
        check(&mut series, vec![append("b", &[6])], SeriesChange::From(5), &[1, 2, 3, 4, 5, 6]);
        assert!(is_separate(&series, "b"));
        check(&mut series, vec![append("b", &[7])], SeriesChange::From(6), &[1, 2, 3, 4, 5, 6, 7]);
        let removed = ("c".to_owned(), FileChange::Removed);
        check(&mut series, vec![removed], SeriesChange::Rebuilt, &[1, 2, 3, 4, 6, 7]);
        assert!(!is_separate(&series, "b"));
        // Newest first, unlike all rounds.
        check(
            &mut series,
            vec![append("d", &[9, 8])],
            SeriesChange::From(6),
            &[1, 2, 3, 4, 6, 7, 8, 9],
        );
        assert!(is_separate(&series, "d"));
    }
}
