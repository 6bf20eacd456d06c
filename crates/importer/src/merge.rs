//! Joins files that record the same rounds and writes them as one recording.

use std::path::Path;

use rounds::{EventLine, FileRounds, Merged, Origin, Round, UnresolvedOverlap, counted};

use crate::content::{BY_MERGE, Content, SourceFile};
use crate::dialogue::{Dialogue, ImportError, Outcome, Target, agree};
use crate::discontinuities::{self, Discontinuity, Noted};
use crate::past_imports;
use crate::preview::seconds;
use crate::write::write;

/// Conflicts shown of a pair of files.
const CONFLICTS_SHOWN: usize = 3;

/// A file of rounds that is joined with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The file.
    pub source: SourceFile,
    /// Its rounds, in its order.
    pub rounds: Vec<Round>,
    /// What its recorder noted beside them, as [`read_notes`](crate::read_notes) returns it.
    pub events: Vec<EventLine>,
}

/// Joins files of rounds, shows the result, asks and writes it. `command` is the command that writes without asking.
///
/// # Errors
/// Files overlap in time without sharing rounds, nobody can be asked, or the rounds cannot be written.
pub fn merge(
    parts: &[Part],
    origin: Origin,
    target: &Target<'_>,
    command: &str,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    if let Some(csv) = earlier(parts, target.dir)? {
        return Ok(Outcome::Known(csv));
    }
    let merged = joined(parts);
    let sources: Vec<SourceFile> = parts.iter().map(|part| part.source.clone()).collect();
    let discontinuities = discontinuities_of(parts, &merged);
    let content = Content {
        rounds: &merged.rounds,
        is_estimated: false,
        discontinuities: &discontinuities,
        sources: &sources,
        origin,
        by: BY_MERGE,
    };
    conclude(&merged, content, target, command, dialogue)
}

/// The CSV that holds the rounds of all parts, if an earlier merge has written it.
fn earlier(parts: &[Part], dir: &Path) -> Result<Option<String>, ImportError> {
    let mut known: Option<String> = None;
    for part in parts {
        let found = past_imports::find(dir, &part.source.sha256).map_err(|source| {
            ImportError::Io { context: "looking for an earlier merge", source }
        })?;
        match (found, &known) {
            (Some(csv), None) => known = Some(csv),
            (Some(csv), Some(other)) if csv == *other => {}
            _ => return Ok(None),
        }
    }
    Ok(known)
}

/// Returns the rounds of all parts, each of them once.
pub(crate) fn joined(parts: &[Part]) -> Merged {
    let files: Vec<FileRounds<'_>> = parts
        .iter()
        .map(|part| FileRounds { file: &part.source.name, rounds: &part.rounds })
        .collect();
    rounds::merge(&files)
}

/// Returns what recorders have noted and no other recording disproves.
fn discontinuities_of(parts: &[Part], merged: &Merged) -> Vec<Discontinuity> {
    let noted: Vec<Noted<'_>> = parts
        .iter()
        .map(|part| Noted { file: &part.source.name, rounds: &part.rounds, events: &part.events })
        .collect();
    discontinuities::find(&noted, merged)
}

/// Shows what was joined, asks and writes it.
pub(crate) fn conclude(
    merged: &Merged,
    content: Content<'_>,
    target: &Target<'_>,
    command: &str,
    dialogue: &mut dyn Dialogue,
) -> Result<Outcome, ImportError> {
    let mut text = describe_merge(merged, content.sources);
    let gaps = content.discontinuities.len() as u64;
    if gaps > 0 {
        let notes = counted(gaps, "note");
        let line =
            format!("  {:<11} {notes} of gaps and restarts that no other file fills\n", "gaps");
        text.push_str(&line);
    }
    dialogue
        .show(&text)
        .map_err(|source| ImportError::Io { context: "showing the preview", source })?;
    if let Some(UnresolvedOverlap { files: [first, second], .. }) = merged.unresolved.first() {
        let (first, second) = (first.clone(), second.clone());
        return Err(ImportError::Unresolved { first, second });
    }
    if let Some(outcome) = agree(content.rounds.len(), target, command, dialogue)? {
        return Ok(outcome);
    }
    Ok(Outcome::Written(write(content, target.dir, target.now, target.disk)?))
}

/// Returns what a merge found: the rounds of each file, what is counted once, conflicts, and files that overlap without
/// shared rounds.
pub fn describe_merge(merged: &Merged, sources: &[SourceFile]) -> String {
    let read = sources.iter().map(|source| source.rounds).sum();
    let rounds = counted(merged.rounds.len() as u64, "round");
    let mut lines = vec![format!(
        "merged: {rounds} of {} in {}",
        counted(read, "row"),
        counted(sources.len() as u64, "file")
    )];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:<11} {text}"));
    for source in sources {
        line("file", format!("{}: {}", source.name, counted(source.rounds, "round")));
    }
    if let (Some(first), Some(last)) = (merged.rounds.first(), merged.rounds.last()) {
        line("times", format!("from {} to {} UTC", seconds(first.time), seconds(last.time)));
    }
    for repeats in &merged.repeats {
        line("once", format!("{}: {repeats}", repeats.file));
    }
    for copy in &merged.copies {
        let rounds = counted(copy.rounds, "round");
        line("once", format!("{}: all {rounds} are in {}", copy.file, copy.of));
    }
    for overlap in &merged.overlaps {
        line("once", format!("{} and {}: {overlap}", overlap.first, overlap.second));
        for conflict in overlap.examples.iter().take(CONFLICTS_SHOWN) {
            let theirs = conflict.second;
            let kept = conflict.first.map_or_else(
                || "no round has room there".to_owned(),
                |ours| format!("{} {}x is kept", seconds(ours.time), ours.multiplier),
            );
            let other =
                format!("{} {}x of {}", seconds(theirs.time), theirs.multiplier, overlap.second);
            line("conflict", format!("{other}: {kept}"));
        }
    }
    for overlap in &merged.unresolved {
        line("unresolved", format!("{} and {}: {overlap}", overlap.files[0], overlap.files[1]));
    }
    if merged.left_out() == 0 && merged.unresolved.is_empty() {
        line("once", "no two files share a round".to_owned());
    }
    lines.join("\n") + "\n"
}
