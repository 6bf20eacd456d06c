use std::path::Path;

use crate::round::Round;
use crate::scan::{ChangeKind, Directory, ScanError};

/// Why the last rounds of a directory are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LastRoundsError {
    /// The directory cannot be listed.
    #[error(transparent)]
    Directory(#[from] ScanError),
    /// One of its files cannot be read, so its rounds may be missing.
    #[error("cannot read {file}: {error}")]
    File {
        /// Its name.
        file: String,
        /// What the system said.
        error: String,
    },
}

/// The newest `count` rounds of all files of a directory, oldest first.
///
/// # Errors
/// The directory or one of its files cannot be read.
pub fn last_rounds(dir: &Path, count: usize) -> Result<Vec<Round>, LastRoundsError> {
    let mut rounds = Vec::new();
    for change in Directory::new(dir).scan()? {
        if change.kind == ChangeKind::Unreadable {
            let error = change.error.unwrap_or_default();
            return Err(LastRoundsError::File { file: change.file, error });
        }
        rounds.extend(change.rounds);
    }
    // Stable: rounds of one time stay in the order of their file.
    rounds.sort_by_key(|round| round.time);
    rounds.drain(..rounds.len().saturating_sub(count));
    Ok(rounds)
}
