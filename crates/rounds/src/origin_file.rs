//! Reads and writes the marker file that names the origin of a directory's rounds.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::csv_files::csv_names;
use crate::disk::sync_dir;
use crate::log_error::LogError;
use crate::origin::Origin;
use crate::regular_file::read_regular_text;

/// Name of the marker file, which holds one word: the origin of its directory.
pub const ORIGIN_FILE: &str = "aviator_payouts.origin";
/// Largest size of the marker file; the word in it is far shorter.
const BYTES_MAX: u64 = 4096;

impl Origin {
    /// Returns the origin of the rounds in a directory.
    ///
    /// CSV files without a marker count as recorded; a directory with neither has no origin yet.
    ///
    /// # Errors
    /// The directory or the marker cannot be read (`NotFound` if the directory does not exist), or
    /// the marker holds an unknown word (`InvalidData`).
    pub fn of(dir: &Path) -> io::Result<Option<Self>> {
        let marker = dir.join(ORIGIN_FILE);
        match read_regular_text(&marker, BYTES_MAX) {
            Ok(text) => {
                let word = text.trim();
                let known = Self::ALL.into_iter().find(|origin| origin.word() == word);
                known.map(Some).ok_or_else(|| {
                    let shown: String = word.chars().take(40).collect();
                    let all = Self::ALL.map(Self::word).join(", ");
                    let text =
                        format!("{}: expected one of {all}, found `{shown}`", marker.display());
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok((!csv_names(dir)?.is_empty()).then_some(Self::Recorded))
            }
            Err(error) => {
                let text = format!("{}: {error}", marker.display());
                Err(io::Error::new(error.kind(), text))
            }
        }
    }
    /// Marks a directory as one of rounds of this origin, unless it is marked already.
    ///
    /// # Errors
    /// The directory holds rounds of another origin, or the file system returns an error.
    pub fn mark(self, dir: &Path) -> Result<(), LogError> {
        let marker = dir.join(ORIGIN_FILE);
        let found =
            Self::of(dir).map_err(LogError::io("determine the origin of the rounds in", dir))?;
        if let Some(found) = found.filter(|found| *found != self) {
            return Err(LogError::Mixed { dir: dir.to_owned(), found, wanted: self });
        }
        if marker.exists() {
            return Ok(());
        }
        // Rename it into place, so that a marker is complete or does not exist.
        let draft = dir.join(format!("{ORIGIN_FILE}.new"));
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(format!("{self}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &marker)?;
            sync_dir(dir)
        };
        write().map_err(LogError::io("write", &marker))
    }
}
