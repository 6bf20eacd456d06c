//! Which files have been imported into a directory: the event file beside each CSV keeps the digest of its source.
//!
//! There is no list beside the files that could disagree with them: a CSV that is deleted has not been imported.

use std::io;
use std::path::Path;

use rounds::{Event, EventKind, EventReader, csv_names};
use serde_json::{Value, json};

use crate::content::{Content, SourceFile};
use crate::source::Source;

/// Key of the detail that describes an import.
const KEY: &str = "import";
/// Key of the files, where there are several.
const FILES: &str = "files";

/// Returns the name of the CSV that holds the rounds of a source with this digest, if there is one.
///
/// # Errors
/// The directory or an event file cannot be read.
pub fn find(dir: &Path, digest: &str) -> io::Result<Option<String>> {
    Ok(imports(dir)?.into_iter().find(|(_, import)| holds(import, digest)).map(|(csv, _)| csv))
}

/// Returns the name of the CSV that holds the rounds of a file, if it has been imported into a directory. The file is
/// read only if the directory holds imports.
///
/// # Errors
/// The directory, an event file or the file cannot be read.
pub fn find_file(dir: &Path, file: &Path) -> io::Result<Option<String>> {
    let imports = imports(dir)?;
    if imports.is_empty() {
        return Ok(None);
    }
    let digest = Source::file(file)?.digest()?;
    Ok(imports.into_iter().find(|(_, import)| holds(import, &digest)).map(|(csv, _)| csv))
}

/// The CSV files of a directory that an import wrote, each with what describes the import.
fn imports(dir: &Path) -> io::Result<Vec<(String, Value)>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for name in csv_names(dir)? {
        let Some(mut reader) = EventReader::beside(&dir.join(&name))? else { continue };
        let Some(Ok(line)) = reader.next().transpose()? else { continue };
        let import = line.event.detail.map(|mut detail| detail[KEY].take());
        found.extend(import.filter(|import| !import.is_null()).map(|import| (name, import)));
    }
    Ok(found)
}

/// Whether an import was of the file with this digest, or of several with it among them.
fn holds(import: &Value, digest: &str) -> bool {
    let files = import[FILES].as_array().into_iter().flatten();
    files.chain([import]).any(|file| file["sha256"] == digest)
}

/// Returns the event with which an import begins.
pub(crate) fn event(content: Content<'_>) -> Event {
    let mut import = match content.sources {
        [source] => describe(source),
        sources => {
            json!({ FILES: sources.iter().map(describe).collect::<Vec<_>>(), "rounds": content.rounds.len() })
        }
    };
    import["estimated_times"] = content.is_estimated.into();
    Event { detail: Some(json!({ KEY: import })), ..Event::new(EventKind::Start, content.by) }
}

fn describe(source: &SourceFile) -> Value {
    // The last part of the path: the whole one says where a person keeps files.
    let name = source.name.rsplit(['/', '\\']).next().unwrap_or_default();
    json!({ "file": name, "sha256": source.sha256, "rounds": source.rounds })
}
