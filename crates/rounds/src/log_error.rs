//! Errors of writing rounds.

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::origin::Origin;

/// Why rounds cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another process writes in this directory.
    #[error("another collector{} writes in {}: stop it first, or choose another directory", holder(*.pid, .since.as_deref()), dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The process that holds the lock, if it can be told.
        pid: Option<u32>,
        /// Since when, RFC 3339, if it can be told.
        since: Option<String>,
    },
    /// The directory holds rounds of another origin.
    #[error("{} holds {found} rounds and {wanted} ones must not mix with them: choose another directory", dir.display())]
    Mixed {
        /// The directory.
        dir: PathBuf,
        /// What it holds.
        found: Origin,
        /// What was to be written.
        wanted: Origin,
    },
    /// The row could not be read again.
    #[error("a round cannot be written: its time {time} is outside the years 0 to 9999")]
    Time {
        /// The time of the round.
        time: DateTime<Utc>,
    },
    /// More files of one second than anyone needs.
    #[error("{}: too many files of this start time; choose another directory", dir.display())]
    Names {
        /// The directory.
        dir: PathBuf,
    },
    /// The system refused.
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

impl LogError {
    /// Whether the same call can never succeed, however often it is tried.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Mixed { .. } | Self::Time { .. })
    }
}

fn holder(pid: Option<u32>, since: Option<&str>) -> String {
    match (pid, since) {
        (Some(pid), Some(since)) => format!(" (process {pid}, since {since})"),
        (Some(pid), None) => format!(" (process {pid})"),
        _ => String::new(),
    }
}
