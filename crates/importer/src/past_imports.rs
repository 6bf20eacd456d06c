//! Which files have been imported into a directory: the event file beside each CSV keeps the digest of its source.
//!
//! There is no list beside the files that could disagree with them: a CSV that is deleted has not been imported.

use std::io;
use std::path::Path;

use rounds::{Event, EventKind, EventReader, csv_names, event_file_of};
use serde_json::json;

use crate::recording::Recording;

/// The source that events of an import name.
pub(crate) const SOURCE: &str = "import";
/// Key of the detail that describes an import.
const KEY: &str = "import";

/// Returns the name of the CSV that holds the rounds of a source with this digest, if there is one.
///
/// # Errors
/// The directory or an event file cannot be read.
pub fn find(dir: &Path, digest: &str) -> io::Result<Option<String>> {
    if !dir.exists() {
        return Ok(None);
    }
    for name in csv_names(dir)? {
        let mut reader = match EventReader::open(&event_file_of(&dir.join(&name)), 0) {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let Some(Ok(line)) = reader.next().transpose()? else { continue };
        let detail = line.event.detail.unwrap_or_default();
        if detail[KEY]["sha256"] == digest {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Returns the event with which an import begins.
pub(crate) fn event(recording: &Recording, digest: &str) -> Event {
    // The last part of the path: the whole one says where a person keeps files.
    let name = recording.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let detail = json!({ KEY: {
        "file": name,
        "sha256": digest,
        "rounds": recording.rounds.len(),
        "estimated_times": recording.is_estimated,
    }});
    Event { detail: Some(detail), ..Event::new(EventKind::Start, SOURCE) }
}
