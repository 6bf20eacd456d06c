use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Where the rounds of a directory come from; one directory never mixes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// RecordedRound from a game as they were played.
    Recorded,
    /// Recorded earlier and played back.
    Replayed,
    /// Made up by the demo source.
    Simulated,
}

/// The file that holds the origin of its directory, one word.
pub const ORIGIN_FILE: &str = "aviator_payouts.origin";

impl Origin {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Recorded, Self::Replayed, Self::Simulated];

    /// The word in the marker file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Replayed => "replayed",
            Self::Simulated => "simulated",
        }
    }

    /// The origin of the rounds in a directory.
    ///
    /// Files without a marker are recorded ones; a directory with neither has no origin yet.
    ///
    /// # Errors
    /// The directory or the marker cannot be read (`NotFound` if the directory is not there),
    /// or the marker holds another word (`InvalidData`).
    pub fn of(dir: &Path) -> io::Result<Option<Self>> {
        let marker = dir.join(ORIGIN_FILE);
        match fs::read_to_string(&marker) {
            Ok(text) => {
                let word = text.trim();
                let known = Self::ALL.into_iter().find(|origin| origin.word() == word);
                known.map(Some).ok_or_else(|| {
                    let shown: String = word.chars().take(40).collect();
                    let all = Self::ALL.map(Self::word).join(", ");
                    let text = format!("{}: `{shown}` is none of {all}", marker.display());
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_empty = crate::file_name::csv_names(dir)?.is_empty();
                Ok((!is_empty).then_some(Self::Recorded))
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
