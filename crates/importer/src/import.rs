//! An import, from its files to its CSV: read, preview, confirm, write.

use rounds::Origin;

use crate::content::{BY_IMPORT, Content, SourceFile};
use crate::dialogue::{Dialogue, ImportError, Outcome, Target, agree};
use crate::merge::{self, Part};
use crate::options::Options;
use crate::past_imports;
use crate::preview::confirmed_command;
use crate::recording::Recording;
use crate::source::Source;
use crate::write::write;

/// How an import of several files ended.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files that have been imported before, each with the CSV that holds its rounds.
    pub known: Vec<(String, String)>,
    /// Files that are not read, and why.
    pub refused: Vec<ImportError>,
    /// The outcome for the rounds of all other files, which form one recording; `None` without other files.
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
/// The recording is refused, its rounds cannot be written, or there is no terminal to ask at.
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
    imported
        .refused
        .pop()
        .map_or_else(|| imported.outcome.expect("a file is known, refused or read"), Err)
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
        discontinuities: &[],
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
    let part = |file: Read| Part {
        source: file.source(),
        rounds: file.recording.rounds,
        events: Vec::new(),
    };
    let parts: Vec<Part> = all.into_iter().map(part).collect();
    let merged = merge::joined(&parts);
    let sources: Vec<SourceFile> = parts.into_iter().map(|part| part.source).collect();
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let command = confirmed_command(&names, options);
    let content = Content {
        rounds: &merged.rounds,
        is_estimated: false,
        discontinuities: &[],
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
