//! Finds the point from which recording resumes in the files of a directory.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use rounds::scan::{ChangeKind, Directory};
use rounds::{
    EventKind, EventLine, LastRoundsError, ReadSettings, Round, read_events, read_regular,
};
use serde::Deserialize as _;

use crate::dedup::{ResumePoint, WINDOW};
use crate::observation::HistoryEntry;
use crate::output::status::STATUS_FILE;

/// Largest size of a status file.
const STATUS_BYTES_MAX: u64 = 1 << 20;

/// Returns the newest rows of a directory, from the last discontinuity on. Earlier rows precede a
/// gap or belong to another table, so no list can continue them.
///
/// # Errors
///
/// The directory or one of its files cannot be read.
pub fn read(dir: &Path, settings: ReadSettings) -> Result<ResumePoint, LastRoundsError> {
    let mut files = BTreeMap::new();
    for change in Directory::with_settings(dir, settings).scan()? {
        if change.kind == ChangeKind::Unreadable {
            let error = change.error.unwrap_or_default();
            return Err(LastRoundsError::File { file: change.file, error });
        }
        files.insert(change.file, change.rounds);
    }
    let mut rows: Vec<LocatedRow<'_>> = files
        .iter()
        .flat_map(|(file, rounds)| {
            rounds.iter().enumerate().map(|(row, &round)| LocatedRow {
                round,
                file,
                number: row + 1,
            })
        })
        .collect();
    // The sort is stable: rounds with equal times keep the order of their file.
    rows.sort_by_key(|row| row.round.time);
    // If the clock was ahead and was then corrected, older rows have the newest times; the last run's file decides.
    let last = last_file(dir).filter(|last| {
        let is_newest = rows.last().is_some_and(|row| row.file == last);
        !is_newest && rows.iter().any(|row| row.file == last)
    });
    let mut names: Vec<&str> = files.keys().map(String::as_str).collect();
    if let Some(last) = last {
        rows.retain(|row| row.file == last);
        rows.sort_by_key(|row| row.number);
        names.retain(|name| *name == last);
    }
    let newest = rows.last().map(|row| row.round.time);
    let tail = &rows[rows.len().saturating_sub(WINDOW)..];
    let mut event_files = EventFiles::new(dir);
    let (count, start) = continuous_tail(&mut event_files, tail, &names);
    let start = start.filter(|start| !start.list.is_empty()).unwrap_or_default();
    Ok(ResumePoint {
        rounds: tail[tail.len() - count..].iter().map(|row| row.round).collect(),
        newest,
        base_list: start.list,
        base_time: start.at,
    })
}

/// Returns the CSV file of the last run, as its status file names it.
fn last_file(dir: &Path) -> Option<String> {
    let text = read_regular(&dir.join(STATUS_FILE), STATUS_BYTES_MAX).ok()?;
    let status: serde_json::Value = serde_json::from_slice(&text).ok()?;
    status["file"].as_str().map(str::to_owned)
}

/// A row and its position.
#[derive(Clone, Copy)]
struct LocatedRow<'a> {
    round: Round,
    file: &'a str,
    /// Its number in the file, counted from 1.
    number: usize,
}

/// A place at which rows do not continue the older ones: a gap, reset or weak join, or a start from
/// a list.
#[derive(Clone, Debug, Default)]
struct Discontinuity {
    /// Number of the row before it; 0 if it is before the first row.
    after: usize,
    /// The list that recording continued from, newest first.
    list: Vec<HistoryEntry>,
    at: Option<DateTime<Utc>>,
}

/// The parts of an event file that matter for resuming.
#[derive(Debug, Default)]
struct EventFileSummary {
    discontinuities: Vec<Discontinuity>,
}

/// The event files of a directory, each read once. A missing or unreadable one counts as empty: the deduplicator works
/// without it.
struct EventFiles<'a> {
    dir: &'a Path,
    read: BTreeMap<String, EventFileSummary>,
}

impl<'a> EventFiles<'a> {
    fn new(dir: &'a Path) -> Self {
        Self { dir, read: BTreeMap::new() }
    }

    fn of(&mut self, csv: &str) -> &EventFileSummary {
        self.read
            .entry(csv.to_owned())
            .or_insert_with(|| summary(&read_events(&self.dir.join(csv)).unwrap_or_default()))
    }

    /// Returns the last discontinuity of a file, or the last one directly after the row `after`.
    fn discontinuity(&mut self, csv: &str, after: Option<usize>) -> Option<Discontinuity> {
        let matches = |found: &&Discontinuity| after.is_none_or(|row| found.after == row);
        self.of(csv).discontinuities.iter().rev().find(matches).cloned()
    }
}

/// Returns how many of the newest rows of `tail` follow one another without a discontinuity, and the discontinuity before
/// them.
fn continuous_tail(
    event_files: &mut EventFiles<'_>,
    tail: &[LocatedRow<'_>],
    files: &[&str],
) -> (usize, Option<Discontinuity>) {
    // Look first at later runs, which wrote no rows.
    let newest = tail.last().map(|row| row.file);
    for file in files.iter().rev().take_while(|file| newest.is_none_or(|newest| **file > newest)) {
        if let Some(found) = event_files.discontinuity(file, None) {
            return (0, Some(found));
        }
    }
    for (count, row) in tail.iter().rev().enumerate() {
        if let Some(found) = event_files.discontinuity(row.file, Some(row.number)) {
            return (count, Some(found));
        }
        let first =
            (row.number == 1).then(|| event_files.discontinuity(row.file, Some(0))).flatten();
        if first.is_some() {
            return (count + 1, first);
        }
    }
    (tail.len(), None)
}

fn summary(lines: &[EventLine]) -> EventFileSummary {
    let mut summary = EventFileSummary::default();
    let mut after = 0;
    for line in lines {
        let list = list(line);
        let is_start = line.event.kind == EventKind::Start && !list.is_empty();
        if line.event.kind.is_discontinuity() || is_start {
            let at = DateTime::from_timestamp_millis(line.unix_ms);
            summary.discontinuities.push(Discontinuity { after, list, at });
        }
        if let Some(number) = line.row.filter(|_| line.file.is_none()) {
            after = usize::try_from(number).unwrap_or(usize::MAX);
        }
    }
    summary
}

/// Returns the list in the detail of an event; empty if there is none.
fn list(line: &EventLine) -> Vec<HistoryEntry> {
    let list = line.event.detail.as_ref().and_then(|detail| detail.get("list"));
    list.and_then(|list| Vec::deserialize(list).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rounds::{Event, Multiplier, Origin, RoundLog};

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap()
    }

    /// Writes a round if `word` is a number, else the event of that name.
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

    /// Writes runs of rounds and events, one file each, and checks the rounds to resume from.
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
        let resume_point = read(dir.path(), ReadSettings::default()).unwrap();
        let cents: Vec<u64> =
            resume_point.rounds.iter().map(|round| round.multiplier.cents()).collect();
        assert_eq!(cents, expected, "{runs:?}");
        let has_rounds = runs.iter().any(|run| run.contains('1'));
        assert_eq!(resume_point.newest.is_some(), has_rounds);
    }

    #[test]
    fn rows_of_several_runs_follow_one_another() {
        check(&["101 102", "103"], &[101, 102, 103]);
        check(&["101", "", "102 reconnect 103", ""], &[101, 102, 103]);
        check(&[""], &[]);
    }

    #[test]
    fn only_rows_after_the_last_discontinuity_count() {
        check(&["101 gap 102 103"], &[102, 103]);
        check(&["101 gap 102 weak 103"], &[103]);
        check(&["101 102", "reset 103", "104"], &[103, 104]);
        check(&["101 reset", "102"], &[102]);
    }

    #[test]
    fn a_discontinuity_after_all_rows_leaves_none() {
        check(&["101 102 reset"], &[]);
        check(&["101 102", "reset"], &[]);
    }

    #[test]
    fn the_list_that_recording_continued_from_precedes_the_rows() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, at(0)).unwrap();
        write(&mut log, "101", at(1));
        write(&mut log, "reset", at(2));
        let detail = Some(serde_json::json!({ "list": [2.02, 2.01] }));
        log.note(at(3), &Event { detail, ..Event::new(EventKind::Start, "browser") }).unwrap();
        let list =
            [202, 201].map(|cents| HistoryEntry::Round(Multiplier::from_cents(cents).unwrap()));
        let resume_point = read(dir.path(), ReadSettings::default()).unwrap();
        assert_eq!(
            (resume_point.rounds, resume_point.base_list, resume_point.base_time),
            (vec![], list.to_vec(), Some(at(3)))
        );
        write(&mut log, "203", at(4));
        drop(log);
        // A run without observations changes nothing.
        RoundLog::open(dir.path(), Origin::Recorded, at(5)).unwrap();
        let resume_point = read(dir.path(), ReadSettings::default()).unwrap();
        assert_eq!((resume_point.rounds.len(), resume_point.base_list), (1, list.to_vec()));
    }

    #[track_caller]
    fn check_clock(first: i64, second: i64) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, at(first)).unwrap();
        write(&mut log, "101", at(first + 10));
        write(&mut log, "102", at(first + 20));
        drop(log);
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, at(second)).unwrap();
        write(&mut log, "201", at(second + 10));
        write(&mut log, "202", at(second + 20));
        let name = log.path().file_name().unwrap().to_string_lossy().into_owned();
        fs::write(dir.path().join(STATUS_FILE), format!("{{\"file\":\"{name}\"}}")).unwrap();
        let resume_point = read(dir.path(), ReadSettings::default()).unwrap();
        let newest: Vec<u64> = resume_point
            .rounds
            .iter()
            .rev()
            .take(2)
            .map(|round| round.multiplier.cents())
            .collect();
        assert_eq!(newest, [202, 201]);
        assert_eq!(resume_point.newest, Some(at(second + 20)));
    }

    #[test]
    fn the_last_run_is_the_newest_even_if_the_clock_was_set_back_before_it() {
        check_clock(0, 3600);
        check_clock(3600, 0);
        check_clock(365 * 86_400, 0);
    }

    #[test]
    fn no_more_rows_are_returned_than_the_window_holds() {
        let run: Vec<String> = (0..100).map(|index| (100 + index).to_string()).collect();
        let expected: Vec<u64> = (136..200).collect();
        check(&[&run.join(" ")], &expected);
    }

    #[test]
    fn csv_files_without_event_files_are_read_too() {
        let dir = tempfile::tempdir().unwrap();
        let text = "timestamp,multiplier\n2026-01-01T00:00:01Z,1.01\n2026-01-01T00:00:02Z,1.02\n";
        fs::write(dir.path().join("aviator_payouts_20260101_000000.csv"), text).unwrap();
        assert_eq!(read(dir.path(), ReadSettings::default()).unwrap().rounds.len(), 2);
    }
}
