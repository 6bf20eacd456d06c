//! The position in the stream up to which the files of a directory have been written.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;

use rounds::scan::{ChangeKind, Directory};
use rounds::{EventKind, EventLine, Round, parse_file_name, read_events};
use serde_json::{Value, json};

/// The position in the stream, as the files record it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamPosition {
    /// Time of creation of the stream, which identifies it; `None` if nothing was ever pulled into this directory.
    pub stream: Option<String>,
    /// The last message whose row is certainly in the files.
    pub seq: u64,
    /// Rows after it whose sequence number is unknown, oldest first.
    pub orphans: VecDeque<Round>,
    /// The last rows before the orphans, at most [`RECENT`], oldest first.
    pub recent: Vec<RecentRow>,
    /// The site of the rows without ids, if known.
    pub site: Option<String>,
    /// Total number of rows.
    pub rounds: u64,
}

/// A recent row, with which later ones are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentRow {
    /// Its contents.
    pub round: Round,
    /// Whether its id is known.
    pub has_id: bool,
}

/// Number of recent rows with which each new one is compared.
pub const RECENT: usize = 256;

/// Returns the detail of a start event: all messages up to `seq` are in the earlier files.
pub fn start_detail(stream: &str, seq: u64) -> Value {
    json!({ "hub": { "stream": stream, "seq": seq } })
}

/// A CSV file that a pull has written.
#[derive(Debug)]
struct PulledFile {
    name: String,
    rounds: Vec<Round>,
}

/// Reads the position from the files of a directory.
///
/// # Errors
/// One of them cannot be read.
pub fn read(dir: &Path) -> io::Result<StreamPosition> {
    let mut files = Vec::new();
    let mut position = StreamPosition::default();
    for change in Directory::new(dir).scan().map_err(io::Error::other)? {
        if change.kind == ChangeKind::Unreadable {
            let problem = change.error.unwrap_or_default();
            return Err(io::Error::other(format!("{}: {problem}", change.file)));
        }
        position.rounds += change.total;
        // A file with another name was not written by a pull.
        if parse_file_name(&change.file).is_some() {
            files.push(PulledFile { name: change.file, rounds: change.rounds });
        }
    }
    // Look for the newest file with a start event. Later files without one continue its run.
    let mut lines: VecDeque<EventLine> = VecDeque::new();
    for (index, file) in files.iter().enumerate().rev() {
        for line in read_lines(dir, file)?.into_iter().rev() {
            lines.push_front(line);
        }
        if let Some((stream, seq)) = lines.front().and_then(run_start) {
            (position.stream, position.seq) = (Some(stream), seq);
            position.replay(lines.make_contiguous(), &files[index..]);
            return Ok(position);
        }
    }
    position.orphans = files.into_iter().flat_map(|file| file.rounds).collect();
    Ok(position)
}

impl StreamPosition {
    /// Applies the events of the files, as far as their rows exist, and separates the rows with a known position from the
    /// orphans after them.
    fn replay(&mut self, lines: &[EventLine], files: &[PulledFile]) {
        let mut known = BTreeMap::new();
        for line in lines {
            let Some((seq, site)) = seq_and_site(line) else { continue };
            let at = row_of(line, files);
            if at.is_some_and(|(index, row)| row > files[index].rounds.len() as u64) {
                // A power failure destroyed the row but not its event: pull the row again.
                break;
            }
            if let Some(at) = at {
                let has_id = line.event.round_id.is_some();
                known.insert(at, has_id);
                self.site = site.filter(|_| !has_id).or_else(|| self.site.take());
            }
            self.seq = self.seq.max(seq);
        }
        let last = known.keys().next_back().copied();
        let rows = files.iter().enumerate().flat_map(|(index, file)| {
            file.rounds.iter().zip(1_u64..).map(move |(round, row)| (*round, (index, row)))
        });
        for (round, at) in rows {
            if last.is_some_and(|last| at <= last) {
                // Even if the event of a row in between is lost, a later event gives the position.
                let has_id = known.get(&at).copied().unwrap_or_default();
                self.recent.push(RecentRow { round, has_id });
            } else {
                self.orphans.push_back(round);
            }
        }
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
    }
}

/// Returns the sequence number and the site recorded in an event.
fn seq_and_site(line: &EventLine) -> Option<(u64, Option<String>)> {
    let hub = line.event.detail.as_ref()?.get("hub")?;
    Some((hub["seq"].as_u64()?, hub["site"].as_str().map(str::to_owned)))
}

/// Returns the row of an event, with the index of its file.
fn row_of(line: &EventLine, files: &[PulledFile]) -> Option<(usize, u64)> {
    let index = files.iter().position(|pulled| Some(&pulled.name) == line.file.as_ref())?;
    Some((index, line.row?))
}

/// Reads an event file; each line gets the name of its row's CSV file.
fn read_lines(dir: &Path, file: &PulledFile) -> io::Result<Vec<EventLine>> {
    let mut lines = read_events(&dir.join(&file.name))?;
    for line in &mut lines {
        line.file.get_or_insert_with(|| file.name.clone());
    }
    Ok(lines)
}

/// Returns the stream and the sequence number at which a run began, if the event is its start.
fn run_start(line: &EventLine) -> Option<(String, u64)> {
    if line.event.kind != EventKind::Start {
        return None;
    }
    let hub = line.event.detail.as_ref()?.get("hub")?;
    Some((hub.get("stream")?.as_str()?.to_owned(), hub.get("seq")?.as_u64()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rounds::{Event, Multiplier, Origin, RoundLog};

    use super::*;
    use crate::message::with_hub;

    fn round(number: u64) -> Round {
        let time =
            chrono::DateTime::from_timestamp(1_765_395_155 + 20 * number.cast_signed(), 0).unwrap();
        Round { time, multiplier: Multiplier::from_cents(100 + number).unwrap() }
    }

    fn start(dir: &Path, seq: u64) -> RoundLog {
        let now = "2025-12-10T19:32:35Z".parse().unwrap();
        let mut log = RoundLog::open(dir, Origin::Recorded, now).unwrap();
        let mut event = Event::new(EventKind::Start, "bridge");
        event.detail = Some(start_detail("made", seq));
        log.note(now, &event).unwrap();
        log
    }

    fn write(log: &mut RoundLog, number: u64) {
        let mut event = Event::new(EventKind::Live, "demo");
        event.detail = Some(with_hub(None, number, "attic"));
        log.append(&round(number), &event).unwrap();
    }

    /// Removes the last lines of the newest file with this ending.
    fn cut(dir: &Path, ending: &str, lines: usize) {
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect();
        files.sort();
        let path = files.last().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let all: Vec<_> = text.split_inclusive('\n').collect();
        fs::write(path, all[..all.len() - lines].concat()).unwrap();
    }

    #[track_caller]
    fn check(dir: &Path, seq: u64, orphans: &[u64]) {
        let position = read(dir).unwrap();
        assert_eq!(position.stream.as_deref(), Some("made"));
        assert_eq!(position.seq, seq);
        assert_eq!(
            position.orphans,
            orphans.iter().map(|&number| round(number)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn an_empty_directory_has_no_position() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), StreamPosition::default());
    }

    #[test]
    fn the_position_is_that_of_the_last_row() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        check(dir.path(), 5, &[]);
        assert_eq!(read(dir.path()).unwrap().recent.len(), 5);
    }

    #[test]
    fn rows_whose_events_were_not_written_are_orphans() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        cut(dir.path(), ".jsonl", 2);
        check(dir.path(), 3, &[4, 5]);
    }

    #[test]
    fn events_whose_rows_were_lost_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        cut(dir.path(), ".csv", 2);
        check(dir.path(), 3, &[]);
    }

    #[test]
    fn a_start_event_records_the_position_of_the_earlier_files() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        drop(log);
        cut(dir.path(), ".jsonl", 1);
        // A run that was killed before it wrote its start event changes nothing.
        drop(
            RoundLog::open(dir.path(), Origin::Recorded, "2025-12-10T19:32:35Z".parse().unwrap())
                .unwrap(),
        );
        check(dir.path(), 4, &[5]);
        let mut log = start(dir.path(), 5);
        check(dir.path(), 5, &[]);
        write(&mut log, 6);
        check(dir.path(), 6, &[]);
    }

    #[test]
    fn rows_that_were_not_pulled_are_orphans_without_a_stream() {
        let dir = tempfile::tempdir().unwrap();
        let mut log =
            RoundLog::open(dir.path(), Origin::Recorded, "2025-12-10T19:32:35Z".parse().unwrap())
                .unwrap();
        log.append(&round(1), &Event::new(EventKind::Live, "demo")).unwrap();
        let position = read(dir.path()).unwrap();
        assert_eq!((position.stream, position.orphans.len()), (None, 1));
    }
}
