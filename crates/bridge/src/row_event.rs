//! Looks up the events of rows in the event files of a run.
//!
//! A collector writes the row first and then its event. The id in the event decides under which subject the round is
//! stored, so every start of the bridge must decide in the same way whether an event is still to come. The files alone
//! decide: an event is lost if a later event of its run or a later run exists; otherwise the bridge waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use rounds::{
    Event, EventKind, EventLine, EventPosition, EventReader, event_file_of, parse_file_name,
    read_events,
};

use crate::message::{DISCONTINUITIES_MAX, Discontinuity};

/// The state of the event of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowEvent {
    /// The event is final; `None` if it was lost or there is no event file.
    Final { event: Option<Event>, discontinuities: Vec<Discontinuity> },
    /// The collector has not written it yet.
    Pending,
}

/// The files of a directory after a given one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaterFiles {
    /// Files of the same run; their event files may hold events that were written late.
    same_run: Vec<String>,
    /// Whether there is a later run, so that the run of the given file writes nothing more.
    has_later_run: bool,
}

impl LaterFiles {
    /// Classifies `after`, the files that follow the file `name`, in order.
    pub(crate) fn of(name: &str, after: &[String]) -> Self {
        let Some((start, _)) = parse_file_name(name) else { return Self::default() };
        let mut later = Self::default();
        for other in after {
            match parse_file_name(other) {
                Some((run, _)) if run == start => later.same_run.push(other.clone()),
                Some(_) => later.has_later_run = true,
                None => {}
            }
        }
        later
    }
}

/// Reader of the event file of one CSV file, row by row.
#[derive(Debug)]
pub(crate) struct EventFile {
    dir: PathBuf,
    csv: String,
    position: EventPosition,
    /// Events that have been read but not requested.
    ahead: VecDeque<(u64, Event, Vec<Discontinuity>)>,
    /// Discontinuities before the next row.
    discontinuities: Vec<Discontinuity>,
}

impl EventFile {
    pub(crate) fn of(dir: &Path, csv: &str) -> Self {
        Self {
            dir: dir.to_owned(),
            csv: csv.to_owned(),
            position: EventPosition::default(),
            ahead: VecDeque::new(),
            discontinuities: Vec::new(),
        }
    }

    /// Returns the event of a row; rows must be requested in order and may be requested again.
    pub(crate) fn row(&mut self, number: u64, later: &LaterFiles) -> io::Result<RowEvent> {
        while self.ahead.front().is_some_and(|(row, ..)| *row < number) {
            self.ahead.pop_front();
        }
        if self.ahead.is_empty() && !self.read_up_to(number)? {
            return Ok(RowEvent::Final { event: None, discontinuities: Vec::new() });
        }
        match self.ahead.front() {
            Some((row, event, discontinuities)) if *row == number => {
                return Ok(RowEvent::Final {
                    event: Some(event.clone()),
                    discontinuities: discontinuities.clone(),
                });
            }
            Some(_) => {}
            None if later.has_later_run => {}
            None => {
                return self
                    .find_in_later_files(number, later)
                    .map(|found| found.unwrap_or(RowEvent::Pending));
            }
        }
        let lost = RowEvent::Final { event: None, discontinuities: Vec::new() };
        Ok(self.find_in_later_files(number, later)?.unwrap_or(lost))
    }

    /// Reads on to the event of the row or of a later one; returns whether there is an event file.
    fn read_up_to(&mut self, number: u64) -> io::Result<bool> {
        let path = event_file_of(&self.dir.join(&self.csv));
        let mut reader = match EventReader::open(&path, self.position) {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        while self.ahead.is_empty() {
            let Some(line) = reader.next() else { break };
            if let Ok(line) = line? {
                self.add(line, number);
            }
        }
        self.position = reader.position();
        Ok(true)
    }

    /// Adds a line of this event file: the event of a row from `number` on, or a discontinuity before one.
    fn add(&mut self, line: EventLine, number: u64) {
        let EventLine { unix_ms, event, row, file, .. } = line;
        if row.is_none()
            && event.kind.is_discontinuity()
            && self.discontinuities.len() < DISCONTINUITIES_MAX
        {
            self.discontinuities.push(Discontinuity { unix_ms, event });
        } else if let Some(row) = row.filter(|_| file.is_none()) {
            let discontinuities = std::mem::take(&mut self.discontinuities);
            if row >= number {
                self.ahead.push_back((row, event, discontinuities));
            }
        }
    }

    /// Looks in the event files of later CSV files for an event that was written late; returns
    /// `None` if it may still come.
    fn find_in_later_files(&self, number: u64, later: &LaterFiles) -> io::Result<Option<RowEvent>> {
        let mut delayed = BTreeMap::new();
        let mut is_past = false;
        for csv in &later.same_run {
            for line in read_events(&self.dir.join(csv))? {
                let is_delayed = line.file.as_ref() == Some(&self.csv);
                // Events are written in the order of their rows.
                is_past |= line.event.kind == EventKind::Start || line.row.is_some() && !is_delayed;
                delayed.extend(line.row.filter(|_| is_delayed).map(|row| (row, line.event)));
            }
        }
        is_past |= delayed.keys().next_back().is_some_and(|last| *last > number);
        let event = delayed.remove(&number);
        Ok((event.is_some() || is_past)
            .then_some(RowEvent::Final { event, discontinuities: Vec::new() }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::write;

    use super::*;

    const CSV: &str = "aviator_payouts_20251210_193235.csv";
    const NEXT: &str = "aviator_payouts_20251210_193235_1.csv";
    const OTHER: &str = "aviator_payouts_20251211_000000.csv";

    fn live(row: u64, more: &str) -> String {
        format!(
            "{{\"seq\":1,\"unix_ms\":5,\"kind\":\"live\",\"source\":\"demo\",\"round_id\":\"{row}\",\"row\":{row}{more}}}\n"
        )
    }

    const GAP: &str = "{\"seq\":1,\"unix_ms\":5,\"kind\":\"gap\",\"source\":\"demo\"}\n";

    /// Checks the event found for a row: its id, `lost`, or `pending`.
    #[track_caller]
    fn check(files: &[(&str, &str)], later: &[&str], number: u64, expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        for (csv, text) in files {
            write(dir.path().join(csv).with_extension("events.jsonl"), text).unwrap();
        }
        let later: Vec<String> = later.iter().map(|&name| name.to_owned()).collect();
        let found =
            EventFile::of(dir.path(), CSV).row(number, &LaterFiles::of(CSV, &later)).unwrap();
        let found = match found {
            RowEvent::Pending => "pending".to_owned(),
            RowEvent::Final { event: None, .. } => "lost".to_owned(),
            RowEvent::Final { event: Some(event), .. } => event.round_id.unwrap(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_event_of_a_row_is_found_in_its_own_or_a_later_event_file() {
        let text = [live(1, ""), live(2, ""), live(4, "")].concat();
        check(&[(CSV, &text)], &[], 1, "1");
        check(&[(CSV, &text)], &[], 2, "2");
        let delayed = live(3, &format!(",\"file\":\"{CSV}\""));
        check(&[(CSV, &text), (NEXT, &delayed)], &[NEXT], 3, "3");
    }

    #[test]
    fn an_event_is_lost_if_a_later_one_exists() {
        let text = [live(1, ""), live(3, "")].concat();
        check(&[(CSV, &text)], &[], 2, "lost");
        check(&[(CSV, &live(1, "")), (NEXT, &live(1, ""))], &[NEXT], 2, "lost");
        check(&[(CSV, &live(1, ""))], &[OTHER], 2, "lost");
    }

    #[test]
    fn an_event_that_may_still_come_is_pending() {
        check(&[(CSV, "")], &[], 1, "pending");
        check(&[(CSV, &live(1, ""))], &[], 2, "pending");
        check(&[(CSV, &live(1, "")), (NEXT, GAP)], &[NEXT], 2, "pending");
        check(&[(CSV, &live(2, "")[..20])], &[], 2, "pending");
    }

    #[test]
    fn a_file_without_an_event_file_has_no_events() {
        check(&[], &[], 1, "lost");
    }

    #[test]
    fn discontinuities_are_sent_with_the_row_after_them() {
        let dir = tempfile::tempdir().unwrap();
        let text = [&live(1, ""), GAP, &live(2, "")].concat();
        write(dir.path().join(CSV).with_extension("events.jsonl"), text).unwrap();
        let mut event_file = EventFile::of(dir.path(), CSV);
        let discontinuities =
            [1, 2].map(|row| match event_file.row(row, &LaterFiles::default()).unwrap() {
                RowEvent::Final { discontinuities, .. } => discontinuities.len(),
                RowEvent::Pending => 99,
            });
        assert_eq!(discontinuities, [0, 1]);
    }
}
