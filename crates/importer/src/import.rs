//! An import from its files to its CSV: read, shown, agreed to, written.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rounds::Origin;
use rounds::disk::Disk;

use crate::content::{BY_IMPORT, Content, SourceFile};
use crate::merge::{self, Part};
use crate::options::Options;
use crate::past_imports;
use crate::preview::{self, confirmed_command};
use crate::recording::Recording;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::write::{WriteError, write};

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

/// Where and whether to write.
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
    Write(#[from] WriteError),
    /// Nobody could be asked.
    #[error("nothing was written: there is no terminal to ask at; to write it: {command}")]
    NotAsked {
        /// The command that does not ask.
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
    /// The system refused.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

/// How an import of several files ended.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files that have been imported before, each with the CSV that holds its rounds.
    pub known: Vec<(String, String)>,
    /// Files that are not read, and why.
    pub refused: Vec<ImportError>,
    /// What became of the rounds of all others, which are one recording; `None` if there are no others.
    pub outcome: Option<Result<Outcome, ImportError>>,
}

/// A file that was read.
struct Read {
    recording: Recording,
    digest: String,
}

/// Imports one file.
///
/// # Errors
/// The recording is refused, its rounds cannot be written, or nobody can be asked.
pub fn import(
    source: &Source,
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    let mut imported = import_all(std::slice::from_ref(source), options, target, dialogue);
    if let Some((_, csv)) = imported.known.pop() {
        return Ok(Outcome::Known(csv));
    }
    imported.refused.pop().map_or_else(
        || imported.outcome.expect("a file is known, refused or read"),
        Err,
    )
}

/// Imports files as one recording in which each round counts once, whichever of the files hold it.
pub fn import_all(
    sources: &[Source],
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Imported {
    let mut imported = Imported::default();
    let mut all: Vec<Read> = Vec::new();
    for source in sources {
        match read(source, options, target, dialogue) {
            Ok(Ok(file)) if all.iter().any(|other| other.digest == file.digest) => {}
            Ok(Ok(file)) => all.push(file),
            Ok(Err(csv)) => imported.known.push((source.name.clone(), csv)),
            Err(error) => imported.refused.push(error),
        }
    }
    imported.outcome = match all.as_slice() {
        [] => None,
        [file] => Some(write_one(file, options, target, dialogue)),
        _ => Some(write_all(all, options, target, dialogue)),
    };
    imported
}

/// Reads one file and shows it; `Ok(Err(_))` is the CSV that holds its rounds already.
fn read(
    source: &Source,
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Result<Result<Read, String>, ImportError> {
    let io = |context| move |source| ImportError::Io { context, source };
    let digest = source.digest().map_err(io("reading the file"))?;
    if let Some(csv) =
        past_imports::find(target.dir, &digest).map_err(io("looking for an earlier import"))?
    {
        return Ok(Err(csv));
    }
    let length = source.len();
    let recording = Recording::read(source, options, &mut |read| dialogue.progress(read, length))?;
    dialogue.progress(length, length);
    dialogue.show(&recording.preview()).map_err(io("showing the preview"))?;
    Ok(Ok(Read { recording, digest }))
}

fn write_one(
    file: &Read,
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    let recording = &file.recording;
    let command = confirmed_command(&[&recording.name], options);
    if let Some(outcome) = agree(recording.rounds.len(), target, &command, dialogue)? {
        return Ok(outcome);
    }
    let content = Content {
        rounds: &recording.rounds,
        is_estimated: recording.is_estimated,
        sources: &[file.source()],
        origin: Origin::Recorded,
        by: BY_IMPORT,
    };
    Ok(Outcome::Written(write(content, target.dir, target.now, target.disk)?))
}

fn write_all(
    all: Vec<Read>,
    options: &Options,
    target: &Target<'_>,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    if all.iter().any(|file| file.recording.is_estimated) {
        return Err(ImportError::WithoutTimes);
    }
    let part = |file: Read| Part { source: file.source(), rounds: file.recording.rounds };
    let parts: Vec<Part> = all.into_iter().map(part).collect();
    let merged = merge::joined(&parts);
    let sources: Vec<SourceFile> = parts.into_iter().map(|part| part.source).collect();
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let command = confirmed_command(&names, options);
    let content = Content {
        rounds: &merged.rounds,
        is_estimated: false,
        sources: &sources,
        origin: Origin::Recorded,
        by: BY_IMPORT,
    };
    merge::conclude(&merged, content, target, &command, dialogue)
}

impl Read {
    fn source(&self) -> SourceFile {
        SourceFile {
            name: self.recording.name.clone(),
            sha256: self.digest.clone(),
            rounds: self.recording.rounds.len() as u64,
        }
    }
}

/// Asks whether to write, unless that is known; returns how it ended if nothing is to be written.
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
    let rounds = preview::count(rounds as u64, "round");
    let question = format!("Write {rounds} to {}?", target.dir.display());
    let answer = dialogue.agrees(&question);
    match answer.map_err(|source| ImportError::Io { context: "asking", source })? {
        Some(true) => Ok(None),
        Some(false) => Ok(Some(Outcome::Declined)),
        None => Err(ImportError::NotAsked { command: command.to_owned() }),
    }
}
