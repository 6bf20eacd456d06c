//! The collector's events, read from the `….events.jsonl` files beside its rounds.
//!
//! Like the rows of a CSV, lines are read once and only up to the last newline. A scan reads a
//! limited number of bytes, so that years of events delay no round; the next scan continues.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rounds::{EVENT_FILE_SUFFIX, EventKind, EventLine, EventPosition, EventReader, file_identity};
use serde::Serialize;
use serde_json::Value;

use crate::api_json;

/// Events kept individually; the totals count all.
pub(crate) const EVENTS_MAX: usize = 500;
/// A scan ends after the line that takes it beyond this many bytes.
const BYTES_AT_ONCE: u64 = 512 * 1024;
/// A longer detail is left out.
const DETAIL_BYTES_MAX: usize = 2048;
const PREFIX: &str = "aviator_payouts_";

/// One event, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CollectorEvent {
    pub(crate) kind: EventKind,
    #[serde(serialize_with = "api_json::time")]
    pub(crate) time: DateTime<Utc>,
    pub(crate) source: String,
    pub(crate) detail: Option<Value>,
    /// The CSV it belongs to.
    pub(crate) file: String,
}

/// Number of events of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) start: u64,
    pub(crate) live: u64,
    pub(crate) backfill: u64,
    pub(crate) gap: u64,
    pub(crate) weak: u64,
    pub(crate) reset: u64,
    pub(crate) reconnect: u64,
    pub(crate) conflict: u64,
    pub(crate) stop: u64,
}

/// The events a snapshot shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventLog {
    /// Oldest first, without the lines of live rounds.
    pub(crate) newest: Vec<CollectorEvent>,
    pub(crate) totals: Totals,
    /// Lines that are not events.
    pub(crate) unreadable: u64,
    /// Incremented whenever one of the other fields changes.
    pub(crate) change: u64,
}

/// Reads the event files of a directory.
#[derive(Debug)]
pub(crate) struct CollectorEvents {
    dir: PathBuf,
    files: BTreeMap<String, ReadPosition>,
    log: Arc<EventLog>,
    is_behind: bool,
}

/// How far an event file has been read.
#[derive(Debug)]
struct ReadPosition {
    csv: String,
    identity: (u64, u64),
    read: EventPosition,
    /// Length of the file when its last whole line had been read: without further bytes there is
    /// nothing to read, however long the unfinished line at its end is.
    read_through: u64,
}

impl Totals {
    fn count(&mut self, kind: EventKind) {
        let total = match kind {
            EventKind::Start => &mut self.start,
            EventKind::Live => &mut self.live,
            EventKind::Backfill => &mut self.backfill,
            EventKind::Gap => &mut self.gap,
            EventKind::Weak => &mut self.weak,
            EventKind::Reset => &mut self.reset,
            EventKind::Reconnect => &mut self.reconnect,
            EventKind::Conflict => &mut self.conflict,
            EventKind::Stop => &mut self.stop,
            _ => return,
        };
        *total += 1;
    }
}

impl CollectorEvents {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), files: BTreeMap::new(), log: Arc::default(), is_behind: false }
    }

    /// Returns the events read so far.
    pub(crate) fn log(&self) -> Arc<EventLog> {
        Arc::clone(&self.log)
    }

    /// Returns whether the last scan left lines for the next.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Reads new lines. A directory or a file that cannot be read is retried with the next scan;
    /// `DirectoryTail` reports whether rounds can be read.
    pub(crate) fn scan(&mut self) {
        let mut budget = BYTES_AT_ONCE;
        self.is_behind = false;
        let Ok(names) = names(&self.dir) else { return };
        if self.files.keys().any(|known| !names.contains(known)) {
            self.start_over();
        }
        for name in names {
            match self.read(&name, budget) {
                Ok(bytes) => budget = budget.saturating_sub(bytes),
                Err(error) => tracing::debug!(name, %error, "Event file cannot be read"),
            }
            if budget == 0 {
                self.is_behind = true;
                break;
            }
        }
    }

    /// Drops everything read so far: the totals include lines of a file that has changed.
    fn start_over(&mut self) {
        self.is_behind = true;
        let change = self.log.change + 1;
        self.files.clear();
        self.log = Arc::new(EventLog { change, ..EventLog::default() });
    }

    /// Reads lines from one file until `budget` bytes are used up; returns the number of bytes.
    fn read(&mut self, name: &str, budget: u64) -> io::Result<u64> {
        let path = self.dir.join(name);
        let found = fs::metadata(&path)?;
        let (length, identity) = (found.len(), file_identity(&found));
        if let Some(position) = self.files.get(name)
            && (length < position.read.bytes_read() || position.identity != identity)
        {
            self.start_over();
        }
        let position = self.files.entry(name.to_owned()).or_insert_with(|| ReadPosition {
            csv: format!("{}.csv", name.trim_end_matches(EVENT_FILE_SUFFIX)),
            identity,
            read: EventPosition::default(),
            read_through: 0,
        });
        if length == position.read_through {
            return Ok(0);
        }
        let start = position.read.bytes_read();
        let mut reader = EventReader::open(&path, position.read)?.skipping_at_most(budget);
        let mut lines = Vec::new();
        let mut has_ended = false;
        while !has_ended && reader.position().bytes_read() - start < budget {
            match reader.next().transpose()? {
                Some(line) => lines.push(line.ok()),
                None => has_ended = true,
            }
        }
        position.read = reader.position();
        let bytes = position.read.bytes_read() - start;
        if has_ended && bytes < budget {
            position.read_through = length;
        }
        if !lines.is_empty() {
            Arc::make_mut(&mut self.log).extend(&position.csv, lines);
        }
        Ok(bytes)
    }
}

impl EventLog {
    /// Adds the lines of one file; a line that is not an event is `None`.
    fn extend(&mut self, csv: &str, lines: Vec<Option<EventLine>>) {
        for line in lines {
            let timed = line.and_then(|line| {
                Some((DateTime::from_timestamp_millis(line.unix_ms)?, line.event))
            });
            let Some((time, event)) = timed else {
                self.unreadable += 1;
                continue;
            };
            self.totals.count(event.kind);
            // Live rounds are in the CSV; listed here, they would hide everything else.
            if event.kind != EventKind::Live {
                let detail = event.detail.filter(|it| it.to_string().len() <= DETAIL_BYTES_MAX);
                let (kind, source, file) = (event.kind, event.source, csv.to_owned());
                self.newest.push(CollectorEvent { kind, time, source, detail, file });
            }
        }
        self.shorten();
        self.change += 1;
    }

    /// Sorts by time, as runs overlap when an old file is copied in, and drops the oldest surplus.
    fn shorten(&mut self) {
        self.newest.sort_by_key(|event| event.time);
        let surplus = self.newest.len().saturating_sub(EVENTS_MAX);
        self.newest.drain(..surplus);
    }
}

/// Returns the names of the event files, sorted by the start of their run.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        if let Ok(name) = entry?.file_name().into_string()
            && name.starts_with(PREFIX)
            && name.ends_with(EVENT_FILE_SUFFIX)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests;
