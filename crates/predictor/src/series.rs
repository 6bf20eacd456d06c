//! Rounds in memory, in order of time, out of every file of a directory.

use std::collections::BTreeMap;

use rounds::{FileRounds, Round};

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
pub(crate) enum Growth {
    /// The same rounds as before.
    Unchanged,
    /// The rounds from this index on are new; those before are as they were.
    From(usize),
    /// Rounds changed, vanished or came in between: everything derived from them is void.
    Rebuilt,
}

/// All rounds in the order [`rounds::merge`] gives them, kept up to date.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    files: BTreeMap<String, Vec<Round>>,
    rounds: Vec<Round>,
    last_file: String,
    copies: BTreeMap<String, u64>,
}

impl Series {
    /// All rounds, oldest first.
    pub(crate) fn rounds(&self) -> &[Round] {
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
    pub(crate) fn apply(&mut self, changes: Vec<(String, FileChange)>) -> Growth {
        let before = self.rounds.len();
        let mut changes = changes.into_iter();
        match (changes.next(), changes.len()) {
            (None, _) => Growth::Unchanged,
            (Some((file, FileChange::Appended(rows))), 0) if self.follows(&file, &rows) => {
                self.rounds.extend_from_slice(&rows);
                self.last_file.clone_from(&file);
                self.files.entry(file).or_default().extend(rows);
                Growth::From(before)
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
            && self.files.get(file).is_none_or(|rows| rows.is_sorted_by_key(|round| round.time))
    }

    fn change(&mut self, file: String, change: FileChange) {
        match change {
            FileChange::Appended(rows) => self.files.entry(file).or_default().extend(rows),
            FileChange::Replaced(rows) => drop(self.files.insert(file, rows)),
            FileChange::Removed => drop(self.files.remove(&file)),
        }
    }

    /// Puts all files together from the start.
    fn merge(&mut self) -> Growth {
        let files: Vec<FileRounds<'_>> =
            self.files.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        let merged = rounds::merge(&files);
        self.copies = merged.copies.into_iter().map(|copy| (copy.file, copy.rounds)).collect();
        self.last_file = self.file_of(merged.rounds.last());
        let before = std::mem::replace(&mut self.rounds, merged.rounds);
        match self.rounds.strip_prefix(before.as_slice()) {
            None => Growth::Rebuilt,
            Some([]) => Growth::Unchanged,
            Some(_) => Growth::From(before.len()),
        }
    }

    /// The last file, by name, that is no copy and holds the round.
    fn file_of(&self, round: Option<&Round>) -> String {
        let Some(round) = round else { return String::new() };
        let mut files =
            self.files.iter().rev().filter(|(file, _)| !self.copies.contains_key(*file));
        let holder = files.find(|(_, rows)| rows.iter().rev().any(|row| row == round));
        holder.map(|(file, _)| file.clone()).unwrap_or_default()
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
        series: &mut Series,
        change: Vec<(String, FileChange)>,
        growth: Growth,
        seconds: &[i64],
    ) {
        assert_eq!(series.apply(change), growth);
        assert_eq!(series.rounds(), rows(seconds));
    }

    #[test]
    fn newer_rows_are_added_whichever_file_they_are_in() {
        let mut series = Series::default();
        check(&mut series, vec![append("a", &[1, 2])], Growth::From(0), &[1, 2]);
        check(&mut series, vec![append("b", &[3])], Growth::From(2), &[1, 2, 3]);
        check(
            &mut series,
            vec![append("b", &[5]), append("a", &[4])],
            Growth::From(3),
            &[1, 2, 3, 4, 5],
        );
        assert_eq!(series.last_file(), Some("b"));
        check(&mut series, vec![], Growth::Unchanged, &[1, 2, 3, 4, 5]);
    }

    #[test]
    fn an_older_file_that_appears_is_sorted_in() {
        let mut series = Series::default();
        check(&mut series, vec![append("b", &[5, 6])], Growth::From(0), &[5, 6]);
        check(&mut series, vec![append("a", &[1, 2])], Growth::Rebuilt, &[1, 2, 5, 6]);
        assert_eq!(series.last_file(), Some("b"));
    }

    #[test]
    fn a_copied_file_counts_once_while_both_grow() {
        let mut series = Series::default();
        check(&mut series, vec![append("a", &[1, 2])], Growth::From(0), &[1, 2]);
        check(&mut series, vec![append("copy", &[1, 2])], Growth::Unchanged, &[1, 2]);
        assert_eq!(series.duplicates(), 2);
        check(&mut series, vec![append("a", &[3])], Growth::From(2), &[1, 2, 3]);
        check(&mut series, vec![append("copy", &[3, 4])], Growth::From(3), &[1, 2, 3, 4]);
        assert_eq!(series.duplicates(), 3);
    }

    #[test]
    fn a_file_that_only_begins_like_another_is_kept_whole() {
        let mut series = Series::default();
        let b = vec![round(1, 201), round(2, 999)];
        let changes = vec![append("a", &[1, 2]), ("b".to_owned(), FileChange::Appended(b))];
        series.apply(changes);
        assert_eq!(series.rounds().len(), 4);
        assert_eq!(series.duplicates(), 0);
    }

    #[test]
    fn a_replaced_or_removed_file_takes_its_rows_with_it() {
        let mut series = Series::default();
        series.apply(vec![append("a", &[1, 2]), append("b", &[3])]);
        let replaced = ("a".to_owned(), FileChange::Replaced(rows(&[2])));
        check(&mut series, vec![replaced], Growth::Rebuilt, &[2, 3]);
        check(&mut series, vec![("b".to_owned(), FileChange::Removed)], Growth::Rebuilt, &[2]);
        check(&mut series, vec![("a".to_owned(), FileChange::Removed)], Growth::Rebuilt, &[]);
        assert_eq!(series.last_file(), None);
    }

    #[test]
    fn the_order_does_not_depend_on_which_file_was_seen_first() {
        let (a, b) = (vec![round(1, 300), round(1, 301)], vec![round(1, 400)]);
        let mut together = Series::default();
        together.apply(vec![
            ("a".to_owned(), FileChange::Appended(a.clone())),
            ("b".to_owned(), FileChange::Appended(b.clone())),
        ]);
        let mut one_by_one = Series::default();
        one_by_one.apply(vec![("b".to_owned(), FileChange::Appended(b))]);
        one_by_one.apply(vec![("a".to_owned(), FileChange::Appended(a))]);
        assert_eq!(together.rounds(), one_by_one.rounds());
    }
}
