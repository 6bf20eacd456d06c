//! Reads the newest rounds of a directory.

use std::path::Path;

use crate::merge::{FileRounds, merge};
use crate::reader::ReadSettings;
use crate::round::Round;
use crate::scan::{ChangeKind, Directory, ScanError};

/// Why the last rounds of a directory cannot be determined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LastRoundsError {
    /// The directory cannot be listed.
    #[error(transparent)]
    Directory(#[from] ScanError),
    /// One of its files cannot be read, so its rounds may be missing.
    #[error("cannot read {file}: {error}")]
    File {
        /// The file's name.
        file: String,
        /// The system's error.
        error: String,
    },
}

/// Returns the newest `count` rounds of all files of a directory, oldest first. Files that are
/// copies of others are ignored. Rows are read with the default [`ReadSettings`].
///
/// # Errors
/// The directory or one of its files cannot be read.
pub fn last_rounds(dir: &Path, count: usize) -> Result<Vec<Round>, LastRoundsError> {
    last_rounds_with(dir, count, ReadSettings::default())
}

/// Returns the same as [`last_rounds`], with rows that are read as the settings say.
///
/// # Errors
/// The directory or one of its files cannot be read.
pub fn last_rounds_with(
    dir: &Path,
    count: usize,
    settings: ReadSettings,
) -> Result<Vec<Round>, LastRoundsError> {
    let mut changes = Directory::with_settings(dir, settings).scan()?;
    if let Some(change) = changes.iter_mut().find(|change| change.kind == ChangeKind::Unreadable) {
        let error = change.error.take().unwrap_or_default();
        return Err(LastRoundsError::File { file: std::mem::take(&mut change.file), error });
    }
    let files: Vec<FileRounds<'_>> = changes
        .iter()
        .map(|change| FileRounds { file: &change.file, rounds: &change.rounds })
        .collect();
    let mut rounds = merge(&files).rounds;
    rounds.drain(..rounds.len().saturating_sub(count));
    Ok(rounds)
}
