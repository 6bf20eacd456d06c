//! The state file of a push: how many rows of each file are stored at the hub.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rounds::{TableName, read_regular};
use serde::{Deserialize, Serialize};

use super::file_position::FilePosition;

/// Largest size of a state file, which has a line for each CSV file.
const BYTES_MAX: u64 = 64 << 20;

/// Interval between two writes of the file while rows are sent. After a crash the rows acknowledged since the last write
/// are sent again, and the hub rejects them as stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How many rows of each file are at the hub, backed by a state file.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    current: SavedState,
    saved: SavedState,
    saved_at: Instant,
    _lock: File,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SavedState {
    version: u32,
    /// Time of creation of the stream that holds the rows.
    stream: String,
    files: BTreeMap<String, FilePosition>,
}

const VERSION: u32 = 1;

/// An error of the state file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another bridge has locked the file.
    #[error("another bridge is pushing this table from here (it holds {}): stop it first", .0.display())]
    Locked(PathBuf),
    /// An input/output error.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl State {
    /// Opens the state of a table in a directory; creates the directory if needed. A file that
    /// cannot be parsed is set aside; every row is then sent again, and the hub rejects those that
    /// it has already.
    ///
    /// # Errors
    /// Another bridge has locked the state, or it cannot be read or created.
    pub fn open(dir: &Path, table: &TableName) -> Result<Self, StateError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StateError::Io { action, path, source }
        };
        fs::create_dir_all(dir).map_err(io("create", dir))?;
        let lock_path = dir.join(format!("push-{table}.lock"));
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked(lock_path)),
            Err(TryLockError::Error(error)) => return Err(io("lock", &lock_path)(error)),
        }
        let path = dir.join(format!("push-{table}.json"));
        let current = match read_regular(&path, BYTES_MAX) {
            Ok(bytes) => parse(&path, &bytes).map_err(io("set aside", &path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SavedState::default(),
            Err(error) => return Err(io("read", &path)(error)),
        };
        Ok(Self { path, saved: current.clone(), current, saved_at: Instant::now(), _lock: lock })
    }

    /// Sets the stream that holds the rows; returns whether it replaces another one. A new stream has none of the rows.
    pub(super) fn adopt_stream(&mut self, stream: &str) -> bool {
        if self.current.stream == stream {
            return false;
        }
        let replaces_other = !self.current.stream.is_empty();
        self.current =
            SavedState { version: VERSION, stream: stream.to_owned(), files: BTreeMap::new() };
        replaces_other
    }

    pub(super) fn position(&mut self, file: &str) -> &mut FilePosition {
        self.current.files.entry(file.to_owned()).or_default()
    }

    pub(super) fn save_if_due(&mut self) {
        if self.saved_at.elapsed() >= SAVE_INTERVAL {
            self.save();
        }
    }

    pub(super) fn save_if_changed(&mut self) {
        if self.current != self.saved {
            self.save();
        }
    }

    /// Writes the state file. If that fails, rows are sent again after the next start, which does no harm.
    pub(super) fn save(&mut self) {
        self.saved_at = Instant::now();
        let draft = self.path.with_extension("json.new");
        let text = serde_json::to_vec(&self.current).expect("the state is plain data");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)
        };
        match write() {
            Ok(()) => self.saved = self.current.clone(),
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "Cannot write the state file; rows are sent again after a restart.");
            }
        }
    }
}

/// Parses the state file; sets it aside if it is damaged or has another version.
fn parse(path: &Path, bytes: &[u8]) -> io::Result<SavedState> {
    match serde_json::from_slice::<SavedState>(bytes) {
        Ok(current) if current.version == VERSION => Ok(current),
        _ => {
            tracing::warn!(file = %path.display(), "Cannot read the state file; it is set aside, and every row is sent again.");
            fs::rename(path, path.with_extension("json.bad"))?;
            Ok(SavedState::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableName {
        "t".parse().unwrap()
    }

    #[test]
    fn a_saved_state_survives_a_restart_for_the_same_stream() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert!(!state.adopt_stream("one"));
        state.position("a").acknowledge(7);
        state.save();
        let position = state.position("a").clone();
        drop(state);
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert!(!state.adopt_stream("one"));
        assert_eq!(*state.position("a"), position);
        assert!(state.adopt_stream("two"));
        assert_eq!(*state.position("a"), FilePosition::default());
    }

    #[test]
    fn a_damaged_state_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("push-t.json"), b"{\"version\":1,").unwrap();
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert_eq!(*state.position("a"), FilePosition::default());
        assert!(dir.path().join("push-t.json.bad").exists());
    }

    #[test]
    fn a_second_bridge_cannot_open_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let _first = State::open(dir.path(), &table()).unwrap();
        assert!(matches!(State::open(dir.path(), &table()), Err(StateError::Locked(_))));
    }
}
