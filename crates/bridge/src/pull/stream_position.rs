//! The position in the stream up to which the files of a directory were written.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;

use rounds::scan::{ChangeKind, Directory};
use rounds::{EventKind, EventLine, Round, parse_file_name, read_events};
use serde_json::{Value, json};

/// The position in the stream, as the files record it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamPosition {
    /// The stream, by the time it was made; `None` if nothing was ever pulled into this directory.
    pub stream: Option<String>,
    /// The last message whose row is in the files for certain.
    pub seq: u64,
    /// Rows after it whose place is not known, oldest first.
    pub orphans: VecDeque<Round>,
    /// The newest rows before those, oldest first.
    pub recent: Vec<RecentRow>,
    /// The site of the rows without ids, as far as can be told.
    pub site: Option<String>,
    /// Rows in all.
    pub rounds: u64,
}

/// A recent row, against which later ones are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentRow {
    /// What it says.
    pub round: Round,
    /// Whether its id is known.
    pub has_id: bool,
}

/// Number of recent rows that each new one is compared with.
pub const RECENT: usize = 256;

/// The detail of the event that begins a file: everything up to `seq` is in the files before it.
pub fn start_detail(stream: &str, seq: u64) -> Value {
    json!({ "hub": { "stream": stream, "seq": seq } })
}

/// A file of a run of pulling.
#[derive(Debug)]
struct PulledFile {
    name: String,
    rounds: Vec<Round>,
}

/// Reads the files of a directory.
///
/// # Errors
/// One of them cannot be read.
pub fn read(dir: &Path) -> io::Result<StreamPosition> {
    let mut files = Vec::new();
    let mut place = StreamPosition::default();
    for change in Directory::new(dir).scan().map_err(io::Error::other)? {
        if change.kind == ChangeKind::Unreadable {
            let problem = change.error.unwrap_or_default();
            return Err(io::Error::other(format!("{}: {problem}", change.file)));
        }
        place.rounds += change.total;
        // Files of other names are their owner's.
        if parse_file_name(&change.file).is_some() {
            files.push(PulledFile { name: change.file, rounds: change.rounds });
        }
    }
    // A run begins with a file that says so; what has no beginning is a file of the run before it, or was never begun.
    let mut lines: VecDeque<EventLine> = VecDeque::new();
    for (index, file) in files.iter().enumerate().rev() {
        for line in read_lines(dir, file)?.into_iter().rev() {
            lines.push_front(line);
        }
        if let Some((stream, seq)) = lines.front().and_then(begin) {
            (place.stream, place.seq) = (Some(stream), seq);
            place.follow(lines.make_contiguous(), &files[index..]);
            return Ok(place);
        }
    }
    place.orphans = files.into_iter().flat_map(|file| file.rounds).collect();
    Ok(place)
}

impl StreamPosition {
    /// Takes the places that the lines tell, as far as their rows are there, and tells the rows with a place from those after
    /// them.
    fn follow(&mut self, lines: &[EventLine], files: &[PulledFile]) {
        let mut known = BTreeMap::new();
        for line in lines {
            let Some((seq, site)) = origin(line) else { continue };
            let at = row_of(line, files);
            if at.is_some_and(|(index, row)| row > files[index].rounds.len() as u64) {
                // A loss of power took the row and left its event: it is pulled again.
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
                // An event in the middle may be lost; the place after it is known all the same.
                let has_id = known.get(&at).copied().unwrap_or_default();
                self.recent.push(RecentRow { round, has_id });
            } else {
                self.orphans.push_back(round);
            }
        }
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
    }
}

/// The place in the stream and the site that an event tells.
fn origin(line: &EventLine) -> Option<(u64, Option<String>)> {
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

/// The stream and the place that a run began with.
fn begin(line: &EventLine) -> Option<(String, u64)> {
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

    /// Cuts the last bytes of the newest file with that ending.
    fn cut(dir: &Path, ending: &str, lines: usize) {
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect();
        files.sort();
        let path = files.last().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let kept: Vec<_> = text.split_inclusive('\n').collect();
        fs::write(path, kept[..kept.len() - lines].concat()).unwrap();
    }

    #[track_caller]
    fn check(dir: &Path, seq: u64, orphans: &[u64]) {
        let place = read(dir).unwrap();
        assert_eq!(place.stream.as_deref(), Some("made"));
        assert_eq!(place.seq, seq);
        assert_eq!(place.orphans, orphans.iter().map(|&number| round(number)).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_directory_has_no_place() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), StreamPosition::default());
    }

    #[test]
    fn the_place_is_that_of_the_last_row() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        check(dir.path(), 5, &[]);
        assert_eq!(read(dir.path()).unwrap().recent.len(), 5);
    }

    #[test]
    fn rows_whose_events_were_not_written_are_told() {
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
    fn a_beginning_says_what_is_in_the_files_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = start(dir.path(), 0);
        (1..=5).for_each(|number| write(&mut log, number));
        drop(log);
        cut(dir.path(), ".jsonl", 1);
        // A start that was killed before it could say anything changes nothing.
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
    fn rows_that_nobody_pulled_are_orphans_of_no_stream() {
        let dir = tempfile::tempdir().unwrap();
        let mut log =
            RoundLog::open(dir.path(), Origin::Recorded, "2025-12-10T19:32:35Z".parse().unwrap())
                .unwrap();
        log.append(&round(1), &Event::new(EventKind::Live, "demo")).unwrap();
        let place = read(dir.path()).unwrap();
        assert_eq!((place.stream, place.orphans.len()), (None, 1));
    }
}
