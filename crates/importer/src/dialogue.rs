//! The target of an import or merge, the confirmation, and the outcome.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rounds::disk::Disk;
use rounds::{LogError, counted};

use crate::refusal::Refusal;

/// Where an import talks to: a terminal, or a test.
pub trait Dialogue {
    /// Shows a text.
    ///
    /// # Errors
    /// It cannot be shown.
    fn show(&mut self, text: &str) -> std::io::Result<()>;

    /// Asks whether to go on; `None` if there is nobody to ask.
    ///
    /// # Errors
    /// The answer cannot be read.
    fn agrees(&mut self, question: &str) -> std::io::Result<Option<bool>>;

    /// Reports how many bytes of a file have been read.
    fn progress(&mut self, read: u64, length: u64);
}

/// Where to write, and whether to ask first.
#[derive(Debug)]
pub struct Target<'a> {
    /// The directory of rounds.
    pub dir: &'a Path,
    /// Its file system.
    pub disk: &'a dyn Disk,
    /// Nothing is written.
    pub is_dry_run: bool,
    /// Nobody is asked.
    pub is_agreed: bool,
    /// The current time, which events are given.
    pub now: DateTime<Utc>,
}

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This file was written.
    Written(PathBuf),
    /// The same bytes have been imported before, into this file.
    Known(String),
    /// A dry run.
    Shown,
    /// The user said no.
    Declined,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The recording is not read.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its rounds could not be written.
    #[error(transparent)]
    Write(#[from] LogError),
    /// Nobody could be asked.
    #[error(
        "nothing was written: there is no terminal for the confirmation; to write it: {command}"
    )]
    NotAsked {
        /// The command that writes without asking.
        command: String,
    },
    /// Files overlap in time and share no rounds, so that they cannot be joined.
    #[error(
        "nothing was written: {first} and {second} overlap in time and share no run of rounds; if they record two tables, \
         give each of them a directory of its own"
    )]
    Unresolved {
        /// One of the files.
        first: String,
        /// The other one.
        second: String,
    },
    /// The order of several files without times is not known.
    #[error("nothing was written: files without times can only be imported one at a time")]
    WithoutTimes,
    /// The file system returned an error.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Asks whether to write, unless the options decide it; returns the outcome if nothing is to be
/// written.
pub(crate) fn agree(
    rounds: usize,
    target: &Target<'_>,
    command: &str,
    dialogue: &mut dyn Dialogue,
) -> Result<Option<Outcome>, ImportError> {
    if target.is_dry_run {
        return Ok(Some(Outcome::Shown));
    }
    if target.is_agreed {
        return Ok(None);
    }
    let rounds = counted(rounds as u64, "round");
    let question = format!("Write {rounds} to {}?", target.dir.display());
    let answer = dialogue.agrees(&question);
    match answer.map_err(|source| ImportError::Io { context: "asking", source })? {
        Some(true) => Ok(None),
        Some(false) => Ok(Some(Outcome::Declined)),
        None => Err(ImportError::NotAsked { command: command.to_owned() }),
    }
}
