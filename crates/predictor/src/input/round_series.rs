//! All rounds of a directory in memory, in order of time.

use std::collections::BTreeMap;
use std::ops::Range;

use rounds::{FileRounds, Round};

use crate::input::compact_rounds::CompactRounds;

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
    copies: BTreeMap<String, u64>,
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

    /// Returns the number of rows left out because a whole file repeats another.
    pub(crate) fn duplicates(&self) -> u64 {
        self.copies.values().sum()
    }

    /// Returns the file of the newest round.
    pub(crate) fn last_file(&self) -> Option<&str> {
        (!self.rounds.is_empty()).then_some(self.last_file.as_str())
    }

    /// Applies the changes of a scan together, so that the series is rebuilt once and not per file.
    pub(crate) fn apply(&mut self, changes: Vec<(String, FileChange)>) -> SeriesChange {
        let before = self.rounds.len();
        let mut changes = changes.into_iter();
        match (changes.next(), changes.len()) {
            (None, _) => SeriesChange::Unchanged,
            (Some((file, FileChange::Appended(rows))), 0) if self.follows(&file, &rows) => {
                self.last_file.clone_from(&file);
                self.follow(file, rows);
                SeriesChange::From(before)
            }
            (Some(first), _) => {
                for (file, change) in std::iter::once(first).chain(changes) {
                    self.change(file, change);
                }
                self.merge()
            }
        }
    }

    /// Returns whether rows appended to a file follow all other rounds, as those of a running collector
    /// do. They are newer than all others, so the file cannot be a copy either.
    fn follows(&self, file: &str, rows: &[Round]) -> bool {
        let (Some(first), Some(last)) = (rows.first(), self.rounds.last()) else { return false };
        let is_newer =
            first.time > last.time || (first.time == last.time && file == self.last_file);
        is_newer
            && !self.copies.contains_key(file)
            && rows.is_sorted_by_key(|round| round.time)
            && self.files.get(file).is_none_or(FileRows::is_sorted)
    }

    /// Appends rows of a file to all rounds.
    fn follow(&mut self, file: String, rows: Vec<Round>) {
        let end = self.rounds.len();
        self.rounds.extend(rows.iter().copied());
        let file_rows = self.files.entry(file).or_insert(FileRows::Separate(Vec::new()));
        match file_rows {
            FileRows::Contiguous(range) if range.end == end => range.end = self.rounds.len(),
            FileRows::Separate(own) if own.is_empty() => {
                *file_rows = FileRows::Contiguous(end..self.rounds.len());
            }
            // Rounds of another file lie between.
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
        let merged = rounds::merge(&files);
        let change = self.replace(&merged.rounds);
        self.copies = merged.copies.into_iter().map(|copy| (copy.file, copy.rounds)).collect();
        for file_rows in self.files.values_mut() {
            file_rows.find(&merged.rounds);
        }
        self.last_file = merged.rounds.last().map(|last| self.file_of(last)).unwrap_or_default();
        change
    }

    fn replace(&mut self, merged: &[Round]) -> SeriesChange {
        let before = self.rounds.len();
        match merged.get(before..) {
            Some(new) if self.rounds.iter().eq(merged[..before].iter().copied()) => {
                self.rounds.extend(new.iter().copied());
                if new.is_empty() { SeriesChange::Unchanged } else { SeriesChange::From(before) }
            }
            _ => {
                self.rounds = merged.iter().copied().collect();
                SeriesChange::Rebuilt
            }
        }
    }

    /// Returns the last file, by name, that is not a copy and holds the newest round.
    fn file_of(&self, newest: &Round) -> String {
        let same_time = self.rounds.since(newest.time);
        let holds = |file_rows: &FileRows| match file_rows {
            FileRows::Contiguous(range) => {
                let latest = range.start.max(same_time)..range.end;
                self.rounds.range(latest).any(|round| round == *newest)
            }
            FileRows::Separate(rounds) => rounds.contains(newest),
        };
        let mut files =
            self.files.iter().rev().filter(|(file, _)| !self.copies.contains_key(*file));
        files
            .find(|(_, file_rows)| holds(file_rows))
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
    fn a_file_that_only_begins_like_another_is_kept_whole() {
        let mut series = RoundSeries::default();
        let b = vec![round(1, 201), round(2, 999)];
        let changes = vec![append("a", &[1, 2]), ("b".to_owned(), FileChange::Appended(b))];
        series.apply(changes);
        assert_eq!(series.rounds().len(), 4);
        assert_eq!(series.duplicates(), 0);
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
