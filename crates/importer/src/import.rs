//! One import, from its file to its CSV: read, preview, confirm, write.

use std::path::{Path, PathBuf};

use rounds::disk::Disk;
use rounds::{LogError, counted};

use crate::options::Options;
use crate::past_imports;
use crate::preview::confirmed_command;
use crate::recording::Recording;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::write::write;

/// The user of an import: a terminal, or a test.
pub trait Dialogue {
    /// Shows a text.
    ///
    /// # Errors
    /// It cannot be shown.
    fn show(&mut self, text: &str) -> std::io::Result<()>;

    /// Asks whether to continue; `None` if there is no terminal.
    ///
    /// # Errors
    /// The answer cannot be read.
    fn agrees(&mut self, question: &str) -> std::io::Result<Option<bool>>;

    /// Reports how many bytes of a file have been read.
    fn progress(&mut self, read: u64, length: u64);
}

/// Where and whether to write.
#[derive(Debug)]
pub struct Target<'a> {
    /// The directory of rounds.
    pub dir: &'a Path,
    /// Its file system.
    pub disk: &'a dyn Disk,
    /// Whether to write nothing.
    pub is_dry_run: bool,
    /// Whether to write without asking.
    pub is_agreed: bool,
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
    /// The user declined.
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
    /// There was no terminal to ask at.
    #[error(
        "nothing was written: there is no terminal for the confirmation; to import it: {command}"
    )]
    NotAsked {
        /// The command that imports without asking.
        command: String,
    },
    /// The system reported an error.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Imports one file.
///
/// # Errors
/// The recording is refused, its rounds cannot be written, or there is no terminal to ask at.
pub fn import(
    source: &Source,
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    let io = |context| move |source| ImportError::Io { context, source };
    let digest = source.digest().map_err(io("reading the file"))?;
    if let Some(csv) =
        past_imports::find(target.dir, &digest).map_err(io("looking for an earlier import"))?
    {
        return Ok(Outcome::Known(csv));
    }
    let length = source.len();
    let recording = Recording::read(source, options, &mut |read| dialogue.progress(read, length))?;
    dialogue.progress(length, length);
    dialogue.show(&recording.preview()).map_err(io("showing the preview"))?;
    if target.is_dry_run {
        return Ok(Outcome::Shown);
    }
    if !target.is_agreed {
        let rounds = counted(recording.rounds.len() as u64, "round");
        let question = format!("Write {rounds} to {}?", target.dir.display());
        match dialogue.agrees(&question).map_err(io("asking"))? {
            Some(true) => {}
            Some(false) => return Ok(Outcome::Declined),
            None => {
                return Err(ImportError::NotAsked {
                    command: confirmed_command(&recording, options),
                });
            }
        }
    }
    Ok(Outcome::Written(write(&recording, &digest, target.dir, options.now, target.disk)?))
}
