//! The collector's events, read from the `….events.jsonl` files beside its rounds.
//!
//! Like the rows of a CSV, lines are read once and only up to the last newline. A scan reads a
//! limited number of bytes, so that years of events delay no round; the next scan continues.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rounds::EventKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Events kept individually; the totals count all.
pub(crate) const EVENTS_MAX: usize = 500;
/// Bytes read in one scan.
const BYTES_AT_ONCE: u64 = 512 * 1024;
/// A longer line is no event.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// A longer detail is not kept.
const DETAIL_BYTES_MAX: usize = 2048;
const PREFIX: &str = "aviator_payouts_";
const SUFFIX: &str = ".events.jsonl";

/// One event, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CollectorEvent {
    pub(crate) kind: EventKind,
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
    /// Oldest first, without the lines of rounds that came as usual.
    pub(crate) newest: Vec<CollectorEvent>,
    pub(crate) totals: Totals,
    /// Lines that could not be read.
    pub(crate) strange: u64,
    /// Incremented whenever one of the other fields changes.
    pub(crate) change: u64,
}

/// Reads the event files of a directory.
#[derive(Debug)]
pub(crate) struct CollectorEvents {
    dir: PathBuf,
    files: BTreeMap<String, ReadPosition>,
    notes: Arc<EventLog>,
    is_behind: bool,
}

#[derive(Debug)]
struct ReadPosition {
    csv: String,
    identity: u64,
    offset: u64,
    /// Inside a line that is too long.
    is_skipping: bool,
}

/// The fields of a line that are used.
#[derive(Deserialize)]
struct Line {
    kind: EventKind,
    unix_ms: i64,
    source: String,
    #[serde(default)]
    detail: Option<Value>,
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
        Self {
            dir: dir.to_owned(),
            files: BTreeMap::new(),
            notes: Arc::default(),
            is_behind: false,
        }
    }

    /// What has been read so far.
    pub(crate) fn notes(&self) -> Arc<EventLog> {
        Arc::clone(&self.notes)
    }

    /// Whether the last scan left something for the next.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Reads what is new. A directory or a file that cannot be read is retried with the next scan;
    /// `DirectoryTail` reports whether rounds can be read.
    pub(crate) fn scan(&mut self) {
        let mut budget = BYTES_AT_ONCE;
        self.is_behind = false;
        let Ok(names) = names(&self.dir) else { return };
        if self.files.keys().any(|known| !names.contains(known)) {
            self.forget();
        }
        for name in names {
            match self.read(&name, budget) {
                Ok(read) => budget -= read.min(budget),
                Err(error) => tracing::debug!("{name} cannot be read: {error}."),
            }
            if budget == 0 {
                self.is_behind = true;
                break;
            }
        }
    }

    /// Starts over: the totals include lines of a file that has changed.
    fn forget(&mut self) {
        self.is_behind = true;
        let change = self.notes.change + 1;
        self.files.clear();
        self.notes = Arc::new(EventLog { change, ..EventLog::default() });
    }

    /// Reads from one file and returns the number of bytes read.
    fn read(&mut self, name: &str, budget: u64) -> io::Result<u64> {
        let path = self.dir.join(name);
        let found = fs::metadata(&path)?;
        let (length, identity) = (found.len(), identity(&found));
        if let Some(place) = self.files.get(name)
            && (length < place.offset || place.identity != identity)
        {
            self.forget();
        }
        let place = self.files.entry(name.to_owned()).or_insert_with(|| ReadPosition {
            csv: format!("{}.csv", name.trim_end_matches(SUFFIX)),
            identity,
            offset: 0,
            is_skipping: false,
        });
        let wanted = (length - place.offset).min(budget);
        if wanted == 0 {
            return Ok(0);
        }
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(place.offset))?;
        let mut bytes = Vec::new();
        file.take(wanted).read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') else {
            if bytes.len() <= LINE_BYTES_MAX {
                return Ok(0);
            }
            place.is_skipping = true;
            place.offset += bytes.len() as u64;
            return Ok(bytes.len() as u64);
        };
        place.offset += end as u64 + 1;
        let is_torn = std::mem::take(&mut place.is_skipping);
        let csv = place.csv.clone();
        let lines = bytes[..end].split(|&byte| byte == b'\n').skip(usize::from(is_torn));
        Arc::make_mut(&mut self.notes).take(&csv, lines, is_torn);
        Ok(bytes.len() as u64)
    }
}

impl EventLog {
    fn take<'a>(&mut self, csv: &str, lines: impl Iterator<Item = &'a [u8]>, is_torn: bool) {
        self.strange += u64::from(is_torn);
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            let parsed = if line.len() > LINE_BYTES_MAX { None } else { parsed(line) };
            let Some((line, time)) = parsed else {
                self.strange += 1;
                continue;
            };
            self.totals.count(line.kind);
            // A round that came as usual is in the CSV; here it would bury the rest.
            if line.kind != EventKind::Live {
                let detail = line.detail.filter(|it| it.to_string().len() <= DETAIL_BYTES_MAX);
                let (kind, source, file) = (line.kind, line.source, csv.to_owned());
                self.newest.push(CollectorEvent { kind, time, source, detail, file });
            }
            if self.newest.len() >= 2 * EVENTS_MAX {
                self.shorten();
            }
        }
        self.shorten();
        self.change += 1;
    }

    /// Files of several runs overlap when an old one is copied in.
    fn shorten(&mut self) {
        self.newest.sort_by_key(|noted| noted.time);
        let surplus = self.newest.len().saturating_sub(EVENTS_MAX);
        self.newest.drain(..surplus);
    }
}

fn parsed(line: &[u8]) -> Option<(Line, DateTime<Utc>)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let time = DateTime::from_timestamp_millis(line.unix_ms)?;
    Some((line, time))
}

/// Names sort by the start of their run.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        if let Ok(name) = entry?.file_name().into_string()
            && name.starts_with(PREFIX)
            && name.ends_with(SUFFIX)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Distinguishes a file from another one put in its place.
#[cfg(unix)]
fn identity(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

/// Elsewhere the time of creation has to do.
#[cfg(not(unix))]
fn identity(found: &fs::Metadata) -> u64 {
    let since = found.created().ok().and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs() ^ u64::from(since.subsec_nanos()) << 32)
}

#[cfg(test)]
mod tests;
