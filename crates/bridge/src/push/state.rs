//! The state file of a push: how many rows of each file are stored at the hub.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rounds::TableName;
use serde::{Deserialize, Serialize};

use super::file_position::FilePosition;

/// Interval between two writes while rows are sent. Rows since the last write are sent again after a crash, and refused.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// How many rows of each file are at the hub, kept in a state file.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    kept: SavedState,
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
    /// Another bridge has it.
    #[error("another bridge is pushing this table from here (it holds {}): stop it first", .0.display())]
    Locked(PathBuf),
    /// The system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl State {
    /// The state of a table in a directory, which is made if it is not there. One that cannot be read is put aside: then
    /// everything is sent once more, and the hub refuses what it has.
    ///
    /// # Errors
    /// Another bridge has it, or the system refuses.
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
        let kept = match fs::read(&path) {
            Ok(bytes) => read(&path, &bytes).map_err(io("put aside", &path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SavedState::default(),
            Err(error) => return Err(io("read", &path)(error)),
        };
        Ok(Self { path, saved: kept.clone(), kept, saved_at: Instant::now(), _lock: lock })
    }

    /// The stream in which the rows are; true if it is another one than before, which has none of them.
    pub(super) fn adopt_stream(&mut self, stream: &str) -> bool {
        if self.kept.stream == stream {
            return false;
        }
        let was_other = !self.kept.stream.is_empty();
        self.kept =
            SavedState { version: VERSION, stream: stream.to_owned(), files: BTreeMap::new() };
        was_other
    }

    pub(super) fn place(&mut self, file: &str) -> &mut FilePosition {
        self.kept.files.entry(file.to_owned()).or_default()
    }

    pub(super) fn save_if_due(&mut self) {
        if self.saved_at.elapsed() >= SAVE_EVERY {
            self.save();
        }
    }

    pub(super) fn save_if_changed(&mut self) {
        if self.kept != self.saved {
            self.save();
        }
    }

    /// Writes it down; if that fails, rows are sent again after the next start, which does no harm.
    pub(super) fn save(&mut self) {
        self.saved_at = Instant::now();
        let draft = self.path.with_extension("json.new");
        let text = serde_json::to_vec(&self.kept).expect("the state is plain data");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)
        };
        match write() {
            Ok(()) => self.saved = self.kept.clone(),
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "Cannot write the state file; rows are sent again after a restart.");
            }
        }
    }
}

fn read(path: &Path, bytes: &[u8]) -> io::Result<SavedState> {
    match serde_json::from_slice::<SavedState>(bytes) {
        Ok(kept) if kept.version == VERSION => Ok(kept),
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
    fn what_is_saved_is_there_after_a_restart_for_the_same_stream() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert!(!state.adopt_stream("one"));
        state.place("a").acknowledge(7);
        state.save();
        let place = state.place("a").clone();
        drop(state);
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert!(!state.adopt_stream("one"));
        assert_eq!(*state.place("a"), place);
        assert!(state.adopt_stream("two"));
        assert_eq!(*state.place("a"), FilePosition::default());
    }

    #[test]
    fn a_damaged_state_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("push-t.json"), b"{\"version\":1,").unwrap();
        let mut state = State::open(dir.path(), &table()).unwrap();
        assert_eq!(*state.place("a"), FilePosition::default());
        assert!(dir.path().join("push-t.json.bad").exists());
    }

    #[test]
    fn one_bridge_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let _first = State::open(dir.path(), &table()).unwrap();
        assert!(matches!(State::open(dir.path(), &table()), Err(StateError::Locked(_))));
    }
}
