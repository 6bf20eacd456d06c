//! `status.json`, how the collector is, beside the CSVs: written whole at every change and every few seconds.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rounds::{EventKind, Multiplier, Name, Origin};
use serde::Serialize;
use tokio::sync::watch;

/// The file, in the directory of the CSVs.
pub const STATUS_FILE: &str = "status.json";
/// The file is filled up with spaces to so many bytes: room for what must be said when the disk has none.
const ROOM: usize = 1500;

/// How the collector is.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum State {
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
    pub table: Name,
    /// As in `--source`.
    pub source: &'static str,
    /// As in the directory's marker.
    pub origin: Origin,
    /// The rounds are not from a game.
    pub simulated: bool,
    /// How the collector is.
    pub state: State,
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
pub struct Board(Arc<watch::Sender<Option<Status>>>);

impl Board {
    /// The status as it is now.
    pub fn post(&self, status: &Status) {
        self.0.send_replace(Some(status.clone()));
    }

    /// The latest status, once there is one.
    pub fn latest(&self) -> Option<Status> {
        self.0.borrow().clone()
    }

    /// Hears of every posting.
    pub fn listen(&self) -> watch::Receiver<Option<Status>> {
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

impl State {
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
    pub fn word(self) -> &'static str {
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
    pub fn new(source: crate::source::Kind, now: DateTime<Utc>) -> Self {
        let origin = source.origin();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            table: Name::default(),
            source: source.name(),
            origin,
            simulated: origin == Origin::Simulated,
            state: State::Starting,
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
    pub fn enter(&mut self, state: State, now: DateTime<Utc>) -> bool {
        let is_other = self.state != state;
        if is_other {
            self.state = state;
            self.state_since = now;
        }
        is_other
    }

    /// Writes the file: a reader sees the old one or the new one, never a part. Onto a full disk it is written over the old one,
    /// in one piece and in the space that has: that the disk is full must be said.
    ///
    /// # Errors
    ///
    /// The disk refuses; the old file stands.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let (draft, path) = (draft(dir), dir.join(STATUS_FILE));
        let mut text = serde_json::to_vec_pretty(self)?;
        text.resize(text.len().max(ROOM), b' ');
        text.push(b'\n');
        match fs::write(&draft, &text) {
            Ok(()) => fs::rename(&draft, path),
            Err(error) => {
                drop(fs::remove_file(&draft));
                let is_full = error.kind() == io::ErrorKind::StorageFull;
                if is_full { self.write_over(&path) } else { Err(error) }
            }
        }
    }

    fn write_over(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        let mut file = File::options().write(true).open(path)?;
        let room = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if text.len() >= room {
            text = serde_json::to_vec(&Self { last_error: None, ..self.clone() })?;
        }
        if text.len() >= room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        text.resize(room - 1, b' ');
        text.push(b'\n');
        file.write_all(&text)
    }
}

fn draft(dir: &Path) -> PathBuf {
    dir.join(format!("{STATUS_FILE}.new"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Kind;

    #[test]
    fn the_file_says_what_readers_expect() {
        let dir = tempfile::tempdir().unwrap();
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        let mut status = Status::new(Kind::Demo, now);
        status.last_round = Some(LastRound { time: now, multiplier: "2.31".parse().unwrap() });
        status.write(dir.path()).unwrap();
        let text = fs::read_to_string(dir.path().join(STATUS_FILE)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["state"], "starting");
        assert_eq!(value["origin"], "simulated");
        assert_eq!(value["simulated"], true);
        assert_eq!(value["last_round"]["time"], "2026-01-01T12:00:00.000Z");
        assert_eq!(value["last_round"]["multiplier"], 2.31);
        assert!(value["last_error"].is_null());
        assert!(!draft(dir.path()).exists());
    }

    #[test]
    fn on_a_full_disk_it_is_written_over_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(STATUS_FILE);
        let mut status = Status::new(Kind::Demo, DateTime::UNIX_EPOCH);
        status.write(dir.path()).unwrap();
        let before = fs::metadata(&path).unwrap().len();
        status.state = State::WritingFailed;
        status.last_error = Some("no space left".to_owned());
        status.write_over(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(u64::try_from(text.len()).unwrap(), before, "it takes no more space");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], &value["last_error"]),
            (&"writing_failed".into(), &"no space left".into())
        );
        status.last_error = Some("x".repeat(text.len()));
        status.write_over(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], value["last_error"].is_null()),
            (&"writing_failed".into(), true)
        );
        fs::write(&path, "{}").unwrap();
        assert!(status.write_over(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}", "what is there stands");
    }

    #[test]
    fn a_state_has_one_name() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }

    #[test]
    fn a_state_keeps_the_time_it_began() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut status = Status::new(Kind::Browser, at(0));
        assert!(status.enter(State::Connected, at(1)));
        assert!(!status.enter(State::Connected, at(2)));
        assert_eq!(status.state_since, at(1));
    }
}
