use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known of a round, or of the recording itself, beyond the two columns of the CSV.
///
/// Events stand in the side file, one JSON object a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The source that said so, in its own words: `demo`, `browser`, a host name.
    pub source: String,
    /// The game's own id of the round, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_id: Option<String>,
    /// Anything else worth keeping, such as seeds and hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

/// What an [`Event`] tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventKind {
    /// The recorder started.
    Start,
    /// A round heard as it ended.
    Live,
    /// A round taken from a history list after the fact; its time is an estimate.
    Backfill,
    /// Rounds are missing before this place, their number unknown.
    Gap,
    /// A history list was joined on fewer than three equal values.
    Weak,
    /// The source shows another game or table; nothing was taken over from its list.
    Reset,
    /// The connection was lost and is back.
    Reconnect,
    /// Two sources disagree on one round; the first stands.
    Conflict,
    /// The recorder stopped.
    Stop,
}

impl Event {
    /// An event without id and detail.
    pub fn new(kind: EventKind, source: &str) -> Self {
        Self { kind, source: source.to_owned(), round_id: None, detail: None }
    }
}

/// One line of the side file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Counts the events of one run from 1, over all its files.
    pub seq: u64,
    /// When: the end of the round, or the moment of the note; milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// What happened, to which round, said by whom.
    #[serde(flatten)]
    pub event: Event,
    /// The row of the CSV beside it, counted from 1 without the header; absent for notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The CSV with that row, if it is not the one beside it: the event had to wait for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}
