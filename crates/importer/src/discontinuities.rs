//! Where the merged rounds of several recordings are not known to follow each other without a gap.
//!
//! A recorder notes in its event file where rounds may be missing. Where another recording holds the rounds on both sides
//! and notes nothing between them, none are missing; otherwise the note stands in the merged recording as well.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rounds::{Event, EventKind, EventLine, EventReader, Merged, Round};

/// A recorder's note that stands between two rounds of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Discontinuity {
    /// Index of the round after it.
    pub before: usize,
    /// The note.
    pub event: Event,
}

/// A round of a file is found in the series within this time of its own, once its clock is corrected.
const REACH: TimeDelta = TimeDelta::seconds(60);

/// The rounds of a recorder's file and what it noted beside them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted<'a> {
    pub(crate) file: &'a str,
    pub(crate) rounds: &'a [Round],
    pub(crate) events: &'a [EventLine],
}

/// Rounds of the series that one recording holds without a gap, by the indices of the first and the last one.
type Stretch = (usize, usize);

/// Reads what a recorder noted beside a file, and the rows that say where its notes stand.
///
/// # Errors
/// The event file cannot be read; there need not be one.
pub fn read_notes(csv: &Path) -> io::Result<Vec<EventLine>> {
    let Some(reader) = EventReader::beside(csv)? else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    // The first row tells that there are any.
    let mut is_row_wanted = true;
    for line in reader {
        let Ok(line) = line? else { continue };
        let is_row = line.row.is_some() && line.event.kind != EventKind::Weak;
        if !is_row || is_row_wanted {
            is_row_wanted = !is_row;
            kept.push(line);
        }
    }
    Ok(kept)
}

/// Returns the notes that hold for the merged series, in its order. Of each kind, one stands between two rounds.
pub(crate) fn find(files: &[Noted<'_>], merged: &Merged) -> Vec<Discontinuity> {
    let series = Series { rounds: &merged.rounds };
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut breaks: Vec<(Stretch, &Event)> = Vec::new();
    for noted in files {
        let correction = merged
            .clocks
            .iter()
            .find(|clock| clock.file == noted.file)
            .map(|clock| clock.correction);
        let at = |row: usize| series.index_of(noted.rounds[row], correction.unwrap_or_default());
        let notes = notes(noted);
        let mut start = 0;
        for (row, event) in &notes {
            let row = *row;
            if row > start {
                stretches.push((at(start), at(row - 1)));
                start = row;
            }
            let after = if row < noted.rounds.len() { at(row) } else { at(row - 1) + 1 };
            let before = if row > 0 { at(row - 1) } else { after.saturating_sub(1) };
            if before < after && after < merged.rounds.len() {
                breaks.push(((before, after), event));
            }
        }
        if start < noted.rounds.len() {
            stretches.push((at(start), at(noted.rounds.len() - 1)));
        }
    }
    let covered = Covered::of(stretches);
    let mut found: BTreeMap<(usize, u8), Discontinuity> = BTreeMap::new();
    for ((first, last), event) in breaks {
        for before in (first + 1..=last).filter(|before| !covered.joins(before - 1)) {
            let key = (before, rank(event.kind));
            found.entry(key).or_insert_with(|| Discontinuity { before, event: event.clone() });
        }
    }
    found.into_values().collect()
}

/// Returns a recorder's notes with the index of the row behind each, in the order of the rows.
fn notes<'a>(noted: &Noted<'a>) -> Vec<(usize, &'a Event)> {
    let mut found: Vec<(usize, &Event)> = Vec::new();
    let mut waiting: Vec<&EventLine> = Vec::new();
    let mut has_rows = false;
    for line in noted.events {
        match line.row.and_then(|row| usize::try_from(row).ok()?.checked_sub(1)) {
            Some(row) if line.file.is_none() => {
                has_rows = true;
                found.extend(waiting.drain(..).map(|line| (row, &line.event)));
                // A round of a history list that hardly overlapped with the last one is a note and a round.
                found.extend((line.event.kind == EventKind::Weak).then_some((row, &line.event)));
            }
            Some(_) => {}
            None => waiting.extend(is_note(&line.event).then_some(line)),
        }
    }
    // An imported or merged recording has no events of rows: the time tells where a note belongs.
    let by_time = |line: &EventLine| {
        let time = DateTime::from_timestamp_millis(line.unix_ms).unwrap_or_default();
        noted.rounds.partition_point(|round| round.time < time)
    };
    let row = |line: &EventLine| if has_rows { noted.rounds.len() } else { by_time(line) };
    found.extend(waiting.into_iter().map(|line| (row(line), &line.event)));
    found.retain(|(row, _)| *row <= noted.rounds.len() && !noted.rounds.is_empty());
    found.sort_by_key(|(row, _)| *row);
    found
}

/// Returns whether an event says that rounds may be missing. The first event of an import or a merge is no restart.
fn is_note(event: &Event) -> bool {
    let is_written = event.detail.as_ref().is_some_and(|detail| !detail["import"].is_null());
    is_gap(event.kind) || matches!(event.kind, EventKind::Start | EventKind::Weak) && !is_written
}

fn is_gap(kind: EventKind) -> bool {
    matches!(kind, EventKind::Gap | EventKind::Reset)
}

fn rank(kind: EventKind) -> u8 {
    match kind {
        EventKind::Start => 0,
        EventKind::Reset => 1,
        EventKind::Gap => 2,
        _ => 3,
    }
}

/// The merged rounds.
struct Series<'a> {
    rounds: &'a [Round],
}

impl Series<'_> {
    /// Returns where the round of a file is: the nearest one with its multiplier, or else the nearest one.
    fn index_of(&self, round: Round, correction: TimeDelta) -> usize {
        let time = round.time + correction;
        let from = self.rounds.partition_point(|it| it.time < time - REACH);
        let to = self.rounds.partition_point(|it| it.time <= time + REACH);
        let distance = |at: &usize| (self.rounds[*at].time - time).abs();
        let same = (from..to).filter(|at| self.rounds[*at].multiplier == round.multiplier);
        same.min_by_key(distance).unwrap_or_else(|| self.nearest(time))
    }

    fn nearest(&self, time: DateTime<Utc>) -> usize {
        let after = self.rounds.partition_point(|it| it.time < time);
        let near = after.saturating_sub(1)..(after + 1).min(self.rounds.len());
        near.min_by_key(|at| (self.rounds[*at].time - time).abs()).unwrap_or_default()
    }
}

/// Which rounds of a series are known to follow each other.
struct Covered {
    /// By the first index; the last one is the largest of all stretches up to here.
    stretches: Vec<Stretch>,
}

impl Covered {
    fn of(mut stretches: Vec<Stretch>) -> Self {
        stretches.sort_unstable();
        let mut last = 0;
        for stretch in &mut stretches {
            last = stretch.1.max(last);
            stretch.1 = last;
        }
        Self { stretches }
    }

    /// Returns whether one recording holds the round at an index and the next one, with no note between them.
    fn joins(&self, index: usize) -> bool {
        let started = self.stretches.partition_point(|stretch| stretch.0 <= index);
        started.checked_sub(1).is_some_and(|at| self.stretches[at].1 > index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(count: i64) -> Vec<Round> {
        let multiplier = |at: i64| format!("{}.{:02}", 1 + at % 7, at * 37 % 100).parse().unwrap();
        let time = |at: i64| DateTime::from_timestamp(1_772_000_000 + 15 * at, 0).unwrap();
        (0..count).map(|at| Round { time: time(at), multiplier: multiplier(at) }).collect()
    }

    /// Events of a recorder that has noted something before some of its rows, counted from 0.
    fn events(rows: usize, notes: &[(usize, EventKind)]) -> Vec<EventLine> {
        let line =
            |event, row: Option<u64>| EventLine { seq: 1, unix_ms: 5, event, row, file: None };
        (0..rows)
            .flat_map(|at| {
                let here = notes.iter().filter(move |(row, _)| *row == at);
                let here = here.map(move |(_, kind)| line(Event::new(*kind, "demo"), None));
                here.chain([line(Event::new(EventKind::Live, "demo"), Some(at as u64 + 1))])
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// A recording of some rounds of a series, with its notes before rounds of that series.
    fn recorder(
        all: &[Round],
        kept: &[std::ops::Range<usize>],
        kind: EventKind,
    ) -> (Vec<Round>, Vec<EventLine>) {
        let rounds: Vec<Round> =
            kept.iter().flat_map(|range| all[range.clone()].to_vec()).collect();
        let mut row = 0;
        let mut notes = Vec::new();
        for range in kept {
            notes.extend((row > 0).then_some((row, kind)));
            row += range.len();
        }
        let events = events(rounds.len(), &notes);
        (rounds, events)
    }

    fn found(
        parts: &[(Vec<Round>, Vec<EventLine>)],
        ahead: i64,
    ) -> (usize, Vec<(usize, EventKind)>) {
        let names: Vec<String> = (0..parts.len()).map(|at| format!("{at}.csv")).collect();
        let shifted: Vec<Vec<Round>> = (0..)
            .zip(parts)
            .map(|(at, (rounds, _))| {
                let by = TimeDelta::seconds(at * ahead);
                rounds.iter().map(|round| Round { time: round.time + by, ..*round }).collect()
            })
            .collect();
        let files: Vec<rounds::FileRounds<'_>> = names
            .iter()
            .zip(&shifted)
            .map(|(file, rounds)| rounds::FileRounds { file, rounds })
            .collect();
        let merged = rounds::merge(&files);
        let parts: Vec<Noted<'_>> = names
            .iter()
            .zip(&shifted)
            .zip(parts)
            .map(|((file, rounds), (_, events))| Noted { file, rounds, events })
            .collect();
        let notes = find(&parts, &merged);
        (merged.rounds.len(), notes.into_iter().map(|it| (it.before, it.event.kind)).collect())
    }

    #[test]
    fn a_gap_that_another_recording_fills_is_none() {
        let all = series(600);
        let (whole, gapped) = (0..600, [0..200, 260..600]);
        for ahead in [0, 9] {
            let parts = [
                recorder(&all, &gapped, EventKind::Gap),
                recorder(&all, std::slice::from_ref(&whole), EventKind::Gap),
            ];
            assert_eq!(found(&parts, ahead), (600, vec![]));
        }
    }

    #[test]
    fn a_gap_in_all_recordings_stays_one() {
        let all = series(600);
        for ahead in [0, 9] {
            for kind in [EventKind::Gap, EventKind::Reset] {
                let parts = [
                    recorder(&all, &[0..200, 260..600], kind),
                    recorder(&all, &[0..220, 240..600], EventKind::Gap),
                    recorder(&all, &[100..230, 250..600], EventKind::Gap),
                ];
                // 230 rounds, then those from 240 on.
                assert_eq!(found(&parts, ahead).0, 590);
                let (_, notes) = found(&parts, ahead);
                assert!(notes.iter().all(|(before, _)| *before == 230), "{notes:?}");
                assert!(notes.iter().any(|(_, kind)| *kind == EventKind::Gap), "{notes:?}");
            }
        }
    }

    #[test]
    fn rounds_between_two_gaps_stay_apart_on_both_sides() {
        let all = series(600);
        let parts = [
            recorder(&all, &[0..200, 300..600], EventKind::Gap),
            recorder(&all, &[0..150, 230..270, 400..600], EventKind::Gap),
        ];
        let gap = EventKind::Gap;
        assert_eq!(found(&parts, 0), (540, vec![(200, gap), (240, gap)]));
    }

    #[test]
    fn a_restart_is_kept_where_no_other_recording_ran_on() {
        let all = series(600);
        let restarted = recorder(&all, &[0..200, 200..600], EventKind::Start);
        assert_eq!(
            found(std::slice::from_ref(&restarted), 0),
            (600, vec![(200, EventKind::Start)])
        );
        let short = recorder(&all, &[0..100, 120..150], EventKind::Gap);
        assert_eq!(found(&[restarted.clone(), short], 0), (600, vec![(200, EventKind::Start)]));
        let other = recorder(&all, &[150..400, 420..500], EventKind::Gap);
        assert_eq!(found(&[restarted, other], 0), (600, vec![]));
    }

    #[test]
    fn a_gap_before_the_first_row_of_a_file_parts_it_from_earlier_files() {
        let all = series(600);
        let first = recorder(&all, std::slice::from_ref(&(0..200)), EventKind::Gap);
        let mut second = recorder(&all, std::slice::from_ref(&(300..600)), EventKind::Gap);
        second.1.insert(0, events(1, &[(0, EventKind::Gap)]).remove(0));
        assert_eq!(found(&[first, second], 0), (500, vec![(200, EventKind::Gap)]));
    }

    #[test]
    fn notes_without_rows_are_placed_by_their_times() {
        let all = series(300);
        let rounds: Vec<Round> = [&all[..100], &all[150..]].concat();
        let note = |kind, at: usize| EventLine {
            seq: 1,
            unix_ms: all[at].time.timestamp_millis(),
            event: Event::new(kind, "demo"),
            row: None,
            file: None,
        };
        let events = vec![note(EventKind::Gap, 150), note(EventKind::Stop, 299)];
        assert_eq!(found(&[(rounds, events)], 0), (250, vec![(100, EventKind::Gap)]));
    }
}
