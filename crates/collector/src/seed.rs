//! Where the files of a directory end, for a ledger that goes on from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rounds::scan::{ChangeKind, Directory};
use rounds::{EventKind, EventLine, LastRoundsError, Round};

use crate::ledger::{Seed, WINDOW};

/// The newest rows of a directory, from the last mark on: rows before a gap or of another table do not continue in a list.
///
/// # Errors
///
/// The directory or one of its files cannot be read.
pub fn read(dir: &Path) -> Result<Seed, LastRoundsError> {
    let mut files = BTreeMap::new();
    for change in Directory::new(dir).scan()? {
        if change.kind == ChangeKind::Unreadable {
            let error = change.error.unwrap_or_default();
            return Err(LastRoundsError::File { file: change.file, error });
        }
        files.insert(change.file, change.rounds);
    }
    let mut rows: Vec<(Round, &str, usize)> = files
        .iter()
        .flat_map(|(file, rounds)| {
            rounds.iter().enumerate().map(|(row, round)| (*round, file.as_str(), row + 1))
        })
        .collect();
    // Stable: rounds of one time stay in the order of their file.
    rows.sort_by_key(|(round, ..)| round.time);
    let newest = rows.last().map(|(round, ..)| round.time);
    let tail = &rows[rows.len().saturating_sub(WINDOW)..];
    let begin = tail.len() - stretch(dir, tail, files.keys().next_back());
    Ok(Seed { rounds: tail[begin..].iter().map(|(round, ..)| *round).collect(), newest })
}

/// How many of the newest rows of `tail` follow one another without a mark.
fn stretch(dir: &Path, tail: &[(Round, &str, usize)], last_file: Option<&String>) -> usize {
    let mut marks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for file in tail.iter().map(|(_, file, _)| *file).chain(last_file.map(String::as_str)) {
        marks.entry(file).or_insert_with(|| marked_after(&dir.join(file)));
    }
    // A run that ended, or has only begun, with a mark.
    let newest = tail.last().map(|(_, file, _)| *file);
    let is_after_all = last_file.is_some_and(|last| Some(last.as_str()) != newest);
    if is_after_all && last_file.is_some_and(|last| !marks[last.as_str()].is_empty()) {
        return 0;
    }
    let is_followed = |&(_, file, row): &(Round, &str, usize)| marks[file].contains(&row);
    let is_preceded = |&(_, file, row): &(Round, &str, usize)| row == 1 && marks[file].contains(&0);
    let mut count = 0;
    for row in tail.iter().rev() {
        if is_followed(row) {
            break;
        }
        count += 1;
        if is_preceded(row) {
            break;
        }
    }
    count
}

/// The rows of a file after which its side file has a mark; 0 is before the first. A side file that is missing or damaged has
/// none: the ledger can do without.
fn marked_after(csv: &Path) -> Vec<usize> {
    let text = fs::read(csv.with_extension("events.jsonl")).unwrap_or_default();
    let mut marks = Vec::new();
    let mut row = 0;
    for line in text.split(|&byte| byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<EventLine>(line) else { continue };
        let is_mark =
            matches!(line.event.kind, EventKind::Gap | EventKind::Weak | EventKind::Reset);
        if is_mark {
            marks.push(row);
        }
        if let Some(number) = line.row.filter(|_| line.file.is_none()) {
            row = usize::try_from(number).unwrap_or(usize::MAX);
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rounds::{Event, Multiplier, Origin, RoundLog};

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap()
    }

    /// A round if it is a number, else a mark.
    fn write(log: &mut RoundLog, word: &str, time: DateTime<Utc>) {
        let event = |kind| Event::new(kind, "browser");
        let kind = match word {
            "gap" => EventKind::Gap,
            "weak" => EventKind::Weak,
            "reset" => EventKind::Reset,
            "reconnect" => EventKind::Reconnect,
            cents => {
                let multiplier = Multiplier::from_cents(cents.parse().unwrap()).unwrap();
                return log.append(&Round { time, multiplier }, &event(EventKind::Live)).unwrap();
            }
        };
        log.note(time, &event(kind)).unwrap();
    }

    /// Runs of rounds and marks, one file each; what a new ledger is given of them.
    #[track_caller]
    fn check(runs: &[&str], expected: &[u64]) {
        let dir = tempfile::tempdir().unwrap();
        let mut second = 0;
        for run in runs {
            let mut log = RoundLog::open(dir.path(), Origin::Recorded, at(second)).unwrap();
            for word in run.split_whitespace() {
                second += 1;
                write(&mut log, word, at(second));
            }
        }
        let seed = read(dir.path()).unwrap();
        let cents: Vec<u64> = seed.rounds.iter().map(|round| round.multiplier.cents()).collect();
        assert_eq!(cents, expected, "{runs:?}");
        let has_rounds = runs.iter().any(|run| run.contains('1'));
        assert_eq!(seed.newest.is_some(), has_rounds);
    }

    #[test]
    fn rows_of_several_runs_follow_one_another() {
        check(&["101 102", "103"], &[101, 102, 103]);
        check(&["101", "", "102 reconnect 103", ""], &[101, 102, 103]);
        check(&[""], &[]);
    }

    #[test]
    fn only_rows_after_the_last_mark_count() {
        check(&["101 gap 102 103"], &[102, 103]);
        check(&["101 gap 102 weak 103"], &[103]);
        check(&["101 102", "reset 103", "104"], &[103, 104]);
        check(&["101 reset", "102"], &[102]);
    }

    #[test]
    fn a_mark_after_all_rows_leaves_none() {
        check(&["101 102 reset"], &[]);
        check(&["101 102", "reset"], &[]);
    }

    #[test]
    fn no_more_rows_are_read_than_are_kept() {
        let run: Vec<String> = (0..100).map(|index| (100 + index).to_string()).collect();
        let expected: Vec<u64> = (136..200).collect();
        check(&[&run.join(" ")], &expected);
    }

    #[test]
    fn files_without_side_files_are_read_too() {
        let dir = tempfile::tempdir().unwrap();
        let text = "timestamp,multiplier\n2026-01-01T00:00:01Z,1.01\n2026-01-01T00:00:02Z,1.02\n";
        fs::write(dir.path().join("aviator_payouts_20260101_000000.csv"), text).unwrap();
        assert_eq!(read(dir.path()).unwrap().rounds.len(), 2);
    }
}
