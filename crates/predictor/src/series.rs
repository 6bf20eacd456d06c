//! Rounds in memory, in order of time, out of every file of a directory.

use std::collections::BTreeMap;

use rounds::Round;

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

/// All rounds, sorted by time; rounds of the same time keep the order of file name and line.
///
/// A file that only repeats the beginning of another one counts once: people copy their files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    files: BTreeMap<String, Vec<Round>>,
    rounds: Vec<Round>,
    last_file: String,
    duplicates: u64,
}

impl Series {
    /// All rounds, oldest first.
    pub(crate) fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// Rows left out because a whole file repeats another.
    pub(crate) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The file of the newest round.
    pub(crate) fn last_file(&self) -> Option<&str> {
        (!self.rounds.is_empty()).then_some(self.last_file.as_str())
    }

    /// Takes in what changed in the directory, at once: a series is rebuilt once, not per file.
    pub(crate) fn apply(&mut self, changes: Vec<(String, FileChange)>) -> Growth {
        let mut added: Vec<(Round, String)> = Vec::new();
        let mut is_append_only = true;
        for (file, change) in changes {
            match change {
                FileChange::Appended(rows) => {
                    added.extend(rows.iter().map(|&round| (round, file.clone())));
                    self.files.entry(file).or_default().extend(rows);
                }
                FileChange::Replaced(rows) => {
                    self.files.insert(file, rows);
                    is_append_only = false;
                }
                FileChange::Removed => {
                    self.files.remove(&file);
                    is_append_only = false;
                }
            }
        }
        let before = self.rounds.len();
        if is_append_only && self.append(added) {
            return if self.rounds.len() > before {
                Growth::From(before)
            } else {
                Growth::Unchanged
            };
        }
        self.merge()
    }

    /// Adds rows that are newer than all others; false when some are not, or may be repeats.
    fn append(&mut self, mut added: Vec<(Round, String)>) -> bool {
        added.sort_by(|(a, in_a), (b, in_b)| a.time.cmp(&b.time).then_with(|| in_a.cmp(in_b)));
        let Some((first, file)) = added.first() else { return true };
        let follows = self.rounds.last().is_none_or(|last| {
            first.time > last.time || (first.time == last.time && *file >= self.last_file)
        });
        if !follows || added.iter().any(|(_, file)| self.has_twin(file)) {
            return false;
        }
        if let Some((_, file)) = added.last() {
            self.last_file.clone_from(file);
        }
        self.rounds.extend(added.into_iter().map(|(round, _)| round));
        true
    }

    /// Whether another file begins as this one does.
    fn has_twin(&self, file: &str) -> bool {
        let first = self.files.get(file).and_then(|rows| rows.first());
        let others = self.files.iter().filter(|(other, _)| *other != file);
        first.is_some() && others.map(|(_, rows)| rows.first()).any(|other| other == first)
    }

    /// Puts all files together from the start.
    fn merge(&mut self) -> Growth {
        let (merged, last_file) = {
            let (repeats, kept): (Vec<_>, Vec<_>) =
                self.files.iter().partition(|(name, rows)| self.is_repeat(name, rows));
            self.duplicates = repeats.iter().map(|(_, rows)| rows.len() as u64).sum();
            let mut merged: Vec<(Round, &String)> = kept
                .into_iter()
                .flat_map(|(name, rows)| rows.iter().map(move |&round| (round, name)))
                .collect();
            merged.sort_by_key(|(round, _)| round.time);
            let last_file = merged.last().map(|(_, name)| (*name).clone()).unwrap_or_default();
            (merged.into_iter().map(|(round, _)| round).collect::<Vec<_>>(), last_file)
        };
        let before = std::mem::replace(&mut self.rounds, merged);
        self.last_file = last_file;
        match self.rounds.strip_prefix(before.as_slice()) {
            None => Growth::Rebuilt,
            Some([]) => Growth::Unchanged,
            Some(_) => Growth::From(before.len()),
        }
    }

    /// Whether every row of the file stands at the beginning of another one. Of two equal files
    /// the first by name is kept.
    fn is_repeat(&self, name: &str, rows: &[Round]) -> bool {
        !rows.is_empty()
            && self.files.iter().any(|(other, longer)| {
                other != name
                    && longer.starts_with(rows)
                    && (longer.len() > rows.len() || other.as_str() < name)
            })
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
