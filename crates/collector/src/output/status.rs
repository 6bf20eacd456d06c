//! How the collector is: in `status.json` beside the CSVs, and for those who ask the process.

mod file;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rounds::{EventKind, Multiplier, Origin, TableName};
use serde::Serialize;
use tokio::sync::watch;

pub use self::file::StatusFile;

/// The file, in the directory of the CSVs.
pub const STATUS_FILE: &str = "status.json";

/// How the collector is.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CollectorState {
    /// Not connected yet.
    Starting,
    /// Connected, and rounds come.
    Connected,
    /// The connection is lost, and sought again.
    Reconnecting,
    /// Connected, but no new round for three minutes.
    Stalled,
    /// Ended.
    Stopped,
    /// The disk refuses; rounds wait in memory.
    WritingFailed,
}

/// What `status.json` says.
#[derive(Serialize, Clone, Debug)]
pub struct Status {
    /// Of the collector.
    pub version: &'static str,
    /// Of the process.
    pub pid: u32,
    /// As in `--table`.
    pub table: TableName,
    /// As in `--source`.
    pub source: &'static str,
    /// As in the directory's marker.
    pub origin: Origin,
    /// The rounds are not from a game.
    pub simulated: bool,
    /// How the collector is.
    pub state: CollectorState,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub state_since: DateTime<Utc>,
    /// When this run began.
    #[serde(serialize_with = "rfc3339")]
    pub started_at: DateTime<Utc>,
    /// The newest round on the disk.
    pub last_round: Option<LastRound>,
    /// Of this run.
    pub rounds_written: u64,
    /// Places where an unknown number of rounds is missing.
    pub gaps: u64,
    /// Places where the rounds may not join.
    pub weak: u64,
    /// Changes to another game or table.
    pub resets: u64,
    /// Rounds taken from a history after the fact.
    pub backfilled: u64,
    /// Connections that were lost and came back.
    pub reconnects: u64,
    /// Why it last was not connected or could not write; `null` once all is well for a minute.
    pub last_error: Option<String>,
    /// The CSV that is being written.
    pub file: Option<String>,
    /// Rounds and marks that wait for the disk.
    pub queued_rows: usize,
    /// When this was written.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: DateTime<Utc>,
}

/// Where the session puts its status for those who watch it from inside the process: the latest, and that it moves.
#[derive(Clone, Debug, Default)]
pub struct StatusWatch(Arc<watch::Sender<Option<Status>>>);

impl StatusWatch {
    /// The status as it is now.
    pub fn post(&self, status: &Status) {
        self.0.send_replace(Some(status.clone()));
    }

    /// The latest status, once there is one.
    pub fn latest(&self) -> Option<Status> {
        self.0.borrow().clone()
    }

    /// Hears of every posting.
    pub fn subscribe(&self) -> watch::Receiver<Option<Status>> {
        self.0.subscribe()
    }
}

/// The newest round on the disk.
#[derive(Serialize, Clone, Copy, Debug, PartialEq)]
pub struct LastRound {
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// Where it ended.
    pub multiplier: Multiplier,
}

fn rfc3339<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl CollectorState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Starting,
        Self::Connected,
        Self::Reconnecting,
        Self::Stalled,
        Self::Stopped,
        Self::WritingFailed,
    ];

    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Stalled => "stalled",
            Self::Stopped => "stopped",
            Self::WritingFailed => "writing_failed",
        }
    }
}

impl Status {
    /// A collector that begins, at the default table.
    pub fn new(source: crate::observation::SourceKind, now: DateTime<Utc>) -> Self {
        let origin = source.origin();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            table: TableName::default(),
            source: source.name(),
            origin,
            simulated: origin == Origin::Simulated,
            state: CollectorState::Starting,
            state_since: now,
            started_at: now,
            last_round: None,
            rounds_written: 0,
            gaps: 0,
            weak: 0,
            resets: 0,
            backfilled: 0,
            reconnects: 0,
            last_error: None,
            file: None,
            queued_rows: 0,
            updated_at: now,
        }
    }

    /// Counts a round or a mark.
    pub fn count(&mut self, kind: EventKind) {
        match kind {
            EventKind::Gap => self.gaps += 1,
            EventKind::Weak => self.weak += 1,
            EventKind::Reset => self.resets += 1,
            EventKind::Backfill => self.backfilled += 1,
            EventKind::Reconnect => self.reconnects += 1,
            _ => {}
        }
    }

    /// True if that is another state than before.
    pub fn set_state(&mut self, state: CollectorState, now: DateTime<Utc>) -> bool {
        let is_other = self.state != state;
        if is_other {
            self.state = state;
            self.state_since = now;
        }
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::SourceKind;

    #[test]
    fn a_state_has_one_name() {
        for state in CollectorState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    #[test]
    fn a_state_keeps_the_time_it_began() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut status = Status::new(SourceKind::Browser, at(0));
        assert!(status.set_state(CollectorState::Connected, at(1)));
        assert!(!status.set_state(CollectorState::Connected, at(2)));
        assert_eq!(status.state_since, at(1));
    }
}
