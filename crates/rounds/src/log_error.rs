//! Errors when writing rounds.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::origin::Origin;

/// Why rounds cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another process is writing to this directory.
    #[error("another collector{} is writing to {}: stop it first, or choose another directory", holder(*.pid, .since.as_deref()), dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Process id of the lock's holder, if known.
        pid: Option<u32>,
        /// When the holder took the lock, in RFC 3339, if known.
        since: Option<String>,
    },
    /// The directory holds rounds of another origin.
    #[error("{} holds {found} rounds, which must not be mixed with {wanted} ones: choose another directory", dir.display())]
    Mixed {
        /// The directory.
        dir: PathBuf,
        /// The origin of the rounds that it holds.
        found: Origin,
        /// The origin of the rounds to be written.
        wanted: Origin,
    },
    /// The round's time cannot be written so that the row can be read back.
    #[error("a round cannot be written: its time {time} is outside the years 0 to 9999")]
    Time {
        /// The time of the round.
        time: DateTime<Utc>,
    },
    /// All suffixes for files with this start time are taken.
    #[error("{} has too many files with this start time: choose another directory", dir.display())]
    Names {
        /// The directory.
        dir: PathBuf,
    },
    /// The file system returned an error.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl LogError {
    /// Returns what turns an error of the system into [`LogError::Io`], for `map_err`. `action` is
    /// what failed, such as `create`.
    pub fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path: path.clone(), source }
    }

    /// Returns whether the call would fail every time, so that a retry is pointless.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Mixed { .. } | Self::Time { .. })
    }

    /// Returns whether there was no space: the call succeeds once somebody makes room.
    pub fn is_full_disk(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ": give this user write permission there, or choose another directory"
        }
        _ => "",
    }
}

fn holder(pid: Option<u32>, since: Option<&str>) -> String {
    match (pid, since) {
        (Some(pid), Some(since)) => format!(" (process {pid}, since {since})"),
        (Some(pid), None) => format!(" (process {pid})"),
        _ => String::new(),
    }
}
