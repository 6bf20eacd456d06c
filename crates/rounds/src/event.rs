//! Events: what is known about a round or the recording beyond the CSV file.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known about a round, or about the recording itself, beyond the two CSV columns.
///
/// Events are kept in the event file, one JSON object per line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Name of the source that reported it: `demo`, `browser`, a host name.
    pub source: String,
    /// The game's own id of the round, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_id: Option<String>,
    /// Anything else worth keeping, such as seeds and hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

/// What an [`Event`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventKind {
    /// The recorder started.
    Start,
    /// A round observed as it ended.
    Live,
    /// A round recovered from a history list after it ended; its time is an estimate.
    Backfill,
    /// An unknown number of rounds is missing before this point.
    Gap,
    /// A history list was aligned by fewer than three equal values.
    Weak,
    /// The source shows another game or table; no round was taken from its list.
    Reset,
    /// The connection was lost and has been restored.
    Reconnect,
    /// Two sources disagree on one round; the first report counts.
    Conflict,
    /// The recorder stopped.
    Stop,
}

impl EventKind {
    /// Returns whether rounds may be missing between the rows before and after such an event.
    pub fn is_discontinuity(self) -> bool {
        matches!(self, Self::Gap | Self::Weak | Self::Reset)
    }
}

impl Event {
    /// Returns an event without an id or details.
    pub fn new(kind: EventKind, source: &str) -> Self {
        Self { kind, source: source.to_owned(), round_id: None, detail: None }
    }
}

/// One line of the event file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Number of the event within its run, counted from 1 over all files of the run.
    pub seq: u64,
    /// Time of the end of the round, or of the event; milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// The event's row in the CSV file beside this one, counted from 1 without the header; absent
    /// if the event has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The CSV file with that row, if it is not the one beside this file. This happens when an
    /// event could not be written before the next file was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}
