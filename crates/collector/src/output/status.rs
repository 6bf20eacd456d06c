//! The status of the collector: in `status.json` beside the CSV files, and for metrics and systemd.

mod file;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rounds::{EventKind, Multiplier, Origin, TableName};
use serde::Serialize;
use tokio::sync::watch;

pub use self::file::StatusFile;

/// Name of the status file, in the directory of the CSV files.
pub const STATUS_FILE: &str = "status.json";

/// The state of the collector.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CollectorState {
    /// Not connected yet.
    Starting,
    /// Connected, and rounds arrive.
    Connected,
    /// The connection was lost; the collector tries to reconnect.
    Reconnecting,
    /// Connected, but without a new round for three minutes.
    Stalled,
    /// The collector has stopped.
    Stopped,
    /// The disk rejects writes; rounds wait in memory.
    WritingFailed,
}

/// The content of `status.json`.
#[derive(Serialize, Clone, Debug)]
pub struct Status {
    /// Version of the collector.
    pub version: &'static str,
    /// Id of the process.
    pub pid: u32,
    /// The table, as in `--table`.
    pub table: TableName,
    /// The source, as in `--source`.
    pub source: &'static str,
    /// The origin of the rounds, as in the directory's marker file.
    pub origin: Origin,
    /// The rounds are simulated.
    pub simulated: bool,
    /// The state of the collector.
    pub state: CollectorState,
    /// When it entered this state.
    #[serde(serialize_with = "rfc3339")]
    pub state_since: DateTime<Utc>,
    /// When this run began.
    #[serde(serialize_with = "rfc3339")]
    pub started_at: DateTime<Utc>,
    /// The newest round on the disk.
    pub last_round: Option<LastRound>,
    /// Rounds written by this run.
    pub rounds_written: u64,
    /// Places where an unknown number of rounds is missing.
    pub gaps: u64,
    /// Weak joins: places where too little overlaps to prove that no round is missing.
    pub weak: u64,
    /// Changes to another game or table.
    pub resets: u64,
    /// Rounds taken from a history after they ended.
    pub backfilled: u64,
    /// Lost connections that were re-established.
    pub reconnects: u64,
    /// The last error of the source or the disk; `null` again after the next new round.
    pub last_error: Option<String>,
    /// Name of the CSV file that is being written.
    pub file: Option<String>,
    /// Rounds and discontinuities that wait for the disk.
    pub queued_rows: usize,
    /// When the status was last updated.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: DateTime<Utc>,
}

/// Shares the session's latest status with the rest of the process.
#[derive(Clone, Debug, Default)]
pub struct StatusWatch(Arc<watch::Sender<Option<Status>>>);

impl StatusWatch {
    /// Publishes a status.
    pub fn post(&self, status: &Status) {
        self.0.send_replace(Some(status.clone()));
    }

    /// Returns the latest status; `None` before the first one.
    pub fn latest(&self) -> Option<Status> {
        self.0.borrow().clone()
    }

    /// Returns a receiver that is notified of every new status.
    pub fn subscribe(&self) -> watch::Receiver<Option<Status>> {
        self.0.subscribe()
    }
}

/// The newest round on the disk.
#[derive(Serialize, Clone, Copy, Debug, PartialEq)]
pub struct LastRound {
    /// The time of the round.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// The multiplier at which it ended.
    pub multiplier: Multiplier,
}

fn rfc3339<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl CollectorState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Starting,
        Self::Connected,
        Self::Reconnecting,
        Self::Stalled,
        Self::Stopped,
        Self::WritingFailed,
    ];

    /// Returns the name used in the file.
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
    /// Returns the status of a collector that starts at the default table.
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

    /// Counts a round or an event between rounds.
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

    /// Sets the state; returns whether it changed.
    pub fn set_state(&mut self, state: CollectorState, now: DateTime<Utc>) -> bool {
        let has_changed = self.state != state;
        if has_changed {
            self.state = state;
            self.state_since = now;
        }
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::SourceKind;

    #[test]
    fn a_state_is_serialized_as_its_name() {
        for state in CollectorState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    #[test]
    fn setting_the_same_state_keeps_its_start_time() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut status = Status::new(SourceKind::Browser, at(0));
        assert!(status.set_state(CollectorState::Connected, at(1)));
        assert!(!status.set_state(CollectorState::Connected, at(2)));
        assert_eq!(status.state_since, at(1));
    }
}
