//! All rounds of a directory in memory, in order of time.

use std::collections::BTreeMap;
use std::ops::Range;

use rounds::{FileRounds, Round};

use crate::input::compact_rounds::CompactRounds;

/// What one file of the directory now holds, or how it changed.
#[derive(Debug, Clone)]
pub(crate) enum FileChange {
    /// Rows were added at its end (or the file is new).
    Appended(Vec<Round>),
    /// It is another file now, with these rows.
    Replaced(Vec<Round>),
    /// It is gone.
    Removed,
}

/// What a change of files did to the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesChange {
    /// The same rounds as before.
    Unchanged,
    /// The rounds from this index on are new; those before are as they were.
    From(usize),
    /// Rounds changed, vanished or came in between: everything derived from them is void.
    Rebuilt,
}

/// All rounds in the order [`rounds::merge`] gives them, kept up to date.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundSeries {
    files: BTreeMap<String, Held>,
    rounds: CompactRounds,
    last_file: String,
    copies: BTreeMap<String, u64>,
}

/// The rounds of a file, in the order of its rows.
#[derive(Debug, Clone)]
enum Held {
    /// They stand together, in this order, among all rounds: nearly always so.
    Among(Range<usize>),
    /// They do not.
    Apart(Vec<Round>),
}

impl RoundSeries {
    /// All rounds, oldest first.
    pub(crate) fn rounds(&self) -> &CompactRounds {
        &self.rounds
    }

    /// Rows left out because a whole file repeats another.
    pub(crate) fn duplicates(&self) -> u64 {
        self.copies.values().sum()
    }

    /// The file of the newest round.
    pub(crate) fn last_file(&self) -> Option<&str> {
        (!self.rounds.is_empty()).then_some(self.last_file.as_str())
    }

    /// Takes in what changed in the directory, at once: a series is rebuilt once, not per file.
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

    /// Whether rows at the end of this file are rows at the end of everything: what a running
    /// collector writes. They are newer than all others, so the file can be no copy either.
    fn follows(&self, file: &str, rows: &[Round]) -> bool {
        let (Some(first), Some(last)) = (rows.first(), self.rounds.last()) else { return false };
        let is_newer =
            first.time > last.time || (first.time == last.time && file == self.last_file);
        is_newer
            && !self.copies.contains_key(file)
            && rows.is_sorted_by_key(|round| round.time)
            && self.files.get(file).is_none_or(Held::is_sorted)
    }

    /// Adds rows of a file at the end of everything.
    fn follow(&mut self, file: String, rows: Vec<Round>) {
        let end = self.rounds.len();
        self.rounds.extend(rows.iter().copied());
        let held = self.files.entry(file).or_insert(Held::Apart(Vec::new()));
        match held {
            Held::Among(range) if range.end == end => range.end = self.rounds.len(),
            Held::Apart(own) if own.is_empty() => *held = Held::Among(end..self.rounds.len()),
            // Rounds of another file came in between.
            _ => held.own(&self.rounds).extend(rows),
        }
    }

    fn change(&mut self, file: String, change: FileChange) {
        match change {
            FileChange::Appended(rows) => {
                let held = self.files.entry(file).or_insert(Held::Apart(Vec::new()));
                held.own(&self.rounds).extend(rows);
            }
            FileChange::Replaced(rows) => drop(self.files.insert(file, Held::Apart(rows))),
            FileChange::Removed => drop(self.files.remove(&file)),
        }
    }

    /// Puts all files together from the start.
    fn merge(&mut self) -> SeriesChange {
        for held in self.files.values_mut() {
            held.own(&self.rounds);
        }
        let files: Vec<FileRounds<'_>> = self
            .files
            .iter()
            .filter_map(|(file, held)| Some(FileRounds { file, rounds: held.apart()? }))
            .collect();
        let merged = rounds::merge(&files);
        let growth = self.replace(&merged.rounds);
        self.copies = merged.copies.into_iter().map(|copy| (copy.file, copy.rounds)).collect();
        for held in self.files.values_mut() {
            held.find(&merged.rounds);
        }
        self.last_file = merged.rounds.last().map(|last| self.file_of(last)).unwrap_or_default();
        growth
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

    /// The last file, by name, that is no copy and holds the newest round.
    fn file_of(&self, newest: &Round) -> String {
        let same_time = self.rounds.since(newest.time);
        let holds = |held: &Held| match held {
            Held::Among(range) => {
                let latest = range.start.max(same_time)..range.end;
                self.rounds.range(latest).any(|round| round == *newest)
            }
            Held::Apart(rounds) => rounds.contains(newest),
        };
        let mut files =
            self.files.iter().rev().filter(|(file, _)| !self.copies.contains_key(*file));
        files.find(|(_, held)| holds(held)).map(|(file, _)| file.clone()).unwrap_or_default()
    }
}

impl Held {
    fn is_sorted(&self) -> bool {
        self.apart().is_none_or(|rounds| rounds.is_sorted_by_key(|round| round.time))
    }

    fn apart(&self) -> Option<&[Round]> {
        match self {
            Self::Among(_) => None,
            Self::Apart(rounds) => Some(rounds),
        }
    }

    /// Takes the rounds out of all rounds, if they are only there.
    fn own(&mut self, all: &CompactRounds) -> &mut Vec<Round> {
        if let Self::Among(range) = self {
            *self = Self::Apart(all.range(range.clone()).collect());
        }
        match self {
            Self::Apart(rounds) => rounds,
            Self::Among(_) => unreachable!("taken out just now"),
        }
    }

    /// Keeps only the place, where the rounds stand together among all rounds.
    fn find(&mut self, all: &[Round]) {
        let Self::Apart(rounds) = self else { return };
        let Some(first) = rounds.first() else { return };
        let from = all.partition_point(|round| round.time < first.time);
        let to = all.partition_point(|round| round.time <= first.time);
        if let Some(start) = (from..to).find(|&start| all[start..].starts_with(rounds)) {
            *self = Self::Among(start..start + rounds.len());
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
        change: Vec<(String, FileChange)>,
        growth: SeriesChange,
        seconds: &[i64],
    ) {
        assert_eq!(series.apply(change), growth);
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
    fn rounds_of_files_are_kept_once() {
        let mut series = RoundSeries::default();
        series.apply(vec![append("a", &[1, 2]), append("b", &[]), append("copy", &[1, 2])]);
        series.apply(vec![append("b", &[3, 4])]);
        series.apply(vec![append("c", &[5])]);
        let is_apart = |series: &RoundSeries, file: &str| series.files[file].apart().is_some();
        assert!(!["a", "b", "c", "copy"].iter().any(|file| is_apart(&series, file)));
        // Not in one piece any more.
        check(&mut series, vec![append("b", &[6])], SeriesChange::From(5), &[1, 2, 3, 4, 5, 6]);
        assert!(is_apart(&series, "b"));
        check(&mut series, vec![append("b", &[7])], SeriesChange::From(6), &[1, 2, 3, 4, 5, 6, 7]);
        let removed = ("c".to_owned(), FileChange::Removed);
        check(&mut series, vec![removed], SeriesChange::Rebuilt, &[1, 2, 3, 4, 6, 7]);
        assert!(!is_apart(&series, "b"));
        // Newest first: not in the order of its rows.
        check(
            &mut series,
            vec![append("d", &[9, 8])],
            SeriesChange::From(6),
            &[1, 2, 3, 4, 6, 7, 8, 9],
        );
        assert!(is_apart(&series, "d"));
    }
}
